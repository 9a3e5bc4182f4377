/** What clients say of themselves, and what is told of them. */
import {
  decimal,
  defineBody,
  flag,
  integer,
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
import { MessageQueue } from './queue.ts'

/** RocketMQ SubscriptionData. `expressionType` is TAG or SQL92; `codeSet` are the hash codes of `tagsSet`. */
export const SubscriptionData = defineBody({
  classFilterMode: withDefault(flag, false),
  codeSet: withDefault(listOf(integer), []),
  expressionType: withDefault(text, 'TAG'),
  subString: withDefault(text, '*'),
  subVersion: withDefault(integer, 0),
  tagsSet: withDefault(listOf(text), []),
  topic: required(text),
})
export type SubscriptionData = Of<typeof SubscriptionData>

const ProducerData = objectOf({ groupName: required(text) })
export type ProducerData = Of<typeof ProducerData>

/** `consumeType` is CONSUME_ACTIVELY, CONSUME_PASSIVELY or CONSUME_POP. */
const ConsumerData = objectOf({
  consumeFromWhere: optional(text),
  consumeType: withDefault(text, 'CONSUME_PASSIVELY'),
  groupName: required(text),
  messageModel: withDefault(text, 'CLUSTERING'),
  subscriptionDataSet: withDefault(listOf(SubscriptionData), []),
  unitMode: withDefault(flag, false),
})
export type ConsumerData = Of<typeof ConsumerData>

/** 34. A fingerprint other than 0 asks for the second form of heartbeats. */
export const HeartbeatData = defineBody({
  clientID: required(text),
  consumerDataSet: withDefault(listOf(ConsumerData), []),
  heartbeatFingerprint: withDefault(integer, 0),
  producerDataSet: withDefault(listOf(ProducerData), []),
  withoutSub: withDefault(flag, false),
})
export type HeartbeatData = Of<typeof HeartbeatData>

/** 46. */
export const CheckClientRequestBody = defineBody({
  clientId: required(text),
  group: required(text),
  namespace: optional(text),
  subscriptionData: required(SubscriptionData),
})
export type CheckClientRequestBody = Of<typeof CheckClientRequestBody>

/** Answers 38. */
export const GetConsumerListByGroupResponseBody = defineBody({ consumerIdList: withDefault(listOf(text), []) })
export type GetConsumerListByGroupResponseBody = Of<typeof GetConsumerListByGroupResponseBody>

/** `language` is the name of a LanguageCode. */
const ClientConnection = objectOf({
  clientAddr: required(text),
  clientId: required(text),
  language: withDefault(text, 'JAVA'),
  version: withDefault(integer, 0),
})
export type ClientConnection = Of<typeof ClientConnection>

/** Answers 203. */
export const ConsumerConnection = defineBody({
  connectionSet: withDefault(listOf(ClientConnection), []),
  consumeFromWhere: optional(text),
  consumeType: optional(text),
  messageModel: optional(text),
  subscriptionTable: withDefault(mapOf(SubscriptionData), new Map()),
})
export type ConsumerConnection = Of<typeof ConsumerConnection>

/** Answers 204. */
export const ProducerConnection = defineBody({ connectionSet: withDefault(listOf(ClientConnection), []) })
export type ProducerConnection = Of<typeof ProducerConnection>

const ProducerInfo = objectOf({
  clientId: required(text),
  language: withDefault(text, 'JAVA'),
  lastUpdateTimestamp: withDefault(integer, 0),
  remoteIP: required(text),
  version: withDefault(integer, 0),
})

/** Answers 328; by producer group. */
export const ProducerTableInfo = defineBody({ data: withDefault(mapOf(listOf(ProducerInfo)), new Map()) })
export type ProducerTableInfo = Of<typeof ProducerTableInfo>

/** Answers 345. */
export const QuerySubscriptionResponseBody = defineBody({
  group: optional(text),
  subscriptionData: optional(SubscriptionData),
  topic: optional(text),
})
export type QuerySubscriptionResponseBody = Of<typeof QuerySubscriptionResponseBody>

const ProcessQueueInfo = objectOf({
  cachedMsgCount: withDefault(integer, 0),
  cachedMsgMaxOffset: withDefault(integer, 0),
  cachedMsgMinOffset: withDefault(integer, 0),
  cachedMsgSizeInMiB: withDefault(integer, 0),
  commitOffset: withDefault(integer, 0),
  droped: withDefault(flag, false),
  lastConsumeTimestamp: withDefault(integer, 0),
  lastLockTimestamp: withDefault(integer, 0),
  lastPullTimestamp: withDefault(integer, 0),
  locked: withDefault(flag, false),
  transactionMsgCount: withDefault(integer, 0),
  transactionMsgMaxOffset: withDefault(integer, 0),
  transactionMsgMinOffset: withDefault(integer, 0),
  tryUnlockTimes: withDefault(integer, 0),
})

const PopProcessQueueInfo = objectOf({
  droped: withDefault(flag, false),
  lastPopTimestamp: withDefault(integer, 0),
  waitAckCount: withDefault(integer, 0),
})

const ConsumeStatus = objectOf({
  consumeFailedMsgs: withDefault(integer, 0),
  consumeFailedTPS: withDefault(decimal, 0),
  consumeOKTPS: withDefault(decimal, 0),
  consumeRT: withDefault(decimal, 0),
  pullRT: withDefault(decimal, 0),
  pullTPS: withDefault(decimal, 0),
})

/** A client's answer to 307; the broker relays its bytes. */
export const ConsumerRunningInfo = defineBody({
  jstack: optional(text),
  mqPopTable: withDefault(pairsOf(MessageQueue, PopProcessQueueInfo), []),
  mqTable: withDefault(pairsOf(MessageQueue, ProcessQueueInfo), []),
  properties: withDefault(mapOf(text), new Map()),
  statusTable: withDefault(mapOf(ConsumeStatus), new Map()),
  subscriptionSet: withDefault(listOf(SubscriptionData), []),
  userConsumerInfo: withDefault(mapOf(text), new Map()),
})
export type ConsumerRunningInfo = Of<typeof ConsumerRunningInfo>

/** A client's answer to 309. `consumeResult` is CR_SUCCESS, CR_LATER, CR_ROLLBACK, CR_COMMIT, CR_THROW_EXCEPTION or CR_RETURN_NULL. */
export const ConsumeMessageDirectlyResult = defineBody({
  autoCommit: withDefault(flag, true),
  consumeResult: optional(text),
  order: withDefault(flag, false),
  remark: optional(text),
  spentTimeMills: withDefault(integer, 0),
})
export type ConsumeMessageDirectlyResult = Of<typeof ConsumeMessageDirectlyResult>
