/**
 * Admission to the Raft log. What arrives in one turn of the event loop leaves as few entries at the turn's end; what
 * waits for its commit is found again by its index.
 *
 * Every request ends exactly once:
 *   stored                      its entry was applied (sync replication) or is stable here (async replication, in bounds)
 *   BROKER_NOT_LEADER / _BUSY   it was never proposed, or a committed entry of another term holds its index: not stored
 *   BROKER_UNDECIDED            it was proposed, and its fate was not known in time
 *
 * Losing leadership decides nothing: the next leader may hold the entry and commit it, so the flight waits on.
 */
import { assert } from '../../lib/assert.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import { recordLength, type RecordDraft } from '../../message/record.ts'
import type { EntryId } from '../../raft/types.ts'
import { encodeCommand, versionOf } from '../tables/command-codec.ts'
import { EarlyAcks, type EarlyAcksNeeds } from './early-acks.ts'
import { ExclusiveChanges } from './exclusive-changes.ts'
import { LogBacklog } from './log-backlog.ts'
import type { Command, Leadership, Proposals as ProposalsNeed, Stored } from '../needs.ts'
import { busy, notLeader, undecided } from './proposal-outcomes.ts'
import { storedOf, type Done, type Draft, type Flight, type Item } from './proposal-flight.ts'
import { ProposalQueue } from './proposal-queue.ts'
import type { QueueCounters } from './queue-counters.ts'
import { everyUnlessStalled } from './stall.ts'

export interface ProposalOptions {
  /** Records and commands admitted and not yet decided; more is answered BROKER_BUSY. */
  readonly maxInFlightBytes: number
  readonly maxEntryBytes: number
  /** How long records may wait for the log, see `LogBacklog` (RocketMQ waitTimeMillsInSendQueue). Infinity: any time. */
  readonly queueWaitMs: number
  /** After this long a request is answered, decided or not. Below the stock client's 3 s. */
  readonly decideWithinMs: number
  /** Async replication: what may be acknowledged and not yet committed. Beyond either, acknowledgements wait for the commit. */
  readonly maxUnreplicatedBytes: number
  readonly maxUnreplicatedMs: number
}

export interface ProposalsNeeds {
  readonly log: {
    propose(draft: Draft): EntryId | undefined
    proposeRefusal(): 'notLeader' | 'transferring' | 'busy' | undefined
    /** Sends and writes what was proposed in this turn, now. */
    flush(): void
  }
  readonly leadership: Pick<Leadership, 'isReady' | 'term'>
  readonly counters: QueueCounters
  readonly replication: () => 'sync' | 'async'
  readonly mayBegin: EarlyAcksNeeds['mayBegin']
  /** A command is about to be proposed: what it wants to be true from its own place in the log on begins now. */
  readonly proposing: (command: Command) => void
  /** The highest version of table commands that every voter understands. */
  readonly commandVersion: () => number
  readonly clock: Clock
  readonly options: ProposalOptions
}

const SWEEP_PERIOD_MS = 20
/** What a command without records is taken to weigh. */
const COMMAND_BYTES = 256

export class Proposals implements ProposalsNeed {
  readonly #need: ProposalsNeeds
  readonly #queue: ProposalQueue
  readonly #flights = new Map<number, Flight>()
  readonly #exclusive = new ExclusiveChanges()
  readonly #backlog: LogBacklog
  #flightBytes = 0
  #scheduled = false
  /** Runs while something waits: a node that nobody sends to has nothing to look at. */
  #sweep: Timer | undefined
  #stableIndex = 0
  readonly #early: EarlyAcks

  constructor(need: ProposalsNeeds) {
    this.#need = need
    this.#queue = new ProposalQueue(need.options)
    this.#backlog = new LogBacklog(need.options.queueWaitMs)
    this.#early = new EarlyAcks({ ...need, flights: this.#flights, bounds: need.options })
  }

  /** As `EarlyAcks.bytes`. */
  get unreplicatedBytes(): number {
    return this.#early.bytes
  }

  get inFlightBytes(): number {
    return this.#queue.bytes + this.#flightBytes
  }

  checkRoom(bytes: number): void {
    const refusal = this.#refusal(bytes, false)
    if (refusal !== undefined) throw refusal
  }

  records(
    drafts: readonly RecordDraft[],
    done: (error: Error | undefined, stored: readonly Stored[] | undefined) => void,
    isEarly = false,
  ): void {
    assert(drafts.length > 0, 'records need at least one draft')
    this.#admit(drafts, undefined, done, isEarly)
  }

