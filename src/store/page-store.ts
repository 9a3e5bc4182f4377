/**
 * Pages of 4 KiB in few big files: given to queues, read, written, and taken back. Which page is whose is said by the
 * checkpoint alone, so a page that was given back is given out again only after a checkpoint that no longer names its old
 * owner is durable: until then a crash brings the old owner back.
 */
import { assert } from '../lib/assert.ts'
import { PageCache, type CachedPage } from './page-cache.ts'
import type { PageFiles } from './page-files.ts'
import { PAGE_BYTES } from './page-layout.ts'

export interface PageStoreOptions {
  readonly files: PageFiles
  readonly pagesPerFile: number
  readonly cachePages: number
}

/** Consecutive bytes for one place. */
export interface PageWrite {
  readonly pageNumber: number
  /** Where in the page. */
  readonly at: number
  readonly bytes: Buffer
}

const WRITES_AT_ONCE = 8
/** New pages that lie together are written together, up to so many. */
const PAGES_PER_WRITE = 256

export class PageStore {
  readonly #files: PageFiles
  readonly #pagesPerFile: number
  readonly cache: PageCache
  /** Pages that may be given out, the lowest last. */
  #free: number[] = []
  /** Given back, not yet free. */
  #released: number[] = []
  /** Pages from here on were never used. */
  #end = 0
  readonly #reading = new Map<number, Promise<CachedPage>>()

  constructor(options: PageStoreOptions) {
    this.#files = options.files
    this.#pagesPerFile = options.pagesPerFile
    this.cache = new PageCache(options.cachePages)
  }

  get usedPages(): number {
    return this.#end - this.#free.length - this.#released.length
  }

  /** Begins with the pages in use as the checkpoint says; all others below the highest are free. */
  restore(used: Iterable<ArrayLike<number>>): void {
    let end = 0
    const lists = [...used]
    for (const pages of lists) for (let i = 0; i < pages.length; i++) end = Math.max(end, (pages[i] ?? 0) + 1)
    const isUsed = new Uint8Array(end)
    for (const pages of lists) {
      for (let i = 0; i < pages.length; i++) {
        const page = pages[i] ?? 0
        assert(isUsed[page] === 0, `page ${page} has two owners`)
        isUsed[page] = 1
      }
    }
    this.#end = end
    this.#free = []
    this.#released = []
    for (let page = end - 1; page >= 0; page--) if (isUsed[page] === 0) this.#free.push(page)
    this.cache.clear()
    this.#reading.clear()
  }

  allocate(): number {
    return this.#free.pop() ?? this.#end++
  }

  /** Takes pages back. They are free once the next checkpoint is durable (`takeReleased`, `free`). */
  release(pages: readonly number[]): void {
    for (const page of pages) {
      this.cache.drop(page)
      this.#reading.delete(page)
      this.#released.push(page)
    }
  }

  takeReleased(): number[] {
    const released = this.#released
    this.#released = []
    return released
  }

  free(pages: readonly number[]): void {
    if (pages.length === 0) return
    this.#free.push(...pages)
    this.#free.sort((a, b) => b - a)
  }

  /** The page in memory, if it has the unit of `queueOffset`. */
  cached(pageNumber: number, queueOffset: number): CachedPage | undefined {
    const page = this.cache.get(pageNumber)
    return page !== undefined && queueOffset < page.through ? page : undefined
  }

  /** Reads a page whose units below `through` are written now. */
  read(pageNumber: number, through: number): Promise<CachedPage> {
    const running = this.#reading.get(pageNumber)
    if (running !== undefined) return running
    const reading = this.#read(pageNumber, through)
    this.#reading.set(pageNumber, reading)
    const isCurrent = (): boolean => this.#reading.get(pageNumber) === reading && this.#reading.delete(pageNumber)
    reading.then((page) => {
      // A page that was taken back meanwhile is somebody else's soon: what was read of it is not kept.
      if (isCurrent()) this.cache.put(pageNumber, page)
    }, isCurrent)
    return reading
  }

  async #read(pageNumber: number, through: number): Promise<CachedPage> {
    const bytes = Buffer.allocUnsafeSlow(PAGE_BYTES)
    await this.#files.read(this.#fileOf(pageNumber), bytes, this.#positionOf(pageNumber))
    return { bytes, through }
  }

  /** Writes units (`at` above 0) and new pages (`at` 0). What lies together on disk is written together. */
  async write(writes: PageWrite[]): Promise<void> {
    writes.sort((a, b) => a.pageNumber - b.pageNumber || a.at - b.at)
    let next = 0
    const worker = async (): Promise<void> => {
      while (next < writes.length) {
        const from = next
        next = this.#groupEnd(writes, from)
        await this.#writeGroup(writes, from, next)
      }
    }
    await allSettled(Array.from({ length: Math.min(WRITES_AT_ONCE, writes.length) }, worker))
  }

  sync(): Promise<void> {
    return this.#files.sync()
  }

  bytesOnDisk(): Promise<number> {
    return this.#files.bytesOnDisk()
  }

  close(): Promise<void> {
    return this.#files.close()
  }

  #groupEnd(writes: readonly PageWrite[], from: number): number {
    const first = writes[from]
    let until = from + 1
    if (first === undefined) return until
    while (until < writes.length && until - from < PAGES_PER_WRITE) {
      const write = writes[until]
      if (write === undefined || write.at !== 0 || first.at !== 0) break
      if (write.pageNumber !== first.pageNumber + until - from) break
      if (this.#fileOf(write.pageNumber) !== this.#fileOf(first.pageNumber)) break
      until++
    }
    return until
  }

  async #writeGroup(writes: readonly PageWrite[], from: number, until: number): Promise<void> {
    const buffers: Uint8Array[] = []
    const first = writes[from]
    if (first === undefined) return
    for (let i = from; i < until; i++) {
      const bytes = writes[i]?.bytes ?? EMPTY
      buffers.push(bytes)
      // The rest of a new page is zeros when another page follows in the same write.
      if (i + 1 < until && bytes.length < PAGE_BYTES) buffers.push(ZEROS.subarray(bytes.length))
    }
    await this.#files.write(this.#fileOf(first.pageNumber), buffers, this.#positionOf(first.pageNumber) + first.at)
  }

  #fileOf(pageNumber: number): number {
    return Math.floor(pageNumber / this.#pagesPerFile)
  }

  #positionOf(pageNumber: number): number {
    return (pageNumber % this.#pagesPerFile) * PAGE_BYTES
  }
}

const EMPTY = Buffer.alloc(0)
const ZEROS = Buffer.alloc(PAGE_BYTES)

/** Waits for all, then throws what the first that failed threw: no write may go on after the caller was told. */
async function allSettled(works: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(works)
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
