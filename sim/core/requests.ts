/** What is asked of replicas: to take an entry, and how far one may read. */
import type { Index, NodeId } from '../../src/raft/types.ts'
import { Violation } from '../world/violation.ts'
import type { Process } from './machine.ts'

export interface RequestsNeeds {
  readonly processOf: (id: NodeId) => Process | undefined
  /** Highest commit anybody was told of. */
  readonly highestCommit: () => Index
  readonly fail: (error: unknown) => void
}

export class Requests {
  readonly #need: RequestsNeeds
  #proposed = 0

  constructor(need: RequestsNeeds) {
    this.#need = need
  }

  /** Whether the node took it. */
  propose(id: NodeId): boolean {
    const running = this.#need.processOf(id)
    let taken = false
    running?.clock.input(() => {
      taken = running.replica.propose(++this.#proposed) !== undefined
    })
    return taken
  }

  /** A read sees everything that was committed before it was asked for. */
  readIndex(id: NodeId): void {
    const { processOf, highestCommit, fail } = this.#need
    const running = processOf(id)
    running?.clock.input(() => {
      const least = highestCommit()
      running.replica.readIndex().then(
        (index) => {
          if (index < least) fail(new Violation('read', `${id} reads at ${index} what was committed up to ${least}`))
        },
        () => {},
      )
    })
  }
}
