/**
 * What is written after each checkpoint, from a cut of the same turn: snapshots that must never be ahead of the queues
 * (`table-store.ts`).
 */
export class Alongside {
  readonly #cut: (() => () => Promise<void>) | undefined
  #isSaved: boolean

  /** `cut` is called in the turn of every checkpoint's cut; what it returns is called once the checkpoint is durable. */
  constructor(cut: (() => () => Promise<void>) | undefined) {
    this.#cut = cut
    this.#isSaved = cut === undefined
  }

  /** Whether it was written after the last cut. Of an earlier process that is not known. */
  get isSaved(): boolean {
    return this.#isSaved
  }

  /** Takes what there is now; the function given writes it down. */
  cut(): () => Promise<void> {
    const write = this.#cut?.()
    this.#isSaved = write === undefined
    return async () => {
      await write?.()
      this.#isSaved = true
    }
  }
}
