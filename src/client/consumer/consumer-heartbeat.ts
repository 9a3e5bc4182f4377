/** What a consumer says of itself in its heartbeats (RocketMQ ConsumerData). */
import type { ConsumerData, HeartbeatData } from '../core/broker-api.ts'
import type { SubscriptionData } from '../core/subscription.ts'
import type { ConsumeFrom } from './group-options.ts'

const fromWhere = {
  first: 'CONSUME_FROM_FIRST_OFFSET',
  last: 'CONSUME_FROM_LAST_OFFSET',
  timestamp: 'CONSUME_FROM_TIMESTAMP',
} as const

export interface Member {
  readonly group: string
  readonly model: 'cluster' | 'broadcast'
  readonly from: ConsumeFrom
  /** Whether messages are pushed to a handler, or pulled by the program. */
  readonly consumeType: ConsumerData['consumeType']
}

export function consumerHeartbeat(
  clientId: string,
  subscriptions: readonly SubscriptionData[],
  { group, model, from, consumeType }: Member,
): HeartbeatData {
  const consumer: ConsumerData = {
    groupName: group,
    consumeType,
    messageModel: model === 'broadcast' ? 'BROADCASTING' : 'CLUSTERING',
    consumeFromWhere: from instanceof Date ? fromWhere.timestamp : fromWhere[from],
    subscriptionDataSet: subscriptions,
    unitMode: false,
  }
  return { clientID: clientId, producerDataSet: [], consumerDataSet: [consumer] }
}
