/** What stands between the processors and the heart of a node: who waits, who is connected, what is counted. */
import { ipBytes } from '../clients/born-host.ts'
import { Admission } from '../log/admission.ts'
import type { AutoCreate } from '../tables/auto-create.ts'
import { BrokerStats } from '../stats/broker-stats.ts'
import { ClientSessions } from '../clients/client-sessions.ts'
import { flushDiskTypeOf, isModeCommand, modeOf } from '../group/group-mode.ts'
import { handOver, OFFSETS_WITHIN_MS, type Transferring, withOffsets } from '../group/handover.ts'
import type { BrokerIdentity } from '../identity.ts'
import type { Leadership } from '../group/leadership.ts'
import type { Command } from '../needs.ts'
import type { NodeCore } from './node-core.ts'
import type { NodeNetwork } from './node-network.ts'
import type { NodeState } from './node-state.ts'
import type { NodeTables } from './node-tables.ts'
import { OffsetCommits } from '../clients/offset-commits.ts'
import type { LiveConfiguration } from '../options/live-configuration.ts'
import { LossReport } from '../group/loss-report.ts'
import { ModeSwitch } from '../group/mode-switch.ts'
import { nodeRuntime } from '../stats/node-runtime.ts'
import type { BrokerOptions } from '../options/options.ts'
import { PopServices } from '../pop/pop-services.ts'
import { TopicQueues } from '../clients/topic-queues.ts'
import { formatAddress } from '../options/options-values.ts'
import { brokerRoutes } from '../processors/index.ts'
import { PreferredLeader } from '../group/preferred-leader.ts'
import { heldByMembers, RetentionService } from '../log/retention-service.ts'
import { SlaveJoins } from '../group/slave-joins.ts'
import { SlowDiskLeaver } from '../group/slow-disk-leaver.ts'
import { RotRepair } from '../log/rot-repair.ts'
import { PullHold } from '../clients/pull-hold.ts'
import { SubscriptionWaits } from '../clients/subscription-waits.ts'
import { PullResets } from '../clients/pull-resets.ts'
import { TimedServices } from '../timed/timed-services.ts'
import type { BrokerParts } from '../running-broker.ts'
import { uniqueIds } from '../../message/message-id.ts'
import type { Route } from '../../remoting/route.ts'
import { DEFAULT_RETENTION_OPTIONS } from '../../store/retention.ts'
import type { Touched } from '../../store/dispatcher.ts'

export interface NodeServicesNeeds {
  readonly options: BrokerOptions
  readonly parts: BrokerParts
  readonly state: NodeState
  readonly tables: NodeTables
  readonly core: NodeCore
  readonly network: NodeNetwork
  readonly leadership: Leadership
  readonly autoCreate: AutoCreate
  readonly configuration: LiveConfiguration
  readonly fatal: (error: Error) => void
}

const MAX_PARKED_PULLS = 200_000
/** From a consumer's first pull to its heartbeat on the same new connection, with room for a busy machine. */
const HEARTBEAT_WITHIN_MS = 500
const MAX_PENDING_OFFSETS = 200_000
const OFFSET_COMMIT_PERIOD_MS = 200
const MAX_SENDS = 200_000
const MAX_PULL_RESETS = 100_000
const MAX_STAT_ITEMS = 50_000

export class NodeServices {
  readonly need: NodeServicesNeeds
  readonly #hold: PullHold
  readonly #subscriptionWaits: SubscriptionWaits
  readonly #commits: OffsetCommits
  readonly #replica: Transferring
  readonly #stats: BrokerStats
  readonly #sessions: ClientSessions
  readonly #timed: TimedServices
  readonly #pop: PopServices
  readonly #bootTimestampMs: number
  readonly #retention: RetentionService
  readonly #repair: RotRepair
  readonly #preferred: PreferredLeader
  readonly #mode: ModeSwitch
  readonly #losses: LossReport
  readonly #leaver: SlowDiskLeaver

