/**
 * Where the leader is, from this node's own Raft view and from what its peers last told. A node that recovers has no
 * view of its own yet and forwards by what its peers tell; the highest term wins.
 */
import type { Clock } from '../../lib/clock.ts'
import type { LeaderView } from '../group/leadership.ts'

export interface LeaderPlace {
  readonly id: string
  readonly term: number
}

interface Waiter {
  readonly deadlineMs: number
  readonly wake: (place: LeaderPlace | undefined) => void
  /** A place that was tried and did not lead: it is not given again for the same term. */
  readonly not: LeaderPlace | undefined
}

export interface LeaderLocatorNeeds {
  readonly ownId: string
  readonly clock: Clock
  /** Callers waiting for a leader; more are told at once that there is none. */
  readonly maxWaiting: number
}

export class LeaderLocator {
  readonly #need: LeaderLocatorNeeds
  readonly #views = new Map<string, LeaderPlace>()
  readonly #listeners: (() => void)[] = []
  #waiting: Waiter[] = []
  #swept = false

  constructor(need: LeaderLocatorNeeds) {
    this.#need = need
  }

  /**
   * What node `from` (a peer or this node) believes. A view without a leader withdraws what that node said before. That
   * this node leads is believed from itself alone: peers know it earlier than it is ready, and forget it later.
   */
  learn(from: string, view: LeaderView): void {
    const { ownId } = this.#need
    if (view.leader === null || (view.leader === ownId && from !== ownId)) this.#views.delete(from)
    else this.#views.set(from, { id: view.leader, term: view.term })
    for (const listener of this.#listeners) listener()
    this.#wake()
  }

  /** The connection to `peer` ended: what it said of itself no longer holds. */
  forget(peer: string): void {
    this.#views.delete(peer)
    for (const [from, place] of this.#views) if (place.id === peer) this.#views.delete(from)
    for (const listener of this.#listeners) listener()
  }

  /** Calls `listener` after every change of what is believed. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  current(): LeaderPlace | undefined {
    let best: LeaderPlace | undefined
    for (const place of this.#views.values()) if (best === undefined || place.term > best.term) best = place
    return best
  }

  /** Calls `wake` with a leader other than `not`, now or when one is known, or with undefined after `timeoutMs`. */
  locate(timeoutMs: number, not: LeaderPlace | undefined, wake: (place: LeaderPlace | undefined) => void): void {
    const place = this.#other(not)
    if (place !== undefined) return wake(place)
    if (timeoutMs <= 0 || this.#waiting.length >= this.#need.maxWaiting) return wake(undefined)
    this.#waiting.push({ deadlineMs: this.#need.clock.monotonicMs() + timeoutMs, wake, not })
    this.#sweep()
  }

  #other(not: LeaderPlace | undefined): LeaderPlace | undefined {
    const place = this.current()
    if (place === undefined) return undefined
    return not !== undefined && place.id === not.id && place.term === not.term ? undefined : place
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const waiter of waiting) {
      const place = this.#other(waiter.not)
      if (place === undefined) this.#waiting.push(waiter)
      else waiter.wake(place)
    }
  }

  #sweep(): void {
    if (this.#swept || this.#waiting.length === 0) return
    this.#swept = true
    this.#need.clock.after(50, () => {
      this.#swept = false
      const nowMs = this.#need.clock.monotonicMs()
      const over = this.#waiting.filter((waiter) => waiter.deadlineMs <= nowMs)
      this.#waiting = this.#waiting.filter((waiter) => waiter.deadlineMs > nowMs)
      for (const waiter of over) waiter.wake(undefined)
      this.#sweep()
    })
  }
}
