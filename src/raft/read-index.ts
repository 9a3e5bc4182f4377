/**
 * Linearizable reads without a log entry (thesis §6.4): a leader notes its commit, proves with one exchange that it
 * still leads, and then serves. Many waiters share one round.
 */
import type { Index } from './types.ts'

interface Waiter {
  readonly resolve: (index: Index) => void
  readonly reject: (error: Error) => void
}

export class ReadRounds {
  readonly #maxWaiters: number
  /** Of the round under way; empty between rounds. */
  #asking: Waiter[] = []
  /** Came while a round was under way, or before the leader may read: a round that began before them proves nothing. */
  #waiting: Waiter[] = []
  #index: Index = 0
  #round = 0

  constructor(maxWaiters: number) {
    this.#maxWaiters = maxWaiters
  }

  /** Number of the last round begun. */
  get round(): number {
    return this.#round
  }

  /** A round is under way. */
  get isAsking(): boolean {
    return this.#asking.length > 0
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0
  }

  /** False when too many wait. */
  add(waiter: Waiter): boolean {
    if (this.#asking.length + this.#waiting.length >= this.#maxWaiters) return false
    this.#waiting.push(waiter)
    return true
  }

  /** Begins a round at `commit` if somebody waits and none is under way. */
  startRound(commit: Index): boolean {
    if (this.#asking.length > 0 || this.#waiting.length === 0) return false
    this.#asking = this.#waiting
    this.#waiting = []
    this.#index = commit
    this.#round++
    return true
  }

  /** A quorum confirmed everything up to `round`. */
  confirm(round: number): void {
    if (this.#asking.length === 0 || round < this.#round) return
    const confirmed = this.#asking
    this.#asking = []
    for (const waiter of confirmed) waiter.resolve(this.#index)
  }

  fail(error: Error): void {
    const failed = [...this.#asking, ...this.#waiting]
    this.#asking = []
    this.#waiting = []
    for (const waiter of failed) waiter.reject(error)
  }
}
