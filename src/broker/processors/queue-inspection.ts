/** What tools ask of single queues: 303, 308, 321 (RocketMQ AdminBrokerProcessor). */
import { QueryConsumeQueueResponseBody } from '../../remoting/bodies/broker.ts'
import { QueryConsumeTimeSpanBody, QueryCorrectionOffsetBody } from '../../remoting/bodies/queue.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { QueryConsumeTimeSpanRequestHeader, QueryCorrectionOffsetRequestHeader } from '../../remoting/headers/group.ts'
import { QueryConsumeQueueRequestHeader } from '../../remoting/headers/query.ts'
import { type Reply, type Route, route } from '../../remoting/route.ts'
import type { Clients } from '../clients/clients.ts'
import type { ConsumerOffsets } from '../tables/consumer-offsets.ts'
import { refusal } from '../errors.ts'
import type { BrokerIdentity } from '../identity.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Leadership } from '../needs.ts'
import type { Topics } from '../tables/topics.ts'

export interface QueueInspectionNeeds {
  readonly topics: Topics
  readonly offsets: ConsumerOffsets
  readonly clients: Pick<Clients, 'subscription'>
  readonly leadership: Pick<Leadership, 'readBarrier'>
  readonly store: {
    queueBounds(topic: string, queueId: number): { readonly min: number; readonly max: number } | undefined
    timeOfQueueOffset(topic: string, queueId: number, queueOffset: number): Promise<number | undefined>
    units(
      topic: string,
      queueId: number,
      range: { readonly from: number; readonly count: number },
    ): Promise<readonly { readonly offset: number; readonly size: number; readonly tagsCode: number }[]>
  }
  readonly identity: BrokerIdentity
  readonly clock: Clock
}

type TimeSpan = QueryConsumeTimeSpanBody['consumeTimeSpanSet'][number]

/** Units of one answer to 321. */
const UNITS_MAX = 10_000
/** Java's Long.MAX_VALUE as far as a double goes: "nothing to correct". */
const NOTHING_TO_CORRECT = Number.MAX_SAFE_INTEGER

export function queueInspection(need: QueueInspectionNeeds): Route<unknown>[] {
  const { topics, offsets, clients, store, identity, clock } = need
  return [
    route({ code: RequestCode.QUERY_CONSUME_TIME_SPAN, request: QueryConsumeTimeSpanRequestHeader, handle: timeSpans }),
    route({
      code: RequestCode.QUERY_CORRECTION_OFFSET,
      request: QueryCorrectionOffsetRequestHeader,
      handle: correction,
    }),
    route({ code: RequestCode.QUERY_CONSUME_QUEUE, request: QueryConsumeQueueRequestHeader, handle: units }),
  ]

  async function timeSpans({ topic, group }: QueryConsumeTimeSpanRequestHeader): Promise<Reply> {
    await need.leadership.readBarrier()
    const row = topics.get(topic)
    if (row === undefined) throw refusal('BROKER_TOPIC_NOT_EXIST', `topic[${topic}] not exist`)
    const consumeTimeSpanSet: TimeSpan[] = []
    for (let queueId = 0; queueId < row.writeQueueNums; queueId++) {
      consumeTimeSpanSet.push(await timeSpan(topic, group, queueId))
    }
    return { code: ResponseCode.SUCCESS, body: QueryConsumeTimeSpanBody.encode({ consumeTimeSpanSet }) }
  }

  async function timeSpan(topic: string, group: string, queueId: number): Promise<TimeSpan> {
    const timeOf = async (queueOffset: number): Promise<number> =>
      (await store.timeOfQueueOffset(topic, queueId, queueOffset)) ?? -1
    const { min, max } = store.queueBounds(topic, queueId) ?? { min: 0, max: 0 }
    const consumed = offsets.get(topic, group, queueId) ?? -1
    const minTimeStamp = await timeOf(min)
    return {
      messageQueue: { brokerName: identity.brokerName, queueId, topic },
      minTimeStamp,
      maxTimeStamp: await timeOf(max - 1),
      consumeTimeStamp: consumed > 0 ? await timeOf(consumed - 1) : minTimeStamp,
      delayTime: consumed < max ? clock.nowMs() - (await timeOf(consumed)) : 0,
    }
  }

  /** The lowest that all groups but the filtered ones consumed, unless the compared group is not even there. */
  function correction({ topic, filterGroups, compareGroup }: QueryCorrectionOffsetRequestHeader): Reply {
    const left = new Set((filterGroups ?? '').split(',').filter((group) => group !== ''))
    const correctionOffsets = new Map<number, number>()
    for (const group of offsets.groupsOfTopic(topic)) {
      if (left.has(group)) continue
      for (const [queueId, queueOffset] of offsets.ofTopic(topic, group)) {
        const min = store.queueBounds(topic, queueId)?.min ?? 0
        if (queueOffset < min) continue
        correctionOffsets.set(queueId, Math.min(queueOffset, correctionOffsets.get(queueId) ?? queueOffset))
      }
    }
    for (const [queueId, queueOffset] of offsets.ofTopic(topic, compareGroup)) {
      const lowest = correctionOffsets.get(queueId)
      if (lowest !== undefined && lowest > queueOffset) correctionOffsets.set(queueId, NOTHING_TO_CORRECT)
    }
    return { code: ResponseCode.SUCCESS, body: QueryCorrectionOffsetBody.encode({ correctionOffsets }) }
  }

  async function units(header: QueryConsumeQueueRequestHeader): Promise<Reply> {
    await need.leadership.readBarrier()
    const { topic = '', queueId = 0, index = 0, count = 0, consumerGroup } = header
    const bounds = store.queueBounds(topic, queueId)
    if (bounds === undefined) throw refusal('BROKER_REFUSED', `${queueId}@${topic} is not exist!`)
    const subscription = consumerGroup === undefined ? undefined : clients.subscription(consumerGroup, topic)
    const isOffline = consumerGroup !== undefined && subscription === undefined
    const range = { from: index, count: Math.max(0, Math.min(count, UNITS_MAX)) }
    const found = await store.units(topic, queueId, range)
    const body = QueryConsumeQueueResponseBody.encode({
      minQueueIndex: bounds.min,
      maxQueueIndex: bounds.max,
      subscriptionData: subscription?.data,
      filterData: isOffline ? `${consumerGroup}@${topic} is not online!` : undefined,
      queueData: found.map(({ offset, size, tagsCode }) => ({
        physicOffset: offset,
        physicSize: size,
        tagsCode,
        eval: false,
        bitMap: undefined,
        extendDataJson: undefined,
        msg: undefined,
      })),
    })
    const isThere = found.length > 0 || range.count === 0
    const remark = isThere ? undefined : `Index ${index} of ${queueId}@${topic} is not exist!`
    return isThere ? { code: ResponseCode.SUCCESS, body } : { code: ResponseCode.SUCCESS, remark }
  }
}
