/**
 * Notices a leader that neither answers nor hangs up: a stopped process, a cut cable. Waiting for the attempts to time
 * out would cost seconds, while the group elected another leader long ago.
 */
import { Alarm } from '../../lib/alarm.ts'
import type { Clock } from '../../lib/clock.ts'

export interface SilenceWatchNeeds {
  readonly clock: Clock
  /** An address that owes answers and kept silent for so long is looked at. */
  readonly silentMs: number
  /** Asks the name server who leads; called again and again while somebody is silent. */
  readonly refreshRoutes: () => void
  readonly isLeader: (address: string) => boolean
  /** The silent address no longer leads: whatever waits there is undecided. */
  readonly giveUp: (address: string) => void
}

interface Debt {
  /** Requests it has not answered; none: its silence means nothing. */
  requests: number
  /** Its last sign of life, or when it came to owe something. */
  sinceMs: number
}

/** Who is silent, and still leads by the route, is looked at again after this share of its silence: it may be slow. */
const AGAIN_SHARE = 1 / 8
const AGAIN_MS = 50

export class SilenceWatch {
  readonly #needs: SilenceWatchNeeds
  readonly #alarm: Alarm
  /** By address. */
  readonly #debts = new Map<string, Debt>()

  constructor(needs: SilenceWatchNeeds) {
    this.#needs = needs
    this.#alarm = new Alarm(needs.clock, () => this.look())
  }

  /** A request goes to the address; `ended` must be called once. */
  asked(address: string): void {
    let debt = this.#debts.get(address)
    if (debt === undefined) this.#debts.set(address, (debt = { requests: 0, sinceMs: 0 }))
    debt.requests += 1
    if (debt.requests > 1) return
    debt.sinceMs = this.#needs.clock.monotonicMs()
    this.#alarm.before(debt.sinceMs + this.#needs.silentMs)
  }

  /** A request ended; `isAnswered`: by an answer, which says nothing of the others: the waiting for them begins anew. */
  ended(address: string, isAnswered: boolean): void {
    const debt = this.#debts.get(address)
    if (debt === undefined) return
    debt.requests -= 1
    if (debt.requests > 0 && isAnswered) debt.sinceMs = this.#needs.clock.monotonicMs()
  }

  /** Looks at who is silent. By itself when somebody's patience is over; from outside when routes changed. */
  look(): void {
    const { clock, silentMs, isLeader, giveUp, refreshRoutes } = this.#needs
    const nowMs = clock.monotonicMs()
    let againMs = Number.POSITIVE_INFINITY
    let isSomebodySilent = false
    // Who is given up owes nothing any more, or something anew.
    for (const [address, { requests, sinceMs }] of Array.from(this.#debts)) {
      if (requests === 0) {
        this.#debts.delete(address)
        continue
      }
      const silenceMs = nowMs - sinceMs
      const isSilent = silenceMs >= silentMs
      againMs = Math.min(againMs, isSilent ? nowMs + silenceMs * AGAIN_SHARE : sinceMs + silentMs)
      isSomebodySilent ||= isSilent
      if (isSilent && !isLeader(address)) giveUp(address)
    }
    if (this.#debts.size > 0) this.#alarm.before(Math.max(againMs, nowMs + AGAIN_MS))
    if (isSomebodySilent) refreshRoutes()
  }

  close(): void {
    this.#alarm.cancel()
    this.#debts.clear()
  }
}
