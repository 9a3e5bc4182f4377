/**
 * Pulls of consumers that this node has not heard of yet. Whose leader died asks the next one as soon as it knows it, and
 * on a new connection a stock client's pull leaves before its heartbeat. Refused, the consumer would stand still until it
 * tries again (ClientConfig.pullTimeDelayMillsWhenException: a second); so its heartbeat is waited for a moment.
 */
import type { Clock, Timer } from '../../lib/clock.ts'
import type { Clients } from './clients.ts'

export interface SubscriptionWaitsNeeds {
  readonly clock: Clock
  readonly clients: Pick<Clients, 'onGroupChanged'>
  /** Pulls that wait at once; more are answered at once. */
  readonly maxWaiting: number
  /** How long one waits at most. */
  readonly waitMs: number
}

interface Waiting {
  readonly resume: () => void
  readonly timer: Timer
}

export class SubscriptionWaits {
  readonly #need: SubscriptionWaitsNeeds
  readonly #groups = new Map<string, Set<Waiting>>()
  #count = 0

  constructor(need: SubscriptionWaitsNeeds) {
    this.#need = need
    need.clients.onGroupChanged((group) => this.#wake(group))
  }

  /** Calls `resume` once the members or topics of the group changed, or the time is up. False when there is no room. */
  wait(group: string, resume: () => void): boolean {
    if (this.#count >= this.#need.maxWaiting) return false
    const waiting = this.#groups.get(group) ?? new Set()
    this.#groups.set(group, waiting)
    const timer = this.#need.clock.after(this.#need.waitMs, () => {
      this.#forget(group, waiting, one)
      resume()
    })
    const one: Waiting = { resume, timer }
    waiting.add(one)
    this.#count += 1
    return true
  }

  close(): void {
    for (const waiting of this.#groups.values()) for (const { timer } of waiting) timer.cancel()
    this.#groups.clear()
    this.#count = 0
  }

  #wake(group: string): void {
    const waiting = this.#groups.get(group)
    for (const one of Array.from(waiting ?? [])) {
      one.timer.cancel()
      if (waiting !== undefined) this.#forget(group, waiting, one)
      one.resume()
    }
  }

  #forget(group: string, waiting: Set<Waiting>, one: Waiting): void {
    waiting.delete(one)
    this.#count -= 1
    if (waiting.size === 0) this.#groups.delete(group)
  }
}
