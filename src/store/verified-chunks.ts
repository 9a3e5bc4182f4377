/**
 * Frames read from disk and verified, kept for the readers that come next: a consumer that catches up asks for some
 * records of a frame, then for the following ones. Bounded; what was used last stays.
 */
import { frameIndex, frameOffset } from '../message/entry-frame.ts'

/** Sound frames that follow each other. Never empty. */
export interface VerifiedChunk {
  readonly frames: readonly Buffer[]
  readonly start: number
  readonly end: number
  readonly first: number
  readonly last: number
}

export class VerifiedChunks {
  readonly #maxBytes: number
  /** In order of use, oldest first. */
  #chunks: VerifiedChunk[] = []
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get byteLength(): number {
    return this.#bytes
  }

  add(chunk: VerifiedChunk): void {
    if (this.#use(this.#chunks.find((other) => other === chunk)) !== undefined) return
    this.#chunks = this.#chunks.filter((other) => other.end <= chunk.start || other.start >= chunk.end)
    this.#chunks.push(chunk)
    this.#bytes = this.#chunks.reduce((sum, other) => sum + other.end - other.start, 0)
    while (this.#bytes > this.#maxBytes && this.#chunks.length > 1) {
      const oldest = this.#chunks.shift()
      if (oldest !== undefined) this.#bytes -= oldest.end - oldest.start
    }
  }

  holding(offset: number): VerifiedChunk | undefined {
    return this.#use(this.#chunks.findLast((chunk) => offset >= chunk.start && offset < chunk.end))
  }

  holdingIndex(index: number): VerifiedChunk | undefined {
    return this.#use(this.#chunks.findLast((chunk) => index >= chunk.first && index <= chunk.last))
  }

  /** Forgets what reaches beyond `offset`. */
  truncateAfter(offset: number): void {
    this.#chunks = this.#chunks.filter((chunk) => chunk.end <= offset)
    this.#bytes = this.#chunks.reduce((sum, other) => sum + other.end - other.start, 0)
  }

  clear(): void {
    this.#chunks = []
    this.#bytes = 0
  }

  #use(chunk: VerifiedChunk | undefined): VerifiedChunk | undefined {
    if (chunk !== undefined && this.#chunks.at(-1) !== chunk) {
      this.#chunks.splice(this.#chunks.indexOf(chunk), 1)
      this.#chunks.push(chunk)
    }
    return chunk
  }
}

/** The frame of the chunk that holds byte `offset`. Precondition: the chunk does. */
export function frameHolding(chunk: VerifiedChunk, offset: number): Buffer | undefined {
  let low = 0
  let high = chunk.frames.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    const frame = chunk.frames[middle]
    if (frame !== undefined && frameOffset(frame, 0) <= offset) low = middle
    else high = middle - 1
  }
  return chunk.frames[low]
}

export function chunkOf(frames: readonly Buffer[]): VerifiedChunk | undefined {
  const first = frames[0]
  const last = frames.at(-1)
  if (first === undefined || last === undefined) return undefined
  return {
    frames,
    start: frameOffset(first, 0),
    end: frameOffset(last, 0) + last.length,
    first: frameIndex(first, 0),
    last: frameIndex(last, 0),
  }
}
