/** Delay levels (RocketMQ messageDelayLevel) and how a message waits: under another topic, its own in properties. */
import { findProperty, PropertyName, removeProperty, replaceProperty } from '../../message/properties.ts'
import type { RecordDraft } from '../../message/record.ts'
import { SystemTopic } from '../../message/topic-name.ts'

export interface DelayLevels {
  /** Levels are 1 to `max`. */
  readonly max: number
  /** How long a message of the level waits. */
  delayMs(level: number): number
}

/** `delaysMs[0]` is the delay of level 1. */
export function delayLevels(delaysMs: readonly number[]): DelayLevels {
  // RocketMQ ScheduleMessageService.computeDeliverTimestamp: a second for a level that is not configured any more.
  return { max: delaysMs.length, delayMs: (level) => delaysMs[level - 1] ?? 1_000 }
}

/** The queue of SCHEDULE_TOPIC_XXXX in which messages of the level wait. */
export function delayQueueId(level: number): number {
  return level - 1
}

/**
 * `draft` as it waits (RocketMQ HookUtils.transformDelayLevelMessage): its topic and queue become properties. Throws
 * MESSAGE_BAD_PROPERTIES when they do not fit in.
 */
export function delayedDraft(draft: RecordDraft, level: number): RecordDraft {
  let properties = replaceProperty(draft.properties, PropertyName.REAL_TOPIC, draft.topic)
  properties = replaceProperty(properties, PropertyName.REAL_QID, String(draft.queueId))
  return { ...draft, topic: SystemTopic.schedule, queueId: delayQueueId(level), properties }
}

const clearedOnDelivery = [PropertyName.DELAY, PropertyName.TIMER_DELIVER_MS, PropertyName.TIMER_DELAY_SEC]

/** What is delivered when `waiting` is due (RocketMQ messageTimeUp); undefined when it does not say where to. */
export function deliveredDraft(waiting: RecordDraft): RecordDraft | undefined {
  const topic = findProperty(waiting.properties, PropertyName.REAL_TOPIC)
  const queueId = Number.parseInt(findProperty(waiting.properties, PropertyName.REAL_QID) ?? '', 10)
  if (topic === undefined || !(queueId >= 0)) return undefined
  let properties = waiting.properties
  for (const name of clearedOnDelivery) properties = removeProperty(properties, name)
  const { flag, sysFlag, bornTimestampMs, bornHost, storeHost, reconsumeTimes, body } = waiting
  return {
    topic,
    queueId,
    flag,
    sysFlag,
    bornTimestampMs,
    bornHost,
    storeHost,
    reconsumeTimes,
    preparedTransactionOffset: 0,
    body,
    properties,
  }
}
