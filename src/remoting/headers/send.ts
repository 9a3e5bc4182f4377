/** Sends: 10, 310 and 320 (V2: `.short`), 324 and 325, 36 (send back), 370 (recall). RocketMQ SendMessageRequestHeader and its V2. */
import { boolean, defineHeader, type HeaderOf, int, long, string, text } from '../header.ts'

/** 10; `.short` is the form of 310, 320 and 325. */
export const SendMessageRequestHeader = defineHeader({
  producerGroup: string.required('a'),
  topic: string.required('b'),
  defaultTopic: string.required('c'),
  defaultTopicQueueNums: int.required('d'),
  queueId: int.required('e'),
  sysFlag: int.required('f'),
  bornTimestamp: long.required('g'),
  flag: int.required('h'),
  properties: text.optional('i'),
  reconsumeTimes: int.optional('j'),
  unitMode: boolean.optional('k'),
  maxReconsumeTimes: int.optional('l'),
  batch: boolean.optional('m'),
  brokerName: string.optional('n'),
})
export type SendMessageRequestHeader = HeaderOf<typeof SendMessageRequestHeader.fields>

/** 700_021: what all parts of a send to many queues have in common. */
export const SendToManyQueuesRequestHeader = defineHeader({
  producerGroup: string.required(),
  defaultTopic: string.required(),
  defaultTopicQueueNums: int.required(),
})
export type SendToManyQueuesRequestHeader = HeaderOf<typeof SendToManyQueuesRequestHeader.fields>

/** `storeHost`: the offset message ids of all that was stored begin so. */
export const SendToManyQueuesResponseHeader = defineHeader({ storeHost: text.required() })
export type SendToManyQueuesResponseHeader = HeaderOf<typeof SendToManyQueuesResponseHeader.fields>

export const SendMessageResponseHeader = defineHeader({
  msgId: text.required(),
  queueId: int.required(),
  queueOffset: long.required(),
  transactionId: text.optional(),
  batchUniqId: text.optional(),
  recallHandle: text.optional(),
})
export type SendMessageResponseHeader = HeaderOf<typeof SendMessageResponseHeader.fields>

/** 326, broker to client. */
export const ReplyMessageRequestHeader = defineHeader({
  producerGroup: string.required(),
  topic: string.required(),
  defaultTopic: string.required(),
  defaultTopicQueueNums: int.required(),
  queueId: int.required(),
  sysFlag: int.required(),
  bornTimestamp: long.required(),
  flag: int.required(),
  properties: text.optional(),
  reconsumeTimes: int.optional(),
  unitMode: boolean.optional(),
  bornHost: string.required(),
  storeHost: string.required(),
  storeTimestamp: long.required(),
})
export type ReplyMessageRequestHeader = HeaderOf<typeof ReplyMessageRequestHeader.fields>

/** 36. */
export const ConsumerSendMsgBackRequestHeader = defineHeader({
  offset: long.required(),
  group: string.required(),
  delayLevel: int.required(),
  originMsgId: text.optional(),
  originTopic: string.optional(),
  unitMode: boolean.optional(),
  maxReconsumeTimes: int.optional(),
})
export type ConsumerSendMsgBackRequestHeader = HeaderOf<typeof ConsumerSendMsgBackRequestHeader.fields>

/** 370. */
export const RecallMessageRequestHeader = defineHeader({
  producerGroup: string.optional(),
  topic: string.required(),
  recallHandle: text.required(),
})
export type RecallMessageRequestHeader = HeaderOf<typeof RecallMessageRequestHeader.fields>

export const RecallMessageResponseHeader = defineHeader({
  msgId: text.required(),
})
export type RecallMessageResponseHeader = HeaderOf<typeof RecallMessageResponseHeader.fields>
