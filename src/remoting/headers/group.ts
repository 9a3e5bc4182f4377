/** Subscription groups: 201, 207, 208, 303, 308, 314, 343, 345, 352, 353. */
import { boolean, defineHeader, type HeaderOf, int, string } from '../header.ts'

/** 201. Clients up to 5.3.3 send no header and want the whole table. */
export const GetAllSubscriptionGroupRequestHeader = defineHeader({
  groupSeq: int.optional(),
  dataVersion: string.optional(),
  maxGroupNum: int.optional(),
})
export type GetAllSubscriptionGroupRequestHeader = HeaderOf<typeof GetAllSubscriptionGroupRequestHeader.fields>

export const GetAllSubscriptionGroupResponseHeader = defineHeader({
  totalGroupNum: int.required(),
})
export type GetAllSubscriptionGroupResponseHeader = HeaderOf<typeof GetAllSubscriptionGroupResponseHeader.fields>

/** 207. */
export const DeleteSubscriptionGroupRequestHeader = defineHeader({
  groupName: string.required(),
  cleanOffset: boolean.optional(),
})
export type DeleteSubscriptionGroupRequestHeader = HeaderOf<typeof DeleteSubscriptionGroupRequestHeader.fields>

/** 208. `topicList` is separated by semicolons. */
export const GetConsumeStatsRequestHeader = defineHeader({
  consumerGroup: string.required(),
  topic: string.optional(),
  topicList: string.optional(),
})
export type GetConsumeStatsRequestHeader = HeaderOf<typeof GetConsumeStatsRequestHeader.fields>

/** 303. */
export const QueryConsumeTimeSpanRequestHeader = defineHeader({
  topic: string.required(),
  group: string.required(),
})
export type QueryConsumeTimeSpanRequestHeader = HeaderOf<typeof QueryConsumeTimeSpanRequestHeader.fields>

/** 308. */
export const QueryCorrectionOffsetRequestHeader = defineHeader({
  filterGroups: string.optional(),
  compareGroup: string.required(),
  topic: string.required(),
})
export type QueryCorrectionOffsetRequestHeader = HeaderOf<typeof QueryCorrectionOffsetRequestHeader.fields>

/** 314. */
export const CloneGroupOffsetRequestHeader = defineHeader({
  srcGroup: string.required(),
  destGroup: string.required(),
  topic: string.optional(),
  offline: boolean.optional(),
})
export type CloneGroupOffsetRequestHeader = HeaderOf<typeof CloneGroupOffsetRequestHeader.fields>

/** 343. */
export const QueryTopicsByConsumerRequestHeader = defineHeader({
  group: string.required(),
})
export type QueryTopicsByConsumerRequestHeader = HeaderOf<typeof QueryTopicsByConsumerRequestHeader.fields>

/** 345. */
export const QuerySubscriptionByConsumerRequestHeader = defineHeader({
  group: string.required(),
  topic: string.optional(),
})
export type QuerySubscriptionByConsumerRequestHeader = HeaderOf<typeof QuerySubscriptionByConsumerRequestHeader.fields>

/** 352. */
export const GetSubscriptionGroupConfigRequestHeader = defineHeader({
  group: string.required(),
})
export type GetSubscriptionGroupConfigRequestHeader = HeaderOf<typeof GetSubscriptionGroupConfigRequestHeader.fields>

/** 353. */
export const UpdateGroupForbiddenRequestHeader = defineHeader({
  group: string.required(),
  topic: string.required(),
  readable: boolean.optional(),
})
export type UpdateGroupForbiddenRequestHeader = HeaderOf<typeof UpdateGroupForbiddenRequestHeader.fields>
