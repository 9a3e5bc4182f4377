/**
 * The extension fields of one command, as they came: bytes that are read when asked for, or a record.
 *
 *   ROCKETMQ form   repeated `[2 key length][key][4 value length][value]` (RocketMQ RocketMQSerializable)
 *   JSON form       `"key":"value","key":"value"`, as `json-header.ts` found it; a record where it looked different
 */
import { remotingErrors } from './errors.ts'
import { closingQuote, jsonText } from './json-header.ts'

/** Field values by name; `undefined` fields are not sent. */
export type HeaderRecord = Readonly<Record<string, string | number | boolean | undefined>>

const noBytes = Buffer.alloc(0)

/** How the pairs are written in `bytes`. */
type FieldsForm = 'none' | 'binary' | 'json'

export class Fields {
  readonly form: FieldsForm
  /** The pairs are in `bytes` from `start` to `end`, checked to be whole; nowhere when the form is `none`. */
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  #record: Readonly<Record<string, string>> | undefined

  private constructor(
    record: Readonly<Record<string, string>> | undefined,
    form: FieldsForm,
    bytes: Buffer,
    start: number,
    end: number,
  ) {
    this.#record = record
    this.form = form
    this.bytes = bytes
    this.start = start
    this.end = end
  }

  static ofRecord(record: Readonly<Record<string, string>>): Fields {
    return new Fields(record, 'none', noBytes, 0, 0)
  }

  /** The pairs in `bytes` from `start` to `end`. Throws REMOTING_FRAME_MALFORMED unless they are whole. */
  static ofBytes(bytes: Buffer, start: number, end: number): Fields {
    checkPairs(bytes, start, end)
    return new Fields(undefined, 'binary', bytes, start, end)
  }

  /** The pairs of a flat JSON object, found by `scanJsonHead` between its braces. */
  static ofJson(bytes: Buffer, start: number, end: number): Fields {
    return new Fields(undefined, 'json', bytes, start, end)
  }

  /** The fields as a record, when there is one already; undefined: they are in `bytes` alone. */
  get record(): Readonly<Record<string, string>> | undefined {
    return this.#record
  }

  get(name: string): string | undefined {
    const record = this.toRecord()
    return Object.hasOwn(record, name) ? record[name] : undefined
  }

  /** All fields by name; the record may hold any name, so ask with `Object.hasOwn`. */
  toRecord(): Readonly<Record<string, string>> {
    this.#record ??=
      this.form === 'json' ? readTexts(this.bytes, this.start, this.end) : readPairs(this.bytes, this.start, this.end)
    return this.#record
  }

  entries(): [name: string, value: string][] {
    return Object.entries(this.toRecord())
  }
}

export const noFields: Fields = Fields.ofRecord({})

function checkPairs(bytes: Buffer, start: number, end: number): void {
  let at = start
  while (at < end) {
    if (end - at < 2) throw broken()
    at += 2 + (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0))
    if (end - at < 4) throw broken()
    const valueBytes = readLength(bytes, at)
    if (valueBytes < 0) throw broken()
    at += 4 + valueBytes
    if (at > end) throw broken()
  }
}

/** A signed 32-bit length. */
export function readLength(bytes: Buffer, at: number): number {
  return ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)
}

/** A value without bytes is null, as in RocketMQ: such a field is not there. */
function readPairs(bytes: Buffer, start: number, end: number): Record<string, string> {
  const record: Record<string, string> = {}
  let at = start
  while (at < end) {
    const keyBytes = bytes.readUInt16BE(at)
    const name = bytes.toString('utf8', at + 2, at + 2 + keyBytes)
    at += 2 + keyBytes
    const valueBytes = readLength(bytes, at)
    if (valueBytes > 0) setOwn(record, name, bytes.toString('utf8', at + 4, at + 4 + valueBytes))
    at += 4 + valueBytes
  }
  return record
}

function readTexts(bytes: Buffer, start: number, end: number): Record<string, string> {
  const record: Record<string, string> = {}
  for (let at = start; at < end; ) {
    const nameEnd = closingQuote(bytes, at + 1)
    const found = closingQuote(bytes, nameEnd + 3)
    const valueEnd = found < 0 ? ~found : found
    setOwn(record, bytes.toString('utf8', at + 1, nameEnd), jsonText(bytes, nameEnd + 3, valueEnd))
    at = valueEnd + 2
  }
  return record
}

/** Assignment would lose a field called `__proto__`. */
function setOwn(record: Record<string, string>, name: string, value: string): void {
  if (name === '__proto__') {
    Object.defineProperty(record, name, { value, enumerable: true, writable: true, configurable: true })
  } else record[name] = value
}

function broken(): Error {
  return remotingErrors.create('REMOTING_FRAME_MALFORMED', 'the extension fields of the header are cut off')
}
