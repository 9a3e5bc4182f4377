/**
 * The driver: gives the core time, messages and proposals, and carries out what it says. Entries' bytes pass here,
 * between store and peers; nothing else looks at them.
 *
 * One pass (`#run`) at the end of a turn of the event loop: appends to peers leave first, the log's sync begins beside
 * them (thesis §10.2.1), messages leave as what they stand on becomes durable, and the owner is told last.
 */
import type { Clock, Timer } from '../lib/clock.ts'
import { errorMessage } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Random } from '../lib/prng.ts'
import type { RaftConfig } from './config.ts'
import { Announcer } from './announcer.ts'
import { RaftCore, type ProposeRefusal } from './core.ts'
import { raftErrors } from './errors.ts'
import { refuseOtherCluster } from './formation.ts'
import { Handover, transferRefusal } from './handover.ts'
import type { FlushDemand } from './flush-rule.ts'
import type { Leader } from './leader.ts'
import { LogWriter } from './log-writer.ts'
import { asDurable, isBeforeTerms, type Message, type ResetChunk } from './message.ts'
import type { ChangeRefusal } from './member-rules.ts'
import { Outbox } from './outbox.ts'
import type { Envelope, LogState, LogStore, PeerTransport, ReplicaEvents, StableStore } from './ports.ts'
import { ResetReceiver } from './reset-receiver.ts'
import { Shipper } from './shipper.ts'
import { statusOf, type ReplicaStatus } from './status.ts'
import type { EntryId, Fitness, Index, Membership, MembershipTarget, NodeId } from './types.ts'

export interface ReplicaNeeds<Draft> {
  readonly id: NodeId
  readonly config: RaftConfig
  /** Who takes part, until the log itself says so. */
  readonly peers: Membership
  readonly store: LogStore<Draft>
  readonly stableStore: StableStore
  readonly transport: PeerTransport
  readonly clock: Clock
  readonly random: Random
  readonly events: ReplicaEvents
  readonly log: Log
}

export class Replica<Draft> {
  readonly #need: ReplicaNeeds<Draft>
  readonly #core: RaftCore
  readonly #writer: LogWriter<Draft>
  readonly #outbox: Outbox
  readonly #receiver: ResetReceiver
  readonly #shipper: Shipper
  readonly #announcer: Announcer
  #scheduled = false
  #running = false
  #state: 'new' | 'running' | 'stopped' = 'new'
  #ticker: Timer | undefined
  #commitTimer: Timer | undefined
  #handover: Handover | undefined
  #applied: Index

