/**
 * What a node is whatever its role: its log as term runs, hard state, commit, and two outboxes.
 *
 * `messages` leave once the hard state they were spoken under is saved; `afterStable` leave once, in addition, everything
 * appended before them is stable. What a message claims is therefore on disk when it leaves, by its place and not by
 * anybody's care; own votes and own acks take the same way.
 */
import { assert } from '../lib/assert.ts'
import type { Random } from '../lib/prng.ts'
import type { RaftConfig } from './config.ts'
import { LogRuns } from './log-runs.ts'
import { isRemoved, isVoter, Memberships } from './memberships.ts'
import type { Append, Message, ResetChunk, ResetReply } from './message.ts'
import type { LogState } from './ports.ts'
import type { EntryId, Fitness, HardState, Index, Membership, NodeId, Term } from './types.ts'

/**
 * Where the core's decisions about the log take effect, at once and in order. A call and not a list to be drained later:
 * only the store can say whether frames are what their message claims, and the core must know before it answers.
 */
export interface LogSink {
  appendEmpty(id: EntryId): void
  appendMembership(id: EntryId, membership: Membership): void
  /** The frames that came with `message`, all of them. False: refused (damaged, or no room), and nothing was appended. */
  appendFrames(message: Append): boolean
  /** False: not possible yet, and nothing was cut. */
  truncateAfter(index: Index): boolean
  /** What stable means from here on: on the medium, or written. */
  setDurable(durable: boolean): void
  resetChunk(message: ResetChunk): void
  resetReply(message: ResetReply): void
}

const none: readonly Message[] = []
const noDoubt = {}
const slow = { diskSlow: true } as const
const notSlow = {}

export interface NodeStateInit {
  readonly id: NodeId
  readonly config: RaftConfig
  readonly random: Random
  readonly sink: LogSink
  readonly hardState: HardState
  readonly log: LogRuns
  readonly memberships: Memberships
  readonly nowMs: number
}

export class NodeState {
  readonly id: NodeId
  readonly config: RaftConfig
  readonly random: Random
  readonly sink: LogSink
  log: LogRuns
  memberships: Memberships
  /** Tells this process from an earlier one of the same node, where a message could outlive its receiver. */
  readonly start: number
  nowMs: number
  /** An operator decided that votes in doubt are enough, until somebody leads (`raftmq recover`). */
  acceptsDoubt = false
  fitness: Fitness = { diskFull: false, damagedFrom: undefined, cannotApply: false, diskSlow: false }
  /** The log is being replaced by a reset: it is nobody's to lead with, and takes no entries. */
  replacing = false

  #hard: HardState
  #hardChanged = false
  #commit: Index
  #stable: Index
  #durable: Index
  #isDurableAsked = true
  #messages: Message[] = []
  #afterStable: Message[] = []

  constructor(init: NodeStateInit) {
    this.id = init.id
    this.config = init.config
    this.random = init.random
    this.sink = init.sink
    this.log = init.log
    this.memberships = init.memberships
    this.nowMs = init.nowMs
    this.start = init.random.integer(1, 2 ** 31 - 1)
    const { hardState, log } = init
    // Entries may reach the disk before the term they came in. No vote was given in that term: a vote is saved first.
    this.#hard = log.lastTerm > hardState.term ? { ...hardState, term: log.lastTerm, vote: null } : hardState
    this.#commit = log.start.index
    this.#stable = log.lastIndex
    // What was found at the start was written and synced again before it was shown.
    this.#durable = log.lastIndex
  }

  get term(): Term {
    return this.#hard.term
  }

  get vote(): NodeId | null {
    return this.#hard.vote
  }

  get filled(): boolean {
    return this.#hard.filled
  }

  /** False while this log may lack what this node acknowledged. */
  get trusted(): boolean {
    return this.#hard.trusted
  }

  /** What a vote says of it. */
  get doubt(): { readonly doubt?: number } {
    return this.trusted && this.fitness.damagedFrom === undefined ? noDoubt : { doubt: this.start }
  }

  /** What an answer to a heartbeat says of its disk. */
  get slowness(): { readonly diskSlow?: true } {
    return this.fitness.diskSlow ? slow : notSlow
  }

  get clusterId(): string | null {
    return this.#hard.clusterId
  }

  get membership(): Membership {
    return this.memberships.current
  }

  get commit(): Index {
    return this.#commit
  }

  /** Everything up to here is stable on this node. Goes back when entries are cut off. */
  get stable(): Index {
    return this.#stable
  }

  /** Everything up to here is on the medium of this node: not above what is stable, and equal to it in sync flush. */
  get durable(): Index {
    return this.#durable
  }

  /** What answers carry: 0, or the number of this start while it is being filled or in doubt. */
  get filling(): number {
    return this.filled && this.trusted ? 0 : this.start
  }

  /** Nothing was ever voted, appended or heard of here. */
  get isVirgin(): boolean {
    return this.log.lastIndex === 0 && this.term === 0 && this.vote === null
  }

  /** Whether this node may try to lead. */
  get mayCampaign(): boolean {
    return this.filled && this.isFit && !this.replacing && this.#isNeeded
  }

