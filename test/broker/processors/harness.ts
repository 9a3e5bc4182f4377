/** A broker of one node without log, disk or sockets: the processors' real routes on real tables and a store in memory. */
import { type Log, silentLog } from '../../../src/lib/log.ts'
import { seededRandom } from '../../../src/lib/prng.ts'
import { RemotingCommand } from '../../../src/remoting/command.ts'
import { Fields } from '../../../src/remoting/fields.ts'
import { type Call, type Origin, type Reply, Router } from '../../../src/remoting/route.ts'
import { Admission } from '../../../src/broker/log/admission.ts'
import type { SlaveAcks } from '../../../src/broker/log/slave-acks.ts'
import { AutoCreate } from '../../../src/broker/tables/auto-create.ts'
import { BrokerStats } from '../../../src/broker/stats/broker-stats.ts'
import { Clients } from '../../../src/broker/clients/clients.ts'
import { ClientSessions } from '../../../src/broker/clients/client-sessions.ts'
import { Claims } from '../../../src/broker/log/claims.ts'
import { ConsumerOffsets } from '../../../src/broker/tables/consumer-offsets.ts'
import { delayLevels as delayLevelsOf } from '../../../src/broker/timed/delay-levels.ts'
import { DelayOffsets } from '../../../src/broker/timed/delay-offsets.ts'
import { GroupForbidden } from '../../../src/broker/tables/group-forbidden.ts'
import { PopCheckpoints } from '../../../src/broker/pop/checkpoints.ts'
import { PopServices } from '../../../src/broker/pop/pop-services.ts'
import { RequestModes } from '../../../src/broker/tables/request-modes.ts'
import { TopicQueues } from '../../../src/broker/clients/topic-queues.ts'
import type { BrokerIdentity } from '../../../src/broker/identity.ts'
import type { Proposals } from '../../../src/broker/needs.ts'
import { OffsetCommits } from '../../../src/broker/clients/offset-commits.ts'
import { PendingHalves } from '../../../src/broker/transactions/pending-halves.ts'
import { brokerRoutes } from '../../../src/broker/processors/index.ts'
import { PullResets } from '../../../src/broker/clients/pull-resets.ts'
import { PullHold } from '../../../src/broker/clients/pull-hold.ts'
import { SubscriptionWaits } from '../../../src/broker/clients/subscription-waits.ts'
import { QueueLocks } from '../../../src/broker/tables/queue-locks.ts'
import { errorReplies } from '../../../src/broker/response-codes.ts'
import { createSubscriptionGroups, systemGroups } from '../../../src/broker/tables/subscription-groups.ts'
import { createTopics, systemTopics } from '../../../src/broker/tables/topics.ts'
import { TimerRemovals } from '../../../src/broker/timed/timer-removals.ts'
import { TimerSchedule } from '../../../src/broker/timed/timer-schedule.ts'
import { Transactions } from '../../../src/broker/transactions/transactions.ts'
import { WaitingMessages } from '../../../src/broker/timed/waiting-messages.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { FakeOrigin, FakeRelay } from './fakes.ts'
import { MemoryLog } from './memory-log.ts'
import { MemoryStore } from './memory-store.ts'
import { MemoryTimers } from './memory-timers.ts'

export { FakeOrigin } from './fakes.ts'
export { pullHeader, sendHeader } from './request-headers.ts'

/** RocketMQ's messageDelayLevel. */
export const DELAYS_MS = [1, 5, 10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200].map(
  (seconds) => seconds * 1_000,
)

export const identity: BrokerIdentity = {
  clusterName: 'DefaultCluster',
  brokerName: 'broker-a',
  address: '127.0.0.1:10911',
  ip: '127.0.0.1',
  storeHost: { ip: Uint8Array.of(127, 0, 0, 1), port: 10911 },
  regionId: 'DefaultRegion',
  traceOn: true,
}

export interface TestReply extends Reply {
  readonly fields: Readonly<Record<string, unknown>>
  readonly bytes: Buffer
}

export interface Asking {
  readonly version?: number
  readonly oneway?: boolean
  readonly origin?: Origin
}

export type Harness = ReturnType<typeof createHarness>

