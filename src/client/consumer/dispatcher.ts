/**
 * Hands messages to handlers. Feeds with something to take stand in a list; `concurrency` lanes work through it. In order
 * (`ordered`) a feed has one lane and one message in hand at most, and a message whose handler failed stays the one in
 * hand until its pause is over: nothing of its queue passes it (RocketMQ ConsumeMessageOrderlyService).
 */
import { sleep } from '../../lib/clock.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import { isPromiseLike } from '../../lib/promise-like.ts'
import { channels } from '../core/diagnostics.ts'
import type { ReceiveEvent } from '../core/diagnostics.ts'
import { clientErrors } from '../core/errors.ts'
import type { ReceivedMessage } from '../core/received-message.ts'
import type { Failures } from './failures.ts'
import { Context } from './message-context.ts'
import type { MessageHandler } from './message-context.ts'
import type { Delivery, QueueFeed } from './queue-feed.ts'

export interface DispatcherNeeds {
  readonly options: DispatcherOptions
  readonly clock: Clock
  readonly log: Log
  readonly failures: Pick<Failures, 'of'>
}

export interface DispatcherOptions {
  readonly group: string
  readonly concurrency: number
  readonly ordered: boolean
  readonly handlerTimeoutMs: number
  readonly retryPauseMs: number
}

