/** A growing buffer, and a checked reader: the checkpoint's integers and texts. Big-endian. */
import { readInt64, writeInt32, writeInt64 } from '../message/int64.ts'

export class ByteWriter {
  #bytes = Buffer.allocUnsafeSlow(4096)
  #length = 0

  get length(): number {
    return this.#length
  }

  u8(value: number): void {
    this.#room(1)
    this.#bytes[this.#length++] = value
  }

  u32(value: number): void {
    this.#room(4)
    writeInt32(this.#bytes, this.#length, value)
    this.#length += 4
  }

  /** Overwrites what `u32` wrote at `at`. */
  setU32(at: number, value: number): void {
    writeInt32(this.#bytes, at, value)
  }

  i64(value: number): void {
    this.#room(8)
    writeInt64(this.#bytes, this.#length, value)
    this.#length += 8
  }

  /** 2 + n bytes of UTF-8. */
  text(value: string): void {
    const length = Buffer.byteLength(value)
    this.#room(2 + length)
    this.#bytes.writeUInt16BE(length, this.#length)
    this.#bytes.write(value, this.#length + 2)
    this.#length += 2 + length
  }

  bytes(value: Uint8Array): void {
    this.#room(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  take(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  #room(length: number): void {
    if (this.#length + length <= this.#bytes.length) return
    const bytes = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#length + length))
    bytes.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = bytes
  }
}

/** Reads in order; a `RangeError` when the bytes end too early or a number is no safe integer. */
export class ByteReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get remaining(): number {
    return this.#bytes.length - this.#at
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#advance(1))
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#advance(4))
  }

  i32(): number {
    return this.#bytes.readInt32BE(this.#advance(4))
  }

  i64(): number {
    const value = readInt64(this.#bytes, this.#advance(8))
    if (Number.isNaN(value)) throw new RangeError('a number is no safe integer')
    return value
  }

  text(): string {
    const length = this.#bytes.readUInt16BE(this.#advance(2))
    const start = this.#advance(length)
    return this.#bytes.toString('utf8', start, start + length)
  }

  bytes(length: number): Buffer {
    const start = this.#advance(length)
    return this.#bytes.subarray(start, start + length)
  }

  rest(): Buffer {
    return this.bytes(this.#bytes.length - this.#at)
  }

  #advance(length: number): number {
    const at = this.#at
    if (length > this.#bytes.length - at) throw new RangeError('the bytes end too early')
    this.#at = at + length
    return at
  }
}