export function createHarness(
  given: {
    readonly autoCreate?: boolean
    readonly maxSends?: number
    readonly slaveAcks?: Pick<SlaveAcks, 'confirm'>
    readonly options?: Readonly<Record<string, boolean | number>>
    readonly clock?: ManualClock
    /** The door to the log; without it, what is proposed is applied at once. */
    readonly proposals?: (log: MemoryLog) => Proposals
    readonly beforeRead?: () => Promise<void> | undefined
    /** Hears what failed in a way that nobody foresaw. */
    readonly log?: Log
  } = {},
) {
  const clock = given.clock ?? new ManualClock()
  const log = new MemoryLog(clock)
  const proposals = given.proposals?.(log) ?? log
  const store = new MemoryStore(log, given.beforeRead)
  const leadership = { isReady: true, term: 1, readBarrier: () => Promise.resolve() }
  const offsets = new ConsumerOffsets()
  const delayOffsets = new DelayOffsets()
  const halves = new PendingHalves()
  const forbidden = new GroupForbidden()
  const timerIndex = new MemoryTimers()
  const timerRemovals = new TimerRemovals(() => timerIndex)
  const modes = new RequestModes()
  const checkpoints = new PopCheckpoints({
    offsetOf: ({ topic, group, queueId }) => offsets.get(topic, group, queueId),
    commit: (queue, queueOffset) => offsets.move(queue, queueOffset),
  })
  const locks = new QueueLocks({ proposals, leadership, clock, leaseMs: 60_000 })
  const topics = createTopics({ deleted: (topic) => offsets.forgetTopic(topic) })
  const groups = createSubscriptionGroups({
    deleted: (group, withOffsets) => {
      locks.forgetGroup(group)
      if (withOffsets) offsets.forgetGroup(group)
    },
  })
  const tables = [offsets, locks, topics, groups, delayOffsets, halves, forbidden, timerRemovals, modes, checkpoints]
  for (const table of tables) log.tables.set(table.name, table)
  const autoCreateTopicEnable = given.autoCreate ?? true
  const system = systemTopics({
    clusterName: identity.clusterName,
    brokerName: identity.brokerName,
    autoCreateTopicEnable,
    defaultTopicQueueNums: 8,
    clusterTopicEnable: true,
    brokerTopicEnable: true,
    traceTopicEnable: false,
    msgTraceTopicName: 'RMQ_SYS_TRACE_TOPIC',
    reviveQueueNum: 8,
  })
  topics.apply('form', [system], { timestampMs: clock.nowMs() })
  groups.apply('form', [systemGroups()], { timestampMs: clock.nowMs() })
  const random = seededRandom(1)
  const commits = new OffsetCommits({ offsets, proposals, clock, options: { periodMs: 200, maxPending: 100 } })
  const hold = new PullHold({ clock, maxParked: 3 })
  const stats = new BrokerStats({ clock, clusterName: identity.clusterName, maxItems: 1_000 })
  const clients = new Clients({ clock, options: { expireMs: 120_000, maxMembers: 2_000 } })
  const relay = new FakeRelay(clients)
  const autoCreate = new AutoCreate({
    topics,
    groups,
    proposals,
    options: { autoCreateTopicEnable, autoCreateSubscriptionGroup: true },
  })
  const sessions = new ClientSessions({
    clients,
    relay,
    autoCreate,
    topics,
    groups,
    proposals,
    leadership,
    clock,
    options: { notifyConsumerIdsChangedEnable: true },
  })
  const dropped: number[] = []
  const admission = new Admission({ max: given.maxSends ?? 1_000, what: 'sends' })
  const delayLevels = delayLevelsOf(DELAYS_MS)
  const claims = new Claims<number>(leadership)
  const options = {
    brokerPermission: 6,
    maxMessageSize: 4_194_304,
    decideWithinMs: 2_500,
    enablePropertyFilter: true,
    longPollingEnable: true,
    shortPollingTimeMills: 1_000,
    maxTransferBytesOnMessageInMemory: 262_144,
    maxTransferCountOnMessageInMemory: 32,
    slaveReadEnable: false,
    slowPullBytes: 300,
    defaultQueryMaxNum: 32,
    storeReplyMessageEnable: true,
    useServerSideResetOffset: true,
    enableTopicMessageTypeCheck: true,
    enableMixedMessageType: false,
    timerWheelEnable: true,
    timerMaxDelaySec: 31_622_400,
    recallMessageEnable: true,
    enableRetryTopicV2: false,
    popInflightMessageThreshold: 10,
    rejectTransactionMessage: false,
    transactionTimeOut: 6_000,
    transactionCheckInterval: 30_000,
    transactionCheckMax: 15,
    fileReservedTime: 72,
    ...given.options,
  }
  const waiting = new WaitingMessages({ delayLevels, clock, options })
  const transactions = new Transactions({
    halves,
    claims,
    store,
    proposals,
    topics,
    placed: (draft) => waiting.placed(draft),
    stats,
    clock,
    storeHost: identity.storeHost,
    options,
  })
  log.onStored = (draft, { queueOffset, offset }) => {
    timerIndex.stored(draft, offset)
    hold.arrived(draft.topic, draft.queueId, queueOffset + 1)
    pop.popHold.arrived(draft.topic, draft.queueId)
  }
  const timers = new TimerSchedule({
    timers: timerIndex,
    store,
    proposals,
    leadership,
    topics,
    clock,
    log: silentLog,
  })
  const pop = new PopServices({
    tables: { checkpoints, offsets, topics },
    store,
    proposals,
    leadership,
    autoCreate,
    random,
    clock,
    log: silentLog,
    options,
  })
  let unique = 0
  const configuration = {
    text: 'a=b\n',
    version: { counter: 1, stateVersion: 0, timestamp: 2 },
    update: () => ({}),
  }
  const runtime = {
    bootTimestampMs: clock.nowMs() - 90_061_000,
    nowMs: clock.nowMs(),
    commitLogMinOffset: 0,
    commitLogMaxOffset: 5_000,
    flushedOffset: 1_000,
    dispatchedOffset: 4_000,
    earliestMessageTimestampMs: -1,
    diskTotalBytes: 4 * 1_024 ** 3,
    diskFreeBytes: 3 * 1_024 ** 3,
    more: { 'raftmq.nodeId': 'n0' },
  }
  const routes = brokerRoutes({
    topics,
    groups,
    offsets,
    locks,
    commits,
    hold,
    subscriptionWaits: new SubscriptionWaits({ clock, clients, maxWaiting: 3, waitMs: 500 }),
    stats,
    clients,
    sessions,
    autoCreate,
    admission,
    delayOffsets,
    recover: () => false,
    forbidden,
    modes,
    checkpoints,
    topicQueues: new TopicQueues({
      client: { invoke: () => Promise.reject(new Error('no name server')) },
      namesrvs: () => [],
      topics,
      brokerName: identity.brokerName,
      clock,
    }),
    pops: pop.pops,
    popHold: pop.popHold,
    proposer: pop.proposer,
    acks: pop.acks,
    resets: new PullResets(100),
    dropExpired: () => Promise.resolve(void dropped.push(clock.nowMs())),
    delayLevels,
    waiting,
    transactions,
    timers,
    proposals,
    leadership,
    store,
    identity,
    random,
    uniqueId: () => `BROKERMADE${unique++}`,
    clock,
    relay,
    configuration,
    nodeRuntime: () => Promise.resolve(runtime),
    changeMode: () => Promise.resolve(),
    transferLeadership: () => Promise.reject(new Error('a group of one')),
    acceptDoubt: () => {},
    tablesState: () => ({ appliedIndex: 0, digest: '' }),
    members: {
      list: () => ({ term: 1, isChanging: false, members: [], removed: [] }),
      change: () => Promise.reject(new Error('a group of one')),
    },
    slaves: { join: () => Promise.reject(new Error('no slaves here')) },
    slaveAcks: given.slaveAcks,
    options,
  })
  const router = new Router({ routes, errors: errorReplies, log: given.log ?? silentLog })
  const origin = new FakeOrigin()

  /** Sends a request; `replies` fills when it is answered. */
  function send(
    code: number,
    fields: Readonly<Record<string, string | number | boolean | undefined>> = {},
    body: Buffer | string = '',
    asking: Asking = {},
  ): TestReply[] {
    const replies: TestReply[] = []
    const texts: Record<string, string> = {}
    for (const [name, value] of Object.entries(fields)) if (value !== undefined) texts[name] = String(value)
    const command = new RemotingCommand({
      form: 0,
      code,
      language: 0,
      version: asking.version ?? 479,
      opaque: 1,
      flag: asking.oneway === true ? 2 : 0,
      remark: undefined,
      fields: Fields.ofRecord(texts),
      body: Buffer.isBuffer(body) ? body : Buffer.from(body),
    })
    const call: Call = {
      code,
      opaque: 1,
      version: command.version,
      language: 0,
      fields: command.fields,
      body: command.body,
      oneway: asking.oneway ?? false,
      connection: asking.origin ?? origin,
      command,
      hold: () => undefined,
      respond(reply) {
        if (replies.length > 0) throw new Error('answered twice')
        const parts = reply.body === undefined ? [] : Buffer.isBuffer(reply.body) ? [reply.body] : [...reply.body]
        replies.push({ ...reply, fields: reply.header ?? {}, bytes: Buffer.concat(parts) })
      },
    }
    router.dispatch(call)
    return replies
  }

  async function ask(...request: Parameters<typeof send>): Promise<TestReply> {
    const replies = send(...request)
    for (let turns = 0; turns < 50 && replies.length === 0; turns++) await turn()
    const reply = replies[0]
    if (reply === undefined) throw new Error(`no answer to ${request[0]}`)
    return reply
  }

  /** Lets promises and the turn's end run. */
  async function turn(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve))
    clock.advance(0)
  }

  return {
    clock,
    log,
    proposals,
    checkpoints,
    modes,
    pop,
    dropped,
    store,
    leadership,
    offsets,
    locks,
    topics,
    groups,
    commits,
    hold,
    stats,
    clients,
    relay,
    sessions,
    admission,
    autoCreate,
    delayLevels,
    delayOffsets,
    halves,
    timerIndex,
    timers,
    claims,
    transactions,
    options,
    routes,
    origin,
    send,
    ask,
    turn,
  }
}
