/**
 * What one offset may be in the end, of which higher and higher values were committed, some of them at the same time: the
 * highest that was acknowledged, a higher one, or one that was under way when that one began. Of two commits that overlap
 * either may come last, and one whose answer was lost overlaps with all that follow.
 */
export class CommittedOffsets {
  /** Begun and not acknowledged. */
  readonly #open = new Set<number>()
  #highest = -1
  /** What was open when the highest began. */
  #besideHighest: ReadonlySet<number> = new Set()

  /** `offset` is above all before it. The function given is called at its acknowledgement, if one comes. */
  began(offset: number): () => void {
    const beside = new Set(this.#open)
    this.#open.add(offset)
    return () => {
      this.#open.delete(offset)
      if (offset < this.#highest) return
      this.#highest = offset
      this.#besideHighest = beside
    }
  }

  /** What was acknowledged and is gone where `offset` is what is found; undefined: nothing. */
  lostAt(offset: number): number | undefined {
    return offset >= this.#highest || this.#besideHighest.has(offset) ? undefined : this.#highest
  }
}