  constructor(need: NodeServicesNeeds) {
    this.need = need
    this.#bootTimestampMs = need.parts.clock.nowMs()
    const { options, parts, tables, core, network, leadership, autoCreate } = need
    const { clock } = parts
    const { proposals } = core
    this.#hold = new PullHold({ clock, maxParked: MAX_PARKED_PULLS })
    this.#subscriptionWaits = new SubscriptionWaits({
      clock,
      clients: network.clients,
      maxWaiting: MAX_PARKED_PULLS,
      waitMs: HEARTBEAT_WITHIN_MS,
    })
    this.#commits = new OffsetCommits({
      offsets: tables.offsets,
      proposals,
      clock,
      options: { periodMs: OFFSET_COMMIT_PERIOD_MS, maxPending: MAX_PENDING_OFFSETS },
    })
    this.#replica = withOffsets(core.replica, this.#commits)
    this.#stats = new BrokerStats({ clock, clusterName: options.brokerClusterName, maxItems: MAX_STAT_ITEMS })
    this.#timed = new TimedServices({
      tables,
      store: need.state.store,
      timers: need.state.timers,
      proposals,
      leadership,
      network,
      autoCreate,
      stats: this.#stats,
      identity: identityOf(options),
      options,
      clock,
      log: parts.log,
    })
    this.#pop = new PopServices({
      tables,
      store: need.state.store,
      proposals,
      leadership,
      autoCreate,
      random: parts.random,
      clock,
      log: parts.log,
      options,
    })
    this.#retention = new RetentionService({
      state: need.state,
      table: tables.logStart,
      proposals,
      leadership,
      peers: network.peers,
      keepBefore: (offset) => this.#timed.keepBefore(offset),
      heldByAll: () => heldByMembers(core.replica.status()),
      startMoved: () => core.replica.logStartMoved(),
      clock,
      logger: parts.log,
      fatal: need.fatal,
      options: () => ({
        ...DEFAULT_RETENTION_OPTIONS,
        reservedMs: options.fileReservedTime * 3_600_000,
        deleteHours: options.deleteWhen,
        maxUsedRatio: options.diskMaxUsedSpaceRatio / 100,
        forceUsedRatio: options.cleanFileForciblyEnable ? options.diskSpaceCleanForciblyRatio / 100 : 1,
      }),
    })
    this.#preferred = new PreferredLeader({
      ownId: options.nodeId,
      preferred: (options.preferredLeaderId ?? '').split(';').filter((id) => id !== ''),
      leadership,
      replica: this.#replica,
      clock,
      log: parts.log,
    })
    this.#leaver = new SlowDiskLeaver({
      disk: need.state.slowDisk,
      leadership,
      replica: core.replica,
      clock,
      log: parts.log,
    })
    this.#losses = new LossReport({
      ownId: options.nodeId,
      leadership,
      proposals,
      early: need.state.early,
      lost: need.state.lost,
      logSettled: () => need.state.log.flush(),
      exposure: () => {
        const hadEarly = tables.mode.current?.replication === 'async' || tables.losses.earlyTerm > 0
        const tailBytes = hadEarly ? options.maxUnreplicatedBytes : 0
        const inDoubt = core.replica.status().electedInDoubt
        if (inDoubt) return { maxBytes: options.maxUnflushedBytes + tailBytes, inDoubt }
        return tailBytes > 0 ? { maxBytes: tailBytes, inDoubt } : undefined
      },
      clock,
      log: parts.log,
      fatal: need.fatal,
    })
    this.#mode = new ModeSwitch({
      table: tables.mode,
      leadership,
      replica: core.replica,
      proposals,
      first: modeOf(options),
      file: need.configuration.fileMode,
      flushWhenPeerDown: options.raftFlushWhenPeerDown,
      clock,
      log: parts.log,
    })
    const { log } = need.state
    const { replica } = core
    this.#repair = new RotRepair({ log, peers: network.peers, replica, clock, logger: parts.log })
    this.#sessions = new ClientSessions({
      clients: network.clients,
      relay: network.relay,
      autoCreate,
      topics: tables.topics,
      groups: tables.groups,
      proposals,
      leadership,
      clock,
      options,
    })
  }

  routes(): Route<unknown>[] {
    const { options, parts, state, tables, core, network, leadership, autoCreate, configuration } = this.need
    const { clock, random } = parts
    const identity = identityOf(options)
    return brokerRoutes({
      topics: tables.topics,
      groups: tables.groups,
      offsets: tables.offsets,
      delayOffsets: tables.delayOffsets,
      locks: tables.locks,
      autoCreate,
      proposals: core.proposals,
      admission: new Admission({ max: MAX_SENDS, what: 'sends' }),
      slaveAcks: core.slaveAcks,
      stats: this.#stats,
      identity,
      delayLevels: this.#timed.levels,
      waiting: this.#timed.waiting,
      transactions: this.#timed.transactions,
      timers: this.#timed.timers,
      random,
      uniqueId: uniqueIds({ clock, random, ip: identity.storeHost.ip, pid: parts.pid }),
      clients: network.clients,
      relay: network.relay,
      store: state.store,
      hold: this.#hold,
      subscriptionWaits: this.#subscriptionWaits,
      forbidden: tables.forbidden,
      modes: tables.modes,
      checkpoints: tables.checkpoints,
      pops: this.#pop.pops,
      popHold: this.#pop.popHold,
      proposer: this.#pop.proposer,
      acks: this.#pop.acks,
      topicQueues: new TopicQueues({
        client: network.client,
        namesrvs: () => options.namesrvAddr.map(formatAddress),
        topics: tables.topics,
        brokerName: options.brokerName,
        clock,
      }),
      resets: new PullResets(MAX_PULL_RESETS),
      dropExpired: () => this.#retention.decide(true),
      commits: this.#commits,
      leadership,
      sessions: this.#sessions,
      recover: network.door.recover,
      clock,
      options,
      configuration,
      transferLeadership: (to) => handOver({ ownId: options.nodeId, replica: this.#replica, clock }, to),
      members: core.members,
      slaves: new SlaveJoins({
        members: core.members,
        clusterId: () => core.replica.clusterId,
        isMaster: options.role === 'master',
      }),
      acceptDoubt: () => core.replica.acceptDoubt(),
      tablesState: () => ({ appliedIndex: tables.standsAt, digest: tables.digest() }),
      changeMode: (to) => this.#mode.change(to),
      nodeRuntime: () =>
        nodeRuntime({ options, parts, state, tables, core, leadership, bootTimestampMs: this.#bootTimestampMs }),
    })
  }

  /** Messages were applied: pulls that wait for them are answered. */
  arrived(touched: readonly Touched[]): void {
    for (const { topic, queueId, next } of touched) {
      this.#hold.arrived(topic, queueId, next)
      this.#pop.popHold.arrived(topic, queueId)
    }
  }

  applied(command: Command): void {
    if (command.table === 'logStart') this.#retention.apply()
    if (isModeCommand(command)) this.#settleMode()
    if (command.table !== 'topics' || command.op !== 'delete') return
    for (const topic of this.need.tables.topics.namesIn(command)) {
      this.need.core.counters.forgetTopic(topic)
      this.#hold.wakeAll(topic)
      this.#pop.popHold.wakeAll(topic)
    }
  }

  /** An entry of `term` was applied. */
  appliedOf(term: number): void {
    this.#losses.applied(term)
  }

  /** Takes up what a crash may have interrupted. */
  start(): void {
    this.#retention.apply()
    this.#settleMode()
  }

  #settleMode(): void {
    const mode = this.need.tables.mode.current
    if (mode !== undefined) {
      const { flush, replication: raftReplication } = mode
      this.need.configuration.showMode({ flushDiskType: flushDiskTypeOf(flush), raftReplication })
    }
    this.#mode.settle()
  }

  /** Pulls parked as a follower's may be answered by a leader, and the other way round. */
  roleChanged(): void {
    this.#hold.wakeAll()
    this.#pop.popHold.wakeAll()
    this.#settleMode()
    this.#losses.settle()
  }

  /** Before a clean stop: what consumers said last is committed while this node can. */
  async settle(): Promise<void> {
    this.#preferred.close()
    this.#losses.close()
    this.#leaver.close()
    await this.#commits.handOver(OFFSETS_WITHIN_MS)
  }

  async close(): Promise<void> {
    this.#preferred.close()
    this.#repair.close()
    this.#timed.close()
    this.#pop.close()
    this.#commits.close()
    this.#hold.close()
    this.#subscriptionWaits.close()
    this.#stats.close()
    await this.#retention.close()
  }
}

function identityOf(options: BrokerOptions): BrokerIdentity {
  return {
    clusterName: options.brokerClusterName,
    brokerName: options.brokerName,
    address: formatAddress(options.advertised),
    ip: options.brokerIP1,
    storeHost: { ip: ipBytes(options.brokerIP1), port: options.advertised.port },
    regionId: 'DefaultRegion',
    traceOn: true,
  }
}
