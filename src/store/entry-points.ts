/**
 * Sparse index of one segment: every so many bytes, at which offset a frame begins and which entry it is. Points ascend
 * in both. A reader starts at the point before what it wants and walks frames from there.
 */
import { assert } from '../lib/assert.ts'

/** Bytes of log between two points, at least. */
export const POINT_STRIDE_BYTES = 64 * 1024

export interface EntryPoint {
  readonly index: number
  readonly offset: number
}

export class EntryPoints {
  #indexes: number[] = []
  #offsets: number[] = []

  get count(): number {
    return this.#offsets.length
  }

  /** Every frame may be told; one in a stride is kept. */
  add(index: number, offset: number): void {
    const last = this.#offsets.at(-1)
    if (last !== undefined && offset < last + POINT_STRIDE_BYTES) return
    this.addAlways(index, offset)
  }

  addAlways(index: number, offset: number): void {
    assert(offset > (this.#offsets.at(-1) ?? -1), 'points ascend by offset')
    assert(index > (this.#indexes.at(-1) ?? 0), 'points ascend by index')
    this.#indexes.push(index)
    this.#offsets.push(offset)
  }

  /** The last point whose offset is at most `offset`. */
  atOffset(offset: number): EntryPoint | undefined {
    return this.#point(lastAtMost(this.#offsets, offset))
  }

  /** The last point whose index is at most `index`. */
  atIndex(index: number): EntryPoint | undefined {
    return this.#point(lastAtMost(this.#indexes, index))
  }

  /** The first point beyond `offset`. */
  after(offset: number): EntryPoint | undefined {
    return this.#point(lastAtMost(this.#offsets, offset) + 1)
  }

  /** Forgets the points of entries after `index`. */
  truncateAfter(index: number): void {
    const keep = lastAtMost(this.#indexes, index) + 1
    this.#indexes.length = keep
    this.#offsets.length = keep
  }

  *[Symbol.iterator](): Generator<EntryPoint> {
    for (let at = 0; at < this.#offsets.length; at++) {
      const point = this.#point(at)
      if (point !== undefined) yield point
    }
  }

  #point(at: number): EntryPoint | undefined {
    const index = this.#indexes[at]
    const offset = this.#offsets[at]
    return index === undefined || offset === undefined ? undefined : { index, offset }
  }
}

/** The place of the last value that is at most `limit`; -1 when all are beyond. */
function lastAtMost(values: readonly number[], limit: number): number {
  let low = -1
  let high = values.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((values[middle] ?? Infinity) <= limit) low = middle
    else high = middle - 1
  }
  return low
}
