/**
 * Pulls: 11 and 361 (RocketMQ PullMessageProcessor, DefaultPullMessageResultHandler). Served from the local log up to
 * the commit that this node knows, on leader and follower alike. What is not there yet is waited for in `PullHold`; the
 * same function then runs again.
 */
import type { Clock } from '../../lib/clock.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { PullMessageRequestHeader } from '../../remoting/headers/pull.ts'
import { type Call, type Reply, type Route, route } from '../../remoting/route.ts'
import { emptyResult, type PullRequest, type PullResult, type PullStatus } from '../../store/consume-queue-pull.ts'
import type { AutoCreate } from '../tables/auto-create.ts'
import type { BrokerStats } from '../stats/broker-stats.ts'
import type { Clients } from '../clients/clients.ts'
import { refusal } from '../errors.ts'
import type { BrokerIdentity } from '../identity.ts'
import type { Leadership } from '../needs.ts'
import type { GroupForbidden } from '../tables/group-forbidden.ts'
import type { OffsetCommits } from '../clients/offset-commits.ts'
import type { PullHold } from '../clients/pull-hold.ts'
import type { PullResets } from '../clients/pull-resets.ts'
import type { SubscriptionWaits } from '../clients/subscription-waits.ts'
import { checkExpressionType, isTagExpression, parseSubscription, type Subscription } from '../clients/subscription.ts'
import { type SubscriptionGroup, type SubscriptionGroups, subscriptionGroup } from '../tables/subscription-groups.ts'
import { isReadable, type TopicConfig, type Topics } from '../tables/topics.ts'
import { fail, type Recover } from './failure.ts'
import { suggestBroker } from './suggest-broker.ts'

export interface PullMessageNeeds {
  readonly topics: Topics
  readonly groups: SubscriptionGroups
  readonly autoCreate: AutoCreate
  readonly clients: Pick<Clients, 'subscription' | 'consumerGroup'>
  readonly store: {
    readonly endOffset: number
    pull(request: PullRequest): PullResult | Promise<PullResult>
    queueBounds(topic: string, queueId: number): { readonly min: number; readonly max: number } | undefined
  }
  readonly hold: PullHold
  readonly subscriptionWaits: Pick<SubscriptionWaits, 'wait'>
  readonly forbidden: Pick<GroupForbidden, 'isReadForbidden'>
  readonly resets: PullResets
  readonly commits: Pick<OffsetCommits, 'offer'>
  readonly leadership: Pick<Leadership, 'isReady'>
  readonly stats: Pick<BrokerStats, 'got' | 'getMissed'>
  readonly identity: BrokerIdentity
  readonly clock: Clock
  readonly recover: Recover
  readonly options: {
    /** RocketMQ PermName: 4 read, 2 write. */
    readonly brokerPermission: number
    readonly enablePropertyFilter: boolean
    readonly longPollingEnable: boolean
    readonly shortPollingTimeMills: number
    readonly maxTransferBytesOnMessageInMemory: number
    readonly maxTransferCountOnMessageInMemory: number
    readonly slaveReadEnable: boolean
    readonly slowPullBytes: number
  }
}

/** Longer waits are cut to this: above every stock client's, below what a connection may idle. */
const SUSPEND_MAX_MS = 60_000

/** Bits of a pull's `sysFlag` (RocketMQ PullSysFlag). */
export const PullFlag = { commitOffset: 1, suspend: 2, subscription: 4, classFilter: 8, litePull: 16 } as const

/** A pull that was checked, on its way or parked. */
interface Pull {
  readonly header: PullMessageRequestHeader
  readonly call: Call
  readonly topic: TopicConfig
  readonly group: SubscriptionGroup
  readonly tagsCodes: ReadonlySet<number> | undefined
  /** SQL92: looks at the record. */
  readonly accept: ((record: Buffer) => boolean) | undefined
  /** Where it looks from: what was found not to match is not looked at again. */
  readonly queueOffset: number
  /** It waited before: what arrives and does not match does not end its wait. */
  readonly isResumed: boolean
  /** Until when it may wait; undefined: not at all. */
  readonly deadlineMs: number | undefined
}

