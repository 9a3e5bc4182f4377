/**
 * Writes commands one behind the other into few large pieces, so that all that a turn has to say to a peer leaves in
 * one write. Small bodies are copied behind their header; large ones stay where they are and become pieces of their own.
 */
import { languageName, SerializeType } from './codes.ts'
import type { HeaderRecord } from './fields.ts'
import { writeInt32, writeQuoted, writeText, writeValue } from './frame-text.ts'

export interface FrameHead {
  readonly form: SerializeType
  readonly code: number
  readonly language: number
  readonly version: number
  readonly opaque: number
  readonly flag: number
}

export type Body = Buffer | readonly Buffer[]

/** Smaller bodies are copied: a piece of its own in a gathering write costs more than copying this much. */
const COPY_MAX_BYTES = 4096
const BLOCK_BYTES_MIN = 1024
const BLOCK_BYTES_MAX = 65_536
const LENGTH_AND_WORD_BYTES = 8
const BINARY_FIXED_BYTES = 21
/** Bounds what stands in a header in JSON form beside its fields and remark. */
const JSON_FIXED_BYTES = 256
const JSON_TYPE = ',"serializeTypeCurrentRPC":"JSON"'
const COMMA = 0x2c
const COLON = 0x3a
const CLOSE = 0x7d
/** Room for the fields of common headers, so that asking for more is rare. */
const FIELDS_BYTES_GUESS = 512
/** `-1.7976931348623157e+308` */
const NUMBER_BYTES_MAX = 25
const noHeader: HeaderRecord = {}

export class FrameWriter {
  #block: Buffer = Buffer.alloc(0)
  /** `#block` from `#start` to `#at` is written and not yet taken. */
  #start = 0
  #at = 0
  /** Where the frame being written begins. */
  #frameAt = 0
  #pieces: Buffer[] = []
  #bytes = 0
  /** What recent turns needed: the size of the next block. */
  #blockBytes = BLOCK_BYTES_MIN

  /** Bytes written and not yet taken. */
  get bytes(): number {
    return this.#bytes + (this.#at - this.#start)
  }

