/** A clock that stands until a test moves it. */
import type { Clock, Timer } from '../../src/lib/clock.ts'

interface Alarm {
  dueMs: number
  readonly order: number
  readonly periodMs: number | undefined
  readonly run: () => void
}

export class ManualClock implements Clock {
  #monotonicMs = 0
  #wallMs: number
  #order = 0
  readonly #alarms = new Set<Alarm>()
  #turn: (() => void)[] = []

  constructor(wallMs = 1_700_000_000_000) {
    this.#wallMs = wallMs
  }

  nowMs(): number {
    return this.#wallMs
  }

  monotonicMs(): number {
    return this.#monotonicMs
  }

  after(delayMs: number, run: () => void): Timer {
    return this.#arm(delayMs, undefined, run)
  }

  every(periodMs: number, run: () => void): Timer {
    return this.#arm(periodMs, periodMs, run)
  }

  /** How many timers would wake the process, now or later. */
  get armed(): number {
    return this.#alarms.size
  }

  endOfTurn(run: () => void): void {
    this.#turn.push(run)
  }

  /** Ends the turn: runs what was asked for its end, and what that asks in turn. */
  turn(): void {
    while (this.#turn.length > 0) {
      const runs = this.#turn
      this.#turn = []
      for (const run of runs) run()
    }
  }

  /** Moves both clocks on by `byMs`, firing timers in order of their time, each in a turn of its own. */
  advance(byMs: number): void {
    const untilMs = this.#monotonicMs + byMs
    for (;;) {
      this.turn()
      const next = this.#nextUntil(untilMs)
      if (next === undefined) break
      this.#move(next.dueMs)
      if (next.periodMs === undefined) this.#alarms.delete(next)
      else next.dueMs += next.periodMs
      next.run()
    }
    this.#move(untilMs)
    this.turn()
  }

  /** The process stands still: afterwards each timer that was due fires once, before anything else is read. */
  stall(byMs: number): void {
    this.#move(this.#monotonicMs + byMs)
    const due = [...this.#alarms].filter(({ dueMs }) => dueMs <= this.#monotonicMs).sort((a, b) => a.dueMs - b.dueMs)
    for (const alarm of due) {
      if (alarm.periodMs === undefined) this.#alarms.delete(alarm)
      else alarm.dueMs = this.#monotonicMs + alarm.periodMs
      alarm.run()
    }
  }

  /** A jump of the wall clock alone. */
  jumpWall(byMs: number): void {
    this.#wallMs += byMs
  }

  #move(toMs: number): void {
    this.#wallMs += toMs - this.#monotonicMs
    this.#monotonicMs = toMs
  }

  #nextUntil(untilMs: number): Alarm | undefined {
    let next: Alarm | undefined
    for (const alarm of this.#alarms) {
      if (alarm.dueMs > untilMs) continue
      if (next === undefined || alarm.dueMs < next.dueMs || (alarm.dueMs === next.dueMs && alarm.order < next.order)) {
        next = alarm
      }
    }
    return next
  }

  #arm(delayMs: number, periodMs: number | undefined, run: () => void): Timer {
    const alarm: Alarm = { dueMs: this.#monotonicMs + delayMs, order: this.#order++, periodMs, run }
    this.#alarms.add(alarm)
    return { cancel: () => this.#alarms.delete(alarm) }
  }
}
