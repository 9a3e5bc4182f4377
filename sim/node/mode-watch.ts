/**
 * The mode of a group whose mode may be changed at any time, as far as its clients can know it. A change whose answer was
 * lost may count at once, later or never: from then on nobody knows what counts.
 */
import type { Modes } from './node-options.ts'

export interface KnownModes extends Modes {
  readonly epoch: number
}

export class ModeWatch {
  /** Undefined: not known. */
  #now: Modes | undefined
  #isLost = false
  #epoch = 0
  #wasAsync = { flush: false, replication: false }

  constructor(first: Modes) {
    this.#now = first
    this.#mayBe(first)
  }

  /** What the group surely is in, and a number that is another one each time that this begins anew. */
  get known(): KnownModes | undefined {
    return this.#now === undefined ? undefined : { ...this.#now, epoch: this.#epoch }
  }

  /** A number while the group surely acknowledges as in sync × sync; another one each time that this begins anew. */
  get strictEpoch(): number | undefined {
    const { known } = this
    return known?.flush === 'sync' && known.replication === 'sync' ? known.epoch : undefined
  }

  /** Whether the group may have been in that mode at some time. */
  get wasAsync(): { readonly flush: boolean; readonly replication: boolean } {
    return this.#wasAsync
  }

  /** A change is asked for. The function given is called with its end: acknowledged, or not known. */
  began(to: Modes): (isAcknowledged: boolean) => void {
    const epoch = ++this.#epoch
    this.#now = undefined
    this.#mayBe(to)
    return (isAcknowledged) => {
      if (!isAcknowledged) this.#isLost = true
      // Of two changes under way at once either may come last.
      if (epoch !== this.#epoch) this.#isLost = true
      this.#now = this.#isLost ? undefined : to
    }
  }

  #mayBe({ flush, replication }: Modes): void {
    this.#wasAsync = {
      flush: this.#wasAsync.flush || flush === 'async',
      replication: this.#wasAsync.replication || replication === 'async',
    }
  }
}
