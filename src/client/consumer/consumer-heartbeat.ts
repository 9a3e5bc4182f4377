/** What a push consumer says of itself in its heartbeats (RocketMQ ConsumerData). */
import type { HeartbeatData } from '../core/broker-api.ts'
import type { ResolvedConsumerOptions } from './consumer-options.ts'
import type { SubscriptionData } from '../core/subscription.ts'

const fromWhere = {
  first: 'CONSUME_FROM_FIRST_OFFSET',
  last: 'CONSUME_FROM_LAST_OFFSET',
  timestamp: 'CONSUME_FROM_TIMESTAMP',
} as const

export function consumerHeartbeat(
  clientId: string,
  { group, model, from }: Pick<ResolvedConsumerOptions, 'group' | 'model' | 'from'>,
  subscriptions: readonly SubscriptionData[],
): HeartbeatData {
  return {
    clientID: clientId,
    producerDataSet: [],
    consumerDataSet: [
      {
        groupName: group,
        consumeType: 'CONSUME_PASSIVELY',
        messageModel: model === 'broadcast' ? 'BROADCASTING' : 'CLUSTERING',
        consumeFromWhere: from instanceof Date ? fromWhere.timestamp : fromWhere[from],
        subscriptionDataSet: subscriptions,
        unitMode: false,
      },
    ],
  }
}
