/** A page as it was read or finished: its units below `through` are as written. */
export interface CachedPage {
  readonly bytes: Buffer
  /** queueOffset; what lies beyond may have been written after this copy was made. */
  readonly through: number
}

/** The pages read or finished last, in memory; at most `maxPages`, the one used longest ago goes first. */
export class PageCache {
  readonly #maxPages: number
  /** Insertion order is age: a page that is used is taken out and put in again. */
  readonly #pages = new Map<number, CachedPage>()

  constructor(maxPages: number) {
    this.#maxPages = maxPages
  }

  get size(): number {
    return this.#pages.size
  }

  get(pageNumber: number): CachedPage | undefined {
    const page = this.#pages.get(pageNumber)
    if (page === undefined) return undefined
    this.#pages.delete(pageNumber)
    this.#pages.set(pageNumber, page)
    return page
  }

  put(pageNumber: number, page: CachedPage): void {
    this.#pages.delete(pageNumber)
    this.#pages.set(pageNumber, page)
    if (this.#pages.size <= this.#maxPages) return
    const oldest = this.#pages.keys().next()
    if (oldest.done !== true) this.#pages.delete(oldest.value)
  }

  /** Forgets a page: it belongs to nobody, or to somebody else now. */
  drop(pageNumber: number): void {
    this.#pages.delete(pageNumber)
  }

  clear(): void {
    this.#pages.clear()
  }
}
