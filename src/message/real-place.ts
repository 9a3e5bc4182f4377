/**
 * How a message waits (RocketMQ's delay levels, timers and half messages alike): under a topic of the broker's, the place
 * that it is meant for in two properties. Pure.
 */
import { findProperty, PropertyName, removeProperty, replaceProperty } from './properties.ts'
import type { RecordDraft } from './record.ts'

export type Place = Pick<RecordDraft, 'topic' | 'queueId'>

/** `properties` with the place of `draft`. Throws MESSAGE_BAD_PROPERTIES when it does not fit in. */
export function withRealPlace(properties: Buffer, { topic, queueId }: Place): Buffer {
  return replaceProperty(
    replaceProperty(properties, PropertyName.REAL_TOPIC, topic),
    PropertyName.REAL_QID,
    String(queueId),
  )
}

/** `properties` of a message that is where it was meant to go. */
export function withoutRealPlace(properties: Buffer): Buffer {
  return removeProperty(removeProperty(properties, PropertyName.REAL_TOPIC), PropertyName.REAL_QID)
}

/** Where a message that waits is meant to go; undefined when it does not say. */
export function realPlace({ properties }: Pick<RecordDraft, 'properties'>): Place | undefined {
  const topic = findProperty(properties, PropertyName.REAL_TOPIC)
  const queueId = Number.parseInt(findProperty(properties, PropertyName.REAL_QID) ?? '', 10)
  return topic === undefined || !(queueId >= 0) ? undefined : { topic, queueId }
}

/** What of `from`, a stored message perhaps, goes into the log again, with `over` in its place. */
export function draftFrom(from: RecordDraft, over: Partial<RecordDraft> = {}): RecordDraft {
  const { topic, queueId, flag, sysFlag, bornTimestampMs, bornHost, storeHost, reconsumeTimes, body } = from
  const { preparedTransactionOffset, properties } = from
  return {
    topic,
    queueId,
    flag,
    sysFlag,
    bornTimestampMs,
    bornHost,
    storeHost,
    reconsumeTimes,
    preparedTransactionOffset,
    body,
    properties,
    ...over,
  }
}
