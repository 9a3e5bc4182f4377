/** Where the log has rotted: known bytes that are not served until a peer has brought them again. */
export interface BadRange {
  /** First byte of the first damaged frame. */
  readonly offset: number
  /** Behind the last damaged byte: here a sound frame begins, or the segment ends. */
  readonly end: number
  /** The entries that are missing. */
  readonly first: number
  readonly last: number
}

export class BadRanges {
  #ranges: BadRange[] = []

  get all(): readonly BadRange[] {
    return this.#ranges
  }

  get isEmpty(): boolean {
    return this.#ranges.length === 0
  }

  add(range: BadRange): void {
    const apart = this.#ranges.filter((other) => other.end <= range.offset || other.offset >= range.end)
    const merged = this.#ranges
      .filter((other) => !apart.includes(other))
      .reduce(
        (all, other) => ({
          offset: Math.min(all.offset, other.offset),
          end: Math.max(all.end, other.end),
          first: Math.min(all.first, other.first),
          last: Math.max(all.last, other.last),
        }),
        range,
      )
    this.#ranges = [...apart, merged].sort((a, b) => a.offset - b.offset)
  }

  /** The range that holds byte `offset`. */
  atOffset(offset: number): BadRange | undefined {
    return this.#ranges.find((range) => offset >= range.offset && offset < range.end)
  }

  /** The range that holds entry `index`. */
  atIndex(index: number): BadRange | undefined {
    return this.#ranges.find((range) => index >= range.first && index <= range.last)
  }

  /** `range` was repaired up to (not including) entry `next` at `offset`. */
  repaired(range: BadRange, next: number, offset: number): void {
    this.#ranges = this.#ranges.filter((other) => other !== range)
    if (next <= range.last) this.#ranges.push({ ...range, first: next, offset })
    this.#ranges.sort((a, b) => a.offset - b.offset)
  }

  /** The log was cut: what was behind it is no longer missed. */
  truncateAfter(index: number, offset: number): void {
    this.#ranges = this.#ranges
      .filter((range) => range.first <= index)
      .map((range) => ({ ...range, last: Math.min(range.last, index), end: Math.min(range.end, offset) }))
  }

  /** The log's front was dropped up to `offset`, entry `index` included. */
  dropBefore(offset: number): void {
    this.#ranges = this.#ranges.filter((range) => range.end > offset)
  }

  clear(): void {
    this.#ranges = []
  }
}
