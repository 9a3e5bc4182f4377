/** Messages that wait for their time before they are delivered (RocketMQ HookUtils.handleScheduleMessage). */
import { decodeProperties, PropertyName, removeProperty, replaceProperty } from '../../message/properties.ts'
import type { RecordDraft } from '../../message/record.ts'
import { SysFlag, transactionType } from '../../message/sys-flag.ts'
import { delayedDraft, type DelayLevels } from './delay-levels.ts'
import { refusal } from '../errors.ts'
import { timerDraft } from './timer-messages.ts'

export interface WaitingMessagesNeeds {
  readonly delayLevels: DelayLevels
  readonly clock: { nowMs(): number }
  readonly options: { readonly timerWheelEnable: boolean; readonly timerMaxDelaySec: number }
}

const TIMER_PROPERTIES = [PropertyName.TIMER_DELIVER_MS, PropertyName.TIMER_DELAY_SEC, PropertyName.TIMER_DELAY_MS]

export class WaitingMessages {
  readonly #need: WaitingMessagesNeeds

  constructor(need: WaitingMessagesNeeds) {
    this.#need = need
  }

  /**
   * `draft` as it is stored: itself, or where it waits when its properties ask for a delay. Throws BROKER_MESSAGE_ILLEGAL,
   * BROKER_REFUSED and BROKER_UNSUPPORTED for what cannot be waited for, MESSAGE_BAD_PROPERTIES when its own place does
   * not fit in.
   */
  placed(draft: RecordDraft): RecordDraft {
    const type = transactionType(draft.sysFlag)
    if (type !== 0 && type !== SysFlag.transactionCommit) return draft
    const properties = decodeProperties(draft.properties)
    const level = levelOf(properties.get(PropertyName.DELAY))
    if (level > 0) return this.#atLevel(draft, Math.min(level, this.#need.delayLevels.max))
    if (!properties.has(PropertyName.TIMER_OUT_MS) && TIMER_PROPERTIES.some((name) => properties.has(name))) {
      return this.#atTime(draft, properties)
    }
    return draft
  }

  /** RocketMQ's transformTimerMessage, without its rounding to timerPrecisionMs. */
  #atTime(draft: RecordDraft, properties: ReadonlyMap<string, string>): RecordDraft {
    const { clock, options } = this.#need
    if (!options.timerWheelEnable) {
      throw refusal('BROKER_UNSUPPORTED', 'accurate timer message is not enabled, timerWheelEnable is false')
    }
    if (properties.has(PropertyName.TIMER_DEL_UNIQKEY)) {
      throw refusal('BROKER_UNSUPPORTED', 'a waiting message is taken back by its recall handle (request code 370)')
    }
    const nowMs = clock.nowMs()
    const deliverMs = deliverMsOf(properties, nowMs)
    const maxMs = options.timerMaxDelaySec * 1_000
    if (deliverMs === undefined || deliverMs - nowMs > maxMs) {
      throw refusal(
        'BROKER_MESSAGE_ILLEGAL',
        `timer message illegal, the delay time should not be bigger than the max delay ${maxMs}ms; or if set del msg, ` +
          'the delay time should be bigger than the current time',
      )
    }
    return deliverMs > nowMs ? timerDraft(draft, deliverMs) : draft
  }

  /** A level wins over a time. */
  #atLevel(draft: RecordDraft, level: number): RecordDraft {
    let { properties } = draft
    for (const name of TIMER_PROPERTIES) properties = removeProperty(properties, name)
    properties = replaceProperty(properties, PropertyName.DELAY, String(level))
    return delayedDraft({ ...draft, properties }, level)
  }
}

/** A delay in seconds counts before one in milliseconds, and that before a time. Undefined for what is no number. */
function deliverMsOf(properties: ReadonlyMap<string, string>, nowMs: number): number | undefined {
  const seconds = properties.get(PropertyName.TIMER_DELAY_SEC)
  if (seconds !== undefined) return whole(seconds, (value) => nowMs + value * 1_000)
  const delay = properties.get(PropertyName.TIMER_DELAY_MS)
  if (delay !== undefined) return whole(delay, (value) => nowMs + value)
  return whole(properties.get(PropertyName.TIMER_DELIVER_MS) ?? '', (value) => value)
}

function whole(text: string, use: (value: number) => number): number | undefined {
  return /^[+-]?\d{1,19}$/.test(text) ? use(Number(text)) : undefined
}

function levelOf(text: string | undefined): number {
  if (text === undefined) return 0
  const level = /^[+-]?\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  // Java's Integer.parseInt is what RocketMQ reads it with.
  if (level >= -2_147_483_648 && level <= 2_147_483_647) return level
  throw refusal('BROKER_REFUSED', `For input string: "${text}" as the delay level`)
}
