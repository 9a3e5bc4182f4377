/** What became of each part of a request, until all are known: then, or when the time is up, they are handed on once. */
import type { PartAnswer } from '../../message/send-parts.ts'

export class PartAnswers {
  readonly #answers: (PartAnswer | undefined)[]
  readonly #complete: (answers: readonly PartAnswer[]) => void
  #missing: number

  /** `complete` is called once, and never for parts that are settled before the last. */
  constructor(count: number, complete: (answers: readonly PartAnswer[]) => void) {
    this.#answers = Array.from({ length: count }, () => undefined)
    this.#complete = complete
    this.#missing = count
  }

  /** What comes for a part that has its answer counts no more. */
  settle(part: number, answer: PartAnswer): void {
    if (this.#missing === 0 || this.#answers[part] !== undefined) return
    this.#answers[part] = answer
    this.#missing -= 1
    if (this.#missing === 0) this.#complete(this.#answers.filter((one) => one !== undefined))
  }

  /** Parts that have no answer get this one. */
  settleRest(answer: PartAnswer): void {
    for (let part = 0; part < this.#answers.length; part++) this.settle(part, answer)
  }

  /** The request is answered in another way: nothing more counts. */
  drop(): void {
    this.#missing = 0
  }
}
