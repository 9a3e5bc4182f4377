/**
 * The newest frames, in memory: peers and tailing consumers never touch the disk. Frames in the order of the log, each
 * in the buffer it was made or received in. Invariant: a frame that is not written yet is here.
 */
import { assert, present } from '../lib/assert.ts'
import { frameIndex, frameLength, frameOffset } from '../message/entry-frame.ts'

/** What a buffer's own object weighs, roughly: many small frames must not pass for little memory. */
const FRAME_OVERHEAD_BYTES = 160
const COMPACT_FROM = 1024
/** In the place of a frame that was let go: the list is cut now and then, the memory must be free at once. */
const GONE = Buffer.alloc(0)

export class TailCache {
  readonly #maxBytes: number
  #frames: Buffer[] = []
  /** Frames before this place are dropped. */
  #head = 0
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get byteLength(): number {
    return this.#bytes
  }

  get frameCount(): number {
    return this.#frames.length - this.#head
  }

  /** Index of the oldest frame here; Infinity when there is none. */
  get firstIndex(): number {
    const first = this.#frames[this.#head]
    return first === undefined ? Infinity : frameIndex(first, 0)
  }

  /** Offset of the oldest frame here; Infinity when there is none. */
  get firstOffset(): number {
    const first = this.#frames[this.#head]
    return first === undefined ? Infinity : frameOffset(first, 0)
  }

  /** Adds the next frame. `frame` is exactly one. */
  push(frame: Buffer): void {
    assert(frameLength(frame, 0) === frame.length, 'one buffer is one frame')
    const last = this.#frames.at(-1)
    if (last !== undefined && this.frameCount > 0) {
      assert(frameIndex(last, 0) + 1 === frameIndex(frame, 0), 'frames are cached in order')
    }
    this.#frames.push(frame)
    this.#bytes += frame.length + FRAME_OVERHEAD_BYTES
  }

  /** The frame of entry `index`, if it is here. */
  frame(index: number): Buffer | undefined {
    const first = this.firstIndex
    if (!(index >= first)) return undefined
    return this.#frames[this.#head + index - first]
  }

  /** The frame that holds byte `offset` of the log, if it is here. */
  frameAt(offset: number): Buffer | undefined {
    if (!(offset >= this.firstOffset)) return undefined
    let low = this.#head
    let high = this.#frames.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if (frameOffset(present(this.#frames[middle], 'cached frame'), 0) <= offset) low = middle
      else high = middle - 1
    }
    const frame = present(this.#frames[low], 'cached frame')
    return offset < frameOffset(frame, 0) + frame.length ? frame : undefined
  }

  /** Lets go of the oldest frames that are written and over the limit. */
  evict(writtenOffset: number): void {
    while (this.#bytes > this.#maxBytes && this.#head < this.#frames.length) {
      const first = present(this.#frames[this.#head], 'cached frame')
      if (frameOffset(first, 0) + first.length > writtenOffset) break
      this.#bytes -= first.length + FRAME_OVERHEAD_BYTES
      this.#frames[this.#head++] = GONE
    }
    if (this.#head >= COMPACT_FROM && this.#head * 2 >= this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head)
      this.#head = 0
    }
  }

  truncateAfter(index: number): void {
    while (this.#frames.length > this.#head) {
      const last = present(this.#frames.at(-1), 'cached frame')
      if (frameIndex(last, 0) <= index) return
      this.#frames.pop()
      this.#bytes -= last.length + FRAME_OVERHEAD_BYTES
    }
  }

  clear(): void {
    this.#frames = []
    this.#head = 0
    this.#bytes = 0
  }
}