  /** Reads hard state and log; a log of another cluster than the hard state says is refused (`RAFT_OTHER_CLUSTER`). */
  constructor(need: ReplicaNeeds<Draft>) {
    this.#need = need
    const { id, config, random, store, stableStore, clock } = need
    const hardState = stableStore.load()
    const logState = store.state()
    refuseOtherCluster(hardState.clusterId, logState)
    const nowMs = clock.monotonicMs()
    this.#writer = new LogWriter({
      store,
      log: need.log,
      truncated: (index) => {
        this.#outbox.truncateAfter(index)
        this.#announcer.truncated(index)
      },
      resetChunk: (message, payload) => {
        this.#receiver.take(message, payload)
        this.#core.setReplacing(this.#receiver.isActive)
      },
      resetReply: (message) => this.#shipper.replied(message),
    })
    this.#core = new RaftCore({
      id,
      config,
      random,
      sink: this.#writer,
      hardState,
      logState,
      configured: need.peers,
      nowMs,
    })
    this.#applied = logState.start.index
    this.#announcer = new Announcer(this.#core, need.events)
    this.#shipper = new Shipper({
      core: this.#core,
      store,
      config,
      log: need.log,
      send: (message, payload) => this.#send(message, payload),
      later: (work) => {
        this.#guard(work)
        this.#run()
      },
    })
    this.#outbox = new Outbox({
      stableStore,
      syncLog: () => store.stable(),
      send: (message) => this.#send(asDurable(message, this.#core.node.durable), []),
      stable: (index) => this.#core.stabilized(index, store.durableIndex()),
      released: () => this.#run(),
      fatal: (error) => this.#fatal(error),
    })
    this.#receiver = new ResetReceiver({
      apply: (meta, chunks) => store.applyReset(meta, chunks),
      taken: (message, position) => {
        this.#core.resetTaken(message, position)
        this.#schedule()
      },
      done: (state, last) => this.#restored(state, last),
      refused: (error) => {
        this.#core.setReplacing(false)
        need.log.warn({ reason: errorMessage(error) }, 'a reset did not end; the leader begins again')
      },
      fatal: (error) => this.#fatal(error),
    })
  }

  /** The cluster this node belongs to; null until the entry that names it is committed. */
  get clusterId(): string | null {
    return this.#core.node.clusterId
  }

  start(): void {
    if (this.#state !== 'new') return
    this.#state = 'running'
    const { clock, config } = this.#need
    this.#ticker = clock.every(config.tickMs, () => this.#tick())
    this.#core.begin()
    this.#schedule()
  }

  /** A message of a peer. Never throws: what cannot be is dropped, what is our bug is `events.fatal`. */
  receive(from: NodeId, envelope: Envelope): void {
    const { message } = envelope
    if (this.#state !== 'running' || message.from !== from) return
    // The log is being replaced: entries would fall between the old one and the new.
    if (message.type === 'append' && this.#receiver.isActive) return this.#receiver.overtakenBy(message)
    this.#guard(() => {
      this.#core.at(this.#need.clock.monotonicMs())
      this.#core.durableTo(this.#need.store.durableIndex())
      this.#writer.holding(envelope.payload, () => this.#core.step(message))
      this.#schedule()
    })
  }

  /** The transport met a new process of `peer`. Told before that process's first message is delivered. */
  peerStarted(peer: NodeId, _incarnation: string): void {
    if (this.#state !== 'running') return
    this.#guard(() => {
      this.#core.peerStarted(peer)
      this.#schedule()
    })
  }

  /** The transport lost its connection to `peer`. A hint that may be left out: it makes elections faster. */
  peerLost(peer: NodeId): void {
    if (this.#state !== 'running') return
    this.#core.peerLost(peer)
    if (this.#core.leading !== undefined) this.#schedule()
  }

  /** On a leader: what must be true of entries from here on before they are committed (`Leader.demand`). */
  demand(demand: FlushDemand): void {
    this.#core.leading?.demand(demand)
    this.#schedule()
  }

  /**
   * Appends an entry made from `draft` to the leader's log. Undefined when `proposeRefusal()` says why not. That it is
   * committed is told by `events.committed`; an entry of another term at its index means it never will be.
   */
  propose(draft: Draft): EntryId | undefined {
    if (this.proposeRefusal() !== undefined) return undefined
    const id = this.#core.propose()
    this.#writer.append(id, draft)
    this.#schedule()
    return id
  }

  /** Carries out what this turn asked for, now. For who proposes at the end of a turn and need not wait for another. */
  flush(): void {
    if (this.#scheduled) this.#run()
  }

  proposeRefusal(): ProposeRefusal | undefined {
    if (this.#state !== 'running') return 'notLeader'
    const refusal = this.#core.proposeRefusal()
    if (refusal !== undefined) return refusal
    const { log, commit } = this.#core.node
    if (log.lastIndex === commit) return undefined
    const bytes = this.#need.store.byteLength(commit + 1, log.lastIndex)
    return bytes >= this.#need.config.maxUncommittedBytes ? 'busy' : undefined
  }

  /**
   * An index such that everything committed anywhere before this call is at or below it (thesis §6.4). Rejects with
   * `RAFT_NOT_LEADER`, `RAFT_BUSY` or `RAFT_STOPPED`; decided within an election timeout, as a leader without a quorum
   * steps down.
   */
  readIndex(): Promise<Index> {
    const leader = this.#core.leading
    if (this.#state !== 'running') return Promise.reject(stopped())
    if (leader === undefined) return Promise.reject(raftErrors.create('RAFT_NOT_LEADER', 'this node does not lead'))
    return new Promise((resolve, reject) => {
      if (!leader.reads.add({ resolve, reject })) reject(raftErrors.create('RAFT_BUSY', 'too many reads wait'))
      this.#schedule()
    })
  }

  /**
   * Hands leadership to `to`. Resolves when this node knows that `to` leads; rejects with `RAFT_NOT_LEADER`,
   * `RAFT_BAD_TARGET`, `RAFT_TRANSFERRING` or `RAFT_TRANSFER_FAILED`, at the latest after two election timeouts.
   */
  transferLeadership(to: NodeId): Promise<void> {
    const leader = this.#state === 'running' ? this.#core.leading : undefined
    const refusal = transferRefusal(leader, to, this.#handover !== undefined)
    if (leader === undefined || refusal !== undefined) return Promise.reject(refusal)
    const { clock, config } = this.#need
    const deadlineMs = clock.monotonicMs() + config.electionTimeoutMinMs + config.electionTimeoutMaxMs
    this.#handover = new Handover(this.#core, to, deadlineMs)
    leader.transferTo(to)
    this.#schedule()
    return this.#handover.ended
  }

  /**
   * Changes who takes part, through a joint membership (thesis §4.3). Gives the index of the entry that begins it, or
   * the code of the reason why it is not begun. That it is over is told by `events.members`.
   */
  changeMembership(target: MembershipTarget): Index | ChangeRefusal {
    const index = this.#core.changeMembership(target)
    this.#schedule()
    return index
  }

  /** The state machine applied everything up to `index`. */
  applied(index: Index): void {
    this.#applied = Math.max(this.#applied, index)
  }

  /** The store dropped entries from the front of its log. */
  logStartMoved(): void {
    this.#core.logStartMoved(this.#need.store.state().start)
  }

  /** An operator takes the loss: votes of nodes in doubt count as any until somebody leads. */
  acceptDoubt(): void {
    this.#core.acceptDoubt()
  }

  setFitness(change: Partial<Fitness>): void {
    if (this.#state === 'stopped') return
    this.#core.setFitness(change)
    this.#schedule()
  }

  status(): ReplicaStatus {
    return statusOf(this.#core, this.#applied, this.#need.clock.monotonicMs())
  }

  /** Hands leadership over if somebody can take it, then stops. Resolves when nothing of it touches the disk any more. */
  async stop(): Promise<void> {
    const successor = this.#state === 'running' ? this.#core.leading?.bestSuccessor() : undefined
    if (successor !== undefined) {
      // A successor that does not come is an election for the others, no reason to stay.
      await this.transferLeadership(successor).catch(() => undefined)
    }
    await this.#halt()
  }

  /** Stops without handing leadership over. Resolves when nothing of it touches the disk any more. */
  abandon(): Promise<void> {
    return this.#halt()
  }

  #tick(): void {
    this.#guard(() => {
      const nowMs = this.#need.clock.monotonicMs()
      this.#core.durableTo(this.#need.store.durableIndex())
      this.#core.tick(nowMs)
      this.#shipper.tick(nowMs)
    })
    this.#run()
  }

  #schedule(): void {
    if (this.#scheduled || this.#running || this.#state !== 'running') return
    this.#scheduled = true
    this.#need.clock.endOfTurn(() => {
      this.#scheduled = false
      this.#run()
    })
  }

  #run(): void {
    if (this.#state !== 'running' || this.#running) return
    this.#running = true
    this.#guard(() => {
      do {
        const leader = this.#core.leading
        if (leader !== undefined) this.#lead(leader)
        this.#outbox.put(this.#core.ready(), this.#writer.takeChange())
      } while (this.#core.node.hasOutput)
      this.#receiver.abortUnless(this.#core.term)
      this.#shipper.tidy()
      if (this.#handover?.look(this.#need.clock.monotonicMs()) === true) this.#handover = undefined
    })
    this.#running = false
    this.#guard(() => this.#announcer.tell())
  }

  #lead(leader: Leader): void {
    leader.startReads()
    leader.confirmReads()
    this.#shipper.ship(leader)
    if (!leader.hasUntoldCommit || this.#commitTimer !== undefined) return
    this.#commitTimer = this.#need.clock.after(this.#need.config.commitDelayMs, () => {
      this.#commitTimer = undefined
      this.#core.leading?.tellCommit()
      this.#run()
    })
  }

  #restored(state: LogState, last: ResetChunk): void {
    if (this.#state !== 'running') return
    this.#guard(() => {
      this.#core.setReplacing(false)
      this.#outbox.truncateAfter(state.start.index)
      this.#core.restored(state)
      this.#announcer.reset(state)
      // The piece that ended it is answered now: what it brings is here.
      this.#core.step(last)
    })
    this.#run()
  }

  #send(message: Message, payload: readonly Uint8Array[]): void {
    if (message.to === this.#need.id) return this.#core.step(message)
    // Said under a term that is over: whoever it was meant for has moved on, or will. Pre-votes are about a term to come.
    if (message.term < this.#core.term && !isBeforeTerms(message)) return
    this.#need.transport.send(message.to, { message, payload })
  }

  async #halt(): Promise<void> {
    const before = this.#state
    this.#state = 'stopped'
    this.#ticker?.cancel()
    this.#commitTimer?.cancel()
    this.#core.leading?.reads.fail(stopped())
    this.#handover?.abandon(stopped())
    this.#handover = undefined
    this.#shipper.stop()
    this.#receiver.stop()
    if (before !== 'stopped') await this.#outbox.close()
  }

  #guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#fatal(error)
    }
  }

  /** The disk or an invariant failed: nothing leaves any more. */
  #fatal(thrown: unknown): void {
    if (this.#state === 'stopped') return
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    void this.#halt()
    this.#need.events.fatal(error)
  }
}

const stopped = (): Error => raftErrors.create('RAFT_STOPPED', 'this replica is stopped')
