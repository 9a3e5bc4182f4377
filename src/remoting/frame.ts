/**
 * Cuts a byte stream into frames. Pure: bytes in, frames out.
 *
 *   [4 length L][L bytes: 4 header word, header, body]     RocketMQ NettyDecoder, LengthFieldBasedFrameDecoder
 *
 * A frame that lies within one chunk is a view of it; one that spans chunks is joined once, when its last byte came,
 * so that a length that lies costs no memory beyond what was really sent.
 */
import { remotingErrors } from './errors.ts'

/** RocketMQ `com.rocketmq.remoting.frameMaxLength`. Counts the length word too. */
export const FRAME_MAX_BYTES = 16_777_216

const LENGTH_BYTES = 4
const HEADER_WORD_BYTES = 4

/** Takes one frame without its length word. False stops the splitter: what follows in the stream is dropped. */
export type OnFrame = (frame: Buffer) => boolean

export class FrameSplitter {
  readonly #maxBytes: number
  readonly #onFrame: OnFrame
  /** The beginning of a frame whose rest has not come. Invariant: fewer bytes than that frame. */
  #pending: Buffer[] = []
  #pendingBytes = 0
  /** Length of the frame in `#pending` with its length word, or 0 while that is not known. */
  #wantedBytes = 0
  #stopped = false

  constructor(options: { readonly maxBytes: number; readonly onFrame: OnFrame }) {
    this.#maxBytes = options.maxBytes
    this.#onFrame = options.onFrame
  }

  /** Bytes held for a frame that is not whole. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** Throws REMOTING_FRAME_TOO_LARGE or REMOTING_FRAME_MALFORMED; the stream cannot be read on after that. */
  push(chunk: Buffer): void {
    if (this.#stopped) return
    let at = 0
    if (this.#pendingBytes > 0) {
      at = this.#fill(chunk)
      if (at < 0) return
    }
    while (chunk.length - at >= LENGTH_BYTES) {
      const frameBytes = this.#frameBytes(chunk.readUInt32BE(at))
      if (chunk.length - at < frameBytes) {
        this.#wantedBytes = frameBytes
        break
      }
      const start = at + LENGTH_BYTES
      at += frameBytes
      if (!this.#emit(chunk.subarray(start, at))) return
    }
    if (at < chunk.length) this.#keep(at === 0 ? chunk : chunk.subarray(at))
  }

  /** Continues the pending frame. Returns where the next frame begins in `chunk`, or -1 when it is used up or stopped. */
  #fill(chunk: Buffer): number {
    if (this.#wantedBytes === 0) {
      if (this.#pendingBytes + chunk.length < LENGTH_BYTES) {
        this.#keep(chunk)
        return -1
      }
      this.#wantedBytes = this.#frameBytes(this.#splitLength(chunk))
    }
    const missing = this.#wantedBytes - this.#pendingBytes
    if (chunk.length < missing) {
      this.#keep(chunk)
      return -1
    }
    this.#pending.push(chunk.subarray(0, missing))
    const whole = Buffer.concat(this.#pending, this.#wantedBytes)
    this.#pending = []
    this.#pendingBytes = 0
    this.#wantedBytes = 0
    return this.#emit(whole.subarray(LENGTH_BYTES)) ? missing : -1
  }

  /** The length word when its bytes lie in several chunks. */
  #splitLength(chunk: Buffer): number {
    return Buffer.concat([...this.#pending, chunk.subarray(0, LENGTH_BYTES)]).readUInt32BE(0)
  }

  #frameBytes(length: number): number {
    if (length < HEADER_WORD_BYTES) {
      this.#stop()
      throw remotingErrors.create('REMOTING_FRAME_MALFORMED', `a frame of ${length} bytes has no room for a header`)
    }
    const frameBytes = length + LENGTH_BYTES
    if (frameBytes > this.#maxBytes) {
      this.#stop()
      throw remotingErrors.create(
        'REMOTING_FRAME_TOO_LARGE',
        `a frame of ${frameBytes} bytes is over the limit of ${this.#maxBytes}`,
      )
    }
    return frameBytes
  }

  #emit(frame: Buffer): boolean {
    if (this.#onFrame(frame)) return true
    this.#stop()
    return false
  }

  #keep(bytes: Buffer): void {
    this.#pending.push(bytes)
    this.#pendingBytes += bytes.length
  }

  #stop(): void {
    this.#stopped = true
    this.#pending = []
    this.#pendingBytes = 0
  }
}
