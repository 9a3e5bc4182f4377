/** Units of queues that are not in memory: from pages, and, where a page is damaged, from the log that it was made of. */
import { frameLength, frameOffset, frameRecordsStart } from '../message/entry-frame.ts'
import {
  recordFault,
  recordOffset,
  recordQueueId,
  recordQueueOffset,
  recordSize,
  recordStoreTimestampMs,
  recordTopic,
} from '../message/record.ts'
import type { ConsumeQueue, UnitRun } from './consume-queue.ts'
import type { UnitReader } from './consume-queue-pull.ts'
import {
  UNIT_BYTES,
  isUnitSound,
  unitOffset,
  unitSalt,
  unitSize,
  unitTagsCode,
  writeUnit,
} from './consume-queue-unit.ts'
import { recordTagsCode } from './dispatcher.ts'
import { scanFramesFrom, type LogSource } from './log-source.ts'
import { PAGE_BYTES, PAGE_HEADER_BYTES, UNITS_PER_PAGE, pageIndexOf, readPageHeader, unitAt } from './page-layout.ts'
import type { PageStore } from './page-store.ts'
import { newPage } from './page-writer.ts'

/** Where a unit says that its record is. */
export interface UnitPlace {
  readonly offset: number
  readonly size: number
  /** Hash of the tags. */
  readonly tagsCode: number
}

export interface UnitRange {
  readonly from: number
  readonly count: number
}

export class ConsumeQueueReader implements UnitReader {
  readonly #pages: PageStore
  readonly #log: LogSource
  /** Records from this offset on are not derived: they may never be committed. */
  readonly #derivedEnd: () => number
  readonly #repairing = new Map<number, Promise<void>>()
  /** Pages found damaged and made again. */
  repairedPages = 0

  constructor(need: { pages: PageStore; log: LogSource; derivedEnd: () => number }) {
    this.#pages = need.pages
    this.#log = need.log
    this.#derivedEnd = need.derivedEnd
  }

  find(queue: ConsumeQueue, queueOffset: number, run: UnitRun): boolean | Promise<boolean> {
    const pageIndex = pageIndexOf(queueOffset)
    const pageNumber = queue.pageNumber(pageIndex)
    if (pageNumber === undefined || queueOffset >= queue.written) return false
    const pageStart = pageIndex * UNITS_PER_PAGE
    const page = this.#pages.cached(pageNumber, queueOffset)
    if (page === undefined) {
      const through = Math.min(queue.written, pageStart + UNITS_PER_PAGE)
      return this.#pages.read(pageNumber, through).then(() => true)
    }
    run.bytes = page.bytes
    run.at = unitAt(queueOffset)
    run.end = PAGE_HEADER_BYTES + (page.through - pageStart) * UNIT_BYTES
    return true
  }

  /** What the unit at `queueOffset` says; undefined when the queue has none there, or none that can be made again. */
  async unit(queue: ConsumeQueue, queueOffset: number): Promise<UnitPlace | undefined> {
    const run: UnitRun = { bytes: Buffer.alloc(0), at: 0, end: 0 }
    for (let repairs = 0; repairs < 2; ) {
      if (queue.isRemoved || queueOffset < queue.min || queueOffset >= queue.next) return undefined
      if (!queue.findInMemory(queueOffset, run)) {
        const found = this.find(queue, queueOffset, run)
        if (found instanceof Promise) {
          await found
          continue
        }
        if (!found) return undefined
      }
      if (isUnitSound(run.bytes, run.at, unitSalt(queue.number, queueOffset))) {
        const { bytes, at } = run
        return { offset: unitOffset(bytes, at), size: unitSize(bytes, at), tagsCode: unitTagsCode(bytes, at) }
      }
      await this.repair(queue, queueOffset)
      repairs++
    }
    return undefined
  }

  /** The units in `range`; less where the queue ends, and none outside of it. */
  async unitsOf(queue: ConsumeQueue, { from, count }: UnitRange): Promise<UnitPlace[]> {
    const places: UnitPlace[] = []
    for (let queueOffset = from; places.length < count; queueOffset++) {
      const place = await this.unit(queue, queueOffset)
      if (place === undefined) break
      places.push(place)
    }
    return places
  }

