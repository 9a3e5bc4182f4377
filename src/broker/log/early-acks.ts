/**
 * Acknowledgements that do not wait for the commit: all sends in async replication, and in every mode the messages whose
 * producer does not wait for the store (RocketMQ `WAIT`, `setWaitStoreMsgOK(false)`). Given once the entry is stable on
 * this leader, and only while what is acknowledged and not committed stays within `maxUnreplicatedBytes`, and the oldest
 * entry that is not committed is no older than `maxUnreplicatedMs`. What does not fit waits for its commit.
 */
import type { Clock } from '../../lib/clock.ts'
import type { Leadership } from '../needs.ts'
import type { Flight, Item } from './proposal-flight.ts'

export interface EarlyAcksNeeds {
  /** By index, ascending: what is proposed and not decided. */
  readonly flights: ReadonlyMap<number, Flight>
  readonly leadership: Pick<Leadership, 'isReady' | 'term'>
  readonly replication: () => 'sync' | 'async'
  /**
   * Whether it is known on disk that this node acknowledges early in this term (`early-file.ts`): all messages, or those
   * that do not wait. Where it is not, it will be soon.
   */
  readonly mayBegin: (term: number, all: boolean) => boolean
  readonly clock: Clock
  readonly bounds: { readonly maxUnreplicatedBytes: number; readonly maxUnreplicatedMs: number }
}

export class EarlyAcks {
  readonly #need: EarlyAcksNeeds
  /** Of items answered before their commit, which is not known yet. */
  #bytes = 0
  /** Flights below were looked at. */
  #next = 0

  constructor(need: EarlyAcksNeeds) {
    this.#need = need
  }

  /** Bytes of records that are acknowledged and not known to be committed: what a failover may lose at this moment. */
  get bytes(): number {
    return this.#bytes
  }

  /** Calls `answer` for what may be acknowledged now; `from` is the place of the item's first record in its entry. */
  look(stableIndex: number, answer: (flight: Flight, item: Item, from: number) => void): void {
    const { flights, leadership, replication, mayBegin, clock, bounds } = this.#need
    // A deposed leader's indexes may hold another leader's entries by now: stable, and not these.
    if (!leadership.isReady) return
    const first = flights.entries().next().value
    if (first === undefined) return
    const [firstIndex, oldest] = first
    if (clock.monotonicMs() - oldest.proposedMs > bounds.maxUnreplicatedMs) return
    const isAsync = replication() === 'async'
    for (let index = Math.max(this.#next, firstIndex); index <= stableIndex; index++) {
      const flight = flights.get(index)
      // Commands wait for their commit in every mode.
      if (flight?.term === leadership.term && flight.items[0]?.command === undefined) {
        let from = 0
        for (const item of flight.items) {
          if (item.done !== undefined && (isAsync || item.isEarly)) {
            if (this.#bytes + item.bytes > bounds.maxUnreplicatedBytes || !mayBegin(leadership.term, isAsync)) return
            this.#bytes += item.bytes
            flight.earlyBytes += item.bytes
            answer(flight, item, from)
          }
          from += item.records
        }
      }
      this.#next = index + 1
    }
  }

  /** What became of the flight is known. */
  landed(flight: Flight): void {
    this.#bytes -= flight.earlyBytes
  }

  /** Indexes may be given again. */
  roleChanged(): void {
    this.#next = 0
  }
}