interface Outcome {
  readonly code: number
  /** RocketMQ GetMessageStatus. */
  readonly name: string
  /** Nothing is there yet: worth waiting for. */
  readonly isEmpty: boolean
}

const found = { code: ResponseCode.SUCCESS, name: 'FOUND', isEmpty: false }
const retry = (name: string): Outcome => ({ code: ResponseCode.PULL_RETRY_IMMEDIATELY, name, isEmpty: false })
const notFound = (name: string): Outcome => ({ code: ResponseCode.PULL_NOT_FOUND, name, isEmpty: true })
const moved = (name: string): Outcome => ({ code: ResponseCode.PULL_OFFSET_MOVED, name, isEmpty: false })

/** For offsets within what the queue holds. */
const outcomes: Readonly<Record<PullStatus, Outcome>> = {
  found,
  noMatched: retry('NO_MATCHED_MESSAGE'),
  removing: retry('MESSAGE_WAS_REMOVING'),
  offsetFoundNull: notFound('OFFSET_FOUND_NULL'),
  overflowOne: notFound('OFFSET_OVERFLOW_ONE'),
  overflowBadly: moved('OFFSET_OVERFLOW_BADLY'),
  tooSmall: moved('OFFSET_TOO_SMALL'),
  noMessageInQueue: moved('NO_MESSAGE_IN_QUEUE'),
  noSuchQueue: moved('NO_MATCHED_LOGIC_QUEUE'),
}

/** For an empty queue pulled from its beginning. */
const outcomesAtStart: Readonly<Partial<Record<PullStatus, Outcome>>> = {
  noMessageInQueue: notFound('NO_MESSAGE_IN_QUEUE'),
  noSuchQueue: notFound('NO_MATCHED_LOGIC_QUEUE'),
}

/** Statuses that say "the queue ends before this offset", which a node that is behind cannot know. */
const beyondTheEnd: ReadonlySet<PullStatus> = new Set(['overflowBadly', 'noMessageInQueue', 'noSuchQueue'])
const behind = notFound('OFFSET_OVERFLOW_ONE')
const offsetReset = moved('OFFSET_RESET')

