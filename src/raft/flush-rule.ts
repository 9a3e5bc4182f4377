/**
 * Which entries count once they are written, and which only on the medium. Acks of an entry are cumulative: one that says
 * "durable up to i" covers everything before i, whenever it was written.
 */
import { majority } from './quorum.ts'
import type { Index, Membership, NodeId } from './types.ts'

/**
 * `durable`: on the media of a quorum (sync flush). `written`: written by a quorum (async flush). `writtenWhileWhole`: the
 * same while a voter can be spared; otherwise durable (SAUCR, OSDI 2018: buffer while many are up, flush when failures
 * appear).
 */
export type FlushDemand = 'durable' | 'written' | 'writtenWhileWhole'

export class FlushRule {
  #demand: FlushDemand = 'durable'
  /** Entries from here on must be durable; Infinity: none. */
  #durableFrom: Index

  constructor(durableFrom: Index) {
    this.#durableFrom = durableFrom
  }

  get isDurable(): boolean {
    return this.#durableFrom !== Infinity
  }

  demand(demand: FlushDemand): void {
    this.#demand = demand
  }

  /** Puts the demand into effect; `lastIndex` is the log's. What is in the log already keeps the rule it came under. */
  look(lastIndex: Index, canSpare: () => boolean): void {
    const isDurable = this.#demand === 'durable' || (this.#demand === 'writtenWhileWhole' && !canSpare())
    if (!isDurable) this.#durableFrom = Infinity
    else if (this.#durableFrom === Infinity) this.#durableFrom = lastIndex + 1
  }

  /** What may be committed when a quorum has written everything up to `written`. `durable` is asked only if it matters. */
  committed(written: Index, durable: () => Index): Index {
    if (written < this.#durableFrom) return written
    return Math.max(this.#durableFrom - 1, durable())
  }
}

/** Whether everybody is up, or so many that one more may fail and a majority is left. */
export function canSpareOne({ voters, outgoing }: Membership, isUp: (id: NodeId) => boolean): boolean {
  return [voters, outgoing].every((group) => {
    const up = group.filter(isUp).length
    return up === group.length || up > majority(group.length)
  })
}
