/** Who had a message when, of those that are popped; times are those of the simulation. */

/** The broker gives the message to nobody else from one time until the other. */
export interface Hold {
  readonly fromMs: number
  readonly untilMs: number
}

interface Pop extends Hold {
  readonly askedMs: number
}

interface History {
  readonly pops: Pop[]
  /** Pops, and pops that were held for longer. */
  readonly holds: Hold[]
  /** When an acknowledgement was answered while the message was surely held. */
  doneMs: number | undefined
  isAsked: boolean
}

/** Brokers know whole milliseconds. */
const ROUNDING_MS = 1

export class PopLedger {
  readonly #histories = new Map<string, History>()

  /** Popped by a request of `askedMs`. */
  popped(id: string, askedMs: number, hold: Hold): void {
    const { pops, holds } = this.#of(id)
    pops.push({ askedMs, ...hold })
    holds.push(hold)
  }

  /**
   * Whoever held it by `before` was told at `nowMs` that it is held by `hold`. The hold that counts: where that was too late,
   * it may have been given to somebody else by then, and what is done with the new receipt is done to nothing.
   */
  extended(id: string, before: Hold, hold: Hold, nowMs: number): Hold {
    if (nowMs >= before.untilMs) return before
    this.#of(id).holds.push(hold)
    return hold
  }

  /** Whoever held it by `hold` was answered at `nowMs` that it is done. */
  acknowledged(id: string, hold: Hold, nowMs: number): void {
    if (nowMs < hold.untilMs) this.#of(id).doneMs ??= nowMs
  }

  /** Whoever holds it says that it is done; where the answer is lost, it may be so. */
  acknowledging(id: string): void {
    this.#of(id).isAsked = true
  }

  /** Whether it may never come again. */
  mayBeDone(id: string): boolean {
    return this.#histories.get(id)?.isAsked === true
  }

  /** What was broken, of messages that were surely stored once; undefined: nothing. */
  broken(isOnce: (id: string) => boolean): string | undefined {
    for (const [id, { pops, holds, doneMs }] of this.#histories) {
      if (!isOnce(id)) continue
      for (const { askedMs, fromMs } of pops) {
        if (doneMs !== undefined && askedMs > doneMs) {
          return `${id} is popped at ${fromMs}, and was acknowledged at ${doneMs}`
        }
        const held = holds.find((hold) => hold.fromMs < fromMs && fromMs + ROUNDING_MS < hold.untilMs)
        if (held !== undefined)
          return `${id} is popped at ${fromMs}, and is held from ${held.fromMs} to ${held.untilMs}`
      }
    }
    return undefined
  }

  #of(id: string): History {
    const history = this.#histories.get(id) ?? { pops: [], holds: [], doneMs: undefined, isAsked: false }
    this.#histories.set(id, history)
    return history
  }
}
