/**
 * The replicated heart of a node: Raft over its log, the state machine with its tables, and the door to both. Built once
 * the node's state is open.
 */
import { assert } from '../../lib/assert.ts'
import { type Clock, sleep } from '../../lib/clock.ts'
import { errorCode } from '../../lib/errors.ts'
import { raftConfig, watchTimes } from '../../raft/config.ts'
import { Replica } from '../../raft/replica.ts'
import { isRemoved, membersOf } from '../../raft/memberships.ts'
import type { ReplicaEvents, ResetMeta } from '../../raft/ports.ts'
import type { Membership } from '../../raft/types.ts'
import {
  FrameKind,
  frameCommand,
  frameIndex,
  frameKind,
  frameLength,
  frameRecordCount,
  frameTerm,
  frameTimestampMs,
} from '../../message/entry-frame.ts'
import { refusal } from '../errors.ts'
import { COMMAND_VERSION } from '../peers/peer-wire.ts'
import type { Leadership } from '../group/leadership.ts'
import type { Command, Proposals as ProposalsNeed } from '../needs.ts'
import type { NodeState } from './node-state.ts'
import type { NodeTables } from './node-tables.ts'
import { Members } from '../group/members.ts'
import { placesOfFile, type NodeNetwork } from './node-network.ts'
import { MASTER_NODE_ID, type BrokerOptions } from '../options/options.ts'
import type { Draft } from '../log/proposal-flight.ts'
import { deletedTopic } from '../log/deleted-topic.ts'
import { Proposals } from '../log/proposals.ts'
import { QueueCounters } from '../log/queue-counters.ts'
import { raftLog } from '../log/raft-log.ts'
import type { BrokerParts } from '../running-broker.ts'
import { StateMachine, type AppliedEntry } from '../log/state-machine.ts'
import { EarlyGate } from '../log/early-gate.ts'
import { SlaveAcks, type SlaveAcksNeeds } from '../log/slave-acks.ts'
import { forwardCommands } from '../forwarding/forwarded-commands.ts'
import { asksForSyncFlush } from '../group/group-mode.ts'
import { lossCommands } from '../tables/losses.ts'
import { isTimerRemoval } from '../timed/timer-removals.ts'

export interface NodeCoreNeeds {
  readonly options: BrokerOptions
  readonly parts: BrokerParts
  readonly state: NodeState
  readonly tables: NodeTables
  readonly network: NodeNetwork
  readonly leadership: Leadership
  /** An entry was applied, with its command if it has one. */
  readonly applied: (entry: AppliedEntry, command: Command | undefined) => void
  /** The log says, for good, that this node is no member any more. */
  readonly removed: () => void
  /** Messages arrived: who waits for them is woken. */
  readonly settled: () => void
  readonly fatal: (error: Error) => void
}

export class NodeCore {
  readonly replica: Replica<Draft>
  readonly machine: StateMachine
  /** For processors: commands are proposed wherever the leader is. */
  readonly proposals: ProposalsNeed
  readonly counters: QueueCounters
  readonly members: Members
  /** Of a SYNC_MASTER. */
  readonly slaveAcks: SlaveAcks | undefined
  readonly #local: Proposals
  readonly #need: NodeCoreNeeds

