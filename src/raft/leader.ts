/** A leader: what it proposes, commit by counting, its quorum, and how it goes (Raft §5.4; thesis §3.10, §4.3, §6.2). */
import { canSpareOne, type FlushDemand, FlushRule } from './flush-rule.ts'
import { Followers } from './followers.ts'
import { drawClusterId } from './formation.ts'
import { ownAck, saidTo } from './leader-says.ts'
import { changeRefusal, type ChangeRefusal } from './member-rules.ts'
import { enterJoint, isVoter, leaveJoint } from './memberships.ts'
import { isAnswer, type Append, type Message, type ResetChunk } from './message.ts'
import type { NodeState } from './node-state.ts'
import type { ResetMeta } from './ports.ts'
import type { Progress } from './progress.ts'
import { ReadRounds } from './read-index.ts'
import { Replication, type Wanted } from './replication.ts'
import { Transfer } from './transfer.ts'
import type { EntryId, Index, Membership, MembershipTarget, NodeId } from './types.ts'

export class Leader {
  readonly role = 'leader'
  readonly reads: ReadRounds
  readonly #node: NodeState
  readonly #followers: Followers
  readonly #replication: Replication
  readonly #doubts: ReadonlyMap<NodeId, number>
  #heartbeatDueMs: number
  #quorumCheckMs: number
  #transfer: Transfer | undefined
  /** First entry of this leader's own term: nothing is committed before it is (Raft §5.4.2). */
  #firstIndex: Index = 0
  /** What an unfinished change of the flush mode wants is not known before the own first entry is applied. */
  readonly #flushing: FlushRule
  /** True once own entries were added that were not answered for through the outbox yet. */
  #ownAppended = false

  /** `doubts`: voters in doubt that its election stands on (`Candidate.standing`), itself perhaps among them. */
  constructor(node: NodeState, doubts: ReadonlyMap<NodeId, number> = new Map()) {
    this.#node = node
    this.#doubts = doubts
    node.acceptsDoubt = false
    this.#heartbeatDueMs = node.nowMs + node.config.heartbeatMs
    this.#quorumCheckMs = node.nowMs + node.config.electionTimeoutMaxMs
    this.reads = new ReadRounds(node.config.maxReadWaiters)
    this.#flushing = new FlushRule(node.commit + 1)
    this.#followers = new Followers(node)
    this.#replication = new Replication(node, this.#followers, this.#flushing)
    node.askDurable(true)
  }

  /** The empty entry of the term (Raft §8); in an empty log the first entry, which names the cluster. */
  begin(): void {
    const node = this.#node
    if (node.log.lastIndex > 0) {
      this.#firstIndex = this.#appendEmpty()
    } else {
      this.#firstIndex = this.#appendMembership({ ...node.membership, clusterId: drawClusterId(node.random) })
    }
    for (const [id, start] of this.#doubts) {
      if (id !== node.id) this.#followers.get(id)?.absolve(start, this.#firstIndex)
    }
    this.#replication.probeAll()
  }

  /** Whether its election stands on logs that may lack what was acknowledged: then something may be lost. */
  get isInDoubt(): boolean {
    return this.#doubts.size > 0
  }

  get leader(): NodeId {
    return this.#node.id
  }

  get progress(): ReadonlyMap<NodeId, Progress> {
    return this.#followers.all
  }

  get transferTarget(): NodeId | undefined {
    return this.#transfer?.to
  }

  /** The next index for an entry of the driver, taken. */
  propose(): EntryId {
    const { log, term } = this.#node
    const index = log.appendOne(term)
    this.#ownAppended = true
    return { index, term }
  }

