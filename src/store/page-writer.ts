/**
 * Units in memory → pages on disk. `cut` looks at all queues in one turn and says what must be written so that the page
 * store holds everything dispatched so far; the writing then takes its time while queues go on growing, for units are
 * never changed and chunks only grow.
 */
import { present } from '../lib/assert.ts'
import type { ConsumeQueue } from './consume-queue.ts'
import { UNIT_BYTES } from './consume-queue-unit.ts'
import { PAGE_HEADER_BYTES, UNITS_PER_PAGE, pageIndexOf, unitAt, writePageHeader } from './page-layout.ts'
import type { PageStore, PageWrite } from './page-store.ts'

/** What one checkpoint writes. */
export interface PageCut {
  readonly writes: PageWrite[]
  /** Queues with units to write, and where they ended when the cut was made. */
  readonly ends: readonly (readonly [queue: ConsumeQueue, next: number])[]
}

/** Gives pages to units that have none, and collects what is unwritten in `queues`. */
export function cutPages(queues: Iterable<ConsumeQueue>, pages: PageStore): PageCut {
  const writes: PageWrite[] = []
  const ends: [ConsumeQueue, number][] = []
  for (const queue of queues) {
    if (queue.isRemoved || queue.written === queue.next) continue
    ends.push([queue, queue.next])
    for (const chunk of queue.chunks) {
      const end = chunk.first + chunk.count
      const from = Math.max(chunk.first, queue.written)
      if (from >= end) continue
      const pageIndex = pageIndexOf(from)
      if (queue.pageNumber(pageIndex) === undefined) queue.addPage(pageIndex, pages.allocate())
      const pageNumber = present(queue.pageNumber(pageIndex), 'the page just given')
      const units = chunk.bytes.subarray((from - chunk.first) * UNIT_BYTES, chunk.count * UNIT_BYTES)
      if (pageIndex < queue.headered) writes.push({ pageNumber, at: unitAt(from), bytes: units })
      else writes.push({ pageNumber, at: 0, bytes: newPage(queue.number, from, chunk.firstTimestampMs, units) })
    }
  }
  return { writes, ends }
}

/** The pages of the cut are written: its units need not stay in memory for it. */
export function markCutWritten(cut: PageCut): void {
  for (const [queue, next] of cut.ends) if (!queue.isRemoved) queue.markWritten(next)
}

/** A page as it lies on disk, up to its last unit. */
export function newPage(queueNumber: number, first: number, firstTimestampMs: number, units: Buffer): Buffer {
  const firstUnit = first % UNITS_PER_PAGE
  const page = Buffer.alloc(PAGE_HEADER_BYTES + firstUnit * UNIT_BYTES + units.length)
  writePageHeader(page, 0, { queueNumber, pageIndex: pageIndexOf(first), firstTimestampMs, firstUnit })
  page.set(units, unitAt(first))
  return page
}
