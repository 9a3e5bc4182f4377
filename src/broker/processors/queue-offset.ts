/**
 * Offsets of queues: 29, 30, 31, 32 (RocketMQ AdminBrokerProcessor). Answered by a leader that is sure to lead, and from
 * committed messages alone: an offset from here is one that a consumer can begin with.
 */
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import {
  GetEarliestMsgStoretimeRequestHeader,
  GetMaxOffsetRequestHeader,
  GetMinOffsetRequestHeader,
  SearchOffsetRequestHeader,
} from '../../remoting/headers/offset.ts'
import { type Reply, type Route, route } from '../../remoting/route.ts'
import type { Leadership } from '../needs.ts'

export interface QueueOffsetNeeds {
  readonly leadership: Pick<Leadership, 'readBarrier'>
  readonly store: {
    queueBounds(topic: string, queueId: number): { readonly min: number; readonly max: number } | undefined
    offsetByTime(topic: string, queueId: number, timestampMs: number, boundary: 'lower' | 'upper'): Promise<number>
    earliestTime(topic: string, queueId: number): Promise<number | undefined>
  }
}

export function queueOffset({ leadership, store }: QueueOffsetNeeds): Route<unknown>[] {
  return [
    route({
      code: RequestCode.SEARCH_OFFSET_BY_TIMESTAMP,
      request: SearchOffsetRequestHeader,
      async handle({ topic, queueId, timestamp, boundaryType }) {
        await leadership.readBarrier()
        const boundary = boundaryType?.toUpperCase() === 'UPPER' ? 'upper' : 'lower'
        return offsetReply(await store.offsetByTime(topic, queueId, timestamp, boundary))
      },
    }),
    route({
      code: RequestCode.GET_MAX_OFFSET,
      request: GetMaxOffsetRequestHeader,
      async handle({ topic, queueId }) {
        await leadership.readBarrier()
        return offsetReply(store.queueBounds(topic, queueId)?.max ?? 0)
      },
    }),
    route({
      code: RequestCode.GET_MIN_OFFSET,
      request: GetMinOffsetRequestHeader,
      async handle({ topic, queueId }) {
        await leadership.readBarrier()
        return offsetReply(store.queueBounds(topic, queueId)?.min ?? 0)
      },
    }),
    route({
      code: RequestCode.GET_EARLIEST_MSG_STORETIME,
      request: GetEarliestMsgStoretimeRequestHeader,
      async handle({ topic, queueId }) {
        await leadership.readBarrier()
        const timestamp = (await store.earliestTime(topic, queueId)) ?? -1
        return { code: ResponseCode.SUCCESS, header: { timestamp } }
      },
    }),
  ]
}

function offsetReply(offset: number): Reply {
  return { code: ResponseCode.SUCCESS, header: { offset } }
}
