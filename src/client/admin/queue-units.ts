/** What a queue holds, unit by unit: where in the CommitLog its messages are (321; RocketMQ QueryConsumeQueueCommand). */
import { QueryConsumeQueueResponseBody } from '../../remoting/bodies/broker.ts'
import { RequestCode } from '../../remoting/codes.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import type { AdminConnection } from './connection.ts'

export interface QueueUnit {
  readonly queueOffset: number
  /** Byte in the CommitLog. */
  readonly offset: number
  readonly bytes: number
  /** The hash of the tag; 0 without one. */
  readonly tagsCode: number
}

export interface QueueUnits {
  readonly minQueueOffset: number
  readonly maxQueueOffset: number
  readonly units: readonly QueueUnit[]
}

export interface UnitRange {
  readonly queue: MessageQueue
  readonly from: number
  readonly count: number
}

/** Fewer than `count` where the queue ends. Errors: `CLIENT_OPTION`, `CLIENT_REFUSED` for a queue that is not there. */
export async function queueUnits(at: AdminConnection, { queue, from, count }: UnitRange): Promise<QueueUnits> {
  const header = { topic: queue.topic, queueId: queue.queueId, index: from, count }
  const request = { code: RequestCode.QUERY_CONSUME_QUEUE, header }
  const { body } = await at.leader(await at.brokerOf(queue.brokerName), request)
  // Outside the queue the answer is a remark alone.
  if (body.length === 0) return queueUnits(at, { queue, from, count: 0 })
  const { minQueueIndex, maxQueueIndex, queueData } = QueryConsumeQueueResponseBody.decode(body)
  const units = queueData.map(({ physicOffset, physicSize, tagsCode }, place) => ({
    queueOffset: from + place,
    offset: physicOffset,
    bytes: physicSize,
    tagsCode,
  }))
  return { minQueueOffset: minQueueIndex, maxQueueOffset: maxQueueIndex, units }
}
