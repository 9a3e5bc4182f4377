/** One file of the log: which bytes it holds and how to find an entry in it. */
import { assert } from '../lib/assert.ts'
import { EntryPoints } from './entry-points.ts'
import type { LogPosition } from './log-position.ts'

/** Digits of a segment's name: its first byte's offset in the CommitLog (RocketMQ UtilAll.offset2FileName). */
const NAME_DIGITS = 20

export function segmentName(offset: number): string {
  return String(offset).padStart(NAME_DIGITS, '0')
}

/** The offset that a segment's name tells; undefined for any other name. */
export function segmentOffset(name: string): number | undefined {
  if (!/^\d{20}$/.test(name)) return undefined
  const offset = Number(name)
  return Number.isSafeInteger(offset) ? offset : undefined
}

export class Segment {
  /** Before its first frame. */
  readonly start: LogPosition
  #end: LogPosition
  #isFull = false
  #points: EntryPoints | undefined = new EntryPoints()

  constructor(start: LogPosition) {
    this.start = start
    this.#end = start
  }

  /** Behind its last frame. */
  get end(): LogPosition {
    return this.#end
  }

  get isEmpty(): boolean {
    return this.#end.offset === this.start.offset
  }

  /** Its last frame says that the next one begins a new segment. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Undefined while they are only in the segment's index file. */
  get points(): EntryPoints | undefined {
    return this.#points
  }

  /** A frame from the end up to `end`. */
  add(end: LogPosition, isLast: boolean): void {
    assert(end.offset > this.#end.offset, 'a segment grows')
    assert(!this.#isFull, 'a full segment does not grow')
    this.#isFull = isLast
    this.#points?.add(end.index, this.#end.offset)
    this.#end = end
  }

  /** Bytes that cannot be read, up to `end`. */
  skip(end: LogPosition, isLast: boolean): void {
    assert(end.offset > this.#end.offset, 'a segment grows')
    this.#isFull = isLast
    this.#end = end
  }

  /** What an index file says of this segment, up to `end`. */
  load(end: LogPosition, isFull: boolean, points: EntryPoints): void {
    assert(this.isEmpty, 'an index is loaded first')
    this.#end = end
    this.#isFull = isFull
    this.#points = points
  }

  setPoints(points: EntryPoints | undefined): void {
    this.#points = points
  }

  truncateAfter(to: LogPosition): void {
    assert(to.offset >= this.start.offset && to.offset <= this.#end.offset, 'a segment is cut within itself')
    if (to.offset < this.#end.offset) this.#isFull = false
    this.#points?.truncateAfter(to.index)
    this.#end = to
  }
}
