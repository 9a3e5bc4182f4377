/** Delay levels (RocketMQ messageDelayLevel) and how a message waits: under another topic, its own in properties. */
import { appendProperty, findProperty, PropertyName, removeProperty } from '../message/properties.ts'
import type { RecordDraft } from '../message/record.ts'
import { SystemTopic } from '../message/topic-name.ts'
import { refusal } from './errors.ts'

export const DEFAULT_DELAY_LEVELS = '1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h'

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export interface DelayLevels {
  /** Levels are 1 to `max`. */
  readonly max: number
  /** How long a message of the level waits. */
  delayMs(level: number): number
}

/** Parses `1s 5s 10m`. Throws BROKER_INVALID_PARAMETER. */
export function parseDelayLevels(text: string): DelayLevels {
  const delays = text
    .trim()
    .split(/\s+/)
    .map((item) => {
      const [, count, unit] = /^(\d+)([smhd])$/.exec(item) ?? []
      const ms = unit === undefined ? undefined : unitMs[unit]
      if (ms === undefined) throw refusal('BROKER_INVALID_PARAMETER', `messageDelayLevel: ${item} is no delay like 10s`)
      return Number(count) * ms
    })
  return { max: delays.length, delayMs: (level) => delays[level - 1] ?? 1_000 }
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
  let properties = appendProperty(draft.properties, PropertyName.REAL_TOPIC, draft.topic)
  properties = appendProperty(properties, PropertyName.REAL_QID, String(draft.queueId))
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
