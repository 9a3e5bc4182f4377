/**
 * Whom a leader leads: what it knows of each, and what they say together. The leader is among them: what is stable in its
 * own log counts like what is stable in any other (thesis §10.2.1).
 */
import { membersOf } from './memberships.ts'
import type { NodeState } from './node-state.ts'
import { Progress } from './progress.ts'
import { hasQuorum, quorumValue } from './quorum.ts'
import type { Index, NodeId } from './types.ts'

export class Followers {
  readonly #node: NodeState
  readonly #progress = new Map<NodeId, Progress>()
  #session = 0

  constructor(node: NodeState) {
    this.#node = node
    this.meet()
  }

  get all(): ReadonlyMap<NodeId, Progress> {
    return this.#progress
  }

  get(id: NodeId): Progress | undefined {
    return this.#progress.get(id)
  }

  /** Takes in who is new in the membership, with nothing known, and forgets who is gone. */
  meet(): void {
    const { id, membership, log, nowMs, config } = this.#node
    const members = membersOf(membership)
    for (const gone of this.#progress.keys()) if (!members.includes(gone)) this.#progress.delete(gone)
    for (const member of new Set([...members, id])) {
      if (this.#progress.has(member)) continue
      const next = log.lastIndex + 1
      this.#progress.set(member, new Progress({ id: member, next, session: ++this.#session, nowMs, window: config }))
    }
  }

  /** The follower is another process now: a session of its own. */
  restart(progress: Progress): void {
    progress.restart(++this.#session)
  }

  stalled(gapMs: number): void {
    for (const progress of this.#progress.values()) progress.lastContactMs += gapMs
  }

  /** Heard after `sinceMs`, and not as an empty disk. */
  isHeard(id: NodeId, sinceMs: number): boolean {
    if (id === this.#node.id) return true
    const progress = this.#progress.get(id)
    if (progress === undefined || progress.lastContactMs <= sinceMs) return false
    return progress.filling === 0 || progress.absolvedAt > 0
  }

  /** Heard, and its connection did not break since. */
  isUp(id: NodeId, sinceMs: number): boolean {
    return id === this.#node.id || (this.isHeard(id, sinceMs) && this.#progress.get(id)?.isLost === false)
  }

  /** Whether its leader is one still (thesis §6.2). */
  isQuorumHeard(sinceMs: number): boolean {
    return hasQuorum(this.#node.membership, (id) => this.isHeard(id, sinceMs))
  }

  isCaughtUp(id: NodeId): boolean {
    const { log, config } = this.#node
    const match = this.#progress.get(id)?.match ?? 0
    return match > 0 && log.lastIndex - match <= config.promotionLagEntries
  }

  /** The voter that would lose least time in taking over, if any was heard after `sinceMs`. */
  successor(sinceMs: number): Progress | undefined {
    const { membership, id } = this.#node
    const others = membership.voters.filter((voter) => voter !== id && this.isHeard(voter, sinceMs))
    return furthest(others.flatMap((voter) => this.#progress.get(voter) ?? []).filter(({ filling }) => filling === 0))
  }

  /** What a quorum holds. */
  get quorumMatch(): Index {
    return quorumValue(this.#node.membership, (id) => this.#progress.get(id)?.countedMatch ?? 0)
  }

  /** What a quorum has on its media. */
  get quorumDurable(): Index {
    return quorumValue(this.#node.membership, (id) => this.#progress.get(id)?.countedDurable ?? 0)
  }

  /** The last read-index round that a quorum confirmed; a leader needs no proof from itself. */
  get quorumRound(): number {
    const { membership, id } = this.#node
    return quorumValue(membership, (voter) => {
      if (voter === id) return Infinity
      const progress = this.#progress.get(voter)
      return progress === undefined || progress.filling !== 0 ? 0 : progress.round
    })
  }
}

/** Who is furthest of those that hold anything. */
function furthest(all: readonly Progress[]): Progress | undefined {
  let best: Progress | undefined
  for (const progress of all) if (progress.match > (best?.match ?? 0)) best = progress
  return best
}
