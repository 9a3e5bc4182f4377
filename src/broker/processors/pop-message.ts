/** Pops: 200050, and what goes with them: 200052, 200054, 200055, 200056 (RocketMQ PopMessageProcessor and its kin). */
import type { Clock } from '../../lib/clock.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { EmptyHeader } from '../../remoting/header.ts'
import {
  NotificationRequestHeader,
  PeekMessageRequestHeader,
  PollingInfoRequestHeader,
  PopMessageRequestHeader,
} from '../../remoting/headers/pop.ts'
import { type Call, type Reply, type Route, route } from '../../remoting/route.ts'
import type { PullRequest, PullResult } from '../../store/consume-queue-pull.ts'
import type { AutoCreate } from '../tables/auto-create.ts'
import type { BrokerStats } from '../stats/broker-stats.ts'
import type { ConsumerOffsets } from '../tables/consumer-offsets.ts'
import { refusal } from '../errors.ts'
import type { GroupForbidden } from '../tables/group-forbidden.ts'
import type { BrokerIdentity } from '../identity.ts'
import type { Leadership } from '../needs.ts'
import type { PopHold } from '../pop/hold.ts'
import type { PopRequest, PopResult, Pops } from '../pop/pops.ts'
import { messageOffsetInfo, ORDER_REVIVE_QID, orderCountInfo, popRetryTopic, startOffsetInfo } from '../pop/receipt.ts'
import { checkExpressionType, parseSubscription } from '../clients/subscription.ts'
import { isReadable, type TopicConfig, type Topics } from '../tables/topics.ts'
import { fail, type Recover } from './failure.ts'

export interface PopMessageNeeds {
  readonly topics: Topics
  readonly autoCreate: AutoCreate
  readonly offsets: ConsumerOffsets
  readonly forbidden: Pick<GroupForbidden, 'isReadForbidden'>
  readonly pops: Pops
  readonly popHold: PopHold
  readonly store: {
    pull(request: PullRequest): PullResult | Promise<PullResult>
    queueBounds(topic: string, queueId: number): { readonly min: number; readonly max: number } | undefined
  }
  readonly leadership: Pick<Leadership, 'isReady'>
  readonly stats: Pick<BrokerStats, 'got' | 'getMissed'>
  readonly identity: BrokerIdentity
  readonly clock: Clock
  readonly recover: Recover
  readonly options: {
    readonly brokerPermission: number
    readonly enablePropertyFilter: boolean
    readonly maxTransferBytesOnMessageInMemory: number
  }
}

/** RocketMQ's limit of one pop. */
const MESSAGES_MAX = 32
const POLL_MAX_MS = 60_000
/** A node that forwards waits 2.5 s for its answer. */
const FORWARDED_POLL_MAX_MS = 1_500
const INVISIBLE_MIN_MS = 1
const INVISIBLE_MAX_MS = 365 * 86_400_000
/** A pop that finds something to look at and nothing to give looks again at once, so often. */
const ROUNDS_MAX = 8

interface Place {
  readonly topic: string
  readonly consumerGroup: string
  readonly queueId: number
}

