/**
 * Opens the door to early acknowledgements of a term once that they are given is on disk. Not before this node has
 * accounted for those of an older term (`LossReport`): the file names one term, and what was set aside of a term that it no
 * longer names would never be told.
 */
import type { Early } from '../../store/early-file.ts'

export interface EarlyGateNeeds {
  readonly file: { readonly value: Early; save(value: Early): Promise<void> }
  /** The door is open now. */
  readonly opened: () => void
  readonly fatal: (error: Error) => void
}

export class EarlyGate {
  readonly #need: EarlyGateNeeds
  #isSaving = false

  constructor(need: EarlyGateNeeds) {
    this.#need = need
  }

  isOpen(term: number, all: boolean): boolean {
    const { file, opened, fatal } = this.#need
    const { value } = file
    if (value.term === term && (value.all || !all)) return true
    if (this.#isSaving || (value.term !== term && value.term !== 0)) return false
    this.#isSaving = true
    file.save({ term, all: all || (value.term === term && value.all) }).then(
      () => {
        this.#isSaving = false
        opened()
      },
      (error: unknown) => fatal(error instanceof Error ? error : new Error(String(error))),
    )
    return false
  }
}
