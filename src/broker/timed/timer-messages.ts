/** The forms of a message that waits for a time of its own (RocketMQ HookUtils, TimerMessageStore). Pure. */
import { findProperty, PropertyName, replaceProperty } from '../../message/properties.ts'
import { draftFrom, realPlace, withRealPlace } from '../../message/real-place.ts'
import type { RecordDraft, StoredMessage } from '../../message/record.ts'
import { SystemTopic } from '../../message/topic-name.ts'

/** `draft` as it waits until `dueMs`. Throws MESSAGE_BAD_PROPERTIES when its own place does not fit in. */
export function timerDraft(draft: RecordDraft, dueMs: number): RecordDraft {
  const properties = withRealPlace(replaceProperty(draft.properties, PropertyName.TIMER_OUT_MS, String(dueMs)), draft)
  return { ...draft, topic: SystemTopic.timer, queueId: 0, properties }
}

/** What is delivered when `waiting` is due, as a stock broker's record; undefined when it does not say where to. */
export function deliveredTimer(waiting: StoredMessage, nowMs: number): RecordDraft | undefined {
  const place = realPlace(waiting)
  if (place === undefined) return undefined
  const since = String(waiting.storeTimestampMs)
  const properties = replaceProperty(waiting.properties, PropertyName.TIMER_ENQUEUE_MS, since)
  return draftFrom(waiting, {
    ...place,
    properties: replaceProperty(properties, PropertyName.TIMER_DEQUEUE_MS, String(nowMs)),
  })
}

/** `waiting` once more, for the end of the log. */
export function rolledTimer(waiting: RecordDraft): RecordDraft {
  const times = Number.parseInt(findProperty(waiting.properties, PropertyName.TIMER_ROLL_TIMES) ?? '0', 10)
  const properties = replaceProperty(waiting.properties, PropertyName.TIMER_ROLL_TIMES, String((times || 0) + 1))
  return draftFrom(waiting, { properties })
}
