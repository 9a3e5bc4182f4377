/** All segments kept, in order: byte offset or index → segment. The last one grows. Never empty. */
import { assert, present } from '../lib/assert.ts'
import type { LogPosition } from './log-position.ts'
import { Segment } from './segment.ts'

export class SegmentList {
  #segments: Segment[]

  constructor(segments: readonly Segment[]) {
    assert(segments.length > 0, 'a log has a segment')
    this.#segments = [...segments]
  }

  get all(): readonly Segment[] {
    return this.#segments
  }

  get first(): Segment {
    return present(this.#segments[0], 'first segment')
  }

  get last(): Segment {
    return present(this.#segments.at(-1), 'last segment')
  }

  /** The segment that holds byte `offset`. */
  atOffset(offset: number): Segment | undefined {
    const found = this.#lastWhere((segment) => segment.start.offset <= offset)
    return found !== undefined && offset < found.end.offset ? found : undefined
  }

  /** The segment that holds entry `index`. */
  atIndex(index: number): Segment | undefined {
    const found = this.#lastWhere((segment) => segment.start.index < index)
    return found !== undefined && index <= found.end.index ? found : undefined
  }

  /** Begins the next segment. */
  roll(start: LogPosition): Segment {
    assert(start.offset === this.last.end.offset, 'a segment begins where the one before ends')
    const segment = new Segment(start)
    this.#segments.push(segment)
    return segment
  }

  /** Cuts the log's end off. A segment that begins exactly at `to` stays, empty. */
  truncateAfter(to: LogPosition): void {
    while (this.last.start.offset > to.offset) this.#segments.pop()
    this.last.truncateAfter(to)
  }

  /** Removes whole segments below `offset` from the front; never the last one. Returns them. */
  dropBefore(offset: number): Segment[] {
    let keepFrom = 0
    while (keepFrom < this.#segments.length - 1) {
      if (present(this.#segments[keepFrom], 'segment').end.offset > offset) break
      keepFrom++
    }
    return this.#segments.splice(0, keepFrom)
  }

  replace(segment: Segment): void {
    this.#segments = [segment]
  }

  #lastWhere(holds: (segment: Segment) => boolean): Segment | undefined {
    let low = -1
    let high = this.#segments.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (holds(present(this.#segments[middle], 'segment'))) low = middle
      else high = middle - 1
    }
    return this.#segments[low]
  }
}
