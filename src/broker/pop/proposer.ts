/** Gathers what one turn of the event loop changes of the checkpoints into one entry. */
import type { Clock } from '../../lib/clock.ts'
import { refusal } from '../errors.ts'
import type { Proposals } from '../needs.ts'
import { listOf } from './lists.ts'
import { type PopChange, popCommands } from './checkpoints.ts'

interface Pending {
  readonly change: PopChange
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}

export interface PopProposerNeeds {
  readonly proposals: Pick<Proposals, 'command'>
  readonly clock: Clock
  /** Changes that are not decided; more are refused with BROKER_BUSY. */
  readonly maxPending: number
}

const CHANGES_PER_ENTRY = 1_000

export class PopProposer {
  readonly #need: PopProposerNeeds
  #gathered: Pending[] = []
  #undecided = 0

  constructor(need: PopProposerNeeds) {
    this.#need = need
  }

  /** Resolves with what applying the change returned. Rejects as `Proposals.command` does. */
  propose(change: PopChange): Promise<unknown> {
    const { maxPending, clock } = this.#need
    if (this.#undecided >= maxPending) {
      return Promise.reject(refusal('BROKER_BUSY', `${this.#undecided} pops and acknowledgements wait for the log`))
    }
    this.#undecided++
    return new Promise((resolve, reject) => {
      if (this.#gathered.length === 0) clock.endOfTurn(() => this.#flush())
      this.#gathered.push({ change, resolve, reject })
    })
  }

  #flush(): void {
    const gathered = this.#gathered
    this.#gathered = []
    for (let at = 0; at < gathered.length; at += CHANGES_PER_ENTRY) {
      void this.#send(gathered.slice(at, at + CHANGES_PER_ENTRY))
    }
  }

  async #send(pending: readonly Pending[]): Promise<void> {
    try {
      const command = popCommands.apply(pending.map(({ change }) => change))
      const results = listOf(await this.#need.proposals.command(command))
      pending.forEach(({ resolve }, at) => resolve(results[at]))
    } catch (error) {
      for (const { reject } of pending) reject(error)
    } finally {
      this.#undecided -= pending.length
    }
  }
}
