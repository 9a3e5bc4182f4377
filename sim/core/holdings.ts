/** Who holds what on its disk: whether an entry may be committed, and whether a committed one may be gone. */
import type { Index, NodeId } from '../../src/raft/types.ts'
import { Violation } from '../world/violation.ts'
import type { CommittedChecker } from './checkers/committed.ts'
import type { Entry } from './disk.ts'
import { isIn, viewOf, type Machine, type Process } from './machine.ts'

export interface HoldingsNeeds {
  readonly machine: (id: NodeId) => Machine
  readonly committed: CommittedChecker
  readonly nowMs: () => number
  /** Whether the membership was ever changed. */
  readonly hasChanged: () => boolean
}

export class Holdings {
  readonly #need: HoldingsNeeds
  /** Entries may have been committed that were only written. */
  hasBuffered = false

  constructor(need: HoldingsNeeds) {
    this.#need = need
  }

  isOnMajority(leader: Process, index: Index, entry: Entry): boolean {
    const { voters, outgoing } = leader.replica.status().members
    const holds = (id: NodeId): boolean => this.#holds(leader, id, index, entry)
    const majorityOf = (ids: readonly NodeId[]): boolean => ids.filter(holds).length * 2 > ids.length
    // Membership at the leader's end may be newer than at the entry: then either may have decided.
    return (majorityOf(voters) && (outgoing.length === 0 || majorityOf(outgoing))) || this.#need.hasChanged()
  }

  /**
   * The first committed entry that a leader lacks whose election stood on logs in doubt; undefined: none. Throws where a
   * quorum is in no doubt, or one of those that elected it holds what it lacks.
   */
  lackedByElected(elected: Machine): Index | undefined {
    const { machine, committed } = this.#need
    const voters = elected.process?.replica.status().members.voters ?? []
    const trusted = voters.filter((id) => machine(id).disk.hard.trusted)
    if (trusted.length * 2 > voters.length) {
      throw new Violation('doubt', `${elected.id} is elected in doubt, and ${trusted.join(', ')} are in none`)
    }
    const first = committed.lackedBy(viewOf(elected))
    if (first === undefined) return undefined
    for (let at = first; at <= committed.lastIndex; at++) {
      const entry = committed.entryAt(at)
      const holder = voters.find((id) => entry !== undefined && machine(id).disk.isWritten(at, entry))
      if (holder === undefined) continue
      throw new Violation('completeness', `${elected.id} is elected in doubt without ${at}, which ${holder} holds`)
    }
    return first
  }

  #holds(leader: Process, id: NodeId, index: Index, entry: Entry): boolean {
    const machine = this.#need.machine(id)
    if (isIn(machine.disk, index, entry)) return true
    // Its ack may have left before its machine went down.
    if (this.hasBuffered && (machine.disk.isWritten(index, entry) || !machine.disk.hard.trusted)) return true
    // Its ack of before the wipe is good until the leader hears of a process after it; what is told now was decided
    // earlier in this turn.
    const met = leader.metMs === this.#need.nowMs() ? 0 : (leader.met.get(id) ?? 0)
    return machine.ghosts.some((ghost) => met < ghost.until && isIn(ghost.disk, index, entry))
  }
}
