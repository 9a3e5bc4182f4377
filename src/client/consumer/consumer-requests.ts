/**
 * What brokers ask of a consumer (RocketMQ ClientRemotingProcessor): the group changed (40), offsets are reset (220),
 * where do you stand (221), how are you (307), handle this message now (309).
 */
import { errorMessage } from '../../lib/errors.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { EmptyHeader, boolean, defineHeader, string } from '../../remoting/header.ts'
import { toJson } from '../../remoting/json-dialect.ts'
import { route } from '../../remoting/route.ts'
import type { Reply, Route } from '../../remoting/route.ts'
import { field, integerOf, listOf, parseBody, rowsOf, textOf } from '../core/java-json.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import type { ResolvedGroupOptions } from './group-options.ts'
import type { Membership } from './membership.ts'
import type { QueueOffset } from './offset-store.ts'
import type { QueueFeed } from './queue-feed.ts'
import { receivedMessages } from '../core/received-message.ts'
import type { ReceivedMessage } from '../core/received-message.ts'

export interface ConsumerState {
  readonly member: Pick<ResolvedGroupOptions, 'group' | 'namesrv' | 'clock'> & {
    readonly ordered: boolean
    readonly consumeType: string
  }
  readonly startMs: number
  /** Asked by call: it is made after these routes. */
  membership(): Pick<Membership, 'subscriptions' | 'feeds' | 'lastLockMs' | 'rebalanceSoon' | 'resetOffsets'>
  handleDirectly(message: ReceivedMessage): Promise<void>
}

const resetHeader = defineHeader({ topic: string.required(), group: string.required() })
const statusHeader = defineHeader({ topic: string.required(), group: string.required(), clientAddr: string.optional() })
const runningHeader = defineHeader({
  consumerGroup: string.required(),
  clientId: string.optional(),
  jstackEnable: boolean.optional(),
})
const directHeader = defineHeader({
  consumerGroup: string.required(),
  clientId: string.optional(),
  brokerName: string.optional(),
})

export function consumerRequests(state: ConsumerState): Route<unknown>[] {
  const own = state.member.group
  return [
    route({
      code: RequestCode.NOTIFY_CONSUMER_IDS_CHANGED,
      request: EmptyHeader,
      handle() {
        state.membership().rebalanceSoon()
        return { code: ResponseCode.SUCCESS }
      },
    }),
    route({
      code: RequestCode.RESET_CONSUMER_CLIENT_OFFSET,
      request: resetHeader,
      handle({ topic, group }, call) {
        if (group === own) state.membership().resetOffsets(topic, offsetsOf(call.body))
        return { code: ResponseCode.SUCCESS }
      },
    }),
    route({
      code: RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT,
      request: statusHeader,
      handle({ topic, group }) {
        if (group !== own) return noSuchGroup(group)
        const rows = state
          .membership()
          .feeds.filter((feed) => feed.queue.topic === topic)
          .map((feed) => [keyOf(feed.queue), feed.messages.commitOffset] as const)
        return { code: ResponseCode.SUCCESS, body: Buffer.from(toJson({ messageQueueTable: new Map(rows) })) }
      },
    }),
    route({
      code: RequestCode.GET_CONSUMER_RUNNING_INFO,
      request: runningHeader,
      handle({ consumerGroup }) {
        if (consumerGroup !== own) return noSuchGroup(consumerGroup)
        return { code: ResponseCode.SUCCESS, body: Buffer.from(runningInfo(state)) }
      },
    }),
    route({
      code: RequestCode.CONSUME_MESSAGE_DIRECTLY,
      request: directHeader,
      async handle({ consumerGroup, brokerName }, call) {
        if (consumerGroup !== own) return noSuchGroup(consumerGroup)
        return consumeDirectly(state, call.body, brokerName ?? '')
      },
    }),
  ]
}

