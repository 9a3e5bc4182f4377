/** The client: `import { Producer, PushConsumer } from 'raftmq/client'`. */
export { Admin } from './admin.ts'
export { groupModes, setGroupMode } from './group-modes.ts'
export type { GroupModeChange, GroupModeState } from './group-modes.ts'
export type {
  BrokerNode,
  CreateTopicOptions,
  GroupConfig,
  GroupMember,
  GroupQueueStats,
  QueueStats,
} from './admin.ts'
export type { AllocateStrategy } from './allocate-queues.ts'
export type { RebalanceEvent, ReceiveEvent, RouteEvent, SendEvent } from './diagnostics.ts'
export type { MessageContext, MessageHandler } from './dispatcher.ts'
export type { GroupChange, GroupMemberNode, GroupMembers } from './member-admin.ts'
export { clientErrors, mayBeStored, responseCodeOf } from './errors.ts'
export type { BrokerAnswer, ClientError, ClientErrorCode } from './errors.ts'
export type { MessageQueue } from './message-queue.ts'
export type {
  BatchOptions,
  ClientOptions,
  ConsumeFrom,
  ProducerOptions,
  PushConsumerOptions,
} from './options.ts'
export type { OutgoingMessage } from './outgoing-message.ts'
export { Producer } from './producer.ts'
export type { RequestOptions, SendCallback, SendOptions } from './producer.ts'
export type { ReplyMessage } from './requests.ts'
export type { SendResult } from './send-request.ts'
export { PopConsumer } from './pop-consumer.ts'
export type { PopConsumerOptions } from './pop-options.ts'
export type { PopContext, PopHandler } from './pop-consumer.ts'
export { PushConsumer } from './push-consumer.ts'
export type { RunOptions } from './push-consumer.ts'
export type { ReceivedMessage } from './received-message.ts'
export type { SendStatus } from './send-retry.ts'
export { sql, tag } from './subscription.ts'
export type { Filter } from './subscription.ts'
export type { BrokerGroup, TopicRoute } from './topic-route.ts'
export { TransactionProducer } from './transaction-producer.ts'
export type { TransactionProducerOptions, TransactionResult, TransactionState } from './transaction-producer.ts'
