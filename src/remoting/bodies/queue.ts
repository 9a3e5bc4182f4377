/** Queues, their offsets and their locks. */
import {
  decimal,
  defineBody,
  flag,
  integer,
  integerMapOf,
  listOf,
  mapOf,
  objectOf,
  type Of,
  optional,
  pairsOf,
  required,
  text,
  withDefault,
} from '../shape.ts'
import { DataVersion } from './data-version.ts'

/** RocketMQ MessageQueue. */
export const MessageQueue = objectOf({
  brokerName: required(text),
  queueId: required(integer),
  topic: required(text),
})
export type MessageQueue = Of<typeof MessageQueue>

const TopicOffset = objectOf({
  lastUpdateTimestamp: withDefault(integer, 0),
  maxOffset: withDefault(integer, 0),
  minOffset: withDefault(integer, 0),
})

/** Answers 202. */
export const TopicStatsTable = defineBody({
  offsetTable: withDefault(pairsOf(MessageQueue, TopicOffset), []),
  topicPutTps: withDefault(decimal, 0),
})
export type TopicStatsTable = Of<typeof TopicStatsTable>

const OffsetWrapper = objectOf({
  brokerOffset: withDefault(integer, 0),
  consumerOffset: withDefault(integer, 0),
  lastTimestamp: withDefault(integer, 0),
  pullOffset: withDefault(integer, 0),
})

/** Answers 208. */
export const ConsumeStats = defineBody({
  consumeTps: withDefault(decimal, 0),
  offsetTable: withDefault(pairsOf(MessageQueue, OffsetWrapper), []),
})
export type ConsumeStats = Of<typeof ConsumeStats>

/** Answers 317. */
export const ConsumeStatsList = defineBody({
  brokerAddr: optional(text),
  consumeStatsList: withDefault(listOf(mapOf(listOf(ConsumeStats))), []),
  totalDiff: withDefault(integer, 0),
  totalInflightDiff: withDefault(integer, 0),
})
export type ConsumeStatsList = Of<typeof ConsumeStatsList>

/** 41 and 42. */
export const LockBatchRequestBody = defineBody({
  clientId: required(text),
  consumerGroup: required(text),
  mqSet: withDefault(listOf(MessageQueue), []),
  onlyThisBroker: withDefault(flag, false),
})
export type LockBatchRequestBody = Of<typeof LockBatchRequestBody>

/** Answers 41. */
export const LockBatchResponseBody = defineBody({ lockOKMQSet: withDefault(listOf(MessageQueue), []) })
export type LockBatchResponseBody = Of<typeof LockBatchResponseBody>

/** 220 and the answer to 222. */
export const ResetOffsetBody = defineBody({ offsetTable: withDefault(pairsOf(MessageQueue, integer), []) })
export type ResetOffsetBody = Of<typeof ResetOffsetBody>

const MessageQueueForC = objectOf({
  brokerName: required(text),
  offset: required(integer),
  queueId: required(integer),
  topic: required(text),
})

/** 220 to clients of language CPP. */
export const ResetOffsetBodyForC = defineBody({ offsetTable: withDefault(listOf(MessageQueueForC), []) })
export type ResetOffsetBodyForC = Of<typeof ResetOffsetBodyForC>

/** Answers 221 (`messageQueueTable`) and 223 (`consumerTable`, by client id). */
export const GetConsumerStatusBody = defineBody({
  consumerTable: withDefault(mapOf(pairsOf(MessageQueue, integer)), new Map()),
  messageQueueTable: withDefault(pairsOf(MessageQueue, integer), []),
})
export type GetConsumerStatusBody = Of<typeof GetConsumerStatusBody>

/** Answers 43; keys are `topic@group`, then queue id. */
export const ConsumerOffsetSerializeWrapper = defineBody({
  dataVersion: optional(DataVersion),
  offsetTable: withDefault(mapOf(integerMapOf(integer)), new Map()),
})
export type ConsumerOffsetSerializeWrapper = Of<typeof ConsumerOffsetSerializeWrapper>

/** Answers 45; by delay level. */
export const DelayOffsetSerializeWrapper = defineBody({
  dataVersion: optional(DataVersion),
  offsetTable: withDefault(integerMapOf(integer), new Map()),
})
export type DelayOffsetSerializeWrapper = Of<typeof DelayOffsetSerializeWrapper>

/** Answers 308; by queue id. */
export const QueryCorrectionOffsetBody = defineBody({
  correctionOffsets: withDefault(integerMapOf(integer), new Map()),
})
export type QueryCorrectionOffsetBody = Of<typeof QueryCorrectionOffsetBody>

const QueueTimeSpan = objectOf({
  consumeTimeStamp: withDefault(integer, 0),
  delayTime: withDefault(integer, 0),
  maxTimeStamp: withDefault(integer, 0),
  messageQueue: required(MessageQueue),
  minTimeStamp: withDefault(integer, 0),
})

/** Answers 303. */
export const QueryConsumeTimeSpanBody = defineBody({ consumeTimeSpanSet: withDefault(listOf(QueueTimeSpan), []) })
export type QueryConsumeTimeSpanBody = Of<typeof QueryConsumeTimeSpanBody>

/** 400. `messageModel` is BROADCASTING or CLUSTERING, `strategyName` AVG or AVG_BY_CIRCLE. */
export const QueryAssignmentRequestBody = defineBody({
  clientId: required(text),
  consumerGroup: required(text),
  messageModel: withDefault(text, 'CLUSTERING'),
  strategyName: optional(text),
  topic: required(text),
})
export type QueryAssignmentRequestBody = Of<typeof QueryAssignmentRequestBody>

const MessageQueueAssignment = objectOf({
  attachments: optional(mapOf(text)),
  messageQueue: optional(MessageQueue),
  mode: withDefault(text, 'PULL'),
})

/** Answers 400. `mode` is PULL or POP. */
export const QueryAssignmentResponseBody = defineBody({
  messageQueueAssignments: withDefault(listOf(MessageQueueAssignment), []),
})
export type QueryAssignmentResponseBody = Of<typeof QueryAssignmentResponseBody>

/** 401. */
export const SetMessageRequestModeRequestBody = defineBody({
  consumerGroup: required(text),
  mode: withDefault(text, 'PULL'),
  popShareQueueNum: withDefault(integer, 0),
  topic: required(text),
})
export type SetMessageRequestModeRequestBody = Of<typeof SetMessageRequestModeRequestBody>

/** Answers 402; by topic, then group. */
export const MessageRequestModeSerializeWrapper = defineBody({
  messageRequestModeMap: withDefault(mapOf(mapOf(SetMessageRequestModeRequestBody)), new Map()),
})
export type MessageRequestModeSerializeWrapper = Of<typeof MessageRequestModeSerializeWrapper>

/** One acknowledgement of 200151. `b` is a Java BitSet's bytes in base64. */
const BatchAck = objectOf({
  b: optional(text),
  c: required(text),
  it: required(integer),
  pt: required(integer),
  q: required(integer),
  r: withDefault(text, '0'),
  rq: required(integer),
  so: required(integer),
  t: required(text),
})

export const BatchAckMessageRequestBody = defineBody({
  acks: withDefault(listOf(BatchAck), []),
  brokerName: optional(text),
})
export type BatchAckMessageRequestBody = Of<typeof BatchAckMessageRequestBody>
