/**
 * 37: a producer ends a transaction (RocketMQ EndTransactionProcessor). 323: an operator has a half that was given up
 * checked again (RocketMQ AdminBrokerProcessor.resumeCheckHalfMessage).
 */
import { errorCode, errorMessage } from '../../lib/errors.ts'
import { decodeOffsetMessageId } from '../../message/message-id.ts'
import { PropertyName, removeProperty, replaceProperty } from '../../message/properties.ts'
import { decodeRecord, type RecordDraft } from '../../message/record.ts'
import { SysFlag } from '../../message/sys-flag.ts'
import { SystemTopic } from '../../message/topic-name.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { EndTransactionRequestHeader, ResumeCheckHalfMessageRequestHeader } from '../../remoting/headers/transaction.ts'
import { type Reply, type Route, route } from '../../remoting/route.ts'
import { refusal } from '../errors.ts'
import type { Leadership, Proposals } from '../needs.ts'
import type { Transactions } from '../transactions/transactions.ts'

export interface EndTransactionNeeds {
  readonly transactions: Pick<Transactions, 'end'>
  readonly leadership: Pick<Leadership, 'isReady'>
  readonly store: { recordAt(offset: number): Promise<Buffer | undefined> }
  readonly proposals: Pick<Proposals, 'records'>
}

export function endTransaction(need: EndTransactionNeeds): Route<unknown>[] {
  return [
    route({ code: RequestCode.END_TRANSACTION, request: EndTransactionRequestHeader, handle: end }),
    route({
      code: RequestCode.RESUME_CHECK_HALF_MESSAGE,
      request: ResumeCheckHalfMessageRequestHeader,
      handle: resume,
    }),
  ]

  async function end(header: EndTransactionRequestHeader): Promise<Reply> {
    const { commitOrRollback: state } = header
    const isCommit = state === SysFlag.transactionCommit
    if (!isCommit && state !== SysFlag.transactionRollback) {
      if (state !== 0) throw refusal('BROKER_REFUSED', `commitOrRollback is ${state}: not 0, 8 or 12`)
      // RocketMQ answers nothing to a state that ends nothing; whoever waits for an answer is told that it was heard.
      return { code: ResponseCode.SUCCESS }
    }
    try {
      const isEnded = await need.transactions.end({
        group: header.producerGroup,
        queueOffset: header.tranStateTableOffset,
        offset: header.commitLogOffset,
        isCommit,
        isFromCheck: header.fromTransactionCheck ?? false,
      })
      return { code: ResponseCode.SUCCESS, remark: isEnded ? undefined : 'the transaction had ended before' }
    } catch (error) {
      // An end may be said again, so one whose fate went with this node's leadership goes to the next leader.
      if (errorCode(error) !== 'BROKER_UNDECIDED' || need.leadership.isReady) throw error
      throw refusal('BROKER_NOT_LEADER', errorMessage(error))
    }
  }

  async function resume(header: ResumeCheckHalfMessageRequestHeader): Promise<Reply> {
    let record: Buffer | undefined
    try {
      record = await need.store.recordAt(decodeOffsetMessageId(header.msgId ?? '').offset)
    } catch (error) {
      if (errorCode(error) !== 'MESSAGE_BAD_ID') throw error
      throw noneToResume()
    }
    const given = record === undefined ? undefined : decodeRecord(record, 0)
    // A half that is pending is checked anyway; one that ended must not begin again.
    if (given?.topic !== SystemTopic.transactionCheckMax) throw noneToResume()
    const properties = removeProperty(given.properties, PropertyName.TRAN_PREPARED_QUEUE_OFFSET)
    const draft: RecordDraft = {
      ...given,
      topic: SystemTopic.transactionHalf,
      queueId: 0,
      properties: replaceProperty(properties, PropertyName.TRANSACTION_CHECK_TIMES, '0'),
    }
    await new Promise<void>((resolve, reject) => {
      need.proposals.records([draft], (error) => (error === undefined ? resolve() : reject(error)))
    })
    return { code: ResponseCode.SUCCESS }
  }
}

function noneToResume(): Error {
  return refusal('BROKER_REFUSED', 'Exception was thrown when putting message back to RMQ_SYS_TRANS_HALF_TOPIC.')
}
