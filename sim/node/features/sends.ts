/** What a feature sent, and what it was told of each. */
import type { Cluster } from '../cluster.ts'

export interface OneSent {
  readonly id: string
  readonly beganMs: number
  readonly epoch: number | undefined
  isPending: boolean
  /** Acknowledged in sync × sync: it stays, whatever happens. */
  isLasting: boolean
  /** It may be stored more than once: an answer was lost. */
  mayBeTwice: boolean
}

/** What is read of the answer to a send. */
interface Stored {
  readonly offsetMessageId: string
  readonly mayBeTwice: boolean
}

export class Sends {
  readonly #cluster: Cluster
  readonly #all = new Map<string, OneSent>()

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  get all(): ReadonlyMap<string, OneSent> {
    return this.#all
  }

  /** What is there for ever, or may be once its send ends, and retention did not take from whoever was late. */
  get awaited(): readonly OneSent[] {
    return [...this.#all.values()].filter(
      ({ id, isLasting, isPending }) => isPending || (isLasting && !this.isDropped(id)),
    )
  }

  /** Whether it was in its topic, and retention took it. */
  isDropped(id: string): boolean {
    return this.#cluster.dropped.has(id)
  }

  /** Never rejects: of a send that failed nothing is known. */
  async send(id: string, work: () => Promise<Stored>): Promise<OneSent> {
    const { modes, scheduler, copies } = this.#cluster
    const begun = copies.began(id)
    const sent: OneSent = {
      id,
      beganMs: scheduler.nowMs,
      epoch: modes.strictEpoch,
      isPending: true,
      isLasting: false,
      mayBeTwice: true,
    }
    this.#all.set(id, sent)
    try {
      const stored = await work()
      sent.isLasting = sent.epoch !== undefined && sent.epoch === modes.strictEpoch
      sent.mayBeTwice = stored.mayBeTwice
      this.#cluster.note(`${id} is acknowledged`)
      this.#cluster.guard(() => copies.acknowledged(begun, stored))
    } catch {
      this.#cluster.note(`${id} is not acknowledged`)
    }
    sent.isPending = false
    return sent
  }
}
