/** Pulls: 11 and 361. RocketMQ PullMessageRequestHeader. */
import { defineHeader, type HeaderOf, int, long, string } from '../header.ts'

/** 11 and 361. */
export const PullMessageRequestHeader = defineHeader({
  consumerGroup: string.required(),
  topic: string.required(),
  queueId: int.required(),
  queueOffset: long.required(),
  maxMsgNums: int.required(),
  sysFlag: int.required(),
  commitOffset: long.required(),
  suspendTimeoutMillis: long.required(),
  subscription: string.optional(),
  subVersion: long.required(),
  expressionType: string.optional(),
  maxMsgBytes: int.optional(),
  requestSource: int.optional(),
  proxyFrowardClientId: string.optional(),
})
export type PullMessageRequestHeader = HeaderOf<typeof PullMessageRequestHeader.fields>

/** The first four are always sent: the Java client reads them without a look. */
export const PullMessageResponseHeader = defineHeader({
  suggestWhichBrokerId: long.required(),
  nextBeginOffset: long.required(),
  minOffset: long.required(),
  maxOffset: long.required(),
  offsetDelta: long.optional(),
  topicSysFlag: int.optional(),
  groupSysFlag: int.optional(),
  forbiddenType: int.optional(),
})
export type PullMessageResponseHeader = HeaderOf<typeof PullMessageResponseHeader.fields>
