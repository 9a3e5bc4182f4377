import type { ConsumeQueue } from './consume-queue.ts'
import type { ConsumeQueueReader } from './consume-queue-reader.ts'
import { UNITS_PER_PAGE, pageIndexOf } from './page-layout.ts'

/**
 * The lowest queueOffset whose record lies at or after `offset` in the log; the end of the queue (as it is at the call)
 * when there is none. Binary search over pages, then in one page: a queue's units ascend by offset.
 */
export async function lowestAtOrAfter(
  queue: ConsumeQueue,
  offset: number,
  reader: ConsumeQueueReader,
): Promise<number> {
  const { min, next } = queue
  const isBelow = async (queueOffset: number): Promise<boolean> => {
    const place = await reader.unit(queue, queueOffset)
    // A unit that cannot be made again has no record in the log any more.
    return place === undefined || place.offset < offset
  }
  // Invariant: the first unit of page `low` (of the queue, for the first page) is not known to be at or after, `high`'s is.
  let low = pageIndexOf(min)
  let high = pageIndexOf(next - 1) + 1
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (await isBelow(middle * UNITS_PER_PAGE)) low = middle
    else high = middle
  }
  let from = Math.max(min, low * UNITS_PER_PAGE)
  let to = Math.min(next, (low + 1) * UNITS_PER_PAGE)
  while (from < to) {
    const middle = (from + to) >> 1
    if (await isBelow(middle)) from = middle + 1
    else to = middle
  }
  return from
}
