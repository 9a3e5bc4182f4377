/**
 * Command headers in JSON form, read from the bytes as stock clients write them (fastjson): no space, `extFields` flat and
 * all of texts. JSON.parse makes a string of the header and objects of all of it, which costs more than all else that
 * happens to a send before it is stored; here a field becomes a value when the header's table asks for it.
 *
 *   {"code":310,"extFields":{"a":"group",…,"i":"UNIQ_KEY\u0001…"},"flag":0,"language":"JAVA","opaque":1,…,"version":493}
 *
 * What looks different in any way is left to JSON.parse: these functions then say -1 or undefined.
 */
import { languageCode } from './codes.ts'

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN = 0x7b
const CLOSE = 0x7d
const MINUS = 0x2d
const ZERO = 0x30
const SPACE = 0x20
const LETTER_U = 0x75
const INT_DIGITS_MAX = 10
const INT_MAX = 2147483647

/** What a header says beside its fields; `fieldsStart` to `fieldsEnd` is what stands between the braces of `extFields`. */
export interface JsonHead {
  code: number
  language: number
  version: number
  opaque: number
  flag: number
  remark: string | undefined
  fieldsStart: number
  fieldsEnd: number
}

type NumberName = 'code' | 'version' | 'opaque' | 'flag'

const numbers: readonly (readonly [bytes: Uint8Array, name: NumberName])[] = [
  [Buffer.from('code'), 'code'],
  [Buffer.from('flag'), 'flag'],
  [Buffer.from('opaque'), 'opaque'],
  [Buffer.from('version'), 'version'],
]
const EXT_FIELDS = Buffer.from('extFields')
const LANGUAGE = Buffer.from('language')
const REMARK = Buffer.from('remark')
const JAVA = Buffer.from('JAVA')
const javaCode = languageCode('JAVA')
const otherCode = languageCode('OTHER')

/** The header in `bytes` from `start` to `end`; undefined when it is not of the usual form. */
export function scanJsonHead(bytes: Buffer, start: number, end: number): JsonHead | undefined {
  if (end - start < 2 || bytes[start] !== OPEN || bytes[end - 1] !== CLOSE) return undefined
  const head: JsonHead = {
    code: 0,
    language: otherCode,
    version: 0,
    opaque: 0,
    flag: 0,
    remark: undefined,
    fieldsStart: 0,
    fieldsEnd: 0,
  }
  let at = start + 1
  const last = end - 1
  while (at < last) {
    if (bytes[at] !== QUOTE) return undefined
    const nameEnd = plainEnd(bytes, at + 1, last)
    if (nameEnd < 0 || bytes[nameEnd + 1] !== COLON) return undefined
    at = scanMember(bytes, at + 1, nameEnd, last, head)
    if (at < 0) return undefined
    if (at === last) return head
    if (bytes[at] !== COMMA) return undefined
    at += 1
  }
  return undefined
}

/** Where the member's value ends. */
function scanMember(bytes: Buffer, name: number, nameEnd: number, end: number, head: JsonHead): number {
  const at = nameEnd + 2
  const first = bytes[at] ?? 0
  if (first === OPEN) {
    if (!isText(EXT_FIELDS, bytes, name, nameEnd) || head.fieldsStart > 0) return -1
    const fieldsEnd = flatEnd(bytes, at + 1, end)
    if (fieldsEnd < 0) return -1
    head.fieldsStart = at + 1
    head.fieldsEnd = fieldsEnd
    return fieldsEnd + 1
  }
  if (first === QUOTE) {
    const valueEnd = textEnd(bytes, at + 1, end)
    if (valueEnd < 0) return -1
    if (isText(LANGUAGE, bytes, name, nameEnd)) head.language = languageOf(bytes, at + 1, valueEnd)
    else if (isText(REMARK, bytes, name, nameEnd)) head.remark = jsonText(bytes, at + 1, valueEnd)
    else if (isNumberName(bytes, name, nameEnd) || isText(EXT_FIELDS, bytes, name, nameEnd)) return -1
    return valueEnd + 1
  }
  return scanNumber(bytes, name, nameEnd, end, head)
}

function scanNumber(bytes: Buffer, name: number, nameEnd: number, end: number, head: JsonHead): number {
  let at = nameEnd + 2
  const isNegative = bytes[at] === MINUS
  if (isNegative) at++
  const digitsAt = at
  let value = 0
  for (; at < end; at++) {
    const digit = (bytes[at] ?? 0) - ZERO
    if (digit < 0 || digit > 9) break
    value = value * 10 + digit
  }
  const digits = at - digitsAt
  if (digits === 0 || digits > INT_DIGITS_MAX || value > INT_MAX || isText(EXT_FIELDS, bytes, name, nameEnd)) return -1
  // JSON knows no leading zeros.
  if (digits > 1 && bytes[digitsAt] === ZERO) return -1
  for (const [text, field] of numbers) {
    if (isText(text, bytes, name, nameEnd)) head[field] = isNegative ? -value : value
  }
  return at
}

