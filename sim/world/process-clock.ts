/**
 * The clock of one process in the simulation. Its timers die with it. A stalled process runs nothing; when it goes on,
 * its timers fire before it reads what was sent to it, as in an event loop.
 */
import type { Clock, Timer } from '../../src/lib/clock.ts'
import type { Event, Scheduler } from './scheduler.ts'

/** What the clocks of machines show when the simulation begins. */
export const WALL_START_MS = 1_700_000_000_000
const AFTER_TIMERS_MS = 0.001

export class ProcessClock implements Clock {
  readonly #scheduler: Scheduler
  readonly #run: (work: () => void) => void
  readonly #bootMs: number
  readonly #events = new Set<Event>()
  #dead = false
  #stalledUntilMs = 0
  #wallOffsetMs = 0
  #turn: (() => void)[] = []
  #inputs: (() => void)[] = []

  /** `run` does a piece of the process's work (and checks the world after it). */
  constructor(scheduler: Scheduler, run: (work: () => void) => void) {
    this.#scheduler = scheduler
    this.#run = run
    this.#bootMs = scheduler.nowMs
  }

  nowMs(): number {
    return Math.floor(WALL_START_MS + this.#scheduler.nowMs + this.#wallOffsetMs)
  }

  monotonicMs(): number {
    return this.#scheduler.nowMs - this.#bootMs
  }

  after(delayMs: number, run: () => void): Timer {
    const event = this.#arm(delayMs, run)
    return {
      cancel: () => {
        event.cancelled = true
        this.#events.delete(event)
      },
    }
  }

  every(periodMs: number, run: () => void): Timer {
    let timer: Timer
    let cancelled = false
    const again = (): void => {
      // As setInterval does: periods that were missed are not made up for.
      if (!cancelled) timer = this.after(periodMs, again)
      run()
    }
    timer = this.after(periodMs, again)
    return {
      cancel: () => {
        cancelled = true
        timer.cancel()
      },
    }
  }

  endOfTurn(run: () => void): void {
    this.#turn.push(run)
    if (this.#turn.length === 1) {
      this.#arm(0, () => {
        const runs = this.#turn
        this.#turn = []
        for (const each of runs) each()
      })
    }
  }

  /** Work that comes from outside (a message, a disk that is done): not while stalled, never once dead. */
  input(work: () => void): void {
    if (this.#dead) return
    if (this.#inputs.length === 0 && this.#scheduler.nowMs >= this.#stalledUntilMs) return this.#run(work)
    this.#inputs.push(work)
    if (this.#inputs.length === 1) this.#takeInputs()
  }

  stall(forMs: number): void {
    this.#stalledUntilMs = Math.max(this.#stalledUntilMs, this.#scheduler.nowMs + forMs)
  }

  /** Somebody sets the machine's clock. */
  jump(byMs: number): void {
    this.#wallOffsetMs += byMs
  }

  die(): void {
    this.#dead = true
    for (const event of this.#events) event.cancelled = true
    this.#events.clear()
  }

  #arm(delayMs: number, run: () => void): Event {
    const event = this.#scheduler.after(delayMs, () => {
      this.#events.delete(event)
      this.#whenAwake(run)
    })
    this.#events.add(event)
    return event
  }

  /** What came while the process stood still, in its order, and after the timers. */
  #takeInputs(): void {
    this.#scheduler.at(Math.max(this.#scheduler.nowMs, this.#stalledUntilMs + AFTER_TIMERS_MS), () => {
      if (this.#dead) return
      if (this.#scheduler.nowMs < this.#stalledUntilMs) return this.#takeInputs()
      const work = this.#inputs.shift()
      if (this.#inputs.length > 0) this.#takeInputs()
      if (work !== undefined) this.#run(work)
    })
  }

  #whenAwake(work: () => void): void {
    if (this.#dead) return
    if (this.#scheduler.nowMs < this.#stalledUntilMs) {
      this.#scheduler.at(this.#stalledUntilMs, () => this.#whenAwake(work))
      return
    }
    this.#run(work)
  }
}
