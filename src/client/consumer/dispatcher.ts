/**
 * Hands messages to handlers. Feeds with something to take stand in a list; `concurrency` lanes work through it. In order
 * (`ordered`) a feed has one lane at most, so that its messages are handled one after the other.
 *
 * A message whose handler fails is sent back to the broker, which delivers it again later; when even that fails it is
 * handled again here after a pause.
 */
import { sleep } from '../../lib/clock.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import { channels } from '../core/diagnostics.ts'
import type { ReceiveEvent } from '../core/diagnostics.ts'
import { clientErrors } from '../core/errors.ts'
import type { Delivery, QueueFeed } from './queue-feed.ts'
import type { ReceivedMessage } from '../core/received-message.ts'

export interface MessageContext {
  readonly group: string
  /** Fires when the message was taken away: the consumer closes, or the handler takes longer than `handlerTimeoutMs`. */
  readonly signal: AbortSignal
  /**
   * If the handler fails: RocketMQ's delay level until the message comes again. 0 (default): the broker chooses by the
   * number of redeliveries. Below 0: to the dead-letter topic at once.
   */
  delayLevel: number
}

/** Resolving, or returning, settles the message; throwing has it delivered again later. */
export type MessageHandler = (message: ReceivedMessage, context: MessageContext) => unknown

export interface DispatcherNeeds {
  readonly group: string
  readonly clock: Clock
  readonly log: Log
  readonly concurrency: number
  readonly ordered: boolean
  readonly handlerTimeoutMs: number
  /** Has the message delivered again later. Rejects when the broker did not take it. */
  sendBack(message: ReceivedMessage, delayLevel: number): Promise<void>
}

/** A pause before a message that could not be sent back is handled here again. */
const HANDLE_AGAIN_MS = 1_000
const OVERDUE_CHECK_MS = 1_000
/** Messages one lane handles in one go before other feeds get their turn. */
const LANE_SHARE = 64

class Context implements MessageContext {
  readonly group: string
  delayLevel = 0
  /** Made when it is asked for: most handlers never do. */
  #controller: AbortController | undefined
  #abortedWith: Error | undefined

  constructor(group: string) {
    this.group = group
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#abortedWith !== undefined) this.#controller.abort(this.#abortedWith)
    return this.#controller.signal
  }

  abort(error: Error): void {
    this.#abortedWith = error
    this.#controller?.abort(error)
  }
}

interface Running {
  readonly delivery: Delivery
  readonly context: Context
  readonly startMs: number
  /** The message was taken away from its handler, which may go on for its own pleasure. */
  isAbandoned: boolean
  isDone: boolean
}

export class Dispatcher {
  readonly #needs: DispatcherNeeds
  readonly #ready: QueueFeed[] = []
  readonly #running = new Set<Running>()
  readonly #idle: (() => void)[] = []
  readonly #overdue: Timer
  #handler: MessageHandler | undefined
  /** Who iterates waits here for a message. */
  #waiting: ((delivery: Delivery | undefined) => void) | undefined
  #lanes = 0
  #isStopped = false
  readonly #stopping = new AbortController()

  constructor(needs: DispatcherNeeds) {
    this.#needs = needs
    this.#overdue = needs.clock.every(OVERDUE_CHECK_MS, () => this.#abandonOverdue())
  }

  /** Messages whose handlers run. */
  get inHand(): number {
    return this.#running.size
  }

  get handler(): MessageHandler | undefined {
    return this.#handler
  }

  /** Hands messages to `handler` from now on. */
  handleBy(handler: MessageHandler): void {
    this.#handler = handler
    this.#pump()
  }

