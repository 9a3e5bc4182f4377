/** Topics of a broker: 17, 21, 202, 215, 300, 351, 513. */
import { boolean, defineHeader, type HeaderOf, int, string } from '../header.ts'

/** 17 and 513. `attributes` is `+key=value,-key`. */
export const CreateTopicRequestHeader = defineHeader({
  topic: string.required(),
  defaultTopic: string.optional(),
  readQueueNums: int.required(),
  writeQueueNums: int.required(),
  perm: int.required(),
  topicFilterType: string.optional(),
  topicSysFlag: int.optional(),
  order: boolean.optional(),
  attributes: string.optional(),
  force: boolean.optional(),
})
export type CreateTopicRequestHeader = HeaderOf<typeof CreateTopicRequestHeader.fields>

/** 21. Clients up to 5.3.3 send no header and want the whole table. */
export const GetAllTopicConfigRequestHeader = defineHeader({
  topicSeq: int.optional(),
  dataVersion: string.optional(),
  maxTopicNum: int.optional(),
})
export type GetAllTopicConfigRequestHeader = HeaderOf<typeof GetAllTopicConfigRequestHeader.fields>

export const GetAllTopicConfigResponseHeader = defineHeader({
  totalTopicNum: int.required(),
})
export type GetAllTopicConfigResponseHeader = HeaderOf<typeof GetAllTopicConfigResponseHeader.fields>

/** 202. */
export const GetTopicStatsInfoRequestHeader = defineHeader({
  topic: string.required(),
})
export type GetTopicStatsInfoRequestHeader = HeaderOf<typeof GetTopicStatsInfoRequestHeader.fields>

/** 215. */
export const DeleteTopicRequestHeader = defineHeader({
  topic: string.required(),
})
export type DeleteTopicRequestHeader = HeaderOf<typeof DeleteTopicRequestHeader.fields>

/** 300. */
export const QueryTopicConsumeByWhoRequestHeader = defineHeader({
  topic: string.required(),
})
export type QueryTopicConsumeByWhoRequestHeader = HeaderOf<typeof QueryTopicConsumeByWhoRequestHeader.fields>

/** 351. */
export const GetTopicConfigRequestHeader = defineHeader({
  topic: string.required(),
})
export type GetTopicConfigRequestHeader = HeaderOf<typeof GetTopicConfigRequestHeader.fields>
