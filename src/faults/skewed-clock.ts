/** The system's clock whose wall time is wrong by what it was told last: NTP, or an operator, set it. */
import { type Clock, systemClock, type Timer } from '../lib/clock.ts'

/** Over the IPC channel of `faulty-broker.ts`, and back once the clock is set. */
export interface ClockMessage {
  readonly type: 'clock'
  readonly wrongByMs: number
}

export function isClockMessage(message: unknown): message is ClockMessage {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'clock'
}

export class SkewedClock implements Clock {
  #wrongByMs = 0

  /** From now on; until then it is right. */
  set(wrongByMs: number): void {
    this.#wrongByMs = wrongByMs
  }

  nowMs(): number {
    return systemClock.nowMs() + this.#wrongByMs
  }

  monotonicMs(): number {
    return systemClock.monotonicMs()
  }

  after(delayMs: number, run: () => void): Timer {
    return systemClock.after(delayMs, run)
  }

  every(periodMs: number, run: () => void): Timer {
    return systemClock.every(periodMs, run)
  }

  endOfTurn(run: () => void): void {
    systemClock.endOfTurn(run)
  }
}
