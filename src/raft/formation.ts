/**
 * How a group begins: once, when every configured node answers and is empty. The voter with the lowest id asks; nobody
 * else can. Being a voter is what is given here, nothing more: the cluster's id comes with the first entry of the log.
 *
 *   1. formAsk to all; each answers whether it is empty, with the number of its start.
 *   2. All empty: this node becomes a voter, and once that is saved tells the others, naming the start that answered.
 *   3. A node that restarted in between (perhaps with another disk) has another number and does not obey.
 * A crash in between leaves voters that hold nothing and never voted; they still answer "empty", and 1 begins again.
 */
import type { Random } from '../lib/prng.ts'
import type { Form, FormAnswer, FormAsk } from './message.ts'
import { raftErrors } from './errors.ts'
import { membersOf } from './memberships.ts'
import type { NodeState } from './node-state.ts'
import type { LogState } from './ports.ts'
import { hasQuorum } from './quorum.ts'
import type { NodeId } from './types.ts'

export class Formation {
  readonly #node: NodeState
  #round = 0
  #answers = new Map<NodeId, FormAnswer>()
  #confirmed = new Set<NodeId>()
  #askAtMs = 0
  #pauseMs: number

  constructor(node: NodeState) {
    this.#node = node
    this.#pauseMs = node.config.heartbeatMs
  }

  get #isAsker(): boolean {
    const { membership, id, isVirgin } = this.#node
    return isVirgin && [...membership.voters].sort()[0] === id
  }

  /**
   * Asks until the group is formed. Soon again at first: a node whose process is there may not listen to Raft yet. Then
   * less often, or answers from far away would always be late for their round.
   */
  tick(): void {
    const { nowMs, config } = this.#node
    if (!this.#isAsker || nowMs < this.#askAtMs) return
    this.#askAtMs = nowMs + this.#pauseMs
    this.#pauseMs = Math.min(2 * this.#pauseMs, config.electionTimeoutMinMs)
    this.#ask()
  }

  /** A process of a peer is there that was not. */
  peerStarted(): void {
    const { nowMs, config } = this.#node
    this.#pauseMs = config.heartbeatMs
    this.#askAtMs = nowMs + this.#pauseMs
    this.#ask()
  }

  /** A new round: all answers come from now on. */
  #ask(): void {
    if (!this.#isAsker) return
    const { id, membership } = this.#node
    this.#round++
    this.#answers.clear()
    this.#confirmed.clear()
    const members = membersOf(membership)
    for (const to of members) {
      if (to !== id) this.#node.send({ type: 'formAsk', from: id, to, term: 0, round: this.#round, members })
    }
    this.#formIfAllAnswered()
  }

  asked(message: FormAsk): void {
    const { id, membership, filled, start, isVirgin } = this.#node
    const alike = membersOf(membership).join() === message.members.join()
    this.#answer(message, isVirgin && alike && [...membership.voters].sort()[0] === message.from, filled, start, id)
  }

  /** Returns true when enough voters confirmed that they are: time for an election. */
  answered(message: FormAnswer): boolean {
    if (!this.#isAsker || message.round !== this.#round) return false
    if (message.filled && message.empty) this.#confirmed.add(message.from)
    this.#answers.set(message.from, message)
    if (!this.#confirmedAll()) this.#formIfAllAnswered()
    const { membership, id, filled } = this.#node
    return filled && hasQuorum(membership, (voter) => voter === id || this.#confirmed.has(voter))
  }

  /** The group forms. */
  formed(message: Form): void {
    const { id, isVirgin, start, membership } = this.#node
    if (!isVirgin || message.start !== start) return
    if (membership.voters.includes(id)) this.#node.becomeFilled()
    this.#answer(message, true, this.#node.filled, start, id)
  }

  #answer(to: FormAsk | Form, empty: boolean, filled: boolean, start: number, from: NodeId): void {
    this.#node.send({
      type: 'formAnswer',
      from,
      to: to.from,
      term: this.#node.term,
      round: to.round,
      empty,
      filled,
      start,
    })
  }

  #confirmedAll(): boolean {
    return (
      this.#node.filled && this.#node.membership.voters.every((id) => id === this.#node.id || this.#confirmed.has(id))
    )
  }

  #formIfAllAnswered(): void {
    const { id, membership } = this.#node
    for (const member of membersOf(membership)) {
      if (member !== id && this.#answers.get(member)?.empty !== true) return
    }
    this.#node.becomeFilled()
    for (const [to, answer] of this.#answers) {
      if (answer.filled || !membership.voters.includes(to)) continue
      this.#node.send({ type: 'form', from: id, to, term: 0, round: this.#round, start: answer.start })
    }
  }
}

/** What a group is told apart by, in its first entry: 128 bits, in hex. */
export function drawClusterId(random: Random): string {
  let id = ''
  for (let word = 0; word < 4; word++) id += random.integer(0, 0xffffffff).toString(16).padStart(8, '0')
  return id
}

/** Refuses a log of another cluster than the hard state's (`RAFT_OTHER_CLUSTER`). */
export function refuseOtherCluster(clusterId: string | null, state: LogState): void {
  const named = state.memberships.at(-1)?.membership.clusterId
  if (clusterId === null || named === undefined || named === clusterId) return
  throw raftErrors.create('RAFT_OTHER_CLUSTER', `the log belongs to cluster ${named}, the hard state to ${clusterId}`)
}