  /** The feed has messages. */
  offer(feed: QueueFeed): void {
    if (this.#isStopped) return
    this.#list(feed)
    if (this.#waiting !== undefined) {
      const delivery = this.#takeNext()
      const waiting = this.#waiting
      if (delivery === undefined || waiting === undefined) return
      this.#waiting = undefined
      waiting(delivery)
    } else if (this.#handler !== undefined) this.#pump()
  }

  /** For iteration: the next message, or undefined once stopped. */
  next(): Promise<Delivery | undefined> {
    if (this.#isStopped) return Promise.resolve(undefined)
    const delivery = this.#takeNext()
    if (delivery !== undefined) return Promise.resolve(delivery)
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }

  /** Hands out no more messages; waits for the handlers that run, `patienceMs` at most, then fires their signals. */
  async stop(patienceMs: number): Promise<void> {
    this.#isStopped = true
    this.#ready.length = 0
    this.#waiting?.(undefined)
    this.#waiting = undefined
    const idle = new Promise<void>((resolve) => {
      this.#idle.push(resolve)
      this.#settleIdle()
    })
    let timer: Timer | undefined
    const patience = new Promise<void>((resolve) => {
      timer = this.#needs.clock.after(patienceMs, resolve)
    })
    await Promise.race([idle, patience])
    timer?.cancel()
    this.#overdue.cancel()
    this.#stopping.abort()
    for (const running of this.#running) {
      running.isAbandoned = true
      running.context.abort(clientErrors.create('CLIENT_CLOSED', 'the consumer closes'))
    }
  }

  /** Runs the handler on a message that is in no queue here (request 309). */
  async handleDirectly(message: ReceivedMessage): Promise<void> {
    if (this.#handler === undefined) throw clientErrors.create('CLIENT_STATE', 'this consumer has no handler')
    await this.#handler(message, new Context(this.#needs.group))
  }

  #list(feed: QueueFeed): void {
    if (feed.isListed || feed.isDropped || feed.messages.waiting === 0) return
    if (this.#needs.ordered && (feed.lanes > 0 || feed.messages.inHand > 0)) return
    feed.isListed = true
    this.#ready.push(feed)
  }

  #takeNext(): Delivery | undefined {
    for (;;) {
      const feed = this.#ready.shift()
      if (feed === undefined) return undefined
      feed.isListed = false
      const delivery = feed.isDropped ? undefined : feed.take()
      if (delivery === undefined) continue
      this.#list(feed)
      return delivery
    }
  }

  #pump(): void {
    while (!this.#isStopped && this.#handler !== undefined && this.#lanes < this.#needs.concurrency) {
      const feed = this.#ready.shift()
      if (feed === undefined) return
      feed.isListed = false
      this.#lanes += 1
      feed.lanes += 1
      this.#work(feed, this.#handler)
    }
  }

  /** One lane's work on one feed: until it is empty, its share is used up, or a handler has to be waited for. */
  #work(feed: QueueFeed, handler: MessageHandler): void {
    for (let share = 0; share < LANE_SHARE && !this.#isStopped && !feed.isDropped; share++) {
      const delivery = feed.take()
      if (delivery === undefined) break
      if (!this.#needs.ordered) this.#list(feed)
      const running: Running = {
        delivery,
        context: new Context(this.#needs.group),
        startMs: this.#needs.clock.monotonicMs(),
        isAbandoned: false,
        isDone: false,
      }
      this.#running.add(running)
      if (channels.receive.hasSubscribers) channels.receive.publish(this.#event(delivery))
      let result: unknown
      try {
        result = handler(delivery.message, running.context)
      } catch (error) {
        void this.#failed(running, error).then(() => this.#work(feed, handler))
        return
      }
      if (isPromiseLike(result)) {
        result.then(
          () => {
            if (running.isAbandoned) return
            this.#succeeded(running)
            this.#work(feed, handler)
          },
          (error: unknown) => {
            if (!running.isAbandoned) void this.#failed(running, error).then(() => this.#work(feed, handler))
          },
        )
        if (!this.#needs.ordered) this.#pump()
        return
      }
      this.#succeeded(running)
    }
    this.#endLane(feed)
  }

  #endLane(feed: QueueFeed): void {
    this.#lanes -= 1
    feed.lanes -= 1
    if (!this.#isStopped) this.#list(feed)
    // In a turn of its own: synchronous handlers must not keep the event loop for as long as there are messages.
    this.#needs.clock.endOfTurn(this.#pumpLater)
  }

  readonly #pumpLater = (): void => this.#pump()

  #succeeded(running: Running): void {
    this.#running.delete(running)
    this.#settle(running.delivery)
    this.#publishConsumed(running, undefined)
    this.#settleIdle()
  }

  async #failed(running: Running, error: unknown): Promise<void> {
    const { delivery, context } = running
    const { queue } = delivery.feed
    this.#publishConsumed(running, error)
    const about = { queue, queueOffset: delivery.message.queueOffset, error: errorMessage(error) }
    this.#needs.log.debug(about, 'a handler failed')
    // From here on the handler is done: only the way of its message is open.
    running.isDone = true
    try {
      await this.#needs.sendBack(delivery.message, context.delayLevel)
      if (!running.isAbandoned) this.#settle(delivery)
    } catch (sendBackError) {
      const fields = { ...about, sendBackError: errorMessage(sendBackError) }
      this.#needs.log.warn(fields, 'a failed message could not be sent back')
      await sleep(this.#needs.clock, HANDLE_AGAIN_MS, this.#stopping.signal).catch(() => undefined)
      if (!running.isAbandoned && !this.#isStopped) delivery.feed.release(delivery)
    }
    this.#running.delete(running)
    this.#settleIdle()
  }

  #settle(delivery: Delivery): void {
    delivery.feed.lastConsumeMs = this.#needs.clock.nowMs()
    delivery.feed.settle(delivery)
  }

  #abandonOverdue(): void {
    const nowMs = this.#needs.clock.monotonicMs()
    for (const running of this.#running) {
      if (running.isDone || running.isAbandoned || nowMs - running.startMs < this.#needs.handlerTimeoutMs) continue
      void this.#abandon(running)
    }
  }

  /** Takes the message away from a handler that is stuck, and the lane with it. */
  async #abandon(running: Running): Promise<void> {
    const { delivery, context } = running
    const { log, handlerTimeoutMs } = this.#needs
    running.isAbandoned = true
    this.#running.delete(running)
    context.abort(clientErrors.create('CLIENT_TIMEOUT', `the handler took over ${handlerTimeoutMs} ms`))
    const about = { queue: delivery.feed.queue, queueOffset: delivery.message.queueOffset }
    log.warn(about, 'a handler takes too long: its message is sent back')
    try {
      await this.#needs.sendBack(delivery.message, context.delayLevel)
      this.#settle(delivery)
    } catch (error) {
      log.warn({ ...about, error: errorMessage(error) }, 'the message could not be sent back: it is handled again')
      delivery.feed.release(delivery)
    }
    this.#endLane(delivery.feed)
  }

  #publishConsumed(running: Running, error: unknown): void {
    if (!channels.consumed.hasSubscribers) return
    const durationMs = this.#needs.clock.monotonicMs() - running.startMs
    const event = { ...this.#event(running.delivery), durationMs }
    channels.consumed.publish(error instanceof Error ? { ...event, error } : event)
  }

  #event({ feed, message }: Delivery): ReceiveEvent {
    return { group: this.#needs.group, queue: feed.queue, queueOffset: message.queueOffset }
  }

  #settleIdle(): void {
    if (this.#idle.length > 0 && this.#running.size === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }
}

function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
