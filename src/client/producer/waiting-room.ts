/**
 * Sends that wait until their connection has less to write. What is written to a connection waits in it for as long as the
 * broker takes to read it, while the time of its attempt runs out: it would be asked for again, and the broker would be
 * busy with what nobody waits for any more. Here it waits in order, and is certainly not stored.
 */
import type { Clock } from '../../lib/clock.ts'

export interface WaitingRoomNeeds<Waiting> {
  readonly clock: Clock
  /** Whether the connection to the address takes a request now; one that is not there is made. */
  readonly hasRoom: (address: string) => boolean
  readonly goOn: (waiting: Waiting) => void
}

/** A connection writes what is left meanwhile. */
const LOOK_MS = 5

export class WaitingRoom<Waiting> {
  readonly #need: WaitingRoomNeeds<Waiting>
  readonly #byAddress = new Map<string, Waiting[]>()
  #isLooking = false

  constructor(need: WaitingRoomNeeds<Waiting>) {
    this.#need = need
  }

  /** Whether a request to the address has to wait: for room, or behind others. */
  mustWait(address: string): boolean {
    return this.#byAddress.has(address) || !this.#need.hasRoom(address)
  }

  add(address: string, waiting: Waiting): void {
    const all = this.#byAddress.get(address)
    if (all === undefined) this.#byAddress.set(address, [waiting])
    else all.push(waiting)
    this.#lookSoon()
  }

  /** Takes out those that `isWanted`. */
  take(isWanted: (waiting: Waiting) => boolean): Waiting[] {
    const taken: Waiting[] = []
    for (const [address, all] of this.#byAddress) {
      const some = all.filter(isWanted)
      if (some.length === 0) continue
      taken.push(...some)
      this.#keep(
        address,
        all.filter((waiting) => !isWanted(waiting)),
      )
    }
    return taken
  }

  /** The smallest of what `of` says of those that wait; infinity where nobody does. */
  first(of: (waiting: Waiting) => number): number {
    let first = Number.POSITIVE_INFINITY
    for (const all of this.#byAddress.values()) for (const waiting of all) first = Math.min(first, of(waiting))
    return first
  }

  #lookSoon(): void {
    if (this.#isLooking) return
    this.#isLooking = true
    this.#need.clock.after(LOOK_MS, () => {
      this.#isLooking = false
      this.#look()
      if (this.#byAddress.size > 0) this.#lookSoon()
    })
  }

  #look(): void {
    const { hasRoom, goOn } = this.#need
    for (const [address, all] of Array.from(this.#byAddress)) {
      let gone = 0
      for (; gone < all.length && hasRoom(address); gone++) {
        const next = all[gone]
        if (next !== undefined) goOn(next)
      }
      // Who went on to an address that is none, or another one, may have come back.
      if (this.#byAddress.get(address) === all) this.#keep(address, all.slice(gone))
    }
  }

  #keep(address: string, waiting: Waiting[]): void {
    if (waiting.length === 0) this.#byAddress.delete(address)
    else this.#byAddress.set(address, waiting)
  }
}
