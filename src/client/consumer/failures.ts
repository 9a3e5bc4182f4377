/**
 * What becomes of a message whose handler failed. Side by side it goes back to the broker, which delivers it again later
 * (RocketMQ ConsumeMessageConcurrentlyService). In order it stays where it is and nothing of its queue passes it, until
 * its handler succeeds or it was tried `maxReconsumeTimes` times more and goes to the dead letters
 * (ConsumeMessageOrderlyService.checkReconsumeTimes).
 */
import { errorMessage } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { ReceivedMessage } from '../core/received-message.ts'
import type { Context } from './message-context.ts'

/** Undefined: the message is settled. Else it is handled again here after so many milliseconds. */
export type AgainInMs = number | undefined

export interface FailuresNeeds {
  readonly ordered: boolean
  readonly maxReconsumeTimes: number
  readonly log: Log
  /** Has the message delivered again later. Rejects when the broker did not take it. */
  sendBack(message: ReceivedMessage, delayLevel: number): Promise<void>
}

/** A pause before a message that could not be sent back is handled here again. */
const HANDLE_AGAIN_MS = 1_000
/** Bounds of a suspended queue's pause (ConsumeMessageOrderlyService.submitConsumeRequestLater). */
const PAUSE_MS = { shortest: 10, longest: 30_000 }
const TO_DEAD_LETTERS = -1

export class Failures {
  readonly #needs: FailuresNeeds

  constructor(needs: FailuresNeeds) {
    this.#needs = needs
  }

  /** Never rejects. */
  async of(message: ReceivedMessage, context: Context): Promise<AgainInMs> {
    const { ordered, maxReconsumeTimes } = this.#needs
    if (!ordered) return this.#away(message, context.delayLevel, HANDLE_AGAIN_MS)
    const pauseMs = Math.max(PAUSE_MS.shortest, Math.min(context.retryPauseMs, PAUSE_MS.longest))
    const isHopeless = context.delayLevel < 0 || context.deliveries >= maxReconsumeTimes
    return isHopeless ? this.#away(message, TO_DEAD_LETTERS, pauseMs) : pauseMs
  }

  async #away(message: ReceivedMessage, delayLevel: number, pauseMs: number): Promise<AgainInMs> {
    try {
      await this.#needs.sendBack(message, delayLevel)
      return undefined
    } catch (error) {
      const { topic, queueId, queueOffset } = message
      const about = { topic, queueId, queueOffset, error: errorMessage(error) }
      this.#needs.log.warn(about, 'a failed message could not be sent back: it is handled again')
      return pauseMs
    }
  }
}
