/** The forms of a message that waits for a time of its own (RocketMQ HookUtils, TimerMessageStore). Pure. */
import { findProperty, PropertyName, removeProperty, replaceProperty } from '../../message/properties.ts'
import { draftFrom, realPlace, withRealPlace } from '../../message/real-place.ts'
import type { RecordDraft } from '../../message/record.ts'
import { SystemTopic } from '../../message/topic-name.ts'

/** `draft` as it waits until `dueMs`. Throws MESSAGE_BAD_PROPERTIES when its own place does not fit in. */
export function timerDraft(draft: RecordDraft, dueMs: number): RecordDraft {
  const properties = withRealPlace(replaceProperty(draft.properties, PropertyName.TIMER_OUT_MS, String(dueMs)), draft)
  return { ...draft, topic: SystemTopic.timer, queueId: 0, properties }
}

/** What is delivered when `waiting` is due; undefined when it does not say where to. */
export function deliveredTimer(waiting: RecordDraft, nowMs: number): RecordDraft | undefined {
  const place = realPlace(waiting)
  if (place === undefined) return undefined
  let properties = replaceProperty(waiting.properties, PropertyName.TIMER_DEQUEUE_MS, String(nowMs))
  for (const name of [PropertyName.REAL_TOPIC, PropertyName.REAL_QID]) properties = removeProperty(properties, name)
  return draftFrom(waiting, { ...place, properties })
}

/** `waiting` once more, for the end of the log. */
export function rolledTimer(waiting: RecordDraft): RecordDraft {
  const times = Number.parseInt(findProperty(waiting.properties, PropertyName.TIMER_ROLL_TIMES) ?? '0', 10)
  const properties = replaceProperty(waiting.properties, PropertyName.TIMER_ROLL_TIMES, String((times || 0) + 1))
  return draftFrom(waiting, { properties })
}
