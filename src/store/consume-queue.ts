/**
 * One consume queue in memory: its bounds, which pages hold it, and the units that are not written yet.
 *
 *     min                                   written          next
 *      |--- pages of the page store ---------------|           |
 *                              |---- chunks in memory ---------|
 *
 * Chunks are the newest units, contiguous, each within one page; they reach back at least to `written` and stay after
 * writing as long as memory allows, because the newest units are the ones that are read.
 */
import { assert } from '../lib/assert.ts'
import { UNIT_BYTES, UNIT_OFFSET_MAX, unitOffset, unitSalt, writeUnit } from './consume-queue-unit.ts'
import { UNITS_PER_PAGE, pageIndexOf } from './page-layout.ts'

/** Units of one page, growing at its end. */
export interface Chunk {
  /** queueOffset of the first unit. */
  readonly first: number
  /** Store timestamp of the first unit. */
  readonly firstTimestampMs: number
  count: number
  bytes: Buffer
}

/** A run of units in memory: `[at, end)` of `bytes` are whole units, the first has the queueOffset asked for. */
export interface UnitRun {
  bytes: Buffer
  at: number
  end: number
}

const SMALLEST_CHUNK_UNITS = 4

export interface ConsumeQueueState {
  /** Unique among all queues that ever were; ties pages and units to this queue and not to one of the same name. */
  readonly number: number
  readonly topic: string
  readonly queueId: number
  readonly min: number
  readonly next: number
  /** CommitLog offset of the unit at `min`; of no meaning when the queue is empty. */
  readonly minUnitOffset: number
  /** Page numbers in the page store, from page `firstPageIndex` of the queue on. */
  readonly firstPageIndex: number
  readonly pages: readonly number[] | Uint32Array
}

export class ConsumeQueue {
  readonly number: number
  readonly topic: string
  readonly queueId: number
  /** The dispatch round that touched it last. */
  round = 0
  /** Whether its row in the checkpoint is old. */
  isChanged = false
  /** The lowest queueOffset whose record retention has left. */
  #min: number
  #next: number
  #minUnitOffset: number
  /** Units below are in the page store (written, and durable at the next checkpoint). */
  #written: number
  #pages: Uint32Array
  #pageCount: number
  #firstPageIndex: number
  /** Pages below this index have their header on disk. */
  #headered: number
  /** Page numbers below this index are in the checkpoint. */
  #savedPages: number
  #saved: boolean
  #chunks: Chunk[] = []
  #removed = false

  constructor(state: ConsumeQueueState, isSaved: boolean) {
    this.number = state.number
    this.topic = state.topic
    this.queueId = state.queueId
    this.#min = state.min
    this.#next = state.next
    this.#written = state.next
    this.#minUnitOffset = state.minUnitOffset
    this.#pages = Uint32Array.from(state.pages)
    this.#pageCount = state.pages.length
    this.#firstPageIndex = state.firstPageIndex
    this.#headered = state.firstPageIndex + state.pages.length
    this.#savedPages = this.#headered
    this.#saved = isSaved
  }