  constructor(need: NodeCoreNeeds) {
    this.#need = need
    const { options, parts, state, tables, leadership, network } = need
    const { store, log } = state
    this.machine = new StateMachine(
      {
        readEntries: (first, last, maxBytes) => readEntries(log, first, last, maxBytes, parts.clock),
        tables: tables.byName,
        begin: (entry) => tables.begin(entry.id.index),
        dispatch: (entry) => store.apply(entry.frame),
        passedOver: (entry, command) => {
          const topic = deletedTopic(command)
          if (topic !== undefined) store.deleteTopic(topic, entry.id.index)
          if (isTimerRemoval(command)) tables.timers.apply(command.op, command.args)
        },
        applied: (entry, command, result) => {
          this.replica.applied(entry.id.index)
          leadership.applied(entry.id.term)
          need.applied(entry, command)
          this.#local.applied(entry.id, result)
        },
        settled: need.settled,
        ease: () => (store.isSaturated ? store.checkpoint() : undefined),
        fatal: need.fatal,
        clock: parts.clock,
      },
      startOf(state, tables),
    )
    const times = {
      heartbeatMs: options.raftHeartbeatMs,
      electionTimeoutMinMs: options.raftElectionTimeoutMinMs,
      electionTimeoutMaxMs: options.raftElectionTimeoutMaxMs,
    }
    this.replica = new Replica<Draft>({
      id: options.nodeId,
      config: raftConfig({
        ...times,
        ...watchTimes(times),
        commitDelayMs: COMMIT_DELAY_MS,
        maxAppendBytes: options.raftMaxAppendBytes,
        maxInflightMessages: options.raftMaxInflightMessages,
        maxInflightBytes: options.raftMaxInflightBytes,
        maxUncommittedBytes: options.raftMaxUncommittedBytes,
      }),
      peers: configured(options),
      store: raftLog(log, {
        setDurable: (durable) => state.setDurable(durable),
        open: () => state.openReset(),
        apply: (meta, chunks) => this.#replace(meta, chunks),
      }),
      stableStore: state.stableStore,
      transport: network.peers,
      clock: parts.clock,
      random: parts.random,
      events: this.#events(),
      log: parts.log,
    })
    this.members = new Members({
      ownId: options.nodeId,
      replica: this.replica,
      leadership,
      placesOfFile: placesOfFile(options),
      isOfMaster: options.role !== undefined,
      clock: parts.clock,
      log: parts.log,
    })
    this.slaveAcks = slaveAcksOf(options, { replica: this.replica, log, clock: parts.clock })
    this.counters = new QueueCounters(store)
    const earlyGate = new EarlyGate({
      file: state.early,
      group: {
        earlyTerm: () => tables.losses.earlyTerm,
        tell: (term) => this.#local.command(lossCommands.early(term)),
      },
      opened: () => this.#local.stable(this.replica.status().stableIndex),
      fatal: need.fatal,
    })
    this.#local = new Proposals({
      log: this.replica,
      leadership,
      counters: this.counters,
      replication: () => tables.mode.current?.replication ?? 'sync',
      mayBegin: (term, all) => earlyGate.isOpen(term, all),
      proposing: (command) => {
        if (asksForSyncFlush(command)) this.replica.demand('durable')
      },
      commandVersion: () => network.peers.commandVersionOf(membersOf(this.replica.status().members), COMMAND_VERSION),
      clock: parts.clock,
      options: {
        maxInFlightBytes: options.maxInFlightBytes,
        maxEntryBytes: Math.min(options.raftMaxAppendBytes, 512 * 1024),
        queueWaitMs: options.brokerFastFailureEnable ? options.waitTimeMillsInSendQueue : Infinity,
        decideWithinMs: options.decideWithinMs,
        maxUnreplicatedBytes: options.maxUnreplicatedBytes,
        maxUnreplicatedMs: options.maxUnreplicatedMs,
      },
    })
    this.proposals = forwardCommands({
      local: this.#local,
      leadership,
      locator: network.locator,
      peers: network.peers,
      ownId: options.nodeId,
      timeoutMs: options.forwardWithinMs,
    })
    leadership.onChange(() => {
      if (leadership.isReady) this.counters.clear()
      this.#local.roleChanged()
    })
  }

  /** On a leader: bytes acknowledged and not known to be committed. */
  get unreplicatedBytes(): number {
    return this.#local.unreplicatedBytes
  }

  start(): void {
    const { peers } = this.#need.network
    this.replica.start()
    peers.attachRaft(this.replica)
    peers.onLost((peer) => this.replica.peerLost(peer))
  }

  /** A clean stop: leadership is handed over, then nothing is applied any more. */
  async stop(): Promise<void> {
    await this.replica.stop()
    this.machine.stop()
    this.#local.close()
    this.slaveAcks?.close()
  }

  /** Stops as it is: nothing is handed over, nothing is waited for but what touches the disk. */
  async abandon(): Promise<void> {
    await this.replica.abandon()
    this.machine.stop()
    this.#local.close()
    this.slaveAcks?.close()
  }

  #events(): ReplicaEvents {
    const { leadership, network, options, removed, fatal } = this.#need
    return {
      committed: (index) => this.machine.committed(index),
      roleChanged: (role) => leadership.roleChanged(role),
      // What a truncation cut off is decided when an entry is committed in its place.
      truncated: () => {},
      stable: (index) => this.#local.stable(index),
      members: (current, committed) => {
        network.membersChanged(current, committed)
        this.members.changed(current, committed)
        if (isRemoved(committed.membership, options.nodeId)) removed()
      },
      // `#replace` did what there is to do.
      reset: () => {},
      learnersMoved: () => this.slaveAcks?.look(),
      fatal,
    }
  }

  /** A leader replaces what this node has: nothing is applied until it is done, or given up. */
  async #replace(meta: ResetMeta, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    this.machine.stop()
    try {
      await this.#need.state.replace(meta, chunks)
    } finally {
      this.#restart()
    }
  }

  #restart(): void {
    const { tables, state } = this.#need
    const start = startOf(state, tables)
    this.#local.skippedTo(start.appliedIndex)
    this.machine.restart(start)
  }
}

