/** Messages that wait for their time before they are delivered (RocketMQ HookUtils.handleScheduleMessage). */
import { decodeProperties, PropertyName, removeProperty, replaceProperty } from '../message/properties.ts'
import type { RecordDraft } from '../message/record.ts'
import { SysFlag, transactionType } from '../message/sys-flag.ts'
import { delayedDraft, type DelayLevels } from './delay-levels.ts'
import { refusal } from './errors.ts'

export interface WaitingMessagesNeeds {
  readonly delayLevels: DelayLevels
}

const TIMER_PROPERTIES = [PropertyName.TIMER_DELIVER_MS, PropertyName.TIMER_DELAY_SEC, PropertyName.TIMER_DELAY_MS]

export class WaitingMessages {
  readonly #need: WaitingMessagesNeeds

  constructor(need: WaitingMessagesNeeds) {
    this.#need = need
  }

  /**
   * `draft` as it is stored: itself, or where it waits when its properties ask for a delay. Throws BROKER_REFUSED and
   * BROKER_UNSUPPORTED for what cannot be waited for, MESSAGE_BAD_PROPERTIES when its own place does not fit in.
   */
  placed(draft: RecordDraft): RecordDraft {
    const type = transactionType(draft.sysFlag)
    if (type !== 0 && type !== SysFlag.transactionCommit) return draft
    const properties = decodeProperties(draft.properties)
    const level = levelOf(properties.get(PropertyName.DELAY))
    if (level > 0) return this.#atLevel(draft, Math.min(level, this.#need.delayLevels.max))
    if (!properties.has(PropertyName.TIMER_OUT_MS) && TIMER_PROPERTIES.some((name) => properties.has(name))) {
      throw refusal('BROKER_UNSUPPORTED', 'accurate timer message is not enabled, timerWheelEnable is false')
    }
    return draft
  }

  /** A level wins over a time. */
  #atLevel(draft: RecordDraft, level: number): RecordDraft {
    let { properties } = draft
    for (const name of TIMER_PROPERTIES) properties = removeProperty(properties, name)
    properties = replaceProperty(properties, PropertyName.DELAY, String(level))
    return delayedDraft({ ...draft, properties }, level)
  }
}

function levelOf(text: string | undefined): number {
  if (text === undefined) return 0
  if (!/^[+-]?\d{1,10}$/.test(text)) throw refusal('BROKER_REFUSED', `For input string: "${text}" as the delay level`)
  return Number(text)
}
