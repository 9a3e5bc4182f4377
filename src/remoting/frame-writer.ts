/**
 * Writes commands one behind the other into few large pieces, so that all that a turn has to say to a peer leaves in
 * one write. Small bodies are copied behind their header; large ones stay where they are and become pieces of their own.
 */
import { languageName, SerializeType } from './codes.ts'
import type { HeaderRecord } from './fields.ts'

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
/** Strings up to this length are written here; longer ones are worth the call into the runtime. */
const SHORT_TEXT = 24
const noHeader: HeaderRecord = {}

export class FrameWriter {
  #block: Buffer = Buffer.alloc(0)
  /** `#block` from `#start` to `#at` is written and not yet taken. */
  #start = 0
  #at = 0
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
    this.#block.writeInt32BE(4 + headerBytes + bodyBytes, start)
    this.#block.writeInt32BE((form << 24) | headerBytes, start + 4)
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
    let bound = LENGTH_AND_WORD_BYTES + BINARY_FIXED_BYTES + extraBytes + (remark === undefined ? 0 : remark.length * 3)
    for (const name in header) {
      const value = header[name]
      if (value === undefined) continue
      bound += 6 + name.length * 3 + (typeof value === 'string' ? value.length * 3 : 25)
    }
    const start = this.#reserve(bound)
    const block = this.#block
    let at = start + LENGTH_AND_WORD_BYTES
    at = block.writeUInt8((head.code >>> 8) & 0xff, at)
    at = block.writeUInt8(head.code & 0xff, at)
    at = block.writeUInt8(head.language & 0xff, at)
    at = block.writeUInt8((head.version >>> 8) & 0xff, at)
    at = block.writeUInt8(head.version & 0xff, at)
    at = block.writeInt32BE(head.opaque, at)
    at = block.writeInt32BE(head.flag, at)
    const remarkAt = at
    at += 4
    if (remark !== undefined) at = writeText(block, at, remark)
    block.writeInt32BE(at - remarkAt - 4, remarkAt)
    const fieldsAt = at
    at += 4
    for (const name in header) {
      const value = header[name]
      if (value === undefined || value === '') continue
      const valueAt = writeText(block, at + 2, name)
      block[at] = (valueAt - at - 2) >>> 8
      block[at + 1] = valueAt - at - 2
      at = writeText(block, valueAt + 4, typeof value === 'string' ? value : String(value))
      block.writeInt32BE(at - valueAt - 4, valueAt)
    }
    block.writeInt32BE(at - fieldsAt - 4, fieldsAt)
    this.#at = at
    return start
  }

  #writeJson(head: FrameHead, header: HeaderRecord, remark: string | undefined, extraBytes: number): number {
    let text = `{"code":${head.code},"extFields":{`
    let separator = ''
    for (const name in header) {
      const value = header[name]
      if (value === undefined) continue
      text += `${separator}${quoted(name)}:${typeof value === 'string' ? quoted(value) : `"${value}"`}`
      separator = ','
    }
    text += `},"flag":${head.flag},"language":"${languageName(head.language)}","opaque":${head.opaque}`
    if (remark !== undefined) text += `,"remark":${quoted(remark)}`
    text += `,"serializeTypeCurrentRPC":"JSON","version":${head.version}}`
    const start = this.#reserve(LENGTH_AND_WORD_BYTES + text.length * 3 + extraBytes)
    this.#at = start + LENGTH_AND_WORD_BYTES + this.#block.write(text, start + LENGTH_AND_WORD_BYTES)
    return start
  }

  /** Makes room for `bytes` in one piece. Returns where they begin. */
  #reserve(bytes: number): number {
    if (this.#block.length - this.#at < bytes) {
      this.#seal()
      this.#block = Buffer.allocUnsafeSlow(Math.max(this.#blockBytes, bytes))
      this.#start = 0
      this.#at = 0
    }
    return this.#at
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

function sizeOf(body: Body): number {
  if (Buffer.isBuffer(body)) return body.length
  let bytes = 0
  for (const part of body) bytes += part.length
  return bytes
}

function writeText(block: Buffer, at: number, text: string): number {
  const length = text.length
  if (length > SHORT_TEXT) return at + block.write(text, at)
  for (let i = 0; i < length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return at + block.write(text, at)
    block[at + i] = unit
  }
  return at + length
}

// eslint-disable-next-line no-control-regex
const plainText = /^[ !#-[\]-~]*$/

function quoted(text: string): string {
  return plainText.test(text) ? `"${text}"` : JSON.stringify(text)
}