/** Where applying goes on: behind what both queues and tables have; each passes over what it has already. */
function startOf(
  state: NodeState,
  tables: NodeTables,
): { readonly appliedIndex: number; readonly tablesIndex: number } {
  const appliedIndex = Math.max(state.log.start.index, Math.min(state.store.appliedIndex, tables.standsAt))
  return { appliedIndex, tablesIndex: tables.standsAt }
}

/**
 * Under load appends carry the commit. With Raft's own 1 ms, a moderate load makes two more messages of almost every
 * commit, and a turn more of every follower. Consumers pull from the leader.
 */
const COMMIT_DELAY_MS = 5

type EntryLog = Pick<NodeState['log'], 'read'>
type Entries = readonly AppliedEntry[]

/** How long to wait for a peer's bytes in the place of damaged ones before looking again. */
const ROT_WAIT_MS = 200

function readEntries(
  log: EntryLog,
  first: number,
  last: number,
  maxBytes: number,
  clock: Clock,
): Entries | Promise<Entries> {
  const found = log.read(first, last, maxBytes)
  if (!(found instanceof Promise)) return split(found, first)
  return found.then(
    (entries) => split(entries, first),
    async (error: unknown) => {
      if (errorCode(error) !== 'STORE_ROT') throw error
      await sleep(clock, ROT_WAIT_MS)
      return readEntries(log, first, last, maxBytes, clock)
    },
  )
}

function split(entries: { readonly bytes: readonly Uint8Array[] } | undefined, first: number): readonly AppliedEntry[] {
  if (entries === undefined) throw refusal('BROKER_REFUSED', `committed entry ${first} is not in the log`)
  const applied: AppliedEntry[] = []
  for (const bytes of entries.bytes) {
    const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = 0; at < buffer.length; ) {
      const length = frameLength(buffer, at)
      assert(length > 0 && at + length <= buffer.length, 'frames are whole')
      applied.push(entryAt(buffer.subarray(at, at + length)))
      at += length
    }
  }
  return applied
}

function entryAt(frame: Buffer): AppliedEntry {
  return {
    id: { index: frameIndex(frame, 0), term: frameTerm(frame, 0) },
    timestampMs: frameTimestampMs(frame, 0),
    command: isData(frame) ? frameCommand(frame, 0) : undefined,
    recordCount: frameRecordCount(frame, 0),
    frame,
  }
}

function isData(frame: Buffer): boolean {
  return frameKind(frame, 0) === FrameKind.data
}

/** RocketMQ counts the master among inSyncReplicas. */
function slaveAcksOf(
  options: BrokerOptions,
  {
    replica,
    log,
    clock,
  }: { replica: SlaveAcksNeeds['replica']; log: Pick<NodeState['log'], 'byteLength'>; clock: Clock },
): SlaveAcks | undefined {
  if (options.role !== 'master' || options.brokerRole !== 'SYNC_MASTER') return undefined
  return new SlaveAcks({
    replica,
    byteLength: (first, last) => log.byteLength(first, last),
    clock,
    options: {
      needed: Math.max(options.inSyncReplicas, 2) - 1,
      timeoutMs: Math.min(options.slaveTimeout, options.decideWithinMs),
      maxGapBytes: options.haMaxGapNotInSync,
      silentMs: options.haHousekeepingInterval,
    },
  })
}

/** Who takes part until the log says so: everybody whom the file names, and the master of a slave. */
function configured(options: BrokerOptions): Membership {
  const named = options.peers.map(({ id }) => id)
  const [voters, learners] = options.role === 'slave' ? [[MASTER_NODE_ID], named] : [named, []]
  return { voters, outgoing: [], learners, places: Object.fromEntries(placesOfFile(options)) }
}
