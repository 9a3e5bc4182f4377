/**
 * The extension fields of one command, as they came: a record (JSON form), or bytes that are read when asked for
 * (ROCKETMQ form: repeated `[2 key length][key][4 value length][value]`, RocketMQ RocketMQSerializable).
 */
import { remotingErrors } from './errors.ts'

/** Field values by name; `undefined` fields are not sent. */
export type HeaderRecord = Readonly<Record<string, string | number | boolean | undefined>>

const noBytes = Buffer.alloc(0)

export class Fields {
  /** The ROCKETMQ form's bytes, already checked to be whole pairs; empty in JSON form. */
  readonly bytes: Buffer
  #record: Readonly<Record<string, string>> | undefined

  private constructor(record: Readonly<Record<string, string>> | undefined, bytes: Buffer) {
    this.#record = record
    this.bytes = bytes
  }

  static ofRecord(record: Readonly<Record<string, string>>): Fields {
    return new Fields(record, noBytes)
  }

  /** Throws REMOTING_FRAME_MALFORMED unless `bytes` are whole pairs. */
  static ofBytes(bytes: Buffer): Fields {
    checkPairs(bytes)
    return new Fields(undefined, bytes)
  }

  /** True when the fields are in `bytes` alone, so that a schema may read them there. */
  get isBinary(): boolean {
    return this.#record === undefined
  }

  get(name: string): string | undefined {
    const record = this.toRecord()
    return Object.hasOwn(record, name) ? record[name] : undefined
  }

  /** All fields by name. The record has no prototype, or none that matters: ask with `Object.hasOwn`. */
  toRecord(): Readonly<Record<string, string>> {
    this.#record ??= readPairs(this.bytes)
    return this.#record
  }

  entries(): [name: string, value: string][] {
    return Object.entries(this.toRecord())
  }
}

export const noFields: Fields = Fields.ofRecord({})

function checkPairs(bytes: Buffer): void {
  const end = bytes.length
  let at = 0
  while (at < end) {
    if (end - at < 2) throw broken()
    at += 2 + (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0))
    if (end - at < 4) throw broken()
    const valueBytes = bytes.readUInt32BE(at)
    at += 4 + valueBytes
    if (at > end) throw broken()
  }
}

function readPairs(bytes: Buffer): Record<string, string> {
  const record: Record<string, string> = {}
  const end = bytes.length
  let at = 0
  while (at < end) {
    const keyBytes = bytes.readUInt16BE(at)
    const name = bytes.toString('utf8', at + 2, at + 2 + keyBytes)
    at += 2 + keyBytes
    const valueBytes = bytes.readUInt32BE(at)
    if (valueBytes > 0) setOwn(record, name, bytes.toString('utf8', at + 4, at + 4 + valueBytes))
    at += 4 + valueBytes
  }
  return record
}

/** Assignment would lose a field called `__proto__`. */
function setOwn(record: Record<string, string>, name: string, value: string): void {
  if (name === '__proto__') Object.defineProperty(record, name, { value, enumerable: true, writable: true })
  else record[name] = value
}

function broken(): Error {
  return remotingErrors.create('REMOTING_FRAME_MALFORMED', 'the extension fields of the header are cut off')
}
