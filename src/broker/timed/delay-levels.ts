/** Delay levels (RocketMQ messageDelayLevel) and how a message waits: under another topic, its own in properties. */
import { draftFrom, realPlace, withRealPlace } from '../../message/real-place.ts'
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
  const properties = withRealPlace(draft.properties, draft)
  return { ...draft, topic: SystemTopic.schedule, queueId: delayQueueId(level), properties }
}

/**
 * What is delivered when `waiting` is due (RocketMQ messageTimeUp); undefined when it does not say where to. Its level
 * stays among its properties: RocketMQ takes it off too late for the record.
 */
export function deliveredDraft(waiting: RecordDraft): RecordDraft | undefined {
  const place = realPlace(waiting)
  if (place === undefined) return undefined
  return draftFrom(waiting, { ...place, preparedTransactionOffset: 0, properties: waiting.properties })
}
