/**
 * What brokers ask of a consumer that holds queues (RocketMQ ClientRemotingProcessor): the group changed (40), offsets are
 * reset (220), where do you stand (221), and what they ask of every consumer.
 */
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { EmptyHeader, defineHeader, string } from '../../remoting/header.ts'
import { toJson } from '../../remoting/json-dialect.ts'
import { route } from '../../remoting/route.ts'
import type { Route } from '../../remoting/route.ts'
import { askedConsumer, noSuchGroup } from '../core/asked-consumer.ts'
import { field, integerOf, listOf, parseBody, rowsOf, textOf } from '../core/java-json.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import type { ResolvedGroupOptions } from './group-options.ts'
import type { Membership } from './membership.ts'
import type { QueueOffset } from './offset-store.ts'
import type { QueueFeed } from './queue-feed.ts'
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
    ...askedConsumer({
      ...state,
      subscriptions: () => state.membership().subscriptions,
      queues: () => heldQueues(state.membership()),
    }),
  ]
}

function heldQueues(membership: ReturnType<ConsumerState['membership']>): (readonly [object, object])[] {
  return membership.feeds.map((feed) => [keyOf(feed.queue), queueInfo(feed, membership.lastLockMs(feed.queue))])
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
