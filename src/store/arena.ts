/**
 * Memory for frames on their way to disk, cache and peers. Frames made one after another lie one after another, so that
 * a flush hands the disk few long buffers. A chunk goes when the last view of it does: the tail cache lets go in order.
 */
import { uncountedMemory } from '../lib/uncounted-memory.ts'

const CHUNK_BYTES = 1024 * 1024

export class Arena {
  #chunk: Buffer = Buffer.alloc(0)
  #used = 0

  /** Uninitialised memory. */
  take(length: number): Buffer {
    if (length > CHUNK_BYTES / 4) return uncountedMemory(length)
    if (this.#used + length > this.#chunk.length) {
      this.#chunk = uncountedMemory(CHUNK_BYTES)
      this.#used = 0
    }
    const start = this.#used
    this.#used += length
    return this.#chunk.subarray(start, this.#used)
  }
}

/** The same bytes in as few buffers: those that lie back to back in memory become one. */
export function joinAdjacent(buffers: readonly Buffer[]): Buffer[] {
  const joined: Buffer[] = []
  let last: Buffer | undefined
  for (const buffer of buffers) {
    if (last !== undefined && last.buffer === buffer.buffer && last.byteOffset + last.length === buffer.byteOffset) {
      last = Buffer.from(last.buffer, last.byteOffset, last.length + buffer.length)
      joined[joined.length - 1] = last
    } else {
      last = buffer
      joined.push(buffer)
    }
  }
  return joined
}