  /** Store time of the first unit of a page; undefined when only the record can say it. */
  async timeOfPage(queue: ConsumeQueue, pageIndex: number): Promise<number | undefined> {
    const chunk = queue.chunks.find((chunk) => pageIndexOf(chunk.first) === pageIndex)
    if (chunk !== undefined && chunk.first % UNITS_PER_PAGE === 0) return chunk.firstTimestampMs
    const pageNumber = queue.pageNumber(pageIndex)
    if (pageNumber === undefined) return undefined
    const pageStart = pageIndex * UNITS_PER_PAGE
    const through = Math.min(queue.written, pageStart + UNITS_PER_PAGE)
    const page = this.#pages.cached(pageNumber, pageStart) ?? (await this.#pages.read(pageNumber, through))
    return readPageHeader(page.bytes, queue.number, pageIndex)?.firstTimestampMs
  }

  /**
   * Makes the page that holds `queueOffset` again: reads the log between the units that are known before and behind it.
   * Of two records for one place the later one counts: the earlier is of a topic that was deleted and made again.
   */
  repair(queue: ConsumeQueue, queueOffset: number): Promise<void> {
    const pageIndex = pageIndexOf(queueOffset)
    const pageNumber = queue.pageNumber(pageIndex)
    if (pageNumber === undefined) return Promise.resolve()
    const running = this.#repairing.get(pageNumber)
    if (running !== undefined) return running
    const repair = this.#repair(queue, pageIndex, pageNumber).finally(() => this.#repairing.delete(pageNumber))
    this.#repairing.set(pageNumber, repair)
    return repair
  }

  async #repair(queue: ConsumeQueue, pageIndex: number, pageNumber: number): Promise<void> {
    const first = Math.max(queue.min, pageIndex * UNITS_PER_PAGE)
    const end = Math.min(queue.written, (pageIndex + 1) * UNITS_PER_PAGE)
    const from = (await this.#offsetBefore(queue, pageIndex)) ?? this.#log.startOffset
    const until = Math.min(await this.#offsetFrom(queue, end), this.#derivedEnd())
    const units = Buffer.alloc(Math.max(0, end - first) * UNIT_BYTES)
    let firstTimestampMs = 0
    await scanFramesFrom(this.#log, from, (frame) => {
      if (frameOffset(frame, 0) >= until) return false
      const frameEnd = frameLength(frame, 0)
      for (let at = frameRecordsStart(frame, 0); at < frameEnd; at += recordSize(frame, at)) {
        if (recordFault(frame, at, frameEnd) !== undefined) break
        const place = recordQueueOffset(frame, at)
        if (place < first || place >= end || recordOffset(frame, at) >= until) continue
        if (recordQueueId(frame, at) !== queue.queueId || recordTopic(frame, at) !== queue.topic) continue
        if (place === first) firstTimestampMs = recordStoreTimestampMs(frame, at)
        const salt = unitSalt(queue.number, place)
        writeUnit(
          units,
          (place - first) * UNIT_BYTES,
          recordOffset(frame, at),
          recordSize(frame, at),
          recordTagsCode(frame, at),
          salt,
        )
      }
      return true
    })
    if (queue.isRemoved || queue.pageNumber(pageIndex) !== pageNumber) return
    const written = newPage(queue.number, first, firstTimestampMs, units)
    const page = Buffer.alloc(PAGE_BYTES)
    page.set(written)
    this.#pages.cache.put(pageNumber, { bytes: page, through: end })
    this.repairedPages++
    await this.#pages.write([{ pageNumber, at: 0, bytes: written }])
  }

  /** Where to begin reading: the record of the last sound unit before the page. */
  async #offsetBefore(queue: ConsumeQueue, pageIndex: number): Promise<number | undefined> {
    const run: UnitRun = { bytes: Buffer.alloc(0), at: 0, end: 0 }
    const last = pageIndex * UNITS_PER_PAGE - 1
    if (last < queue.min) return undefined
    let found = this.find(queue, last, run)
    if (found instanceof Promise) {
      await found
      found = this.find(queue, last, run)
    }
    if (found !== true || !isUnitSound(run.bytes, run.at, unitSalt(queue.number, last))) return undefined
    return unitOffset(run.bytes, run.at)
  }

  /** Where to stop reading: the record of the first sound unit behind the page; Infinity when there is none. */
  async #offsetFrom(queue: ConsumeQueue, queueOffset: number): Promise<number> {
    const run: UnitRun = { bytes: Buffer.alloc(0), at: 0, end: 0 }
    if (queueOffset >= queue.next) return Infinity
    if (!queue.findInMemory(queueOffset, run)) {
      let found = this.find(queue, queueOffset, run)
      if (found instanceof Promise) {
        await found
        found = this.find(queue, queueOffset, run)
      }
      if (found !== true) return Infinity
    }
    return isUnitSound(run.bytes, run.at, unitSalt(queue.number, queueOffset))
      ? unitOffset(run.bytes, run.at)
      : Infinity
  }
}