/** ConsumeMessageDirectlyResult. */
async function consumeDirectly(state: ConsumerState, body: Buffer, brokerName: string): Promise<Reply> {
  const { clock, ordered } = state.member
  const startMs = clock.nowMs()
  let consumeResult = 'CR_SUCCESS'
  let remark: string | null = null
  try {
    const [message] = receivedMessages(body, brokerName, true)
    if (message === undefined) return { code: ResponseCode.SYSTEM_ERROR, remark: 'the request has no message' }
    await state.handleDirectly(message)
  } catch (error) {
    consumeResult = 'CR_THROW_EXCEPTION'
    remark = errorMessage(error)
  }
  const spentTimeMills = Math.round(clock.nowMs() - startMs)
  const result = { order: ordered, autoCommit: true, consumeResult, remark, spentTimeMills }
  return { code: ResponseCode.SUCCESS, body: Buffer.from(JSON.stringify(result)) }
}

/** ConsumerRunningInfo, whose mqTable has objects for keys. */
function runningInfo(state: ConsumerState): string {
  const { namesrv, ordered, consumeType } = state.member
  const properties = {
    PROP_NAMESERVER_ADDR: `${namesrv.join(';')};`,
    PROP_CONSUME_TYPE: consumeType,
    PROP_CONSUME_ORDERLY: String(ordered),
    PROP_CLIENT_VERSION: 'V5_3_3',
    PROP_CONSUMER_START_TIMESTAMP: String(Math.round(state.startMs)),
  }
  const membership = state.membership()
  const rows = membership.feeds.map(
    (feed) => [keyOf(feed.queue), queueInfo(feed, membership.lastLockMs(feed.queue))] as const,
  )
  return toJson({
    jstack: null,
    mqPopTable: {},
    mqTable: new Map(rows),
    properties,
    statusTable: {},
    subscriptionSet: membership.subscriptions,
    userConsumerInfo: {},
  })
}

/** ProcessQueueInfo. */
function queueInfo(feed: QueueFeed, lastLockMs: number): object {
  const { messages } = feed
  const span = messages.span
  return {
    commitOffset: messages.commitOffset,
    cachedMsgMinOffset: span?.first ?? 0,
    cachedMsgMaxOffset: span?.last ?? 0,
    cachedMsgCount: messages.size,
    cachedMsgSizeInMiB: Math.floor(messages.bytes / 1_048_576),
    transactionMsgMinOffset: 0,
    transactionMsgMaxOffset: 0,
    transactionMsgCount: 0,
    locked: lastLockMs > 0,
    tryUnlockTimes: 0,
    lastLockTimestamp: Math.round(lastLockMs),
    droped: feed.isDropped,
    lastPullTimestamp: Math.round(feed.lastPullMs),
    lastConsumeTimestamp: Math.round(feed.lastConsumeMs),
  }
}

/** ResetOffsetBody: `{"offsetTable":{{queue}:offset}}`, or as a list in the form for other languages. */
function offsetsOf(body: Buffer): QueueOffset[] {
  const offsetTable = field(parseBody(body), 'offsetTable')
  const rows = rowsOf(offsetTable).flatMap(([queue, offset]) => queueOffset(queue, integerOf(offset)))
  const listed = listOf(offsetTable).flatMap((row) => queueOffset(row, integerOf(field(row, 'offset'))))
  return [...rows, ...listed]
}

function queueOffset(key: unknown, offset: number | undefined): QueueOffset[] {
  const topic = textOf(field(key, 'topic'))
  const brokerName = textOf(field(key, 'brokerName'))
  const queueId = integerOf(field(key, 'queueId'))
  if (topic === undefined || brokerName === undefined || queueId === undefined || offset === undefined) return []
  return [{ queue: { topic, brokerName, queueId }, queueOffset: offset }]
}

function keyOf({ topic, brokerName, queueId }: MessageQueue): object {
  return { brokerName, queueId, topic }
}

function noSuchGroup(group: string): Reply {
  return { code: ResponseCode.SYSTEM_ERROR, remark: `The Consumer Group <${group}> not exist in this consumer` }
}
