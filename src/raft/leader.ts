/** A leader: its followers' progress, commit by counting, heartbeats, its quorum, hand-over (Raft §5.3, §5.4; thesis §3.10, §6.2). */
import { assert } from '../lib/assert.ts'
import { canSpareOne, type FlushDemand, FlushRule } from './flush-rule.ts'
import { drawClusterId } from './formation.ts'
import { changeRefusal, type ChangeRefusal } from './member-rules.ts'
import { enterJoint, isVoter, leaveJoint, membersOf } from './memberships.ts'
import { appendTo, heartbeatTo, ownAck, type Wanted } from './leader-says.ts'
import { isAnswer, type Append, type AppendReject, type HeartbeatReply, type Message } from './message.ts'
import type { ResetChunk, ResetReply } from './message.ts'
import type { NodeState } from './node-state.ts'
import type { ResetMeta } from './ports.ts'
import { furthest, Progress } from './progress.ts'
import { hasQuorum, quorumValue } from './quorum.ts'
import { ReadRounds } from './read-index.ts'
import type { EntryId, Index, Membership, MembershipTarget, NodeId, TermRun } from './types.ts'

interface Transfer {
  readonly to: NodeId
  readonly deadlineMs: number
  asked: boolean
}

export class Leader {
  readonly role = 'leader'
  readonly reads: ReadRounds
  readonly #node: NodeState
  readonly #progress = new Map<NodeId, Progress>()
  readonly #doubts: ReadonlyMap<NodeId, number>
  #session = 0
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
    node.askDurable(true)
    this.#meetMembers()
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
      if (id !== this.#node.id) this.#progressOf(id)?.absolve(start, this.#firstIndex)
    }
    this.#probeAll()
  }

  /** Whether its election stands on logs that may lack what was acknowledged: then something may be lost. */
  get isInDoubt(): boolean {
    return this.#doubts.size > 0
  }

  get leader(): NodeId {
    return this.#node.id
  }

  get progress(): ReadonlyMap<NodeId, Progress> {
    return this.#progress
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
    this.#node.sendStable(ownAck(this.#node, this.#progressOf(id)?.session ?? 0, log.lastIndex))
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
        isHeard: (id) => this.#isHeard(id, sinceMs) && (this.#progressOf(id)?.match ?? 0) > 0,
        isCaughtUp: (id) => this.#isCaughtUp(id),
      },
      target,
    )
    return refusal ?? this.#appendMembership(enterJoint(membership, target))
  }

  /** Returns false when this node must stop leading. */
  tick(): boolean {
    const { nowMs, config, membership } = this.#node
    if (this.#transfer !== undefined && nowMs >= this.#transfer.deadlineMs) {
      this.#transfer = undefined
      if (!this.#node.isFit) return false
    }
    if (nowMs >= this.#quorumCheckMs) {
      this.#quorumCheckMs = nowMs + config.heartbeatMs
      const sinceMs = nowMs - config.electionTimeoutMaxMs
      if (!hasQuorum(membership, (id) => this.#isHeard(id, sinceMs))) return false
    }
    this.#applyFlush()
    if (nowMs >= this.#heartbeatDueMs) this.heartbeat()
    return true
  }

  /** Heartbeats to everybody, now. */
  heartbeat(): void {
    const { nowMs, config, id } = this.#node
    this.#heartbeatDueMs = nowMs + config.heartbeatMs
    for (const progress of this.#progress.values()) {
      if (progress.id === id) continue
      this.#sendHeartbeat(progress)
      if (progress.state === 'probe') {
        progress.probing = false
        this.#probe(progress)
      }
    }
  }

  stalled(gapMs: number): void {
    for (const progress of this.#progress.values()) progress.lastContactMs += gapMs
  }

  peerStarted(peer: NodeId): void {
    const progress = this.#progressOf(peer)
    if (progress === undefined || peer === this.#node.id) return
    progress.restart(++this.#session)
    this.#applyFlush()
    this.#probe(progress)
  }

  /** The connection to the peer broke. Counts against nothing but the trust in unflushed copies. */
  peerLost(peer: NodeId): void {
    const progress = this.#progressOf(peer)
    if (progress !== undefined) progress.isLost = true
    this.#applyFlush()
  }

  /** Offers leadership to `to`. Bounded by an election timeout; proposals wait meanwhile. */
  transferTo(to: NodeId): void {
    const { nowMs, config } = this.#node
    this.#transfer = { to, deadlineMs: nowMs + config.electionTimeoutMinMs, asked: false }
    this.#continueTransfer()
  }

  /** The voter that would lose least time in taking over, if any answers. */
  bestSuccessor(): NodeId | undefined {
    const { membership, nowMs, config, id } = this.#node
    const sinceMs = nowMs - config.electionTimeoutMinMs
    const others = membership.voters.filter((voter) => voter !== id && this.#isHeard(voter, sinceMs))
    return furthest(others.flatMap((voter) => this.#progressOf(voter) ?? []).filter(({ filling }) => filling === 0))
  }

  canTransferTo(to: NodeId): boolean {
    return to !== this.#node.id && this.#node.membership.voters.includes(to) && this.#progressOf(to)?.filling === 0
  }

  /** Entries that `peer` may be sent now: its window is open and there are some. */
  wants(peer: NodeId): Wanted | undefined {
    const progress = this.#progressOf(peer)
    const { log, config, id, memberships } = this.#node
    if (progress === undefined || peer === id || progress.state !== 'replicate') return undefined
    if (progress.next > log.lastIndex || !progress.windowOpen) return undefined
    if (progress.next <= log.start.index) {
      this.#toReset(progress)
      return undefined
    }
    const last = memberships.reach(
      progress.next,
      log.reach(progress.next, config.maxAppendRuns),
      config.maxAppendMemberships,
    )
    return { session: progress.session, first: progress.next, last }
  }

  /**
   * The append that carries entries `first..last` to `peer`, whose bytes are at hand. Undefined when what `wants` said
   * is over: another session, another state, or already sent.
   */
  append(peer: NodeId, want: Wanted, last: Index, bytes: number): Append | undefined {
    const progress = this.#progressOf(peer)
    if (progress === undefined || progress.state !== 'replicate') return undefined
    if (progress.session !== want.session || progress.next !== want.first) return undefined
    const { log, memberships } = this.#node
    if (want.first <= log.start.index) return undefined
    assert(
      last >= want.first && last <= want.last,
      `entries ${want.first}..${want.last} were wanted, not up to ${last}`,
    )
    const append = this.#appendOf(progress, log.slice(want.first, last), memberships.within(want.first, last))
    progress.sent(last, bytes)
    return append
  }

  /** A piece of a reset for `peer`, if it still waits for one. */
  resetChunk(peer: NodeId, session: number, reset: number, meta: ResetMeta, position: number): ResetChunk | undefined {
    const progress = this.#progressOf(peer)
    if (progress === undefined || progress.state !== 'reset' || progress.session !== session) return undefined
    return { ...this.#to(progress), type: 'resetChunk', session, reset, meta, position }
  }

  /** Followers whose commit is behind and whom no append will tell soon. */
  tellCommit(): void {
    for (const progress of this.#progress.values()) {
      const commit = this.#tellable(progress)
      if (commit <= progress.toldCommit || progress.id === this.#node.id) continue
      progress.toldCommit = commit
      this.#node.send({ ...this.#to(progress), type: 'commit', session: progress.session, commit })
    }
  }

  get hasUntoldCommit(): boolean {
    for (const progress of this.#progress.values()) {
      if (progress.id !== this.#node.id && this.#tellable(progress) > progress.toldCommit) return true
    }
    return false
  }

  /** An answer of this term. */
  step(message: Message): void {
    if (!isAnswer(message)) return
    const progress = this.#progressOf(message.from)
    if (progress === undefined || message.session !== progress.session) return
    if (message.filling !== progress.filling && !this.#refilling(progress, message.filling)) return
    progress.lastContactMs = this.#node.nowMs
    progress.isLost = false
    switch (message.type) {
      case 'appendReply':
        this.#acked(progress, message.match, message.durable)
        if (message.match < message.end && progress.state === 'replicate') this.#reprobe(progress, message.match + 1)
        break
      case 'appendReject':
        this.#rejected(progress, message)
        break
      case 'heartbeatReply':
        this.#beaten(progress, message)
        break
      case 'resetReply':
        this.#resetReply(progress, message)
        break
    }
    const { commit } = this.#node
    this.#advanceCommit()
    if (this.#node.commit > commit) for (const each of this.#progress.values()) this.#fill(each)
    else this.#fill(progress)
    this.#continueTransfer()
  }

  /** Confirms read-index rounds; the driver asks after every step. */
  confirmReads(): void {
    const { membership, commit, id } = this.#node
    if (!this.reads.isAsking || commit < this.#firstIndex) return
    const round = quorumValue(membership, (voter) => {
      if (voter === id) return Infinity
      const progress = this.#progressOf(voter)
      return progress === undefined || progress.filling !== 0 ? 0 : progress.round
    })
    this.reads.confirm(round)
  }

  /** Starts a round for reads that wait, unless one is under way: many waiters, one exchange (thesis §6.4). */
  startReads(): void {
    const { commit } = this.#node
    if (commit < this.#firstIndex || !this.reads.startRound(commit)) return
    this.heartbeat()
    this.confirmReads()
  }

  #acked(progress: Progress, match: Index, durable: Index): void {
    if (match > this.#node.log.lastIndex) return
    progress.acked(match, durable)
    if (progress.state === 'probe' && match >= progress.next - 1) progress.becomeReplicate()
    if (progress.state === 'reset' && match >= this.#node.log.start.index) progress.becomeProbe(match + 1)
  }

  #rejected(progress: Progress, message: AppendReject): void {
    const { log } = this.#node
    if (progress.state === 'reset' || message.prevIndex <= progress.match) return
    // A probe is answered once: a rejection of another question is old.
    if (progress.state === 'probe' && message.prevIndex !== progress.next - 1) return
    if (message.hintIndex < log.start.index) return this.#toReset(progress)
    const shared = log.sharedAtMost(Math.min(message.hintIndex, message.prevIndex - 1), message.hintTerm)
    if (shared === undefined) return this.#toReset(progress)
    this.#reprobe(progress, shared.index + 1)
  }

  #beaten(progress: Progress, message: HeartbeatReply): void {
    progress.round = Math.max(progress.round, message.round)
    this.#acked(progress, message.match, message.durable)
    // The heartbeat left after those appends and they are not there: lost on the way.
    if (progress.state === 'replicate' && message.received < message.sent && message.sent > progress.match) {
      this.#reprobe(progress, Math.max(message.received, progress.match) + 1)
    }
  }

  #resetReply(progress: Progress, message: ResetReply): void {
    // A reset is durable when it is done.
    if (message.done) this.#acked(progress, message.match, message.match)
    if (message.done && progress.state === 'probe') this.#probe(progress)
    this.#node.sink.resetReply(message)
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
    progress.restart(++this.#session)
    progress.fillIndex = this.#appendEmpty()
    this.#probe(progress)
    return false
  }

  #fill(progress: Progress): void {
    const { filling, fillIndex, match } = progress
    if (filling === 0 || match < fillIndex || this.#node.commit < fillIndex) return
    this.#node.send({ ...this.#to(progress), type: 'filled', filling })
  }

  /** Only entries of the own term are committed by counting; older ones with them (Raft §5.4.2, figure 8). */
  #advanceCommit(): void {
    const node = this.#node
    const match = this.#flushing.committed(
      quorumValue(node.membership, (id) => this.#progressOf(id)?.countedMatch ?? 0),
      () => quorumValue(node.membership, (id) => this.#progressOf(id)?.countedDurable ?? 0),
    )
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
    const successor = this.#progressOf(this.bestSuccessor() ?? '')
    if (successor !== undefined) this.#node.send({ ...this.#to(successor), type: 'timeoutNow' })
  }

  #continueTransfer(): void {
    const transfer = this.#transfer
    if (transfer === undefined || transfer.asked) return
    const target = this.#progressOf(transfer.to)
    if (target === undefined || target.match !== this.#node.log.lastIndex) return
    transfer.asked = true
    this.#node.send({ ...this.#to(target), type: 'timeoutNow' })
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
    this.#meetMembers()
    return id.index
  }

  #meetMembers(): void {
    const { id, membership, log, nowMs, config } = this.#node
    const members = membersOf(membership)
    for (const gone of this.#progress.keys()) if (!members.includes(gone)) this.#progress.delete(gone)
    for (const member of new Set([...members, id])) {
      if (this.#progress.has(member)) continue
      const next = log.lastIndex + 1
      this.#progress.set(member, new Progress({ id: member, next, session: ++this.#session, nowMs, window: config }))
    }
  }

  #probeAll(): void {
    for (const progress of this.#progress.values()) if (progress.id !== this.#node.id) this.#probe(progress)
  }

  #reprobe(progress: Progress, next: Index): void {
    progress.becomeProbe(next)
    this.#probe(progress)
  }

  /** Asks whether the entry before `next` is there; carries no entries. */
  #probe(progress: Progress): void {
    if (progress.state !== 'probe' || progress.probing) return
    if (progress.next <= this.#node.log.start.index) return this.#toReset(progress)
    progress.probing = true
    this.#node.send(this.#appendOf(progress, [], []))
  }

  #toReset(progress: Progress): void {
    progress.becomeReset()
  }

  #appendOf(progress: Progress, runs: readonly TermRun[], memberships: Append['memberships']): Append {
    return appendTo(this.#node, progress, { runs, memberships, durable: this.#flushing.isDurable })
  }

  #sendHeartbeat(progress: Progress): void {
    const { isDurable: durable } = this.#flushing
    const said = { round: this.reads.round, commit: this.#tellable(progress), durable }
    this.#node.send(heartbeatTo(this.#node, progress, said))
  }

  /** Looks who is up, and lets what follows from it take effect: here, and on the others with what they are sent next. */
  #applyFlush(): void {
    const { id, membership, nowMs, config, log, durable } = this.#node
    const sinceMs = nowMs - config.electionTimeoutMinMs
    const isUp = (voter: NodeId): boolean =>
      voter === id || (this.#isHeard(voter, sinceMs) && this.#progressOf(voter)?.isLost === false)
    const own = this.#progressOf(id)
    if (own !== undefined) own.durable = Math.max(own.durable, Math.min(durable, own.match))
    this.#flushing.look(log.lastIndex, () => canSpareOne(membership, isUp))
    this.#node.askDurable(this.#flushing.isDurable)
    this.#advanceCommit()
  }

  #tellable(progress: Progress): Index {
    return Math.min(this.#node.commit, progress.match)
  }

  #isCaughtUp(id: NodeId): boolean {
    const { log, config } = this.#node
    const match = this.#progressOf(id)?.match ?? 0
    return match > 0 && log.lastIndex - match <= config.promotionLagEntries
  }

  #isHeard(id: NodeId, sinceMs: number): boolean {
    if (id === this.#node.id) return true
    const progress = this.#progressOf(id)
    if (progress === undefined || progress.lastContactMs <= sinceMs) return false
    return progress.filling === 0 || progress.absolvedAt > 0
  }

  #progressOf(id: NodeId): Progress | undefined {
    return this.#progress.get(id)
  }

  #to(progress: Progress): { from: NodeId; to: NodeId; term: number } {
    return { from: this.#node.id, to: progress.id, term: this.#node.term }
  }
}
