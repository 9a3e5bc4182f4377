/**
 * The Raft core: messages, time and proposals go in; messages, hard state, log changes and commit come out. Synchronous
 * and deterministic: the same start and the same input give the same output. It holds no entry's bytes.
 *
 * This file is the part of figure 2 that holds for all roles: terms, votes, and who becomes what. The roles are files of
 * their own, and their state ends with them.
 */
import { assert } from '../lib/assert.ts'
import { raftErrors } from './errors.ts'
import { Candidate } from './candidate.ts'
import { Follower, isFromLeader } from './follower.ts'
import { Formation } from './formation.ts'
import { Leader } from './leader.ts'
import type { ChangeRefusal } from './member-rules.ts'
import { Memberships } from './memberships.ts'
import type { Message, PreVote, ResetChunk, Vote } from './message.ts'
import { NodeState, type NodeStateInit } from './node-state.ts'
import type { LogState } from './ports.ts'
import type { EntryId, Fitness, HardState, Index, Membership, MembershipTarget, NodeId, Role, Term } from './types.ts'
import { LogRuns } from './log-runs.ts'

/** What must be done, in this order: save `hardState`, then `messages`; once the log is stable, too, `afterStable`. */
export interface Ready {
  readonly hardState: HardState | undefined
  readonly messages: readonly Message[]
  readonly afterStable: readonly Message[]
  /** What will be stable once everything appended so far is. */
  readonly lastIndex: Index
}

export type ProposeRefusal = 'notLeader' | 'transferring' | 'busy'

const refusalCodes: Readonly<Record<ProposeRefusal, ChangeRefusal>> = {
  notLeader: 'RAFT_NOT_LEADER',
  transferring: 'RAFT_TRANSFERRING',
  busy: 'RAFT_BUSY',
}

export interface CoreInit extends Omit<NodeStateInit, 'log' | 'memberships'> {
  /** Counts until the log brings a membership. */
  readonly configured: Membership
  readonly logState: LogState
}

export class RaftCore {
  readonly #node: NodeState
  readonly #formation: Formation
  #role: Follower | Candidate | Leader
  #lastTickMs: number