  get isFit(): boolean {
    const { diskFull, damagedFrom, cannotApply } = this.fitness
    return !diskFull && damagedFrom === undefined && !cannotApply
  }

  /** Whether a log that ends in `last` has all that this one can still give (Raft §5.4.1). */
  isUpToDate(last: EntryId): boolean {
    const { damagedFrom } = this.fitness
    return this.log.isUpToDate(last, damagedFrom === undefined ? this.log.lastIndex : damagedFrom - 1)
  }

  /**
   * A voter; or one until the last membership, while that is not known to be committed: it may be the only one whose log
   * the voters it left behind accept (thesis §4.2.2).
   */
  get #isNeeded(): boolean {
    if (isVoter(this.membership, this.id)) return true
    const { currentIndex, previous } = this.memberships
    return currentIndex > this.#commit && previous !== undefined && isVoter(previous, this.id)
  }

  /** Whether the last membership known to be committed says that `id` is out for good. */
  isOut(id: NodeId): boolean {
    return isRemoved(this.memberships.at(this.#commit).membership, id)
  }

  /** A new term, and with it a vote not given yet. */
  enterTerm(term: Term): void {
    assert(term > this.term, `term ${term} is above ${this.term}`)
    this.#setHard({ ...this.#hard, term, vote: null })
  }

  voteFor(candidate: NodeId): void {
    assert(this.vote === null || this.vote === candidate, `one vote in term ${this.term}`)
    if (this.vote !== candidate) this.#setHard({ ...this.#hard, vote: candidate })
  }

  becomeFilled(): void {
    if (!this.filled || !this.trusted) this.#setHard({ ...this.#hard, filled: true, trusted: true })
  }

  commitTo(index: Index): void {
    if (index <= this.#commit) return
    assert(index <= this.log.lastIndex, `commit ${index} is in the log, which ends at ${this.log.lastIndex}`)
    this.#commit = index
    this.#joinCluster()
  }

  /** The storage says that everything up to `index` is stable. */
  stableTo(index: Index): void {
    assert(index <= this.log.lastIndex, `stable ${index} is in the log, which ends at ${this.log.lastIndex}`)
    this.#stable = Math.max(this.#stable, index)
    this.#joinCluster()
  }

  /** For good, so only once the entry that names the cluster is on this disk: a crash may bring back one it replaced. */
  #joinCluster(): void {
    if (this.clusterId !== null) return
    const named = this.memberships.at(Math.min(this.#commit, this.#stable)).membership.clusterId
    if (named !== undefined) this.#setHard({ ...this.#hard, clusterId: named })
  }

  /** The storage says that everything up to `index` is on the medium. */
  durableTo(index: Index): void {
    this.#durable = Math.max(this.#durable, Math.min(index, this.#stable))
  }

  /** The leader's word on what stable means, this node's own word while it leads. */
  askDurable(durable: boolean): void {
    if (durable === this.#isDurableAsked) return
    this.#isDurableAsked = durable
    this.sink.setDurable(durable)
  }

  /** Cuts off every entry after `index`, if the disk can. What is stable goes back with it (rabbitmq/ra 637). */
  truncateAfter(index: Index): boolean {
    assert(index >= this.#commit, `what is committed stays: truncation to ${index}, commit ${this.#commit}`)
    if (!this.sink.truncateAfter(index)) return false
    this.log.truncateAfter(index)
    this.memberships.truncateAfter(index)
    if ((this.fitness.damagedFrom ?? 0) > index) this.fitness = { ...this.fitness, damagedFrom: undefined }
    this.#stable = Math.min(this.#stable, index)
    this.#durable = Math.min(this.#durable, index)
    return true
  }

  /** Everything was replaced by a committed state that begins at `state.start`. */
  replaceLog(state: LogState): void {
    this.log = new LogRuns(state.start, state.runs)
    this.memberships = new Memberships(this.membership, state.memberships, state.start.index)
    this.fitness = { ...this.fitness, damagedFrom: undefined }
    this.#stable = this.log.lastIndex
    this.#durable = this.log.lastIndex
    this.commitTo(state.start.index)
  }

  send(message: Message): void {
    this.#messages.push(message)
  }

  sendStable(message: Message): void {
    const last = this.#afterStable.at(-1)
    // Acks are cumulative: of those of one turn only the last is needed.
    if (
      last?.type === 'appendReply' &&
      message.type === 'appendReply' &&
      last.to === message.to &&
      last.session === message.session &&
      last.term === message.term &&
      last.match <= message.match
    ) {
      this.#afterStable.pop()
    }
    this.#afterStable.push(message)
  }

  get hasOutput(): boolean {
    return this.#hardChanged || this.#messages.length > 0 || this.#afterStable.length > 0
  }

  takeHardState(): HardState | undefined {
    if (!this.#hardChanged) return undefined
    this.#hardChanged = false
    return this.#hard
  }

  takeMessages(): readonly Message[] {
    if (this.#messages.length === 0) return none
    const messages = this.#messages
    this.#messages = []
    return messages
  }

  takeAfterStable(): readonly Message[] {
    if (this.#afterStable.length === 0) return none
    const messages = this.#afterStable
    this.#afterStable = []
    return messages
  }

  #setHard(hard: HardState): void {
    this.#hard = hard
    this.#hardChanged = true
  }
}
