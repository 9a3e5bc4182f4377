/**
 * Which writes of a file are done at once, in the turn that asks for them, and not in libuv's thread pool. Into the page
 * cache a small write is a copy of some microseconds; the way to a thread and back wakes both, and each waits for a
 * processor. But the system lets a writer wait while it syncs the file, and while more is dirty than it allows: there
 * the event loop would wait with it.
 */
import type { Clock } from '../lib/clock.ts'

/** Larger writes are worth the way to a thread. */
const MAX_BYTES = 16_384
/** A write that took this long waited for something. */
const SLOW_MS = 5
/** After a slow one, small writes go to a thread for so long. */
const REST_MS = 2_000

export class SmallWrites {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  #syncs = 0
  #restUntilMs = -Infinity

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock
  }

  /** Whether a write of `bytes` is done at once. */
  isAtOnce(bytes: number): boolean {
    return bytes <= MAX_BYTES && this.#syncs === 0 && this.#clock.monotonicMs() >= this.#restUntilMs
  }

  /** Does a write at once, and sees how long it takes. */
  measured<T>(write: () => T): T {
    const beganMs = this.#clock.monotonicMs()
    try {
      return write()
    } finally {
      const nowMs = this.#clock.monotonicMs()
      if (nowMs - beganMs >= SLOW_MS) this.#restUntilMs = nowMs + REST_MS
    }
  }

  /** While `sync` is under way no write is done at once. */
  async during(sync: () => Promise<void>): Promise<void> {
    this.#syncs++
    try {
      await sync()
    } finally {
      this.#syncs--
    }
  }
}