  get min(): number {
    return this.#min
  }
  /** One above the highest queueOffset. */
  get next(): number {
    return this.#next
  }
  get minUnitOffset(): number {
    return this.#minUnitOffset
  }
  get written(): number {
    return this.#written
  }
  get firstPageIndex(): number {
    return this.#firstPageIndex
  }
  get pageCount(): number {
    return this.#pageCount
  }
  /** True once its topic was deleted: whoever waited for the disk must not serve it any more. */
  get isRemoved(): boolean {
    return this.#removed
  }
  get chunks(): readonly Chunk[] {
    return this.#chunks
  }
  /** Pages from this index on have no header on disk yet. */
  get headered(): number {
    return this.#headered
  }
  /** The checkpoint knows it. */
  get isSaved(): boolean {
    return this.#saved
  }
  /** Page numbers from this index on are not in the checkpoint yet. */
  get savedPages(): number {
    return Math.max(this.#savedPages, this.#firstPageIndex)
  }
  /** Page index after the last page. */
  get pageEnd(): number {
    return this.#firstPageIndex + this.#pageCount
  }

  /** Appends the unit `next`. Returns by how many bytes its memory grew. */
  append(offset: number, size: number, tagsCode: number, storeTimestampMs: number): number {
    assert(offset <= UNIT_OFFSET_MAX, 'an offset is over 48 bits')
    const queueOffset = this.#next
    if (this.#min === queueOffset) this.#minUnitOffset = offset
    let grown = 0
    let chunk = this.#chunks[this.#chunks.length - 1]
    if (chunk === undefined || queueOffset % UNITS_PER_PAGE === 0) {
      chunk = {
        first: queueOffset,
        firstTimestampMs: storeTimestampMs,
        count: 0,
        bytes: newBytes(SMALLEST_CHUNK_UNITS),
      }
      this.#chunks.push(chunk)
      grown = chunk.bytes.length
    } else if ((chunk.count + 1) * UNIT_BYTES > chunk.bytes.length) {
      const units = Math.min(chunk.count * 4, UNITS_PER_PAGE - (chunk.first % UNITS_PER_PAGE))
      const bytes = newBytes(units)
      bytes.set(chunk.bytes)
      grown = bytes.length - chunk.bytes.length
      // Readers and writers that hold the old bytes still see right units there: units are never changed.
      chunk.bytes = bytes
    }
    writeUnit(chunk.bytes, chunk.count * UNIT_BYTES, offset, size, tagsCode, unitSalt(this.number, queueOffset))
    chunk.count++
    this.#next = queueOffset + 1
    return grown
  }

  /** Sets `run` to the units in memory from `queueOffset` to the end of their chunk; false when they are in pages. */
  findInMemory(queueOffset: number, run: UnitRun): boolean {
    for (let i = this.#chunks.length - 1; i >= 0; i--) {
      const chunk = this.#chunks[i]
      if (chunk === undefined || queueOffset < chunk.first) continue
      const at = (queueOffset - chunk.first) * UNIT_BYTES
      const end = chunk.count * UNIT_BYTES
      if (at >= end) return false
      run.bytes = chunk.bytes
      run.at = at
      run.end = end
      return true
    }
    return false
  }

  /** Number of the page in the page store, or undefined when it has none (yet). */
  pageNumber(pageIndex: number): number | undefined {
    const at = pageIndex - this.#firstPageIndex
    return at >= 0 && at < this.#pageCount ? this.#pages[at] : undefined
  }

  /** Page numbers from the `from`-th on (0: the queue's first page). */
  pageNumbers(from = 0): Uint32Array {
    return this.#pages.subarray(from, this.#pageCount)
  }

  /** Gives the queue its next page. */
  addPage(pageIndex: number, pageNumber: number): void {
    if (this.#pageCount === 0) this.#firstPageIndex = pageIndex
    assert(pageIndex === this.#firstPageIndex + this.#pageCount, 'pages of a queue follow each other')
    if (this.#pageCount === this.#pages.length) {
      const pages = new Uint32Array(Math.max(2, this.#pageCount + (this.#pageCount >> 1) + 1))
      pages.set(this.#pages)
      this.#pages = pages
    }
    this.#pages[this.#pageCount++] = pageNumber
  }

  /** Units below `queueOffset` are written, with the headers of their pages. */
  markWritten(queueOffset: number): void {
    assert(queueOffset <= this.#next, 'written beyond the end of the queue')
    this.#written = Math.max(this.#written, queueOffset)
    this.#headered = Math.max(this.#headered, pageIndexOf(queueOffset - 1) + 1)
  }

  /** The checkpoint knows the queue, and its pages below `pageIndex`. */
  markSaved(pageIndex: number): void {
    this.#saved = true
    this.#savedPages = Math.max(this.#savedPages, pageIndex)
  }

  /** Drops written chunks from memory, the last one only if asked. Returns how many bytes were given back. */
  dropWrittenChunks(alsoTail: boolean, visit?: (chunk: Chunk) => void): number {
    let dropped = 0
    let freed = 0
    for (const chunk of this.#chunks) {
      const end = chunk.first + chunk.count
      const isOpen = end === this.#next && end % UNITS_PER_PAGE !== 0
      if (end > this.#written || (isOpen && !alsoTail)) break
      visit?.(chunk)
      freed += chunk.bytes.length
      dropped++
    }
    if (dropped > 0) this.#chunks.splice(0, dropped)
    return freed
  }

  /** Raises the minimum. Returns the page numbers that hold nothing any more. */
  raiseMin(min: number, minUnitOffset: number): number[] {
    assert(min >= this.#min && min <= this.#next, `a minimum of ${min} in [${this.#min}, ${this.#next}]`)
    this.#min = min
    this.#minUnitOffset = minUnitOffset
    // The page of `next` stays while it is partly written: its remaining units will go there.
    const keptFrom = Math.min(pageIndexOf(min), pageIndexOf(this.#written))
    const count = Math.max(0, Math.min(this.#pageCount, keptFrom - this.#firstPageIndex))
    const freed = Array.from(this.#pages.subarray(0, count))
    if (count > 0) {
      this.#pages = this.#pages.slice(count, this.#pageCount)
      this.#pageCount = this.#pages.length
      this.#firstPageIndex += count
    }
    return freed
  }

  /** Ends the queue (its topic was deleted). Returns its pages. */
  remove(): number[] {
    this.#removed = true
    this.#chunks = []
    return Array.from(this.pageNumbers())
  }

  /** CommitLog offset of the unit at `queueOffset` if it is in memory. */
  offsetInMemory(queueOffset: number): number | undefined {
    const run: UnitRun = { bytes: NO_BYTES, at: 0, end: 0 }
    return this.findInMemory(queueOffset, run) ? unitOffset(run.bytes, run.at) : undefined
  }
}

const NO_BYTES = Buffer.alloc(0)

function newBytes(units: number): Buffer {
  return Buffer.allocUnsafeSlow(units * UNIT_BYTES)
}