/** Where a flat object of texts, whose first member begins at `at`, has its closing brace. */
function flatEnd(bytes: Buffer, at: number, end: number): number {
  if (bytes[at] === CLOSE) return at
  let place = at
  while (place < end) {
    if (bytes[place] !== QUOTE) return -1
    const nameEnd = plainEnd(bytes, place + 1, end)
    if (nameEnd < 0 || bytes[nameEnd + 1] !== COLON || bytes[nameEnd + 2] !== QUOTE) return -1
    const valueEnd = textEnd(bytes, nameEnd + 3, end)
    if (valueEnd < 0) return -1
    place = valueEnd + 1
    if (bytes[place] === CLOSE) return place
    if (bytes[place] !== COMMA) return -1
    place += 1
  }
  return -1
}

/** Where the text that begins at `at` has its closing quote; -1 when there is an escape in it, or no end. */
function plainEnd(bytes: Buffer, at: number, end: number): number {
  for (let i = at; i < end; i++) {
    const byte = bytes[i] ?? 0
    if (byte === QUOTE) return i
    if (byte === BACKSLASH || byte < SPACE) return -1
  }
  return -1
}

/** As `plainEnd`, with escapes. */
function textEnd(bytes: Buffer, at: number, end: number): number {
  for (let i = at; i < end; i++) {
    const byte = bytes[i] ?? 0
    if (byte === QUOTE) return i
    if (byte < SPACE) return -1
    if (byte !== BACKSLASH) continue
    const escape = escapeBytes(bytes, i)
    if (escape === 0) return -1
    i += escape - 1
  }
  return -1
}

/**
 * The closing quote of a text that `scanJsonHead` went over, which begins at `at`; its complement, a negative number, when
 * there is an escape in the text.
 */
export function closingQuote(bytes: Buffer, at: number): number {
  let hasEscapes = false
  for (let i = at; ; i++) {
    const byte = bytes[i]
    if (byte === QUOTE) return hasEscapes ? ~i : i
    if (byte !== BACKSLASH) continue
    hasEscapes = true
    i++
  }
}

/** Length of the escape that begins at `at`; 0 when it is none. */
function escapeBytes(bytes: Buffer, at: number): number {
  const kind = bytes[at + 1] ?? 0
  if (kind !== LETTER_U) return shortEscapes[kind] === undefined ? 0 : 2
  for (let i = at + 2; i < at + 6; i++) if (hexDigit(bytes[i] ?? 0) < 0) return 0
  return 6
}

/** Letter of an escape → the byte it stands for. */
const shortEscapes: readonly (number | undefined)[] = (() => {
  const table: (number | undefined)[] = Array.from({ length: 256 })
  for (const [letter, byte] of Object.entries({
    '"': '"',
    '\\': '\\',
    '/': '/',
    b: '\b',
    f: '\f',
    n: '\n',
    r: '\r',
    t: '\t',
  })) {
    table[letter.charCodeAt(0)] = byte.charCodeAt(0)
  }
  return table
})()

/** Longer texts, and those that escape more than control characters, are left to JSON.parse. */
const scratch = Buffer.alloc(4096)

/** The text between the quotes, from `start` to `end`, that `textEnd` found whole. */
export function jsonText(bytes: Buffer, start: number, end: number): string {
  if (end - start > scratch.length) return parsed(bytes, start, end)
  let length = 0
  for (let i = start; i < end; i++) {
    let byte = bytes[i] ?? 0
    if (byte === BACKSLASH) {
      const kind = bytes[i + 1] ?? 0
      if (kind === LETTER_U) {
        byte = (hexDigit(bytes[i + 4] ?? 0) << 4) | hexDigit(bytes[i + 5] ?? 0)
        // Beyond ASCII an escape is half of a code unit's encoding, or of a pair.
        if (byte > 0x7f || bytes[i + 2] !== ZERO || bytes[i + 3] !== ZERO) return parsed(bytes, start, end)
        i += 5
      } else {
        byte = shortEscapes[kind] ?? 0
        i += 1
      }
    }
    scratch[length++] = byte
  }
  return scratch.toString('utf8', 0, length)
}

function parsed(bytes: Buffer, start: number, end: number): string {
  const text: unknown = JSON.parse(bytes.toString('utf8', start - 1, end + 1))
  return typeof text === 'string' ? text : ''
}

function hexDigit(byte: number): number {
  if (byte >= ZERO && byte <= 0x39) return byte - ZERO
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

function languageOf(bytes: Buffer, start: number, end: number): number {
  return isText(JAVA, bytes, start, end) ? javaCode : languageCode(jsonText(bytes, start, end))
}

function isNumberName(bytes: Buffer, start: number, end: number): boolean {
  return numbers.some(([text]) => isText(text, bytes, start, end))
}

export function isText(text: Uint8Array, bytes: Buffer, start: number, end: number): boolean {
  const length = text.length
  if (length !== end - start) return false
  for (let i = 0; i < length; i++) if (text[i] !== bytes[start + i]) return false
  return true
}