export function popMessage(need: PopMessageNeeds): Route<unknown>[] {
  const { topics, offsets, pops, popHold, store, identity, clock, options } = need

  return [
    route({ code: RequestCode.POP_MESSAGE, request: PopMessageRequestHeader, handle: pop }),
    route({ code: RequestCode.PEEK_MESSAGE, request: PeekMessageRequestHeader, handle: peek }),
    route({ code: RequestCode.NOTIFICATION, request: NotificationRequestHeader, handle: notify }),
    route({
      code: RequestCode.POLLING_INFO,
      request: PollingInfoRequestHeader,
      handle: waiting,
    }),
    // RocketMQ moves pop records from RocksDB back to its revive topic: here is nothing to move.
    route({ code: RequestCode.POP_ROLLBACK, request: EmptyHeader, handle: () => ({ code: ResponseCode.SUCCESS }) }),
  ]

  /** RocketMQ PollingInfoProcessor. */
  function waiting(header: PollingInfoRequestHeader): Reply {
    checkPlace(header)
    const { topic, consumerGroup, queueId } = header
    return { code: ResponseCode.SUCCESS, header: { pollingNum: popHold.count(topic, consumerGroup, queueId) } }
  }

  function pop(header: PopMessageRequestHeader, call: Call): undefined {
    const request = popRequest(header)
    const deadlineMs = clock.monotonicMs() + waitMs(header.pollTime, call)
    attempt(request, call, { deadlineMs, mayWait: header.pollTime > 0, round: 0 })
    return undefined
  }

  function attempt(
    request: PopRequest,
    call: Call,
    how: { readonly deadlineMs: number; readonly mayWait: boolean; readonly round: number },
  ): void {
    if (!need.leadership.isReady)
      return fail(need.recover, call, refusal('BROKER_NOT_LEADER', 'this node stepped down'))
    pops.pop(request).then(
      (result) => {
        if (result.count > 0) return given(request, call, result)
        // Nothing awaits between this look and the wait: what arrives later finds it waiting.
        if (how.round < ROUNDS_MAX && pops.isWorthwhile(request)) {
          return attempt(request, call, { ...how, round: how.round + 1 })
        }
        nothing(request, call, how)
      },
      (error: unknown) => fail(need.recover, call, error),
    )
  }

  function given(request: PopRequest, call: Call, result: PopResult): void {
    const { topic, group, invisibleMs, ordered } = request
    need.stats.got(topic, group, result.count, result.bytes)
    // The queues it took from were closed to others meanwhile.
    if (result.rest > 0) popHold.wake(topic, group)
    call.respond({
      code: ResponseCode.SUCCESS,
      remark: 'FOUND',
      header: {
        popTime: result.popTimeMs,
        invisibleTime: invisibleMs,
        reviveQid: ordered ? ORDER_REVIVE_QID : 0,
        restNum: result.rest,
        startOffsetInfo: startOffsetInfo(result.queues),
        msgOffsetInfo: messageOffsetInfo(result.queues),
        orderCountInfo: ordered ? orderCountInfo(result.queues) : undefined,
      },
      body: result.slices,
    })
  }

  function nothing(
    request: PopRequest,
    call: Call,
    how: { readonly deadlineMs: number; readonly mayWait: boolean },
  ): void {
    const isTime = how.mayWait && how.deadlineMs > clock.monotonicMs()
    const isWaiting =
      isTime &&
      popHold.wait({
        ...waitingFor(request),
        deadlineMs: how.deadlineMs,
        resume: (mayWait) => attempt(request, call, { deadlineMs: how.deadlineMs, mayWait, round: 0 }),
      })
    if (isWaiting) return
    need.stats.getMissed()
    call.respond({
      code: isTime ? ResponseCode.POLLING_FULL : ResponseCode.POLLING_TIMEOUT,
      remark: 'NO_MESSAGE_IN_QUEUE',
      header: { popTime: clock.nowMs(), invisibleTime: request.invisibleMs, reviveQid: 0, restNum: 0 },
    })
  }

  function notify(header: NotificationRequestHeader, call: Call): undefined {
    checkPlace(header)
    const request = plain(header, header.order ?? false)
    const deadlineMs = clock.monotonicMs() + waitMs(header.pollTime, call)
    const look = (mayWait: boolean): void => {
      const hasMsg = pops.isWorthwhile(request)
      const isTime = mayWait && deadlineMs > clock.monotonicMs()
      if (!hasMsg && isTime && popHold.wait({ ...waitingFor(request), deadlineMs, resume: look })) return
      call.respond({ code: ResponseCode.SUCCESS, header: { hasMsg, pollingFull: !hasMsg && isTime } })
    }
    look(header.pollTime > 0)
    return undefined
  }

  async function peek(header: PeekMessageRequestHeader): Promise<Reply> {
    const row = checkPlace(header)
    const slices: Buffer[] = []
    let [left, rest] = [Math.min(header.maxMsgNums, MESSAGES_MAX), 0]
    for (let queueId = 0; queueId < row.readQueueNums && left > 0; queueId++) {
      if (header.queueId >= 0 && header.queueId !== queueId) continue
      const { min, max } = store.queueBounds(header.topic, queueId) ?? { min: 0, max: 0 }
      const from = Math.max(min, offsets.get(header.topic, header.consumerGroup, queueId) ?? min)
      const maxBytes = options.maxTransferBytesOnMessageInMemory
      const result = await store.pull({ topic: header.topic, queueId, queueOffset: from, maxCount: left, maxBytes })
      slices.push(...result.slices)
      left -= result.count
      rest += Math.max(0, max - from - result.count)
    }
    const isFound = slices.length > 0
    return {
      code: isFound ? ResponseCode.SUCCESS : ResponseCode.PULL_NOT_FOUND,
      remark: isFound ? 'FOUND' : 'NO_MESSAGE_IN_QUEUE',
      header: { popTime: clock.nowMs(), invisibleTime: 0, reviveQid: 0, restNum: rest },
      body: isFound ? slices : undefined,
    }
  }

  function popRequest(header: PopMessageRequestHeader): PopRequest {
    if (header.maxMsgNums > MESSAGES_MAX || header.maxMsgNums < 1) {
      throw refusal(
        'BROKER_INVALID_PARAMETER',
        `the broker[${identity.ip}] pop message's num is greater than ${MESSAGES_MAX}`,
      )
    }
    if (!(header.invisibleTime >= INVISIBLE_MIN_MS && header.invisibleTime <= INVISIBLE_MAX_MS)) {
      throw refusal('BROKER_INVALID_PARAMETER', `invisibleTime ${header.invisibleTime} is impossible`)
    }
    checkPlace(header)
    const { topic, exp, expType } = header
    checkExpressionType(expType, options)
    const { tagsCodes, filter } = parseSubscription({ topic, expression: exp, type: expType, version: 0 })
    return {
      ...plain(header, header.order ?? false),
      maxCount: header.maxMsgNums,
      invisibleMs: header.invisibleTime,
      initMode: header.initMode === 1 ? 'max' : 'min',
      attemptId: header.attemptId,
      tagsCodes,
      accept: filter?.accepts,
    }
  }

  function checkPlace({ topic: name, consumerGroup, queueId }: Place): TopicConfig {
    if ((options.brokerPermission & 4) === 0) {
      throw refusal('BROKER_NO_PERMISSION', `the broker[${identity.ip}] pop message is forbidden`)
    }
    const topic = topics.get(name)
    if (topic === undefined) throw refusal('BROKER_TOPIC_NOT_EXIST', `topic[${name}] not exist, apply first please! `)
    if (!isReadable(topic)) throw refusal('BROKER_NO_PERMISSION', `the topic[${name}] peeking message is forbidden`)
    if (queueId >= topic.readQueueNums) {
      throw refusal(
        'BROKER_INVALID_PARAMETER',
        `queueId[${queueId}] is illegal, topic:[${name}] topicConfig.readQueueNums:[${topic.readQueueNums}]`,
      )
    }
    const group = need.autoCreate.group(consumerGroup)
    if (group === undefined) {
      throw refusal('BROKER_GROUP_NOT_EXIST', `subscription group [${consumerGroup}] does not exist, `)
    }
    if (group instanceof Promise) group.catch(() => undefined)
    else if (!group.consumeEnable) {
      throw refusal('BROKER_NO_PERMISSION', `subscription group no permission, ${consumerGroup}`)
    }
    if (need.forbidden.isReadForbidden(consumerGroup, name)) {
      throw refusal('BROKER_NO_PERMISSION', `the consumer group[${consumerGroup}] is forbidden for topic[${name}]`)
    }
    return topic
  }
}

function plain({ topic, consumerGroup, queueId }: Place, ordered: boolean): PopRequest {
  return {
    topic,
    group: consumerGroup,
    queueId,
    maxCount: MESSAGES_MAX,
    invisibleMs: 0,
    initMode: 'min',
    ordered,
    attemptId: undefined,
    tagsCodes: undefined,
    accept: undefined,
  }
}

function waitingFor({ topic, group, queueId, ordered }: PopRequest) {
  const again = ordered ? [] : [false, true].map((isV2) => popRetryTopic(topic, group, isV2))
  return { topics: [topic, ...again], group, queueId }
}

function waitMs(pollTimeMs: number, call: Call): number {
  // A client that another node speaks for has no address here.
  const longest = call.connection.localAddress === '' ? FORWARDED_POLL_MAX_MS : POLL_MAX_MS
  return Math.max(0, Math.min(pollTimeMs, longest))
}