const OVERDUE_CHECK_MS = 1_000
/** Messages one lane handles in one go before other feeds get their turn. */
const LANE_SHARE = 64

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
  readonly #ordered: boolean
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
    this.#ordered = needs.options.ordered
    this.#overdue = needs.clock.every(OVERDUE_CHECK_MS, () => this.#lookForOverdue())
  }

  /** Hands messages to `handler` from now on. */
  handleBy(handler: MessageHandler): void {
    this.#handler = handler
    this.#pump()
  }

  /** The feed has messages, or may be taken from again. */
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

  /** Tells the handlers that work on the feed why their messages are not theirs any more. */
  tell(feed: QueueFeed, why: Error): void {
    for (const { delivery, context } of this.#running) if (delivery.feed === feed) context.abort(why)
  }

  /** Hands out no more messages; waits for the handlers that run, `patienceMs` at most, then fires their signals. */
  async stop(patienceMs: number): Promise<void> {
    this.#isStopped = true
    this.#ready.length = 0
    this.#waiting?.(undefined)
    this.#waiting = undefined
    this.#stopping.abort()
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
    for (const running of this.#running) {
      running.isAbandoned = true
      running.context.abort(clientErrors.create('CLIENT_CLOSED', 'the consumer closes'))
    }
  }

  /** Runs the handler on a message that is in no queue here (request 309). */
  async handleDirectly(message: ReceivedMessage): Promise<void> {
    if (this.#handler === undefined) throw clientErrors.create('CLIENT_STATE', 'this consumer has no handler')
    await this.#handler(message, this.#context(message.reconsumeTimes))
  }

  #list(feed: QueueFeed): void {
    if (feed.isListed || !feed.mayTake) return
    if (this.#ordered && (feed.lanes > 0 || feed.inHand > 0)) return
    feed.isListed = true
    this.#ready.push(feed)
  }

  #takeNext(): Delivery | undefined {
    for (;;) {
      const feed = this.#ready.shift()
      if (feed === undefined) return undefined
      feed.isListed = false
      const delivery = feed.mayTake ? feed.take() : undefined
      if (delivery === undefined) continue
      this.#list(feed)
      return delivery
    }
  }

  #pump(): void {
    while (!this.#isStopped && this.#handler !== undefined && this.#lanes < this.#needs.options.concurrency) {
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
    for (let share = 0; share < LANE_SHARE && !this.#isStopped && feed.mayTake; share++) {
      const delivery = feed.take()
      if (delivery === undefined) break
      if (!this.#ordered) this.#list(feed)
      const running = this.#begin(delivery)
      let result: unknown
      try {
        result = handler(delivery.message, running.context)
      } catch (error) {
        this.#failed(running, error, handler)
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
            if (!running.isAbandoned) this.#failed(running, error, handler)
          },
        )
        if (!this.#ordered) this.#pump()
        return
      }
      this.#succeeded(running)
    }
    this.#endLane(feed)
  }

  #begin(delivery: Delivery): Running {
    const running: Running = {
      delivery,
      context: this.#context(delivery.deliveries),
      startMs: this.#needs.clock.monotonicMs(),
      isAbandoned: false,
      isDone: false,
    }
    this.#running.add(running)
    if (channels.receive.hasSubscribers) channels.receive.publish(this.#event(delivery))
    return running
  }

  #context(deliveries: number): Context {
    const { group, retryPauseMs } = this.#needs.options
    return new Context(group, deliveries, retryPauseMs)
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
    this.#settle(running)
    this.#publishConsumed(running, undefined)
  }

  /** A queue in order does not hold its lane while it pauses: other queues go on. */
  #failed(running: Running, error: unknown, handler: MessageHandler): void {
    const { feed, message } = running.delivery
    this.#publishConsumed(running, error)
    const about = { queue: feed.queue, queueOffset: message.queueOffset, error: errorMessage(error) }
    this.#needs.log.debug(about, 'a handler failed')
    // From here on the handler is done: only the way of its message is open.
    running.isDone = true
    const away = this.#away(running)
    if (this.#ordered) this.#endLane(feed)
    else void away.then(() => this.#work(feed, handler))
  }

  async #away(running: Running): Promise<void> {
    const { delivery, context } = running
    const againInMs = await this.#needs.failures.of(delivery.message, context)
    if (running.isAbandoned) return
    if (againInMs === undefined) this.#settle(running)
    else {
      await sleep(this.#needs.clock, againInMs, this.#stopping.signal).catch(() => undefined)
      this.#running.delete(running)
      if (!this.#isStopped) delivery.feed.release(delivery)
      this.#settleIdle()
    }
  }

  /** The message is done with: handled, or sent back. */
  #settle(running: Running): void {
    const { delivery } = running
    this.#running.delete(running)
    delivery.feed.lastConsumeMs = this.#needs.clock.nowMs()
    delivery.feed.settle(delivery)
    // In order whoever failed gave up the lane: the feed's next message is offered anew.
    if (running.isDone && this.#ordered) this.offer(delivery.feed)
    this.#settleIdle()
  }

  #lookForOverdue(): void {
    const { clock, options, log } = this.#needs
    const nowMs = clock.monotonicMs()
    for (const running of this.#running) {
      if (running.isDone || running.isAbandoned || nowMs - running.startMs < options.handlerTimeoutMs) continue
      if (!this.#ordered) void this.#abandon(running)
      else if (running.context.isAborted) continue
      else {
        const { feed, message } = running.delivery
        log.warn({ queue: feed.queue, queueOffset: message.queueOffset }, 'a handler takes too long: its queue waits')
        running.context.abort(this.#overdueError())
      }
    }
  }

  /** Takes the message away from a handler that is stuck, and the lane with it. */
  async #abandon(running: Running): Promise<void> {
    const { delivery, context } = running
    running.isAbandoned = true
    this.#running.delete(running)
    context.abort(this.#overdueError())
    const about = { queue: delivery.feed.queue, queueOffset: delivery.message.queueOffset }
    this.#needs.log.warn(about, 'a handler takes too long: its message is sent back')
    if ((await this.#needs.failures.of(delivery.message, context)) === undefined) this.#settle(running)
    else delivery.feed.release(delivery)
    this.#endLane(delivery.feed)
  }

  #overdueError(): Error {
    const { handlerTimeoutMs } = this.#needs.options
    return clientErrors.create('CLIENT_TIMEOUT', `the handler took over ${handlerTimeoutMs} ms`)
  }

  #publishConsumed(running: Running, error: unknown): void {
    if (!channels.consumed.hasSubscribers) return
    const durationMs = this.#needs.clock.monotonicMs() - running.startMs
    const event = { ...this.#event(running.delivery), durationMs }
    channels.consumed.publish(error instanceof Error ? { ...event, error } : event)
  }

  #event({ feed, message }: Delivery): ReceiveEvent {
    return { group: this.#needs.options.group, queue: feed.queue, queueOffset: message.queueOffset }
  }

  #settleIdle(): void {
    if (this.#idle.length > 0 && this.#running.size === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }
}
