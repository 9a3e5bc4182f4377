/** How far every group of a broker group is (317; RocketMQ BrokerConsumeStatsSubCommand). */
import { ConsumeStatsList } from '../../remoting/bodies/queue.ts'
import { RequestCode } from '../../remoting/codes.ts'
import { compareQueues, compareText } from '../core/message-queue.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import type { AdminConnection } from './connection.ts'

export interface QueueLag {
  readonly group: string
  readonly queue: MessageQueue
  readonly brokerOffset: number
  readonly consumerOffset: number
  readonly lag: number
  /** When the last message that was consumed had been stored; 0: none was. */
  readonly lastConsumedMs: number
}

/** Of all groups, queue by queue, sorted; `ordered`: of ordered topics alone. Errors: `CLIENT_OPTION`. */
export async function brokerLags(at: AdminConnection, brokerName: string, ordered = false): Promise<QueueLag[]> {
  const request = { code: RequestCode.GET_BROKER_CONSUME_STATS, header: { isOrder: ordered } }
  const { body } = await at.leader(await at.brokerOf(brokerName), request)
  return ConsumeStatsList.decode(body)
    .consumeStatsList.flatMap((groups) => [...groups])
    .flatMap(([group, list]) => list.flatMap(({ offsetTable }) => offsetTable.map((row) => [group, ...row] as const)))
    .map(([group, queue, { brokerOffset, consumerOffset, lastTimestamp }]) => ({
      group,
      queue,
      brokerOffset,
      consumerOffset,
      lag: brokerOffset - consumerOffset,
      lastConsumedMs: lastTimestamp,
    }))
    .sort((a, b) => compareText(a.group, b.group) || compareQueues(a.queue, b.queue))
}
