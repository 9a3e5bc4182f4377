/** One timer for whatever is due next. It is armed only while something is: who waits for nothing costs nothing. */
import type { Clock, Timer } from './clock.ts'

export class Alarm {
  readonly #clock: Clock
  readonly #ring: () => void
  #timer: Timer | undefined
  #dueMs = Number.POSITIVE_INFINITY

  /** `ring` is called once for each time that was asked for, or for several of them together. */
  constructor(clock: Clock, ring: () => void) {
    this.#clock = clock
    this.#ring = ring
  }

  /** Rings at `dueMs` (monotonic) or before: something else may be due earlier. */
  before(dueMs: number): void {
    if (dueMs >= this.#dueMs) return
    this.#timer?.cancel()
    this.#dueMs = dueMs
    // Timers count whole milliseconds: cut off, they would ring before the time.
    const delayMs = Math.max(0, Math.ceil(dueMs - this.#clock.monotonicMs()))
    this.#timer = this.#clock.after(delayMs, () => {
      this.cancel()
      this.#ring()
    })
  }

  /** Does not ring for what was asked before. */
  cancel(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#dueMs = Number.POSITIVE_INFINITY
  }
}
