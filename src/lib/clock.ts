/**
 * Time is handed in. Only this file reads the machine's clocks and arms its timers; the simulator and the tests hand in
 * clocks of their own (see `test/support/manual-clock.ts`).
 */

export interface Timer {
  cancel(): void
}

export interface Clock {
  /** Wall time in milliseconds since 1970. May jump; only for what people and the wire see. */
  nowMs(): number
  /** Monotonic milliseconds from an arbitrary start, with fractions. Every timeout stands on this one. */
  monotonicMs(): number
  /** Calls `run` once after `delayMs`. Does not keep the process alive. */
  after(delayMs: number, run: () => void): Timer
  /** Calls `run` every `periodMs` until cancelled. Does not keep the process alive. */
  every(periodMs: number, run: () => void): Timer
  /** Calls `run` at the end of this turn of the event loop, after all input that is already there was read. */
  endOfTurn(run: () => void): void
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    const handle = setTimeout(run, delayMs)
    handle.unref()
    return { cancel: () => clearTimeout(handle) }
  },
  every(periodMs, run) {
    const handle = setInterval(run, periodMs)
    handle.unref()
    return { cancel: () => clearInterval(handle) }
  },
  endOfTurn(run) {
    setImmediate(run)
  },
}

/** Resolves after `delayMs` of `clock`, or rejects with the signal's reason when `signal` aborts first. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(toError(signal.reason))
    const onAbort = (): void => {
      timer.cancel()
      reject(toError(signal?.reason))
    }
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}
