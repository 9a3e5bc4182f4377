/**
 * JSON as fastjson 1.x writes it (RocketMQ RemotingSerializable): standard, except that a map's keys need not be
 * strings. Numbers stand unquoted, objects stand as objects:
 *
 *   {"brokerAddrs":{0:"127.0.0.1:10911"}}
 *   {"offsetTable":{{"brokerName":"b","queueId":0,"topic":"t"}:{"maxOffset":1,"minOffset":0}}}
 *
 * In memory such maps are `Map`s.
 */
import { remotingErrors } from './errors.ts'

/** Deeper nesting than this is refused. */
export const JSON_DEPTH_MAX = 64

export interface JsonOptions {
  /** Quotes every key and sorts those of maps, for readers that know no dialect (RocketMQ: clients from 4.9.4 on). */
  readonly standard?: boolean
}

/** `value` as text. Maps become objects, other iterables are not known; undefined members are left out. */
export function toJson(value: unknown, options: JsonOptions = {}): string {
  return emit(value, options.standard === true) ?? 'null'
}

function emit(value: unknown, standard: boolean): string | undefined {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((item) => emit(item, standard) ?? 'null').join(',')}]`
  return value instanceof Map ? emitMap(value, standard) : emitObject(value, standard)
}

function emitObject(value: object, standard: boolean): string {
  const members: string[] = []
  for (const [name, item] of Object.entries(value)) {
    const text = emit(item, standard)
    if (text !== undefined) members.push(`${JSON.stringify(name)}:${text}`)
  }
  return `{${members.join(',')}}`
}

function emitMap(map: ReadonlyMap<unknown, unknown>, standard: boolean): string {
  const members: string[] = []
  for (const [key, item] of standard ? sorted(map) : map) {
    const text = emit(item, standard)
    if (text !== undefined) members.push(`${emitKey(key, standard)}:${text}`)
  }
  return `{${members.join(',')}}`
}

function emitKey(key: unknown, standard: boolean): string {
  const text = emit(key, standard) ?? 'null'
  return standard && typeof key !== 'string' ? JSON.stringify(text) : text
}

function sorted(map: ReadonlyMap<unknown, unknown>): [key: unknown, value: unknown][] {
  return [...map].sort(([a], [b]) => {
    if (typeof a === 'number' && typeof b === 'number') return a - b
    return String(a) < String(b) ? -1 : 1
  })
}

/**
 * Reads standard JSON and the dialect. An object whose keys are not all strings or numbers becomes a `Map`.
 * Throws REMOTING_BODY_INVALID.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return new DialectParser(text).parse()
  }
}

const numberText = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const wordText = /[A-Za-z_$][A-Za-z0-9_$]*/y
const spaceText = /\s*/y

class DialectParser {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  parse(): unknown {
    const value = this.#value()
    this.#skipSpace()
    if (this.#at !== this.#text.length) throw this.#unexpected()
    return value
  }

  #value(): unknown {
    this.#skipSpace()
    const char = this.#text[this.#at]
    if (char === '{') return this.#nested(() => this.#object())
    if (char === '[') return this.#nested(() => this.#array())
    if (char === '"' || char === "'") return this.#string(char)
    const number = this.#match(numberText)
    if (number !== undefined) return Number(number)
    return this.#word()
  }

  #word(): unknown {
    const start = this.#at
    const word = this.#match(wordText)
    if (word === 'true') return true
    if (word === 'false') return false
    if (word === 'null' || word === 'undefined' || word === 'NaN') return null
    this.#at = start
    throw this.#unexpected()
  }

  #nested(read: () => unknown): unknown {
    if (++this.#depth > JSON_DEPTH_MAX) throw this.#invalid(`nested deeper than ${JSON_DEPTH_MAX}`)
    const value = read()
    this.#depth--
    return value
  }

  #array(): unknown[] {
    const items: unknown[] = []
    this.#at++
    while (!this.#take(']')) {
      items.push(this.#value())
      if (this.#take(',')) continue
      this.#expect(']')
      break
    }
    return items
  }

  #object(): unknown {
    const members: [key: unknown, value: unknown][] = []
    let plain = true
    this.#at++
    while (!this.#take('}')) {
      const key = this.#key()
      if (typeof key === 'object') plain = false
      this.#expect(':')
      members.push([key, this.#value()])
      if (this.#take(',')) continue
      this.#expect('}')
      break
    }
    return plain ? Object.fromEntries(members.map(([key, value]) => [String(key), value])) : new Map(members)
  }

  #key(): unknown {
    this.#skipSpace()
    return this.#match(wordText) ?? this.#value()
  }

  #string(quote: string): string {
    let text = ''
    this.#at++
    for (;;) {
      const char = this.#text[this.#at++]
      if (char === undefined) throw this.#invalid('a string does not end')
      if (char === quote) return text
      text += char === '\\' ? this.#escape() : char
    }
  }

  #escape(): string {
    const char = this.#text[this.#at++]
    switch (char) {
      case 'n':
        return '\n'
      case 't':
        return '\t'
      case 'r':
        return '\r'
      case 'b':
        return '\b'
      case 'f':
        return '\f'
      case 'v':
        return '\v'
      case '0':
        return '\0'
      case 'x':
        return this.#hex(2)
      case 'u':
        return this.#hex(4)
      case undefined:
        throw this.#invalid('a string does not end')
      default:
        return char
    }
  }

  #hex(digits: number): string {
    const hex = this.#text.slice(this.#at, this.#at + digits)
    if (hex.length !== digits || !/^[0-9a-fA-F]+$/.test(hex)) throw this.#unexpected()
    this.#at += digits
    return String.fromCharCode(Number.parseInt(hex, 16))
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0]
    if (found !== undefined) this.#at += found.length
    return found
  }

  #skipSpace(): void {
    this.#match(spaceText)
  }

  #take(char: string): boolean {
    this.#skipSpace()
    if (this.#text[this.#at] !== char) return false
    this.#at++
    return true
  }

  #expect(char: string): void {
    if (!this.#take(char)) throw this.#unexpected()
  }

  #unexpected(): Error {
    const found = this.#text[this.#at]
    return this.#invalid(found === undefined ? 'it ends too early' : `unexpected ${JSON.stringify(found)}`)
  }

  #invalid(what: string): Error {
    return remotingErrors.create('REMOTING_BODY_INVALID', `no JSON at character ${this.#at}: ${what}`)
  }
}
