/**
 * Cuts a byte stream into frames. Pure: bytes in, frames out.
 *
 *   [4 length L][L bytes: 4 header word, header, body]     RocketMQ NettyDecoder, LengthFieldBasedFrameDecoder
 *
 * A frame that lies within one chunk stays in it; one that spans chunks is put together in a buffer that grows with what
 * really came, so that a length that lies costs no memory.
 */
import { remotingErrors } from './errors.ts'
import { readLength } from './fields.ts'

/** RocketMQ `com.rocketmq.remoting.frameMaxLength`. Counts the length word too. */
export const FRAME_MAX_BYTES = 16_777_216

const LENGTH_BYTES = 4
const HEADER_WORD_BYTES = 4

/**
 * Takes one frame, without its length word: `bytes` from `start` to `end`. False stops the splitter: what follows in the
 * stream is dropped.
 */
export type OnFrame = (bytes: Buffer, start: number, end: number) => boolean

/** Room for the beginning of a frame that spans chunks; it doubles with what comes, up to the frame's length. */
const ASSEMBLY_BYTES_MIN = 1024

const nothing = Buffer.alloc(0)

export class FrameSplitter {
  readonly #maxBytes: number
  readonly #onFrame: OnFrame
  /** The beginning of a frame whose rest has not come: `#heldBytes` of it. Invariant: fewer than that frame has. */
  #assembly: Buffer = nothing
  #heldBytes = 0
  #stopped = false

  constructor(options: { readonly maxBytes: number; readonly onFrame: OnFrame }) {
    this.#maxBytes = options.maxBytes
    this.#onFrame = options.onFrame
  }

  /** Memory held for a frame that is not whole: at most twice what was sent of it, and a kilobyte. */
  get assemblyBytes(): number {
    return this.#assembly.length
  }

  /** Throws REMOTING_FRAME_TOO_LARGE or REMOTING_FRAME_MALFORMED; the stream cannot be read on after that. */
  push(chunk: Buffer): void {
    if (this.#stopped) return
    let at = this.#heldBytes > 0 ? this.#complete(chunk) : 0
    while (!this.#stopped && chunk.length - at >= LENGTH_BYTES) {
      const frameBytes = this.#frameBytes(readLength(chunk, at) >>> 0)
      if (chunk.length - at < frameBytes) return this.#hold(chunk, at, chunk.length, frameBytes)
      at += frameBytes
      this.#emit(chunk, at - frameBytes + LENGTH_BYTES, at)
    }
    if (!this.#stopped && at < chunk.length) this.#hold(chunk, at, chunk.length, this.#maxBytes)
  }

  /** Continues the held frame. Returns where in `chunk` the next frame begins: its end, while the frame is not whole. */
  #complete(chunk: Buffer): number {
    let at = 0
    if (this.#heldBytes < LENGTH_BYTES) {
      at = Math.min(chunk.length, LENGTH_BYTES - this.#heldBytes)
      this.#hold(chunk, 0, at, this.#maxBytes)
      if (this.#heldBytes < LENGTH_BYTES) return at
    }
    const frameBytes = this.#frameBytes(readLength(this.#assembly, 0) >>> 0)
    const end = Math.min(chunk.length, at + frameBytes - this.#heldBytes)
    this.#hold(chunk, at, end, frameBytes)
    if (this.#heldBytes < frameBytes) return end
    const whole = this.#assembly
    this.#assembly = nothing
    this.#heldBytes = 0
    this.#emit(whole, LENGTH_BYTES, frameBytes)
    return end
  }

  /** `maxBytes`: what the frame has, as far as that is known. */
  #hold(chunk: Buffer, start: number, end: number, maxBytes: number): void {
    const bytes = this.#heldBytes + end - start
    if (bytes > this.#assembly.length) {
      const grown = Buffer.allocUnsafeSlow(Math.min(Math.max(bytes * 2, ASSEMBLY_BYTES_MIN), maxBytes))
      this.#assembly.copy(grown, 0, 0, this.#heldBytes)
      this.#assembly = grown
    }
    chunk.copy(this.#assembly, this.#heldBytes, start, end)
    this.#heldBytes = bytes
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

  #emit(bytes: Buffer, start: number, end: number): void {
    if (!this.#onFrame(bytes, start, end)) this.#stop()
  }

  #stop(): void {
    this.#stopped = true
    this.#assembly = nothing
    this.#heldBytes = 0
  }
}
