/**
 * How fast work is started. A *closed loop* keeps N pieces in flight: it measures what the system can do. An *open loop*
 * starts pieces at fixed times, whether the system keeps up or not, and measures each from the time it should have been
 * started: a stall then shows in every piece that was due in it (no coordinated omission).
 */
import type { Clock, Timer } from '../lib/clock.ts'

/** Starts piece number `sequence`; must call `done` exactly once, in any later turn or in this one. */
export type Start = (sequence: number, dueMs: number, done: () => void) => void

export interface Loop {
  /** Starts nothing more. Resolves when nothing is in flight. */
  stop(): Promise<void>
  readonly started: number
  readonly inFlight: number
}

export function closedLoop(options: {
  readonly clock: Clock
  readonly inFlight: number
  readonly start: Start
  /** Pieces to start altogether. Default: until stopped. */
  readonly total?: number
}): Loop {
  const { clock, start, total = Number.POSITIVE_INFINITY } = options
  const state = new LoopState()
  let isRunning = false

  /** One piece that ends in its own call must not recurse: the loop below goes on instead. */
  const fill = (): void => {
    if (isRunning) return
    isRunning = true
    while (!state.isStopped && state.inFlight < options.inFlight && state.started < total)
      state.begin(start, clock, done)
    isRunning = false
    if (state.started >= total) state.isStopped = true
    state.settle()
  }
  const done = (): void => {
    state.inFlight -= 1
    fill()
  }
  clock.endOfTurn(fill)
  return state
}

export function openLoop(options: {
  readonly clock: Clock
  readonly ratePerSecond: number
  /** Pieces in flight at most. What is due beyond that waits, and its waiting counts. */
  readonly maxInFlight: number
  readonly start: Start
}): Loop {
  const { clock, ratePerSecond, maxInFlight, start } = options
  const state = new LoopState()
  const firstMs = clock.monotonicMs()
  const dueMs = (sequence: number): number => firstMs + (sequence * 1_000) / ratePerSecond
  let timer: Timer | undefined = clock.every(1, () => fill())

  const fill = (): void => {
    const nowMs = clock.monotonicMs()
    while (!state.isStopped && state.inFlight < maxInFlight && dueMs(state.started) <= nowMs) {
      state.begin(start, clock, done, dueMs(state.started))
    }
    if (!state.isStopped) return
    timer?.cancel()
    timer = undefined
    state.settle()
  }
  const done = (): void => {
    state.inFlight -= 1
    if (state.isStopped) fill()
  }
  state.onStop = fill
  return state
}

class LoopState implements Loop {
  started = 0
  inFlight = 0
  isStopped = false
  onStop: () => void = () => this.settle()
  #waiting: (() => void)[] = []

  begin(start: Start, clock: Clock, done: () => void, dueMs = clock.monotonicMs()): void {
    const sequence = this.started
    this.started += 1
    this.inFlight += 1
    start(sequence, dueMs, done)
  }

  stop(): Promise<void> {
    this.isStopped = true
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      this.onStop()
    })
  }

  settle(): void {
    if (!this.isStopped || this.inFlight > 0) return
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
