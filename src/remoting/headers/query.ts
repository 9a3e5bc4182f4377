/** Finding messages: 12, 33, 321. */
import { defineHeader, type HeaderOf, int, long, string, text } from '../header.ts'

/** 12. `indexType` (from 5.5 on) is K for keys, U for unique keys, T for tags. */
export const QueryMessageRequestHeader = defineHeader({
  topic: string.required(),
  key: text.required(),
  maxNum: int.required(),
  beginTimestamp: long.required(),
  endTimestamp: long.required(),
  indexType: string.optional(),
})
export type QueryMessageRequestHeader = HeaderOf<typeof QueryMessageRequestHeader.fields>

export const QueryMessageResponseHeader = defineHeader({
  indexLastUpdateTimestamp: long.required(),
  indexLastUpdatePhyoffset: long.required(),
})
export type QueryMessageResponseHeader = HeaderOf<typeof QueryMessageResponseHeader.fields>

/** 33. `offset` is the byte offset in the CommitLog. */
export const ViewMessageRequestHeader = defineHeader({
  topic: string.optional(),
  offset: long.required(),
})
export type ViewMessageRequestHeader = HeaderOf<typeof ViewMessageRequestHeader.fields>

/** 321. */
export const QueryConsumeQueueRequestHeader = defineHeader({
  topic: string.optional(),
  queueId: int.optional(),
  index: long.optional(),
  count: int.optional(),
  consumerGroup: string.optional(),
})
export type QueryConsumeQueueRequestHeader = HeaderOf<typeof QueryConsumeQueueRequestHeader.fields>