  constructor(init: CoreInit) {
    const { configured, logState } = init
    const log = new LogRuns(logState.start, logState.runs)
    this.#node = new NodeState({
      ...init,
      log,
      memberships: new Memberships(configured, logState.memberships, logState.start.index),
    })
    this.#formation = new Formation(this.#node)
    this.#role = new Follower(this.#node, null)
    this.#lastTickMs = init.nowMs
  }

  get node(): Readonly<NodeState> {
    return this.#node
  }

  get role(): Role {
    return this.#role.role
  }

  get term(): Term {
    return this.#node.term
  }

  get leader(): NodeId | null {
    return this.#role instanceof Candidate ? null : this.#role.leader
  }

  get leading(): Leader | undefined {
    return this.#role instanceof Leader ? this.#role : undefined
  }

  /** Begins: a lone empty voter forms its group at once and leads. */
  begin(): void {
    this.#formation.tick()
    const { voters, outgoing } = this.#node.membership
    if (voters.length === 1 && outgoing.length === 0 && this.#node.mayCampaign) this.#campaign('candidate', false)
  }

  /** Monotonic milliseconds. Whatever is due by then happens. */
  tick(nowMs: number): void {
    const node = this.#node
    const gapMs = nowMs - this.#lastTickMs
    this.#lastTickMs = nowMs
    node.nowMs = nowMs
    // What was sent to this node while it stood still lies in its sockets: it is read before anybody is called silent.
    if (gapMs > node.config.stallMs) this.#role.stalled(gapMs)
    this.#formation.tick()
    if (this.#role instanceof Leader) {
      if (!this.#role.tick()) this.#becomeFollower(null)
    } else if (this.#role.tick()) {
      if (node.mayCampaign) this.#campaign('preCandidate', false)
      else this.#becomeFollower(null)
    }
  }

  /** The clock between ticks: for contact times only. */
  at(nowMs: number): void {
    this.#node.nowMs = Math.max(this.#node.nowMs, nowMs)
  }

  step(message: Message): void {
    const node = this.#node
    // Who is out for good has nothing to say here, neither for its own disk nor for another one under its id.
    if (message.to !== node.id || node.isOut(message.from)) return
    if (this.#formationStep(message)) return
    if (message.term > node.term && !this.#followTerm(message)) return
    if (message.term < node.term) return this.#answerStale(message)
    if (message.type === 'preVote') return this.#preVote(message)
    if (message.type === 'vote') return this.#vote(message)
    this.#roleStep(message)
  }

  /** The peer runs in a new process: nothing that the old one said or had holds. */
  peerStarted(peer: NodeId): void {
    const role = this.#role
    if (role instanceof Leader) role.peerStarted(peer)
    else if (role instanceof Candidate) role.forget(peer)
    else if (role.leader === peer) role.leaderLost()
    this.#formation.peerStarted()
  }

  /** The connection to the peer broke: if it led, it probably died, and the election need not wait for silence. */
  peerLost(peer: NodeId): void {
    const role = this.#role
    if (role instanceof Leader) role.peerLost(peer)
    else if (role instanceof Follower && role.leader === peer) role.leaderLost()
  }

  proposeRefusal(): ProposeRefusal | undefined {
    const role = this.#role
    if (!(role instanceof Leader)) return 'notLeader'
    if (role.transferTarget !== undefined || !this.#node.isFit) return 'transferring'
    const { log, commit, config } = this.#node
    return log.lastIndex - commit >= config.maxUncommittedEntries ? 'busy' : undefined
  }

  /** Takes the next index for one entry. Only when `proposeRefusal()` is undefined. */
  propose(): EntryId {
    assert(this.#role instanceof Leader, 'only a leader proposes')
    return this.#role.propose()
  }

  /** Begins a change of who takes part (thesis §4.3): the index of its first entry, or why not. */
  changeMembership(target: MembershipTarget): Index | ChangeRefusal {
    const refusal = this.proposeRefusal()
    if (refusal !== undefined) return refusalCodes[refusal]
    assert(this.#role instanceof Leader, 'only a leader proposes')
    return this.#role.changeMembership(target)
  }

  /** A leader that is unfit hands over, or just stops; nobody campaigns that is. */
  setFitness(change: Partial<Fitness>): void {
    const wasFit = this.#node.isFit
    this.#node.fitness = { ...this.#node.fitness, ...change }
    if (!wasFit || this.#node.isFit) return
    if (this.#role instanceof Candidate) this.#becomeFollower(null)
    if (!(this.#role instanceof Leader)) return
    const successor = this.#role.bestSuccessor()
    if (successor === undefined) this.#becomeFollower(null)
    else this.#role.transferTo(successor)
  }

  /** Own wish to stop leading, without a successor. */
  stepDown(): void {
    if (this.#role instanceof Leader) this.#becomeFollower(null)
  }

  /** An operator's word: from now on votes of nodes in doubt count as any, until a leader is heard or found. */
  acceptDoubt(): void {
    if (!(this.#role instanceof Leader)) this.#node.acceptsDoubt = true
  }

  setReplacing(replacing: boolean): void {
    this.#node.replacing = replacing
  }

  /** Everything up to `index` is stable, and up to `durable` on the medium. */
  stabilized(index: Index, durable: Index): void {
    this.#node.stableTo(index)
    this.#node.durableTo(durable)
  }

  /** Everything up to `index` is on this node's medium. */
  durableTo(index: Index): void {
    this.#node.durableTo(index)
  }

  /** Entries up to `start` are no longer kept here. */
  logStartMoved(start: EntryId): void {
    this.#node.log.moveStart(start)
    this.#node.memberships.moveStart(start.index)
  }

  /** How far the driver got with a reset that `message` is a piece of. */
  resetTaken(message: ResetChunk, position: number): void {
    const node = this.#node
    if (message.term !== node.term) return
    const { from: to, session, reset } = message
    const filling = node.filling
    node.send({
      type: 'resetReply',
      from: node.id,
      to,
      term: node.term,
      session,
      reset,
      position,
      done: false,
      match: 0,
      filling,
    })
  }

  /** The log was replaced, durably: it holds what `state` says. */
  restored(state: LogState): void {
    const node = this.#node
    node.replaceLog(state)
    if (this.#role instanceof Follower) this.#role.restored(node.log.start.index)
  }

  /** Takes what is to be done since the last call. */
  ready(): Ready {
    const node = this.#node
    if (this.#role instanceof Leader) this.#role.acknowledgeOwn()
    return {
      hardState: node.takeHardState(),
      messages: node.takeMessages(),
      afterStable: node.takeAfterStable(),
      lastIndex: node.log.lastIndex,
    }
  }

  /** Formation is before any term. Returns whether `message` was about it. */
  #formationStep(message: Message): boolean {
    if (message.type === 'formAsk') this.#formation.asked(message)
    else if (message.type === 'form') this.#formation.formed(message)
    else if (message.type === 'formAnswer') {
      if (this.#formation.answered(message) && this.role === 'follower') this.#campaign('preCandidate', false)
    } else return false
    return true
  }

  /** A higher term ends whatever this node was (Raft §5.1). Returns false when the message is to be ignored. */
  #followTerm(message: Message): boolean {
    if (message.type === 'preVote' || (message.type === 'preVoteReply' && message.granted)) {
      if (message.type === 'preVote') this.#preVote(message)
      else this.#roleStep(message)
      return false
    }
    if (message.type === 'vote' && !message.transfer && this.#leaderAlive) return false
    this.#node.enterTerm(message.term)
    this.#becomeFollower(isFromLeader(message) ? message.from : null)
    return true
  }

  /** What comes from a term that is over changes nothing; who leads or stands in it is told. */
  #answerStale(message: Message): void {
    const node = this.#node
    const base = { from: node.id, to: message.from, term: node.term }
    if (message.type === 'preVote') node.send({ ...base, type: 'preVoteReply', granted: false })
    else if (message.type === 'vote') node.send({ ...base, type: 'voteReply', granted: false })
    else if (isFromLeader(message)) node.send({ ...base, type: 'stale' })
  }

  #preVote(message: PreVote): void {
    const node = this.#node
    const last = { index: message.lastIndex, term: message.lastTerm }
    const granted = node.filled && message.term > node.term && !this.#leaderAlive && node.isUpToDate(last)
    const term = granted ? message.term : node.term
    node.send({ type: 'preVoteReply', from: node.id, to: message.from, term, granted, ...node.doubt })
  }

  /** One vote a term, first come first served, and never for a log that lacks what this one has (Raft §5.2, §5.4.1). */
  #vote(message: Vote): void {
    const node = this.#node
    const last = { index: message.lastIndex, term: message.lastTerm }
    const free = node.vote === null ? this.leader === null : node.vote === message.from
    const granted = node.filled && free && node.isUpToDate(last)
    if (granted) {
      node.voteFor(message.from)
      if (this.#role instanceof Follower) this.#role.postpone()
    }
    node.send({ type: 'voteReply', from: node.id, to: message.from, term: node.term, granted, ...node.doubt })
  }

  #roleStep(message: Message): void {
    if (isFromLeader(message)) {
      assert(!(this.#role instanceof Leader), `one leader in term ${this.term}: ${message.from} and this node`)
      if (this.#role instanceof Candidate) this.#becomeFollower(message.from)
      if (this.#role instanceof Follower && this.#role.step(message)) this.#campaign('candidate', true)
      return
    }
    if (this.#role instanceof Leader) {
      this.#role.step(message)
      if (!this.#role.isRemoved) return
      this.#role.leave()
      this.#becomeFollower(null)
    } else if (this.#role instanceof Candidate) {
      this.#role.step(message)
      this.#count(this.#role)
    }
  }

  #count(candidate: Candidate): void {
    const standing = candidate.standing
    if (standing === 'pending') return
    if (standing === 'lost') return this.#becomeFollower(null)
    if (candidate.role === 'preCandidate') return this.#campaign('candidate', false)
    const leader = new Leader(this.#node, candidate.doubts)
    this.#role = leader
    leader.begin()
  }

  #campaign(role: 'preCandidate' | 'candidate', transfer: boolean): void {
    const candidate = new Candidate(this.#node, role)
    this.#role = candidate
    candidate.campaign(transfer)
    this.#count(candidate)
  }

  #becomeFollower(leader: NodeId | null): void {
    if (this.#role instanceof Leader) {
      this.#role.reads.fail(
        raftErrors.create('RAFT_NOT_LEADER', 'leadership was lost before a quorum confirmed the read'),
      )
    }
    this.#role = new Follower(this.#node, leader)
  }

  get #leaderAlive(): boolean {
    if (this.#role instanceof Leader) return true
    return this.#role instanceof Follower && this.#role.leaderAlive
  }
}