  /**
   * Appends one frame. Large bodies are not copied: their bytes must not change until they left.
   * A code that the ROCKETMQ form cannot carry (16 bits; POP) goes in JSON form.
   */
  write(head: FrameHead, header: HeaderRecord | undefined, remark: string | undefined, body: Body | undefined): void {
    const bodyBytes = body === undefined ? 0 : sizeOf(body)
    const copied = bodyBytes <= COPY_MAX_BYTES
    const form = head.code === (head.code << 16) >> 16 ? head.form : SerializeType.JSON
    const start =
      form === SerializeType.ROCKETMQ
        ? this.#writeBinary(head, header ?? noHeader, remark, copied ? bodyBytes : 0)
        : this.#writeJson(head, header ?? noHeader, remark, copied ? bodyBytes : 0)
    const headerBytes = this.#at - start - LENGTH_AND_WORD_BYTES
    writeInt32(this.#block, start, 4 + headerBytes + bodyBytes)
    writeInt32(this.#block, start + 4, (form << 24) | headerBytes)
    if (body === undefined || bodyBytes === 0) return
    if (copied) this.#copy(body)
    else this.#attach(body, bodyBytes)
  }

  /** Hands over everything written so far. */
  take(): Buffer[] {
    const written = this.bytes
    this.#seal()
    const pieces = this.#pieces
    this.#pieces = []
    this.#bytes = 0
    if (written > this.#blockBytes && this.#blockBytes < BLOCK_BYTES_MAX) this.#blockBytes *= 2
    return pieces
  }

  /** Forgets the block kept for later frames; for a connection that has nothing to say. */
  release(): void {
    if (this.bytes > 0) return
    this.#block = Buffer.alloc(0)
    this.#start = 0
    this.#at = 0
    this.#blockBytes = BLOCK_BYTES_MIN
  }

  #writeBinary(head: FrameHead, header: HeaderRecord, remark: string | undefined, extraBytes: number): number {
    const remarkBound = remark === undefined ? 0 : remark.length * 3
    this.#begin(LENGTH_AND_WORD_BYTES + BINARY_FIXED_BYTES + remarkBound + FIELDS_BYTES_GUESS + extraBytes)
    const block = this.#block
    let at = this.#at + LENGTH_AND_WORD_BYTES
    block[at] = head.code >>> 8
    block[at + 1] = head.code
    block[at + 2] = head.language
    block[at + 3] = head.version >>> 8
    block[at + 4] = head.version
    writeInt32(block, at + 5, head.opaque)
    writeInt32(block, at + 9, head.flag)
    at += 17
    const remarkEnd = remark === undefined ? at : writeText(block, at, remark)
    writeInt32(block, at - 4, remarkEnd - at)
    this.#at = remarkEnd + 4
    // Counted from the frame's beginning, which moves when the frame outgrows its block.
    const fieldsAt = this.#at - this.#frameAt
    for (const name in header) {
      const value = header[name]
      if (value !== undefined && value !== '') this.#writeField(name, value, extraBytes)
    }
    writeInt32(this.#block, this.#frameAt + fieldsAt - 4, this.#at - this.#frameAt - fieldsAt)
    return this.#frameAt
  }

  #writeField(name: string, value: string | number | boolean, extraBytes: number): void {
    const valueBound = typeof value === 'string' ? value.length * 3 : NUMBER_BYTES_MAX
    this.#reserve(6 + name.length * 3 + valueBound + extraBytes)
    const block = this.#block
    const nameAt = this.#at + 2
    const nameEnd = writeText(block, nameAt, name)
    block[nameAt - 2] = (nameEnd - nameAt) >>> 8
    block[nameAt - 1] = nameEnd - nameAt
    const valueAt = nameEnd + 4
    const end = writeValue(block, valueAt, value)
    writeInt32(block, nameEnd, end - valueAt)
    this.#at = end
  }

  #writeJson(head: FrameHead, header: HeaderRecord, remark: string | undefined, extraBytes: number): number {
    let bound = LENGTH_AND_WORD_BYTES + JSON_FIXED_BYTES + extraBytes + (remark === undefined ? 0 : quotedBound(remark))
    for (const name in header) {
      const value = header[name]
      if (value !== undefined) bound += quotedBound(name) + quotedBound(value) + 2
    }
    this.#begin(bound)
    const block = this.#block
    let at = writeText(block, this.#frameAt + LENGTH_AND_WORD_BYTES, '{"code":')
    at = writeText(block, writeValue(block, at, head.code), ',"extFields":{')
    let isFirst = true
    for (const name in header) {
      const value = header[name]
      if (value === undefined) continue
      if (!isFirst) block[at++] = COMMA
      isFirst = false
      at = writeQuoted(block, at, name)
      block[at] = COLON
      at = writeQuoted(block, at + 1, value)
    }
    at = writeValue(block, writeText(block, at, '},"flag":'), head.flag)
    at = writeQuoted(block, writeText(block, at, ',"language":'), languageName(head.language))
    at = writeValue(block, writeText(block, at, ',"opaque":'), head.opaque)
    if (remark !== undefined) at = writeQuoted(block, writeText(block, at, ',"remark":'), remark)
    at = writeText(block, at, JSON_TYPE)
    at = writeValue(block, writeText(block, at, ',"version":'), head.version)
    block[at] = CLOSE
    this.#at = at + 1
    return this.#frameAt
  }

  /** A new frame begins, with room for `bytes`. */
  #begin(bytes: number): void {
    this.#frameAt = this.#at
    this.#reserve(bytes)
  }

  /** Room for `bytes` more of the frame being written. A frame stays in one piece: it moves when its block is full. */
  #reserve(bytes: number): void {
    if (this.#block.length - this.#at >= bytes) return
    const written = this.#at - this.#frameAt
    const block = Buffer.allocUnsafeSlow(Math.max(this.#blockBytes, written + bytes))
    this.#block.copy(block, 0, this.#frameAt, this.#at)
    this.#at = this.#frameAt
    this.#seal()
    this.#block = block
    this.#start = 0
    this.#frameAt = 0
    this.#at = written
  }

  #copy(body: Body): void {
    if (Buffer.isBuffer(body)) {
      this.#at += body.copy(this.#block, this.#at)
      return
    }
    for (const part of body) this.#at += part.copy(this.#block, this.#at)
  }

  #attach(body: Body, bodyBytes: number): void {
    this.#seal()
    if (Buffer.isBuffer(body)) this.#pieces.push(body)
    else for (const part of body) if (part.length > 0) this.#pieces.push(part)
    this.#bytes += bodyBytes
  }

  #seal(): void {
    if (this.#at === this.#start) return
    this.#pieces.push(this.#block.subarray(this.#start, this.#at))
    this.#bytes += this.#at - this.#start
    this.#start = this.#at
  }
}

/** One frame on its own, length word included. */
export function encodeFrame(
  head: FrameHead,
  content: { readonly header?: HeaderRecord; readonly remark?: string | undefined; readonly body?: Body | undefined },
): Buffer {
  const writer = new FrameWriter()
  writer.write(head, content.header, content.remark, content.body)
  return Buffer.concat(writer.take())
}

/** `\\u001f`: six bytes for one. */
function quotedBound(value: string | number | boolean): number {
  return 2 + (typeof value === 'string' ? value.length * 6 : NUMBER_BYTES_MAX)
}

function sizeOf(body: Body): number {
  if (Buffer.isBuffer(body)) return body.length
  let bytes = 0
  for (const part of body) bytes += part.length
  return bytes
}
