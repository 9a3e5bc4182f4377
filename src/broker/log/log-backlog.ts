/**
 * What waits for the log, and what may join it: by the time it will take, not by its size (docs/decisions/0008, "A send is
 * refused by the time it would wait"). A log that keeps up takes everything. Once something waited in it for longer than
 * `LOG_MS` it is *behind*, and from then on
 *
 *     ahead of a newcomer:   | queue: a quarter of waitMs of draining | log: LOG_MS of draining | disk, followers
 *     refused at the door:     what would make it longer
 *     refused in the queue:    who waited for longer than that quarter all the same: the log drains in lumps
 *
 * so that what is admitted is stored well before anybody gives up on it, and what is not hears so at once. A log that took
 * nothing for a while though something waited for it is behind, too: what its first flush holds says how slow it is only
 * once it ends. It is behind until the backlog stayed short for a while: a queue that empties between two flushes is no
 * reason to let everybody in.
 *
 * Knows no clock and no requests: times and bytes are handed in, milliseconds are monotonic.
 */
import { assert } from '../../lib/assert.ts'
import { DrainRate } from './drain-rate.ts'

/** What the log may hold that is not decided, as time. Several flushes and round trips, a fraction of a client's patience. */
const LOG_MS = 300
/** The same in bytes for a log that keeps up: nothing is known of how it takes more. */
const UNTRIED_BYTES = 2 * 1024 * 1024
/** Taken however slow the log is: without anything in it nothing is measured. */
const FLOOR_BYTES = 64 * 1024
/** How much faster than it drains a log that is behind is filled. */
const PACE = 1.25
/** Shares of `waitMs`: what waits in the queue of a log that is behind, and how long one that is not may take nothing. */
const BEHIND_SHARE = 1 / 4
const STUCK_SHARE = 3 / 8
/** A backlog of no more than this is short, and the log keeps up again once it was short for so long. */
const SHORT_MS = LOG_MS / 4
const CALM_MS = 1_000

export class LogBacklog {
  readonly #waitMs: number
  readonly #rate = new DrainRate()
  #queuedBytes = 0
  #loggedBytes = 0
  #isBehind = false
  #calmSinceMs: number | undefined
  /** When something left last: where nothing waits, since when. */
  #emptySinceMs = 0
  /** What the pace allows the log to be given, as of `#pacedMs`. What it had no room for is not made up for later. */
  #paceBytes = 0
  #pacedMs = 0
  /** When the log took something last, or what waits began to. */
  #movedMs = 0

  /** `waitMs`: how long anything may wait in the queue before the log takes it. Infinity: any time. */
  constructor(waitMs: number) {
    this.#waitMs = waitMs
  }

  /** In the queue and in the log, not decided. */
  get bytes(): number {
    return this.#queuedBytes + this.#loggedBytes
  }

  get isLogEmpty(): boolean {
    return this.#loggedBytes === 0
  }

  get isBehind(): boolean {
    return this.#isBehind
  }

  /** How long what came may wait in the queue now. */
  get patienceMs(): number {
    return this.#isBehind ? this.#waitMs * BEHIND_SHARE : this.#waitMs
  }

  /** Whether `bytes` that came now can expect to be stored in time. */
  admits(bytes: number, nowMs: number): boolean {
    return !this.#isBehind || this.bytes === 0 || this.bytes + bytes <= this.#takesIn(LOG_MS + this.patienceMs, nowMs)
  }

  /**
   * How many bytes the log may be given now. One that is behind gets them little faster than it drains: all at once they
   * would share one long flush, and the queue would stand still meanwhile.
   */
  room(nowMs: number): number {
    const window = this.#takesIn(LOG_MS, nowMs) - this.#loggedBytes
    if (!this.#isBehind) return Math.max(window, UNTRIED_BYTES - this.#loggedBytes)
    const paced = this.#paceBytes + (this.#rate.perMs(nowMs) ?? 0) * (nowMs - this.#pacedMs) * PACE
    this.#paceBytes = this.#loggedBytes === 0 ? window : Math.min(window, paced)
    this.#pacedMs = nowMs
    return this.#paceBytes
  }

  queued(bytes: number, nowMs: number): void {
    if (this.bytes === 0) this.#resume(nowMs)
    if (this.#queuedBytes === 0) this.#movedMs = nowMs
    this.#queuedBytes += bytes
  }

  /** It left the queue and is not in the log. */
  withdrawn(bytes: number, nowMs: number): void {
    this.#queuedBytes -= bytes
    assert(this.#queuedBytes >= 0, 'what is withdrawn was queued')
    this.#emptySinceMs = nowMs
  }

  /** It left the queue for the log. */
  logged(bytes: number, nowMs: number): void {
    this.withdrawn(bytes, nowMs)
    this.#movedMs = nowMs
    this.#loggedBytes += bytes
    this.#paceBytes = Math.max(0, this.#paceBytes - bytes)
  }

  /** It was decided, having been in the log since `sinceMs`. */
  drained(bytes: number, sinceMs: number, nowMs: number): void {
    this.#loggedBytes -= bytes
    assert(this.#loggedBytes >= 0, 'what drains was in the log')
    this.#emptySinceMs = nowMs
    this.#rate.drained(bytes, nowMs)
    this.waited(sinceMs, nowMs)
    this.#calm(nowMs)
  }

  /** Something is in the log since `sinceMs`. */
  waited(sinceMs: number, nowMs: number): void {
    if (nowMs - sinceMs > LOG_MS) this.#fallBehind()
  }

  /** Asked every now and then: whether the log takes something of what waits. */
  look(nowMs: number): void {
    if (this.#queuedBytes > 0 && nowMs - this.#movedMs >= this.#waitMs * STUCK_SHARE) this.#fallBehind()
  }

  /** The log stands still or changes hands for a reason of its own: what was measured says nothing of what comes. */
  restart(nowMs: number): void {
    this.#isBehind = false
    this.#calmSinceMs = undefined
    this.#movedMs = nowMs
    this.#rate.begin(nowMs)
  }

  #fallBehind(): void {
    this.#isBehind = true
    this.#calmSinceMs = undefined
  }

  /** Something waits after nothing did. */
  #resume(nowMs: number): void {
    const idleMs = nowMs - this.#emptySinceMs
    if (this.#isBehind && idleMs < CALM_MS) this.#rate.skip(idleMs)
    else this.restart(nowMs)
  }

  #calm(nowMs: number): void {
    if (!this.#isBehind) return
    if (this.bytes > this.#takesIn(SHORT_MS, nowMs)) this.#calmSinceMs = undefined
    else this.#calmSinceMs ??= nowMs
    if (this.#calmSinceMs === undefined || nowMs - this.#calmSinceMs < CALM_MS) return
    this.#isBehind = false
    this.#calmSinceMs = undefined
  }

  #takesIn(ms: number, nowMs: number): number {
    return Math.max(FLOOR_BYTES, (this.#rate.perMs(nowMs) ?? 0) * ms)
  }
}