  command(command: Command): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#admit([], command, (error, _stored, result) => (error === undefined ? resolve(result) : reject(error)))
    })
  }

  commandWithRecords(command: Command, drafts: readonly RecordDraft[]): Promise<readonly Stored[]> {
    return new Promise((resolve, reject) => {
      this.#admit(drafts, command, (error, stored) => (error === undefined ? resolve(stored ?? []) : reject(error)))
    })
  }

  /** The state machine applied the entry `id`; `result` is what its command returned. */
  applied(id: EntryId, result: unknown): void {
    const flight = this.#flights.get(id.index)
    if (flight === undefined) return
    this.#land(id.index, flight)
    if (flight.term === id.term) this.#answer(flight, result)
    else for (const item of flight.items) this.#fail(item, notLeader('another leader took its place in the log'))
  }

  /** Everything up to `index` is stable here: in async replication that is the acknowledgement, within the bounds. */
  stable(index: number): void {
    this.#stableIndex = index
    this.#acknowledgeEarly()
  }

  /** A reset skipped entries: what became of flights up to `index` cannot be known. */
  skippedTo(index: number): void {
    for (const [at, flight] of this.#flights) {
      if (at > index) continue
      this.#land(at, flight)
      for (const item of flight.items) this.#fail(item, undecided('this node was reset'))
    }
  }

  /** Leadership came or went: what was queued and not proposed is settled now. */
  roleChanged(): void {
    if (this.#need.leadership.isReady) this.#giveUpOlder(this.#need.leadership.term)
    this.#backlog.restart(this.#need.clock.monotonicMs())
    this.#early.roleChanged()
    this.#schedule()
  }

  close(): void {
    this.#rest()
    for (const item of this.#queue.takeAll()) this.#drop(item, notLeader('this node stops'))
    for (const [index, flight] of this.#flights) {
      this.#land(index, flight)
      for (const item of flight.items) this.#fail(item, undecided('this node stops'))
    }
  }

  #admit(drafts: readonly RecordDraft[], command: Command | undefined, done: Done, isEarly = false): void {
    const { options, clock, commandVersion } = this.#need
    let bytes = command === undefined ? 0 : COMMAND_BYTES
    for (const draft of drafts) bytes += recordLength(draft)
    const refusal =
      this.#refusal(bytes, command !== undefined) ??
      (command !== undefined && versionOf(command) > commandVersion()
        ? busy('not every node of the group understands it yet')
        : this.#exclusive.refusal(drafts, command))
    if (refusal !== undefined) return done(refusal, undefined, undefined)
    this.#exclusive.began(command)
    const nowMs = clock.monotonicMs()
    const deadlineMs = nowMs + options.decideWithinMs
    const item: Item = { drafts, records: drafts.length, command, bytes, queuedMs: nowMs, deadlineMs, isEarly, done }
    this.#queue.push(item)
    this.#backlog.queued(bytes, nowMs)
    this.#sweep ??= everyUnlessStalled(clock, SWEEP_PERIOD_MS, () => this.#expire())
    this.#schedule()
  }

  /** Why so many bytes of records, or a command, would not be taken now. */
  #refusal(bytes: number, isCommand: boolean): Error | undefined {
    const { leadership, log, options, clock } = this.#need
    if (!leadership.isReady) return notLeader('this node does not lead')
    if (this.inFlightBytes + bytes > options.maxInFlightBytes) return busy(`${this.inFlightBytes} bytes are in flight`)
    // Commands are few, and others wait for them.
    if (isCommand || this.#backlog.admits(bytes, clock.monotonicMs())) return undefined
    if (log.proposeRefusal() === 'transferring') return undefined
    return busy(`${this.#backlog.bytes} bytes wait for the log, which is behind`)
  }

  #schedule(): void {
    if (this.#scheduled || this.#queue.isEmpty) return
    this.#scheduled = true
    this.#need.clock.endOfTurn(() => {
      this.#scheduled = false
      this.#propose()
    })
  }

  /** Turns the queue into entries until it is empty or the log takes no more now. */
  #propose(): void {
    const { log, leadership, clock } = this.#need
    const nowMs = clock.monotonicMs()
    let isProposed = false
    while (!this.#queue.isEmpty) {
      const refusal = leadership.isReady ? log.proposeRefusal() : 'notLeader'
      // A window that is full opens with the next commit; a transfer ends with a change of role. Both schedule again.
      if (refusal === 'busy' || refusal === 'transferring') break
      if (refusal === 'notLeader') {
        for (const item of this.#queue.takeAll()) this.#drop(item, notLeader('leadership moved before it was proposed'))
        return
      }
      const items = this.#queue.take(this.#backlog.room(nowMs), this.#backlog.isLogEmpty)
      if (items.length === 0) break
      this.#launch(items)
      isProposed = true
    }
    if (isProposed) log.flush()
  }

  #launch(items: readonly Item[]): void {
    const { counters, log, clock } = this.#need
    const first = items[0]
    assert(first !== undefined, 'an entry has an item')
    const records = items.length === 1 ? first.drafts : items.flatMap((item) => item.drafts)
    const queueOffsets: number[] = []
    for (const record of records) queueOffsets.push(counters.take(record.topic, record.queueId))
    let bytes = 0
    for (const item of items) bytes += item.bytes
    const command = first.command === undefined ? undefined : encodeCommand(first.command, this.#need.commandVersion())
    if (first.command !== undefined) this.#need.proposing(first.command)
    const draft: Draft = { entry: { records, queueOffsets, command }, placed: undefined }
    const id = log.propose(draft)
    // `proposeRefusal` was asked in this same turn of the code: nothing can have changed since.
    assert(id !== undefined && draft.placed !== undefined, 'the log takes what it did not refuse')
    for (const item of items) item.drafts = []
    this.#flightBytes += bytes
    this.#backlog.logged(bytes, clock.monotonicMs())
    const flight: Flight = {
      index: id.index,
      term: id.term,
      items,
      queueOffsets,
      placed: draft.placed,
      bytes,
      proposedMs: clock.monotonicMs(),
      isDrained: false,
      earlyBytes: 0,
    }
    assert(!this.#flights.has(id.index), 'an index is in flight once')
    this.#flights.set(id.index, flight)
  }

  /**
   * A leader that is ready has applied an entry of its own term and all before it. What it had proposed in an older term
   * and did not apply was cut off by another leader: nothing tells of it any more, and it would fill the log for ever.
   */
  #giveUpOlder(term: number): void {
    for (const [index, flight] of this.#flights) {
      if (flight.term === term) continue
      this.#land(index, flight)
      for (const item of flight.items) this.#fail(item, undecided('another leader cut it off'))
    }
  }

  #answer(flight: Flight, result: unknown): void {
    this.#drain(flight)
    let from = 0
    for (const item of flight.items) {
      this.#answerItem(flight, item, from, result)
      from += item.records
    }
  }

  #answerItem(flight: Flight, item: Item, from: number, result: unknown): void {
    const { done } = item
    if (done === undefined) return
    item.done = undefined
    this.#exclusive.answered(item.command)
    done(undefined, storedOf(flight, from, from + item.records), result)
  }

  #acknowledgeEarly(): void {
    this.#early.look(this.#stableIndex, (flight, item, from) => {
      this.#answerItem(flight, item, from, undefined)
      if (flight.earlyBytes === flight.bytes) this.#drain(flight)
    })
  }

  #land(index: number, flight: Flight): void {
    this.#flights.delete(index)
    this.#flightBytes -= flight.bytes
    this.#early.landed(flight)
    this.#exclusive.ended(flight.items[0]?.command)
    this.#drain(flight)
    this.#schedule()
  }

  /** Nobody behind it waits for it any more: it is acknowledged, or its fate is known. */
  #drain(flight: Flight): void {
    if (flight.isDrained) return
    flight.isDrained = true
    this.#backlog.drained(flight.bytes, flight.proposedMs, this.#need.clock.monotonicMs())
    // There is room in the log now.
    this.#schedule()
  }

  /** Answers what waited too long: queued items were certainly not stored, flights may or may not be. */
  #expire(): void {
    if (this.#queue.isEmpty && this.#flights.size === 0) return this.#rest()
    const { log, clock } = this.#need
    const nowMs = clock.monotonicMs()
    const isTransferring = log.proposeRefusal() === 'transferring'
    if (isTransferring) this.#backlog.restart(nowMs)
    else this.#backlog.look(nowMs)
    for (const item of this.#queue.takeExpired(nowMs, this.#backlog.patienceMs, isTransferring)) {
      this.#drop(item, busy('the log did not take it in time'))
    }
    const oldest = this.#flights.values().next().value
    if (oldest?.isDrained === false && !isTransferring) this.#backlog.waited(oldest.proposedMs, nowMs)
    for (const flight of this.#flights.values()) {
      if ((flight.items[0]?.deadlineMs ?? Infinity) > nowMs) break
      // The flight itself stays: its bytes are in the log until it is decided.
      for (const item of flight.items) {
        if (item.deadlineMs <= nowMs) this.#fail(item, undecided('no quorum confirmed it in time'))
      }
    }
    this.#acknowledgeEarly()
    this.#schedule()
  }

  #rest(): void {
    this.#sweep?.cancel()
    this.#sweep = undefined
  }

  /** An item that left the queue and was never proposed. */
  #drop(item: Item, error: Error): void {
    this.#backlog.withdrawn(item.bytes, this.#need.clock.monotonicMs())
    this.#exclusive.ended(item.command)
    this.#fail(item, error)
  }

  #fail(item: Item, error: Error): void {
    const done = item.done
    if (done === undefined) return
    item.done = undefined
    this.#exclusive.answered(item.command)
    done(error, undefined, undefined)
  }
}
