/**
 * Opens the door to early acknowledgements of a term once it is known that they are given: on this node's disk, and to the
 * group where its mode does not say so, for messages that do not wait in sync replication. Not before those of an older
 * term are accounted for (`LossReport`): file and group name one term, and what was lost of a term that is no longer named
 * would never be told.
 */
import type { Early } from '../../store/early-file.ts'

export interface EarlyGateNeeds {
  readonly file: { readonly value: Early; save(value: Early): Promise<void> }
  readonly group: {
    /** Whose messages that did not wait are not accounted for; 0: nobody's (`Losses`). */
    readonly earlyTerm: () => number
    /** Rejects when it could not be told; it is asked for again. */
    readonly tell: (term: number) => Promise<unknown>
  }
  /** The door is open now. */
  readonly opened: () => void
  readonly fatal: (error: Error) => void
}

export class EarlyGate {
  readonly #need: EarlyGateNeeds
  #isOpening = false

  constructor(need: EarlyGateNeeds) {
    this.#need = need
  }

  /** `all`: by the mode, not only for messages that do not wait. */
  isOpen(term: number, all: boolean): boolean {
    const { file, group } = this.#need
    const { value } = file
    const earlyTerm = group.earlyTerm()
    if (this.#isOnFile(term, all) && (all || earlyTerm === term)) return true
    const isFree = [0, term].includes(value.term) && (all || [0, term].includes(earlyTerm))
    if (!this.#isOpening && isFree) this.#open(term, all)
    return false
  }

  #open(term: number, all: boolean): void {
    this.#isOpening = true
    this.#save(term, all).then(
      async () => {
        const { group, opened } = this.#need
        const isTold = all || (await succeeds(group.tell(term)))
        this.#isOpening = false
        if (isTold) opened()
      },
      (error: unknown) => this.#need.fatal(error instanceof Error ? error : new Error(String(error))),
    )
  }

  async #save(term: number, all: boolean): Promise<void> {
    const { file } = this.#need
    const { value } = file
    if (!this.#isOnFile(term, all)) await file.save({ term, all: all || (value.term === term && value.all) })
  }

  #isOnFile(term: number, all: boolean): boolean {
    const { value } = this.#need.file
    return value.term === term && (value.all || !all)
  }
}

const succeeds = (done: Promise<unknown>): Promise<boolean> =>
  done.then(
    () => true,
    () => false,
  )
