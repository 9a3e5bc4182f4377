/** The client: `import { Producer, PushConsumer } from 'raftmq/client'`. */
export { Admin } from './admin/admin.ts'
export { AdminConnection } from './admin/connection.ts'
export { DeadLetters } from './admin/dead-letters.ts'
export type { DeadLetter, ResendOptions } from './admin/dead-letters.ts'
export { GroupOffsets } from './admin/group-offsets.ts'
export type { GroupReset, QueuePlace, ResetTo } from './admin/group-offsets.ts'
export { Messages } from './admin/messages.ts'
export type { KeyQuery, RangeQuery } from './admin/messages.ts'
export { traceOf } from './admin/message-traces.ts'
export type { TraceEvent } from './admin/message-traces.ts'
export { TableImport } from './admin/table-import.ts'
export type { Imported, ImportFile } from './admin/table-import.ts'
export { groupModes, setGroupMode } from './admin/group-modes.ts'
export type { GroupModeChange, GroupModeState } from './admin/group-modes.ts'
export type {
  BrokerNode,
  CreateTopicOptions,
  GroupConfig,
  GroupMember,
  GroupQueueStats,
  QueueStats,
} from './admin/admin.ts'
export type { AllocateStrategy } from './consumer/allocate-queues.ts'
export type { RebalanceEvent, ReceiveEvent, RouteEvent, SendEvent } from './core/diagnostics.ts'
export type { MessageContext, MessageHandler } from './consumer/message-context.ts'
export type { GroupChange, GroupMemberNode, GroupMembers } from './admin/member-admin.ts'
export { clientErrors, mayBeStored, responseCodeOf } from './core/errors.ts'
export type { BrokerAnswer, ClientError, ClientErrorCode } from './core/errors.ts'
export type { MessageQueue } from './core/message-queue.ts'
export type { ClientOptions } from './core/options.ts'
export type { PushConsumerOptions } from './consumer/consumer-options.ts'
export type { ConsumeFrom, GroupOptions } from './consumer/group-options.ts'
export type { BatchOptions, ProducerOptions } from './producer/producer-options.ts'
export type { OutgoingMessage } from './producer/outgoing-message.ts'
export { Producer } from './producer/producer.ts'
export type { RequestOptions, SendCallback, SendOptions } from './producer/producer.ts'
export type { ReplyMessage } from './producer/requests.ts'
export type { SendResult } from './producer/send-request.ts'
export { PopConsumer } from './pop/pop-consumer.ts'
export type { PopConsumerOptions } from './pop/pop-options.ts'
export type { PopContext, PopHandler } from './pop/pop-consumer.ts'
export { PullConsumer } from './consumer/pull-consumer.ts'
export type { PollOptions } from './consumer/pull-consumer.ts'
export type { PullConsumerOptions } from './consumer/pull-options.ts'
export { PushConsumer } from './consumer/push-consumer.ts'
export type { RunOptions } from './consumer/push-consumer.ts'
export type { ReceivedMessage } from './core/received-message.ts'
export type { SendStatus } from './producer/send-retry.ts'
export { json, text } from './core/codec.ts'
export type { Codec } from './core/codec.ts'
export { TypedTopic } from './core/typed-topic.ts'
export type { OpenTelemetry, TelemetrySpan } from './core/telemetry.ts'
export { sql, tag } from './core/subscription.ts'
export type { Filter } from './core/subscription.ts'
export type { BrokerGroup, TopicRoute } from './core/topic-route.ts'
export { TransactionProducer } from './producer/transaction-producer.ts'
export type {
  TransactionProducerOptions,
  TransactionResult,
  TransactionState,
} from './producer/transaction-producer.ts'
