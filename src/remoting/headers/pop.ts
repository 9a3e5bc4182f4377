/** POP: 200050 to 200055. */
import { boolean, defineHeader, type HeaderOf, int, long, string, text } from '../header.ts'

/** 200050. */
export const PopMessageRequestHeader = defineHeader({
  consumerGroup: string.required(),
  topic: string.required(),
  queueId: int.required(),
  maxMsgNums: int.required(),
  invisibleTime: long.required(),
  pollTime: long.required(),
  bornTime: long.required(),
  initMode: int.required(),
  expType: string.optional(),
  exp: string.optional(),
  order: boolean.optional(),
  attemptId: text.optional(),
})
export type PopMessageRequestHeader = HeaderOf<typeof PopMessageRequestHeader.fields>

export const PopMessageResponseHeader = defineHeader({
  popTime: long.required(),
  invisibleTime: long.required(),
  reviveQid: int.required(),
  restNum: long.required(),
  startOffsetInfo: text.optional(),
  msgOffsetInfo: text.optional(),
  orderCountInfo: text.optional(),
})
export type PopMessageResponseHeader = HeaderOf<typeof PopMessageResponseHeader.fields>

/** 200051. */
export const AckMessageRequestHeader = defineHeader({
  consumerGroup: string.required(),
  topic: string.required(),
  queueId: int.required(),
  extraInfo: text.required(),
  offset: long.required(),
})
export type AckMessageRequestHeader = HeaderOf<typeof AckMessageRequestHeader.fields>

/** 200052. */
export const PeekMessageRequestHeader = defineHeader({
  topic: string.required(),
  queueId: int.required(),
  maxMsgNums: int.required(),
  consumerGroup: string.required(),
})
export type PeekMessageRequestHeader = HeaderOf<typeof PeekMessageRequestHeader.fields>

/** 200053. */
export const ChangeInvisibleTimeRequestHeader = defineHeader({
  consumerGroup: string.required(),
  topic: string.required(),
  queueId: int.required(),
  extraInfo: text.required(),
  offset: long.required(),
  invisibleTime: long.required(),
})
export type ChangeInvisibleTimeRequestHeader = HeaderOf<typeof ChangeInvisibleTimeRequestHeader.fields>

export const ChangeInvisibleTimeResponseHeader = defineHeader({
  popTime: long.required(),
  invisibleTime: long.required(),
  reviveQid: int.required(),
})
export type ChangeInvisibleTimeResponseHeader = HeaderOf<typeof ChangeInvisibleTimeResponseHeader.fields>

/** 200054. */
export const NotificationRequestHeader = defineHeader({
  consumerGroup: string.required(),
  topic: string.required(),
  queueId: int.required(),
  pollTime: long.required(),
  bornTime: long.required(),
  order: boolean.optional(),
  attemptId: text.optional(),
})
export type NotificationRequestHeader = HeaderOf<typeof NotificationRequestHeader.fields>

export const NotificationResponseHeader = defineHeader({
  hasMsg: boolean.required(),
  pollingFull: boolean.optional(),
})
export type NotificationResponseHeader = HeaderOf<typeof NotificationResponseHeader.fields>

/** 200055. */
export const PollingInfoRequestHeader = defineHeader({
  consumerGroup: string.required(),
  topic: string.required(),
  queueId: int.required(),
})
export type PollingInfoRequestHeader = HeaderOf<typeof PollingInfoRequestHeader.fields>

export const PollingInfoResponseHeader = defineHeader({
  pollingNum: int.required(),
})
export type PollingInfoResponseHeader = HeaderOf<typeof PollingInfoResponseHeader.fields>
