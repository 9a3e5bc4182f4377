/** What clients say of themselves and hear: 34, 35, 38, 40, and what is relayed to one of them: 220 to 223, 307, 309. */
import { boolean, defineHeader, type HeaderOf, int, long, string } from '../header.ts'

/** 35. */
export const UnregisterClientRequestHeader = defineHeader({
  clientID: string.required(),
  producerGroup: string.optional(),
  consumerGroup: string.optional(),
})
export type UnregisterClientRequestHeader = HeaderOf<typeof UnregisterClientRequestHeader.fields>

/** 38. */
export const GetConsumerListByGroupRequestHeader = defineHeader({
  consumerGroup: string.required(),
})
export type GetConsumerListByGroupRequestHeader = HeaderOf<typeof GetConsumerListByGroupRequestHeader.fields>

/** 40, broker to client. */
export const NotifyConsumerIdsChangedRequestHeader = defineHeader({
  consumerGroup: string.required(),
})
export type NotifyConsumerIdsChangedRequestHeader = HeaderOf<typeof NotifyConsumerIdsChangedRequestHeader.fields>

/** 220 and 222. `timestamp` -1 is the end of the queue. */
export const ResetOffsetRequestHeader = defineHeader({
  group: string.required(),
  topic: string.required(),
  queueId: int.optional(),
  offset: long.optional(),
  timestamp: long.required(),
  isForce: boolean.optional(),
})
export type ResetOffsetRequestHeader = HeaderOf<typeof ResetOffsetRequestHeader.fields>

/** 221 and 223. */
export const GetConsumerStatusRequestHeader = defineHeader({
  topic: string.required(),
  group: string.required(),
  clientAddr: string.optional(),
})
export type GetConsumerStatusRequestHeader = HeaderOf<typeof GetConsumerStatusRequestHeader.fields>

/** 307. */
export const GetConsumerRunningInfoRequestHeader = defineHeader({
  consumerGroup: string.required(),
  clientId: string.required(),
  jstackEnable: boolean.optional(),
})
export type GetConsumerRunningInfoRequestHeader = HeaderOf<typeof GetConsumerRunningInfoRequestHeader.fields>

/** 309. */
export const ConsumeMessageDirectlyResultRequestHeader = defineHeader({
  consumerGroup: string.required(),
  clientId: string.optional(),
  msgId: string.optional(),
  brokerName: string.optional(),
  topic: string.optional(),
  topicSysFlag: int.optional(),
  groupSysFlag: int.optional(),
})
export type ConsumeMessageDirectlyResultRequestHeader = HeaderOf<
  typeof ConsumeMessageDirectlyResultRequestHeader.fields
>

/** 203. */
export const GetConsumerConnectionListRequestHeader = defineHeader({
  consumerGroup: string.required(),
})
export type GetConsumerConnectionListRequestHeader = HeaderOf<typeof GetConsumerConnectionListRequestHeader.fields>

/** 204. */
export const GetProducerConnectionListRequestHeader = defineHeader({
  producerGroup: string.required(),
})
export type GetProducerConnectionListRequestHeader = HeaderOf<typeof GetProducerConnectionListRequestHeader.fields>
