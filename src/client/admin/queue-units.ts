/** What a queue holds, unit by unit: where in the CommitLog its messages are (321; RocketMQ QueryConsumeQueueCommand). */
import { knownKeys } from '../../lib/known-keys.ts'
import { QueryConsumeQueueResponseBody } from '../../remoting/bodies/broker.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { maxOffset, minOffset, succeeded } from '../core/broker-api.ts'
import { checkQueue, checkWithin } from '../core/call-options.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import { queueKey } from '../core/message-queue.ts'
import { checkKeys } from '../core/options.ts'
import { leaderAddress } from './connection.ts'
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

const keys = knownKeys<UnitRange>({ queue: true, from: true, count: true })

/** Fewer than `count` where the queue ends. Errors: `CLIENT_OPTION`, `CLIENT_REFUSED` for a queue that is not there. */
export async function queueUnits(at: AdminConnection, range: UnitRange): Promise<QueueUnits> {
  checkKeys(range, 'queueUnits', keys)
  const { queue, from, count } = range
  checkQueue(queue)
  checkWithin('from', from, { low: 0, high: Number.MAX_SAFE_INTEGER })
  checkWithin('count', count, { low: 0, high: 2_147_483_647 })
  const header = { topic: queue.topic, queueId: queue.queueId, index: from, count }
  const address = leaderAddress(await at.brokerOf(queue.brokerName))
  const answer = await at.invoke(address, { code: RequestCode.QUERY_CONSUME_QUEUE, header })
  // Brokers take a queue for not there until its first message.
  const isUnused = answer.code === ResponseCode.SYSTEM_ERROR && (await hasQueue(at, queue))
  // Outside a queue the answer is a remark alone.
  if (isUnused || (answer.code === ResponseCode.SUCCESS && answer.body.length === 0)) {
    const [minQueueOffset, maxQueueOffset] = await Promise.all([
      minOffset(at.invoke, address, queue),
      maxOffset(at.invoke, address, queue),
    ])
    return { minQueueOffset, maxQueueOffset, units: [] }
  }
  const { minQueueIndex, maxQueueIndex, queueData } = QueryConsumeQueueResponseBody.decode(succeeded(answer).body)
  const units = queueData.map(({ physicOffset, physicSize, tagsCode }, place) => ({
    queueOffset: from + place,
    offset: physicOffset,
    bytes: physicSize,
    tagsCode,
  }))
  return { minQueueOffset: minQueueIndex, maxQueueOffset: maxQueueIndex, units }
}

async function hasQueue(at: AdminConnection, queue: MessageQueue): Promise<boolean> {
  const route = await at.route(queue.topic)
  return route?.readQueues.some((one) => queueKey(one) === queueKey(queue)) === true
}