  /** The own ack, through the same outbox as everybody's: it counts once it comes back. */
  acknowledgeOwn(): void {
    if (!this.#ownAppended) return
    this.#ownAppended = false
    const { id, log } = this.#node
    this.#node.sendStable(ownAck(this.#node, this.#followers.get(id)?.session ?? 0, log.lastIndex))
  }

  /**
   * What the owner wants of what is committed from here on; a new leader begins with `durable`. Going to `durable`, the
   * next entry and all after it need the media of a quorum, which covers what stands before; going to `written` is at once.
   */
  demand(demand: FlushDemand): void {
    this.#flushing.demand(demand)
    this.#applyFlush()
  }

  get isFlushing(): boolean {
    return this.#flushing.isDurable
  }

  /** Starts a change of who takes part, or says why not. */
  changeMembership(target: MembershipTarget): Index | ChangeRefusal {
    const { membership, memberships, commit, nowMs, config } = this.#node
    const sinceMs = nowMs - config.electionTimeoutMaxMs
    const refusal = changeRefusal(
      {
        membership,
        isSettled: commit >= Math.max(this.#firstIndex, memberships.currentIndex),
        isHeard: (id) => this.#followers.isHeard(id, sinceMs) && (this.#followers.get(id)?.match ?? 0) > 0,
        isCaughtUp: (id) => this.#followers.isCaughtUp(id),
      },
      target,
    )
    return refusal ?? this.#appendMembership(enterJoint(membership, target))
  }

  /** Returns false when this node must stop leading. */
  tick(): boolean {
    const { nowMs, config } = this.#node
    if (this.#transfer?.isOver(nowMs) === true) {
      this.#transfer = undefined
      if (!this.#node.isFit) return false
    }
    if (nowMs >= this.#quorumCheckMs) {
      this.#quorumCheckMs = nowMs + config.heartbeatMs
      if (!this.#followers.isQuorumHeard(nowMs - config.electionTimeoutMaxMs)) return false
    }
    this.#applyFlush()
    if (nowMs >= this.#heartbeatDueMs) this.heartbeat()
    return true
  }

  /** Heartbeats to everybody, now. */
  heartbeat(): void {
    const { nowMs, config } = this.#node
    this.#heartbeatDueMs = nowMs + config.heartbeatMs
    this.#replication.heartbeat(this.reads.round)
  }

  stalled(gapMs: number): void {
    this.#followers.stalled(gapMs)
  }

  peerStarted(peer: NodeId): void {
    const progress = this.#followers.get(peer)
    if (progress === undefined || peer === this.#node.id) return
    this.#followers.restart(progress)
    this.#applyFlush()
    this.#replication.probe(progress)
  }

  /** The connection to the peer broke. Counts against nothing but the trust in unflushed copies. */
  peerLost(peer: NodeId): void {
    const progress = this.#followers.get(peer)
    if (progress !== undefined) progress.isLost = true
    this.#applyFlush()
  }

  /** Offers leadership to `to`. Bounded by an election timeout; proposals wait meanwhile. */
  transferTo(to: NodeId): void {
    const { nowMs, config } = this.#node
    this.#transfer = new Transfer(to, nowMs + config.electionTimeoutMinMs)
    this.#continueTransfer()
  }

  /** The voter that would lose least time in taking over, if any answers. */
  bestSuccessor(): NodeId | undefined {
    return this.#successor?.id
  }

  canTransferTo(to: NodeId): boolean {
    return to !== this.#node.id && this.#node.membership.voters.includes(to) && this.#followers.get(to)?.filling === 0
  }

  // What peers are sent beside heartbeats and probes: `Replication` says it, to whoever drives the node that leads.

  wants(peer: NodeId): Wanted | undefined {
    return this.#replication.wants(peer)
  }

  append(peer: NodeId, want: Wanted, last: Index, bytes: number): Append | undefined {
    return this.#replication.append(peer, want, last, bytes)
  }

  resetChunk(peer: NodeId, session: number, reset: number, meta: ResetMeta, position: number): ResetChunk | undefined {
    return this.#replication.resetChunk(peer, session, reset, meta, position)
  }

  tellCommit(): void {
    this.#replication.tellCommit()
  }

  get hasUntoldCommit(): boolean {
    return this.#replication.hasUntoldCommit
  }

  /** An answer of this term. */
  step(message: Message): void {
    if (!isAnswer(message)) return
    const progress = this.#followers.get(message.from)
    if (progress === undefined || message.session !== progress.session) return
    if (message.filling !== progress.filling && !this.#refilling(progress, message.filling)) return
    progress.lastContactMs = this.#node.nowMs
    progress.isLost = false
    this.#replication.answered(progress, message)
    const { commit } = this.#node
    this.#advanceCommit()
    if (this.#node.commit > commit) for (const each of this.#followers.all.values()) this.#fill(each)
    else this.#fill(progress)
    this.#continueTransfer()
  }

  /** Confirms read-index rounds; the driver asks after every step. */
  confirmReads(): void {
    if (!this.reads.isAsking || this.#node.commit < this.#firstIndex) return
    this.reads.confirm(this.#followers.quorumRound)
  }

  /** Starts a round for reads that wait, unless one is under way: many waiters, one exchange (thesis §6.4). */
  startReads(): void {
    const { commit } = this.#node
    if (commit < this.#firstIndex || !this.reads.startRound(commit)) return
    this.heartbeat()
    this.confirmReads()
  }

  /**
   * A follower says that it is being filled, or no longer. A start not met before is another process: the session is
   * over, and an entry is proposed that only the others' quorum can commit (`Progress.fillIndex` says why).
   */
  #refilling(progress: Progress, filling: number): boolean {
    if (filling === 0) {
      progress.filling = 0
      return true
    }
    progress.filling = filling
    this.#followers.restart(progress)
    progress.fillIndex = this.#appendEmpty()
    this.#replication.probe(progress)
    return false
  }

  #fill(progress: Progress): void {
    const { filling, fillIndex, match } = progress
    if (filling === 0 || match < fillIndex || this.#node.commit < fillIndex) return
    this.#node.send({ ...saidTo(this.#node, progress), type: 'filled', filling })
  }

  /** Only entries of the own term are committed by counting; older ones with them (Raft §5.4.2, figure 8). */
  #advanceCommit(): void {
    const node = this.#node
    const match = this.#flushing.committed(this.#followers.quorumMatch, () => this.#followers.quorumDurable)
    if (match <= node.commit || node.log.termAt(match) !== node.term) return
    node.commitTo(match)
    // What a quorum holds now is what there is: this log is in doubt no more.
    if (match >= this.#firstIndex) node.becomeFilled()
    this.#finishChange()
  }

  /** A joint membership that is committed is left at once; who is not in the new one stops leading (thesis §4.3). */
  #finishChange(): void {
    const { membership, memberships, commit } = this.#node
    if (membership.outgoing.length === 0 || memberships.currentIndex > commit) return
    this.#appendMembership(leaveJoint(membership))
  }

  /** Whether this node is out of the membership that is committed. */
  get isRemoved(): boolean {
    const { membership, memberships, commit, id } = this.#node
    return memberships.currentIndex <= commit && !isVoter(membership, id)
  }

  /** Leaves to the voter that would lose least time: nobody has to notice by silence that this node leads no more. */
  leave(): void {
    const successor = this.#successor
    if (successor !== undefined) this.#node.send({ ...saidTo(this.#node, successor), type: 'timeoutNow' })
  }

  #continueTransfer(): void {
    const transfer = this.#transfer
    if (transfer === undefined) return
    const target = this.#followers.get(transfer.to)
    if (target === undefined || !transfer.asks(target, this.#node.log.lastIndex)) return
    this.#node.send({ ...saidTo(this.#node, target), type: 'timeoutNow' })
  }

  get #successor(): Progress | undefined {
    const { nowMs, config } = this.#node
    return this.#followers.successor(nowMs - config.electionTimeoutMinMs)
  }

  #appendEmpty(): Index {
    const id = this.propose()
    this.#node.sink.appendEmpty(id)
    return id.index
  }

  #appendMembership(membership: Membership): Index {
    const id = this.propose()
    this.#node.sink.appendMembership(id, membership)
    this.#node.memberships.append({ index: id.index, membership })
    this.#followers.meet()
    return id.index
  }

  /** Looks who is up, and lets what follows from it take effect: here, and on the others with what they are sent next. */
  #applyFlush(): void {
    const { id, membership, nowMs, config, log, durable } = this.#node
    const sinceMs = nowMs - config.electionTimeoutMinMs
    const own = this.#followers.get(id)
    if (own !== undefined) own.durable = Math.max(own.durable, Math.min(durable, own.match))
    this.#flushing.look(log.lastIndex, () => canSpareOne(membership, (voter) => this.#followers.isUp(voter, sinceMs)))
    this.#node.askDurable(this.#flushing.isDurable)
    this.#advanceCommit()
  }
}
