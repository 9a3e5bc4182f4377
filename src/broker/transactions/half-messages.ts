/**
 * The forms that a message of a transaction takes (RocketMQ TransactionalMessageBridge, EndTransactionProcessor,
 * DefaultTransactionalMessageCheckListener). Pure.
 */
import { findProperty, PropertyName, replaceProperty } from '../../message/properties.ts'
import { draftFrom, type Place, withoutRealPlace, withRealPlace } from '../../message/real-place.ts'
import { type Host, type RecordDraft, recordLength, type StoredMessage, writeRecord } from '../../message/record.ts'
import { SysFlag, withTransactionType } from '../../message/sys-flag.ts'
import { SystemTopic } from '../../message/topic-name.ts'

/** RocketMQ TransactionalMessageUtil: what the records of the op queue are tagged with. */
const REMOVE_TAG = 'd'

/** A message on its way to `draft.topic` as it waits for its transaction's end. Throws MESSAGE_BAD_PROPERTIES. */
export function halfDraft(draft: RecordDraft, uniqueKey: string): RecordDraft {
  const properties = withRealPlace(replaceProperty(draft.properties, PropertyName.TRANSACTION_ID, uniqueKey), draft)
  const sysFlag = withTransactionType(draft.sysFlag, 0)
  return { ...draft, topic: SystemTopic.transactionHalf, queueId: 0, sysFlag, properties }
}

/** The message of a committed transaction. But for its place it keeps the properties of its half, as RocketMQ's does. */
export function committedDraft(half: StoredMessage, place: Place): RecordDraft {
  const sysFlag = withTransactionType(half.sysFlag, SysFlag.transactionCommit)
  const properties = withoutRealPlace(half.properties)
  return draftFrom(half, { ...place, sysFlag, preparedTransactionOffset: half.offset, properties })
}

/** The half once more, for the end of its queue; it remembers where it was first. `checkTimes`: asked so often. */
export function renewedHalf(half: StoredMessage, checkTimes: number): RecordDraft {
  let { properties } = half
  if (checkTimes > 0) properties = replaceProperty(properties, PropertyName.TRANSACTION_CHECK_TIMES, String(checkTimes))
  properties = replaceProperty(properties, PropertyName.TRAN_PREPARED_QUEUE_OFFSET, String(originOf(half)))
  return draftFrom(half, { topic: SystemTopic.transactionHalf, queueId: 0, properties })
}

/** The queueOffset at which the producer was told that its half is. */
export function originOf(half: StoredMessage): number {
  const origin = Number(findProperty(half.properties, PropertyName.TRAN_PREPARED_QUEUE_OFFSET) ?? Number.NaN)
  return Number.isSafeInteger(origin) && origin >= 0 ? origin : half.queueOffset
}

/** A half that nobody ended, for the topic in which an operator finds it. */
export function discardedDraft(half: StoredMessage): RecordDraft {
  return draftFrom(half, { topic: SystemTopic.transactionCheckMax, queueId: 0 })
}

/** What stock tools read in the op queue: these halves ended. */
export function opDraft(queueOffsets: readonly number[], storeHost: Host, nowMs: number): RecordDraft {
  return {
    topic: SystemTopic.transactionOp,
    queueId: 0,
    flag: 0,
    sysFlag: 0,
    bornTimestampMs: nowMs,
    bornHost: storeHost,
    storeHost,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from(queueOffsets.map((queueOffset) => `${queueOffset},`).join('')),
    properties: Buffer.from(`${PropertyName.TAGS}\u0001${REMOVE_TAG}\u0002`),
  }
}

/** The half as its producer is shown it: a stored message of the topic it is meant for. */
export function shownRecord(half: StoredMessage, place: Place): Buffer {
  const draft = draftFrom(half, place)
  const record = Buffer.alloc(recordLength(draft))
  writeRecord(draft, record, 0, half)
  return record
}

/** How often the producer was asked. */
export function checkTimesOf(half: RecordDraft): number {
  const times = Number.parseInt(findProperty(half.properties, PropertyName.TRANSACTION_CHECK_TIMES) ?? '0', 10)
  return times > 0 ? times : 0
}

/** Asked for by the producer of this half alone: no check before so many milliseconds. Undefined: as configured. */
export function immunityMs(half: RecordDraft): number | undefined {
  const text = findProperty(half.properties, PropertyName.CHECK_IMMUNITY_TIME_IN_SECONDS)
  if (text === undefined || !/^\d{1,12}$/.test(text)) return undefined
  return Number(text) * 1_000
}