export function pullMessage(need: PullMessageNeeds): Route<unknown>[] {
  const { topics, groups, clients, store, hold, leadership, identity, clock, options } = need

  return [
    route({ code: RequestCode.PULL_MESSAGE, request: PullMessageRequestHeader, handle }),
    route({ code: RequestCode.LITE_PULL_MESSAGE, request: PullMessageRequestHeader, handle }),
  ]

  function handle(header: PullMessageRequestHeader, call: Call): undefined {
    if (awaitsHeartbeat(header) && need.subscriptionWaits.wait(header.consumerGroup, () => resumed(header, call)))
      return
    begin(header, call)
  }

  function resumed(header: PullMessageRequestHeader, call: Call): void {
    try {
      begin(header, call)
    } catch (error) {
      fail(need.recover, call, error)
    }
  }

  /** A pull that may wait, of a subscription that only its client's heartbeat can tell. */
  function awaitsHeartbeat({ sysFlag, consumerGroup, topic }: PullMessageRequestHeader): boolean {
    if ((sysFlag & PullFlag.suspend) === 0 || (sysFlag & PullFlag.subscription) !== 0) return false
    return topics.get(topic) !== undefined && clients.subscription(consumerGroup, topic) === undefined
  }

  function begin(header: PullMessageRequestHeader, call: Call): void {
    const pull = check(header, call)
    if ((header.sysFlag & PullFlag.commitOffset) !== 0 && header.commitOffset >= 0) {
      need.commits.offer(header.topic, header.consumerGroup, header.queueId, header.commitOffset)
    }
    run(pull, pull.deadlineMs !== undefined)
  }

  /** A parked pull is checked like a new one: its topic may be deleted, its subscription changed. */
  function again({ header, call, deadlineMs, queueOffset }: Pull, mayPark: boolean): void {
    let pull: Pull
    try {
      pull = check(header, call)
    } catch (error) {
      return fail(need.recover, call, error)
    }
    run({ ...pull, deadlineMs, queueOffset, isResumed: true }, mayPark)
  }

  function run(pull: Pull, mayPark: boolean): void {
    const { header, call, tagsCodes, accept } = pull
    const { topic, queueId, consumerGroup } = header
    const wanted = need.resets.take(topic, consumerGroup, queueId, pull.queueOffset)
    if (wanted !== undefined) {
      const { min, max } = store.queueBounds(topic, queueId) ?? { min: 0, max: 0 }
      return respond(pull, emptyResult('tooSmall', wanted, min, max), offsetReset, false)
    }
    const maxBytes = options.maxTransferBytesOnMessageInMemory
    const request: PullRequest = {
      topic: header.topic,
      queueId: header.queueId,
      queueOffset: pull.queueOffset,
      maxCount: Math.max(1, Math.min(header.maxMsgNums, options.maxTransferCountOnMessageInMemory)),
      maxBytes: Math.min(header.maxMsgBytes ?? maxBytes, maxBytes),
    }
    const result = store.pull(withFilters(request, tagsCodes, accept))
    if (!(result instanceof Promise)) return finish(pull, result, mayPark)
    result.then(
      (read) => finish(pull, read, mayPark),
      (error: unknown) => fail(need.recover, call, error),
    )
  }

  function finish(pull: Pull, result: PullResult, mayPark: boolean): void {
    const { header } = pull
    // A node that may be behind does not know where the queue ends: the offset asked for may be right, and answering
    // PULL_OFFSET_MOVED would make the client store a lower one and consume again.
    const isBehind = beyondTheEnd.has(result.status) && !leadership.isReady
    const outcome = isBehind ? behind : outcomeOf(result.status, pull.queueOffset)
    if (outcome.isEmpty && mayPark && park(pull)) return
    const isPassedOver = result.status === 'noMatched' && result.nextQueueOffset >= result.maxQueueOffset
    if (pull.isResumed && isPassedOver && park({ ...pull, queueOffset: result.nextQueueOffset })) return
    if (outcome.code === ResponseCode.SUCCESS) {
      need.stats.got(header.topic, header.consumerGroup, result.count, result.bytes)
    } else need.stats.getMissed()
    respond(pull, result, outcome, isBehind)
  }

  function respond(pull: Pull, result: PullResult, outcome: Outcome, isBehind: boolean): void {
    pull.call.respond(replyOf(pull, result, outcome, isBehind, suggestBroker(need, pull.group, result)))
  }

  /** Parks the pull, or runs it again because a message came while the disk was read. */
  function park(pull: Pull): boolean {
    const { header, deadlineMs } = pull
    if (deadlineMs === undefined || deadlineMs <= clock.monotonicMs()) return false
    const end = store.queueBounds(header.topic, header.queueId)?.max ?? 0
    if (end > pull.queueOffset) {
      run(pull, false)
      return true
    }
    return hold.park(header.topic, header.queueId, {
      queueOffset: pull.queueOffset,
      tagsCodes: pull.tagsCodes,
      deadlineMs,
      resume: (mayPark) => again(pull, mayPark),
    })
  }

  function check(header: PullMessageRequestHeader, call: Call): Pull {
    if ((options.brokerPermission & 4) === 0) {
      throw refusal('BROKER_NO_PERMISSION', `the broker[${identity.ip}] pulling message is forbidden`)
    }
    const group = groupOf(header.consumerGroup)
    if (!group.consumeEnable) {
      throw refusal('BROKER_NO_PERMISSION', `subscription group no permission, ${header.consumerGroup}`)
    }
    const topic = topics.get(header.topic)
    if (topic === undefined) {
      throw refusal('BROKER_TOPIC_NOT_EXIST', `topic[${header.topic}] not exist, apply first please! `)
    }
    if (!isReadable(topic)) {
      throw refusal('BROKER_NO_PERMISSION', `the topic[${header.topic}] pulling message is forbidden`)
    }
    if (header.queueId < 0 || header.queueId >= topic.readQueueNums) {
      throw refusal(
        'BROKER_INVALID_PARAMETER',
        `queueId[${header.queueId}] is illegal, topic:[${header.topic}] topicConfig.readQueueNums:` +
          `[${topic.readQueueNums}] consumer:[${call.connection.remoteAddress}]`,
      )
    }
    const subscription = subscriptionOf(header, group)
    const { tagsCodes, filter } = subscription
    const accept = filter?.accepts
    const { queueOffset } = header
    const deadlineMs = deadlineOf(header)
    return { header, call, topic, group, tagsCodes, accept, queueOffset, isResumed: false, deadlineMs }
  }

  /** A pull does not wait for its group to be made: until it is, it has the settings it will be made with. */
  function groupOf(name: string): SubscriptionGroup {
    const known = groups.get(name)
    if (known !== undefined) return known
    const made = need.autoCreate.group(name)
    if (made === undefined) {
      throw refusal('BROKER_GROUP_NOT_EXIST', `subscription group [${name}] does not exist, `)
    }
    if (!(made instanceof Promise)) return made
    // On a follower this fails; the consumer's heartbeat makes the group on the leader.
    made.catch(() => undefined)
    return subscriptionGroup(name)
  }

  function subscriptionOf(header: PullMessageRequestHeader, group: SubscriptionGroup): Subscription {
    if ((header.sysFlag & PullFlag.subscription) !== 0) {
      const { topic, subscription, expressionType, subVersion } = header
      checkExpressionType(expressionType, options)
      return parseSubscription({ topic, expression: subscription, type: expressionType, version: subVersion })
    }
    const members = clients.consumerGroup(header.consumerGroup)
    if (members === undefined) {
      throw refusal('BROKER_SUBSCRIPTION_NOT_EXIST', "the consumer's group info not exist")
    }
    if (!group.consumeBroadcastEnable && members.messageModel === 'BROADCASTING') {
      throw refusal(
        'BROKER_NO_PERMISSION',
        `the consumer group[${header.consumerGroup}] can not consume by broadcast way`,
      )
    }
    if (need.forbidden.isReadForbidden(header.consumerGroup, header.topic)) {
      throw refusal(
        'BROKER_NO_PERMISSION',
        `the consumer group[${header.consumerGroup}] is forbidden for topic[${header.topic}]`,
      )
    }
    const known = members.subscriptions.get(header.topic)
    if (known === undefined) throw refusal('BROKER_SUBSCRIPTION_NOT_EXIST', "the consumer's subscription not exist")
    if (known.data.subVersion < header.subVersion) {
      throw refusal('BROKER_SUBSCRIPTION_NOT_LATEST', "the consumer's subscription not latest")
    }
    checkExpressionType(known.data.expressionType, options)
    if (known.filter === undefined && !isTagExpression(known.data.expressionType)) {
      throw refusal(
        'BROKER_FILTER_NOT_EXIST',
        "The broker's consumer filter data is not exist!Your expression may be wrong!",
      )
    }
    return known
  }

  function deadlineOf(header: PullMessageRequestHeader): number | undefined {
    if ((header.sysFlag & PullFlag.suspend) === 0) return undefined
    const waitMs = options.longPollingEnable ? header.suspendTimeoutMillis : options.shortPollingTimeMills
    return clock.monotonicMs() + Math.min(waitMs, SUSPEND_MAX_MS)
  }
}

function withFilters(
  request: PullRequest,
  tagsCodes: ReadonlySet<number> | undefined,
  accept: ((record: Buffer) => boolean) | undefined,
): PullRequest {
  if (accept !== undefined) return { ...request, accept }
  return tagsCodes === undefined ? request : { ...request, tagsCodes }
}

function outcomeOf(status: PullStatus, queueOffset: number): Outcome {
  return (queueOffset === 0 ? outcomesAtStart[status] : undefined) ?? outcomes[status]
}

function replyOf(
  pull: Pull,
  result: PullResult,
  outcome: Outcome,
  isBehind: boolean,
  suggestWhichBrokerId: number,
): Reply {
  const { topic, group, queueOffset } = pull
  return {
    code: outcome.code,
    remark: outcome.name,
    header: {
      suggestWhichBrokerId,
      nextBeginOffset: isBehind ? queueOffset : result.nextQueueOffset,
      minOffset: result.minQueueOffset,
      maxOffset: isBehind ? Math.max(queueOffset, result.maxQueueOffset) : result.maxQueueOffset,
      topicSysFlag: topic.topicSysFlag,
      groupSysFlag: group.groupSysFlag,
    },
    body: result.status === 'found' ? result.slices : undefined,
  }
}
