import type { ConsumeQueue } from './consume-queue.ts'
import type { ConsumeQueueReader } from './consume-queue-reader.ts'
import type { DerivedWriter } from './derived-writer.ts'
import { UNITS_PER_PAGE, pageIndexOf } from './page-layout.ts'

const YIELD_EVERY = 256

export interface RaiseStartsNeeds {
  readonly writer: Pick<DerivedWriter, 'queues' | 'raiseMin'>
  readonly reader: ConsumeQueueReader
  /** Lets others have a turn. */
  readonly turn: () => Promise<void>
}

/** The log starts at `offset`: raises every queue's minimum to its first message from there on. */
export async function raiseStarts({ writer, reader, turn }: RaiseStartsNeeds, offset: number): Promise<void> {
  let visited = 0
  for (const queue of writer.queues.all()) {
    if (++visited % YIELD_EVERY === 0) await turn()
    if (queue.isRemoved || queue.min === queue.next || queue.minUnitOffset >= offset) continue
    const lowest = await lowestAtOrAfter(queue, offset, reader)
    const place = await reader.unit(queue, lowest)
    if (!queue.isRemoved) writer.raiseMin(queue, lowest, place?.offset ?? 0)
  }
}

/**
 * The lowest queueOffset whose record lies at or after `offset` in the log; the end of the queue (as it is at the call)
 * when there is none. Binary search over pages, then in one page: a queue's units ascend by offset.
 */
async function lowestAtOrAfter(queue: ConsumeQueue, offset: number, reader: ConsumeQueueReader): Promise<number> {
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
