/** The forms of a message that waits for a time of its own (RocketMQ HookUtils, TimerMessageStore). Pure. */
import { findProperty, PropertyName, removeProperty, replaceProperty } from '../../message/properties.ts'
import type { RecordDraft } from '../../message/record.ts'
import { SystemTopic } from '../../message/topic-name.ts'

/** `draft` as it waits until `dueMs`. Throws MESSAGE_BAD_PROPERTIES when its own place does not fit in. */
export function timerDraft(draft: RecordDraft, dueMs: number): RecordDraft {
  let properties = replaceProperty(draft.properties, PropertyName.TIMER_OUT_MS, String(dueMs))
  properties = replaceProperty(properties, PropertyName.REAL_TOPIC, draft.topic)
  properties = replaceProperty(properties, PropertyName.REAL_QID, String(draft.queueId))
  return { ...draft, topic: SystemTopic.timer, queueId: 0, properties }
}

/** What is delivered when `waiting` is due; undefined when it does not say where to. */
export function deliveredTimer(waiting: RecordDraft, nowMs: number): RecordDraft | undefined {
  const topic = findProperty(waiting.properties, PropertyName.REAL_TOPIC)
  const queueId = Number.parseInt(findProperty(waiting.properties, PropertyName.REAL_QID) ?? '', 10)
  if (topic === undefined || !(queueId >= 0)) return undefined
  let properties = replaceProperty(waiting.properties, PropertyName.TIMER_DEQUEUE_MS, String(nowMs))
  for (const name of [PropertyName.REAL_TOPIC, PropertyName.REAL_QID]) properties = removeProperty(properties, name)
  return plain(waiting, { topic, queueId, properties })
}

/** `waiting` once more, for the end of the log. */
export function rolledTimer(waiting: RecordDraft): RecordDraft {
  const times = Number.parseInt(findProperty(waiting.properties, PropertyName.TIMER_ROLL_TIMES) ?? '0', 10)
  const properties = replaceProperty(waiting.properties, PropertyName.TIMER_ROLL_TIMES, String((times || 0) + 1))
  return plain(waiting, { topic: waiting.topic, queueId: waiting.queueId, properties })
}

function plain(from: RecordDraft, to: Pick<RecordDraft, 'topic' | 'queueId' | 'properties'>): RecordDraft {
  const { flag, sysFlag, bornTimestampMs, bornHost, storeHost, reconsumeTimes, preparedTransactionOffset, body } = from
  return {
    ...to,
    flag,
    sysFlag,
    bornTimestampMs,
    bornHost,
    storeHost,
    reconsumeTimes,
    preparedTransactionOffset,
    body,
  }
}
