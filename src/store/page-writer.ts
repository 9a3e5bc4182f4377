/**
 * Units in memory → pages on disk. `cut` looks at all queues in one turn and says up to where each must be written so that
 * the page store holds everything dispatched so far; the writing then takes its time while queues go on growing, for units
 * are never changed, and what is not written stays in memory.
 */
import { present } from '../lib/assert.ts'
import type { ConsumeQueue } from './consume-queue.ts'
import { UNIT_BYTES } from './consume-queue-unit.ts'
import { PAGE_HEADER_BYTES, UNITS_PER_PAGE, pageIndexOf, unitAt, writePageHeader } from './page-layout.ts'
import type { PageStore, PageWrite } from './page-store.ts'

/** What one checkpoint writes. */
export interface PageCut {
  /** Queues with units to write, and where they ended when the cut was made. */
  readonly ends: readonly (readonly [queue: ConsumeQueue, next: number])[]
}

/** So many are made, written and synced at a time: 8 MiB on disk, where each is of a page of its own. */
const WRITES_AT_A_TIME = 2_048

/** Collects what is unwritten in `queues`, and gives pages to units that have none. */
export function cutPages(queues: Iterable<ConsumeQueue>, pages: PageStore): PageCut {
  const ends: [ConsumeQueue, number][] = []
  for (const queue of queues) {
    const { written, next } = queue
    if (queue.isRemoved || written === next) continue
    ends.push([queue, next])
    for (let pageIndex = pageIndexOf(written); pageIndex <= pageIndexOf(next - 1); pageIndex++) {
      if (queue.pageNumber(pageIndex) === undefined) queue.addPage(pageIndex, pages.allocate())
    }
  }
  return { ends }
}

/** Writes the cut and makes it durable. Its units need not stay in memory for it any more. */
export async function writePages(cut: PageCut, pages: PageStore): Promise<void> {
  for (const writes of writesOf(cut)) {
    await pages.write(writes)
    // Syncs of the log wait for what is written here: it must not be much.
    await pages.sync()
  }
  for (const [queue, next] of cut.ends) if (!queue.isRemoved) queue.markWritten(next)
}

/** The writes of the cut, some at a time; they are made as they are asked for, or all would be in memory at once. */
function* writesOf({ ends }: PageCut): Generator<PageWrite[]> {
  let writes: PageWrite[] = []
  for (const [queue, next] of ends) {
    // What ended since the cut needs no pages any more.
    if (!queue.isRemoved) addWrites(writes, queue, next)
    if (writes.length < WRITES_AT_A_TIME) continue
    yield writes
    writes = []
  }
  if (writes.length > 0) yield writes
}

function addWrites(writes: PageWrite[], queue: ConsumeQueue, next: number): void {
  for (const chunk of queue.chunks) {
    const end = Math.min(chunk.first + chunk.count, next)
    const from = Math.max(chunk.first, queue.written)
    if (from >= end) continue
    const pageIndex = pageIndexOf(from)
    const pageNumber = present(queue.pageNumber(pageIndex), 'the page that the cut gave')
    const units = chunk.bytes.subarray((from - chunk.first) * UNIT_BYTES, (end - chunk.first) * UNIT_BYTES)
    if (pageIndex < queue.headered) writes.push({ pageNumber, at: unitAt(from), bytes: units })
    else writes.push({ pageNumber, at: 0, bytes: newPage(queue.number, from, chunk.firstTimestampMs, units) })
  }
}

/** A page as it lies on disk, up to its last unit. */
export function newPage(queueNumber: number, first: number, firstTimestampMs: number, units: Buffer): Buffer {
  const firstUnit = first % UNITS_PER_PAGE
  const page = Buffer.alloc(PAGE_HEADER_BYTES + firstUnit * UNIT_BYTES + units.length)
  writePageHeader(page, 0, { queueNumber, pageIndex: pageIndexOf(first), firstTimestampMs, firstUnit })
  page.set(units, unitAt(first))
  return page
}
