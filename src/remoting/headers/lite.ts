/** Lite topics of 5.5: 200070 to 200079. */
import { defineHeader, type HeaderOf, int, long, string } from '../header.ts'

/** 200070. */
export const PopLiteMessageRequestHeader = defineHeader({
  clientId: string.required(),
  consumerGroup: string.required(),
  topic: string.required(),
  maxMsgNum: int.required(),
  invisibleTime: long.required(),
  pollTime: long.required(),
  bornTime: long.required(),
  attemptId: string.optional(),
})
export type PopLiteMessageRequestHeader = HeaderOf<typeof PopLiteMessageRequestHeader.fields>

export const PopLiteMessageResponseHeader = defineHeader({
  popTime: long.required(),
  invisibleTime: long.required(),
  reviveQid: int.required(),
  startOffsetInfo: string.optional(),
  msgOffsetInfo: string.optional(),
  orderCountInfo: string.optional(),
})
export type PopLiteMessageResponseHeader = HeaderOf<typeof PopLiteMessageResponseHeader.fields>

/** 200073, broker to client. */
export const NotifyUnsubscribeLiteRequestHeader = defineHeader({
  liteTopic: string.required(),
  consumerGroup: string.required(),
  clientId: string.required(),
})
export type NotifyUnsubscribeLiteRequestHeader = HeaderOf<typeof NotifyUnsubscribeLiteRequestHeader.fields>

/** 200075. */
export const GetParentTopicInfoRequestHeader = defineHeader({
  topic: string.required(),
})
export type GetParentTopicInfoRequestHeader = HeaderOf<typeof GetParentTopicInfoRequestHeader.fields>

/** 200076. */
export const GetLiteTopicInfoRequestHeader = defineHeader({
  parentTopic: string.required(),
  liteTopic: string.required(),
})
export type GetLiteTopicInfoRequestHeader = HeaderOf<typeof GetLiteTopicInfoRequestHeader.fields>

/** 200077. */
export const GetLiteClientInfoRequestHeader = defineHeader({
  parentTopic: string.optional(),
  group: string.optional(),
  clientId: string.optional(),
  maxCount: int.optional(),
})
export type GetLiteClientInfoRequestHeader = HeaderOf<typeof GetLiteClientInfoRequestHeader.fields>

/** 200078. */
export const GetLiteGroupInfoRequestHeader = defineHeader({
  group: string.required(),
  liteTopic: string.optional(),
  topK: int.optional(),
})
export type GetLiteGroupInfoRequestHeader = HeaderOf<typeof GetLiteGroupInfoRequestHeader.fields>

/** 200079. */
export const TriggerLiteDispatchRequestHeader = defineHeader({
  group: string.required(),
  clientId: string.optional(),
})
export type TriggerLiteDispatchRequestHeader = HeaderOf<typeof TriggerLiteDispatchRequestHeader.fields>
