/**
 * Time → queueOffset (RocketMQ ConsumeQueue.getOffsetInQueueByTime). Store times never go back in the log, so neither do
 * they in a queue: a binary search over the first times of its pages, then over the records of one page.
 */
import { pageIndexOf, UNITS_PER_PAGE } from './page-layout.ts'

/**
 * Which end of a time is meant: `lower` is the first message stored at that time or later, `upper` the last one stored
 * at that time or earlier. Between two times, therefore, `lower` lies above `upper`.
 */
export type TimeBoundary = 'lower' | 'upper'

export interface QueueTimes {
  readonly min: number
  /** One above the highest queueOffset. */
  readonly next: number
  /** Store time of the first unit of a page; `first` is its queueOffset. Undefined as for `timeOf`. */
  timeOfPage(pageIndex: number, first: number): Promise<number | undefined>
  /** Store time of a message of the queue; undefined when it left the log. */
  timeOf(queueOffset: number): Promise<number | undefined>
}

/**
 * The queueOffset for `timestampMs`, in [min, next]: `next` when all messages are older than a `lower` time, the last one
 * for an `upper` time; `min` when all are newer.
 */
export async function searchQueueByTime(
  queue: QueueTimes,
  timestampMs: number,
  boundary: TimeBoundary,
): Promise<number> {
  const { min, next } = queue
  if (min === next) return next
  // `upper` of a time is the one before `lower` of the time after it.
  const wanted = boundary === 'lower' ? timestampMs : timestampMs + 1
  const first = await firstNotBefore(queue, wanted)
  return boundary === 'lower' ? first : Math.max(min, first - 1)
}

/** The first queueOffset in [min, next) whose message was stored at `timestampMs` or later; `next` when there is none. */
async function firstNotBefore(queue: QueueTimes, timestampMs: number): Promise<number> {
  const { min, next } = queue
  // Invariant: pages up to `low` begin before the time (the first one unseen), pages from `high` on do not.
  let low = pageIndexOf(min)
  let high = pageIndexOf(next - 1) + 1
  while (high - low > 1) {
    const middle = (low + high) >> 1
    // What left the log is older than everything in it.
    const time = (await queue.timeOfPage(middle, middle * UNITS_PER_PAGE)) ?? -Infinity
    if (time < timestampMs) low = middle
    else high = middle
  }
  let from = Math.max(min, low * UNITS_PER_PAGE)
  let to = Math.min(next, (low + 1) * UNITS_PER_PAGE)
  while (from < to) {
    const middle = (from + to) >> 1
    const time = (await queue.timeOf(middle)) ?? -Infinity
    if (time < timestampMs) from = middle + 1
    else to = middle
  }
  return from
}
