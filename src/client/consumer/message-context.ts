/** What a handler is given beside the message, and how it says what is to become of one that it failed at. */
import type { ReceivedMessage } from '../core/received-message.ts'

export interface MessageContext {
  readonly group: string
  /** How often the message was handed out before, here or to another member: 0 the first time. */
  readonly deliveries: number
  /**
   * Fires when the message was taken away: the consumer closes, its queue went to another member, or the handler takes
   * longer than `handlerTimeoutMs`. In order, a handler that takes too long is only told: the queue waits for it.
   */
  readonly signal: AbortSignal
  /**
   * If the handler fails: RocketMQ's delay level until the message comes again. 0 (default): the broker chooses by the
   * number of redeliveries. Below 0: to the dead-letter topic at once. In order only the last one counts.
   */
  delayLevel: number
  /** If a handler in order fails: the queue's pause until it is called again, 10 to 30,000. Default: `retryPauseMs`. */
  retryPauseMs: number
}

/** Resolving, or returning, settles the message; throwing has it delivered again later. */
export type MessageHandler = (message: ReceivedMessage, context: MessageContext) => unknown

export class Context implements MessageContext {
  readonly group: string
  readonly deliveries: number
  delayLevel = 0
  retryPauseMs: number
  /** Made when it is asked for: most handlers never do. */
  #controller: AbortController | undefined
  #abortedWith: Error | undefined

  constructor(group: string, deliveries: number, retryPauseMs: number) {
    this.group = group
    this.deliveries = deliveries
    this.retryPauseMs = retryPauseMs
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#abortedWith !== undefined) this.#controller.abort(this.#abortedWith)
    return this.#controller.signal
  }

  get isAborted(): boolean {
    return this.#abortedWith !== undefined
  }

  abort(error: Error): void {
    this.#abortedWith ??= error
    this.#controller?.abort(error)
  }
}
