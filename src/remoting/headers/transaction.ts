/** Transactions: 37, 39, 323. */
import { boolean, defineHeader, type HeaderOf, int, long, string, text } from '../header.ts'

/** 37. `commitOrRollback` is 8 to commit, 12 to roll back, 0 for unknown. */
export const EndTransactionRequestHeader = defineHeader({
  topic: string.optional(),
  producerGroup: string.required(),
  tranStateTableOffset: long.required(),
  commitLogOffset: long.required(),
  commitOrRollback: int.required(),
  fromTransactionCheck: boolean.optional(),
  msgId: text.optional(),
  transactionId: text.optional(),
})
export type EndTransactionRequestHeader = HeaderOf<typeof EndTransactionRequestHeader.fields>

/** 39, broker to client. */
export const CheckTransactionStateRequestHeader = defineHeader({
  topic: string.optional(),
  tranStateTableOffset: long.required(),
  commitLogOffset: long.required(),
  msgId: text.optional(),
  transactionId: text.optional(),
  offsetMsgId: text.optional(),
  bname: string.optional(),
})
export type CheckTransactionStateRequestHeader = HeaderOf<typeof CheckTransactionStateRequestHeader.fields>

/** 323. */
export const ResumeCheckHalfMessageRequestHeader = defineHeader({
  topic: string.optional(),
  msgId: text.optional(),
})
export type ResumeCheckHalfMessageRequestHeader = HeaderOf<typeof ResumeCheckHalfMessageRequestHeader.fields>
