/** A candidate: first asks whether it could win, which changes nothing (thesis §9.6), then stands (Raft §5.2). */
import { drawDeadline } from './follower.ts'
import { isVoter, membersOf } from './memberships.ts'
import type { Message } from './message.ts'
import type { NodeState } from './node-state.ts'
import { tally, type Tally } from './quorum.ts'
import type { NodeId } from './types.ts'

export class Candidate {
  readonly role: 'preCandidate' | 'candidate'
  readonly #node: NodeState
  readonly #votes = new Map<NodeId, boolean>()
  /** Voters whose logs are in doubt, with the numbers of their starts. */
  readonly #doubts = new Map<NodeId, number>()
  #deadlineMs: number

  constructor(node: NodeState, role: 'preCandidate' | 'candidate') {
    this.role = role
    this.#node = node
    this.#deadlineMs = drawDeadline(node)
  }

  /** Asks everybody. `transfer`: at the leader's own wish. */
  campaign(transfer: boolean): void {
    const node = this.#node
    const { index: lastIndex, term: lastTerm } = node.log.last
    const base = { from: node.id, lastIndex, lastTerm }
    if (this.role === 'preCandidate') {
      this.#votes.set(node.id, true)
      if (node.doubt.doubt !== undefined) this.#doubts.set(node.id, node.start)
    } else {
      node.enterTerm(node.term + 1)
      node.voteFor(node.id)
      node.send({ type: 'voteReply', from: node.id, to: node.id, term: node.term, granted: true, ...node.doubt })
    }
    for (const to of membersOf(node.membership)) {
      if (to === node.id || !isVoter(node.membership, to)) continue
      if (this.role === 'preCandidate') node.send({ type: 'preVote', ...base, to, term: node.term + 1 })
      else node.send({ type: 'vote', ...base, to, term: node.term, transfer })
    }
  }

  tick(): boolean {
    return this.#node.nowMs >= this.#deadlineMs
  }

  stalled(gapMs: number): void {
    this.#deadlineMs += gapMs
  }

  step(message: Message): void {
    const replied = this.role === 'preCandidate' ? 'preVoteReply' : 'voteReply'
    if (message.type !== replied) return
    // An answer to an earlier question in the same term is an answer all the same.
    if (message.granted && message.type === 'preVoteReply' && message.term !== this.#node.term + 1) return
    this.#votes.set(message.from, message.granted)
    if (message.doubt === undefined) this.#doubts.delete(message.from)
    else this.#doubts.set(message.from, message.doubt)
  }

  /** The peer is another process now: what the old one promised is asked for again. */
  forget(peer: NodeId): void {
    this.#votes.delete(peer)
    this.#doubts.delete(peer)
  }

  /** Voters in doubt that this election stands on; empty where a quorum of others is enough. */
  get doubts(): ReadonlyMap<NodeId, number> {
    return this.#trusted === 'won' && !this.#doubts.has(this.#node.id) ? new Map() : this.#doubts
  }

  /**
   * A majority of votes that are in no doubt decides, for a candidate that is in none. Otherwise everybody must have
   * voted: then nothing that anybody still has is passed over. A node in doubt leaves it to the others if they are enough.
   * Safe beside Raft §5.4.1: of a unanimous election every quorum of before is part.
   */
  get standing(): Tally {
    const { membership, id, acceptsDoubt } = this.#node
    const trusted = this.#trusted
    if (trusted === 'lost') return 'lost'
    if (trusted === 'won' && !this.#doubts.has(id)) return 'won'
    if (acceptsDoubt) return tally(membership, (voter) => this.#votes.get(voter))
    const isUnanimous = membersOf(membership).every(
      (voter) => !isVoter(membership, voter) || this.#votes.get(voter) === true,
    )
    return isUnanimous && trusted !== 'won' ? 'won' : 'pending'
  }

  get #trusted(): Tally {
    return tally(this.#node.membership, (voter) => (this.#doubts.has(voter) ? undefined : this.#votes.get(voter)))
  }
}
