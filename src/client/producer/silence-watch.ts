/**
 * Notices a leader that neither answers nor hangs up: a stopped process, a cut cable. Waiting for the attempts to time
 * out would cost seconds, while the group elected another leader long ago.
 */
export interface SilenceWatchNeeds {
  /** An address that was asked and kept silent for so long is looked at. */
  readonly silentMs: number
  /** Asks the name server who leads; called again and again while somebody is silent. */
  refreshRoutes(): void
  isLeader(address: string): boolean
  /** The silent address no longer leads: whatever waits there is undecided. */
  giveUp(address: string): void
}

export class SilenceWatch {
  readonly #needs: SilenceWatchNeeds
  readonly #asked = new Set<string>()
  readonly #heard = new Set<string>()
  /** Address → its last sign of life, or when it was asked first. */
  readonly #waitingSince = new Map<string, number>()

  constructor(needs: SilenceWatchNeeds) {
    this.#needs = needs
  }

  asked(address: string): void {
    this.#asked.add(address)
  }

  heard(address: string): void {
    this.#heard.add(address)
  }

  /** To be called a few times a second. `isIdle`: nothing is in flight, nobody owes anything. */
  sweep(nowMs: number, isIdle: boolean): void {
    if (isIdle) this.#waitingSince.clear()
    else for (const address of this.#asked) if (!this.#waitingSince.has(address)) this.#waitingSince.set(address, nowMs)
    // An answer says nothing of the other requests in flight: the waiting begins anew.
    for (const address of this.#heard) if (this.#waitingSince.has(address)) this.#waitingSince.set(address, nowMs)
    this.#asked.clear()
    this.#heard.clear()
    let isSomebodySilent = false
    for (const [address, sinceMs] of this.#waitingSince) {
      if (nowMs - sinceMs < this.#needs.silentMs) continue
      isSomebodySilent = true
      if (this.#needs.isLeader(address)) continue
      this.#waitingSince.delete(address)
      this.#needs.giveUp(address)
    }
    if (isSomebodySilent) this.#needs.refreshRoutes()
  }
}
