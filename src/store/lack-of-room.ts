/** Waiting out what passes: no room on the disk, no descriptor left. Every other error is the caller's. */
import { type Clock, sleep } from '../lib/clock.ts'
import { errorCode } from '../lib/errors.ts'

/** Errors that pass. */
export const LACK_OF_ROOM: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE'])

export interface LackOfRoomNeeds {
  readonly clock: Clock
  /** How often a step is tried again. */
  readonly retryMs: number
  /** The disk is full (true) or has room again (false). */
  readonly onDiskFull: (full: boolean) => void
  /** Ends the waiting, with an error. */
  readonly signal: AbortSignal
}

export class LackOfRoom {
  readonly #need: LackOfRoomNeeds
  #isLacking = false

  constructor(need: LackOfRoomNeeds) {
    this.#need = need
  }

  /** Whether a step waits for room now. */
  get isLacking(): boolean {
    return this.#isLacking
  }

  /** Does `step`, again and again while there is no room for it. Throws any other error. */
  async waitedOut(step: () => Promise<void>): Promise<void> {
    const { clock, retryMs, signal } = this.#need
    for (;;) {
      try {
        await step()
        this.#tell(false)
        return
      } catch (error) {
        if (!LACK_OF_ROOM.has(errorCode(error) ?? '')) throw error
        this.#tell(true)
        await sleep(clock, retryMs, signal)
      }
    }
  }

  #tell(isLacking: boolean): void {
    if (isLacking === this.#isLacking) return
    this.#isLacking = isLacking
    this.#need.onDiskFull(isLacking)
  }
}
