/**
 * What answers to heartbeats say of who is in the group. As long as every leader keeps saying the same, nobody need ask for
 * the list of members (38) to see whether queues must be shared out anew: with thousands of consumers that wait, those
 * questions are a third of all that brokers hear. Stock brokers say nothing of it, and are asked at every interval.
 */
import type { Clock } from '../../lib/clock.ts'

/** Of the heartbeat's interval: one answer may come late. */
const FRESH = 1.5

export class MemberNews {
  readonly #clock: Clock
  readonly #freshMs: number
  /** Address of a leader → what it said last. */
  readonly #told = new Map<string, { readonly digest: string; readonly atMs: number }>()

  constructor(clock: Clock, heartbeatIntervalMs: number) {
    this.#clock = clock
    this.#freshMs = heartbeatIntervalMs * FRESH
  }

  /** True: who is in the group may not be who was in it. `digest` undefined: the broker does not say. */
  heard(address: string, digest: string | undefined): boolean {
    const before = this.#told.get(address)?.digest
    this.#told.delete(address)
    if (digest === undefined) return false
    this.#told.set(address, { digest, atMs: this.#clock.monotonicMs() })
    return digest !== before
  }

  /** Whether all of them said of late who is in the group; undefined stands for a leader that is not known. */
  isTold(leaders: readonly (string | undefined)[]): boolean {
    const oldestMs = this.#clock.monotonicMs() - this.#freshMs
    for (const [address, { atMs }] of this.#told) if (atMs < oldestMs) this.#told.delete(address)
    return leaders.length > 0 && leaders.every((leader) => leader !== undefined && this.#told.has(leader))
  }
}
