/** Offsets of queues and of consumers: 14, 15, 29 to 32. */
import { boolean, defineHeader, type HeaderOf, int, long, string } from '../header.ts'

/** 14. */
export const QueryConsumerOffsetRequestHeader = defineHeader({
  consumerGroup: string.required(),
  topic: string.required(),
  queueId: int.required(),
  setZeroIfNotFound: boolean.optional(),
})
export type QueryConsumerOffsetRequestHeader = HeaderOf<typeof QueryConsumerOffsetRequestHeader.fields>

/** 15. */
export const UpdateConsumerOffsetRequestHeader = defineHeader({
  consumerGroup: string.required(),
  topic: string.required(),
  queueId: int.required(),
  commitOffset: long.required(),
})
export type UpdateConsumerOffsetRequestHeader = HeaderOf<typeof UpdateConsumerOffsetRequestHeader.fields>

/** 29. `boundaryType` is LOWER or UPPER in any case; LOWER when absent. */
export const SearchOffsetRequestHeader = defineHeader({
  topic: string.required(),
  queueId: int.required(),
  timestamp: long.required(),
  boundaryType: string.optional(),
})
export type SearchOffsetRequestHeader = HeaderOf<typeof SearchOffsetRequestHeader.fields>

/** 30. */
export const GetMaxOffsetRequestHeader = defineHeader({
  topic: string.required(),
  queueId: int.required(),
  committed: boolean.optional(),
})
export type GetMaxOffsetRequestHeader = HeaderOf<typeof GetMaxOffsetRequestHeader.fields>

/** 31. */
export const GetMinOffsetRequestHeader = defineHeader({
  topic: string.required(),
  queueId: int.required(),
})
export type GetMinOffsetRequestHeader = HeaderOf<typeof GetMinOffsetRequestHeader.fields>

/** 32. */
export const GetEarliestMsgStoretimeRequestHeader = defineHeader({
  topic: string.required(),
  queueId: int.required(),
})
export type GetEarliestMsgStoretimeRequestHeader = HeaderOf<typeof GetEarliestMsgStoretimeRequestHeader.fields>

/** Answers 14, 29, 30 and 31. */
export const OffsetResponseHeader = defineHeader({
  offset: long.required(),
})
export type OffsetResponseHeader = HeaderOf<typeof OffsetResponseHeader.fields>

export const GetEarliestMsgStoretimeResponseHeader = defineHeader({
  timestamp: long.required(),
})
export type GetEarliestMsgStoretimeResponseHeader = HeaderOf<typeof GetEarliestMsgStoretimeResponseHeader.fields>
