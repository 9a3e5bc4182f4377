/** Consumes messages: pulls ahead, hands them to a handler or an iteration, keeps the group's offsets. */
import { retryTopic } from '../../message/topic-name.ts'
import { signalOf } from '../core/call-options.ts'
import type { RunOptions } from '../core/call-options.ts'
import { ClientCore } from '../core/client-core.ts'
import { clientErrors } from '../core/errors.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import { checkTopicName } from '../core/names.ts'
import { checkFunction } from '../core/options.ts'
import type { ReceivedMessage } from '../core/received-message.ts'
import { subscriptionOf } from '../core/subscription.ts'
import type { Filter } from '../core/subscription.ts'
import { assignmentOf } from './assignment.ts'
import { consumerHeartbeat } from './consumer-heartbeat.ts'
import { resolveConsumerOptions } from './consumer-options.ts'
import type { PushConsumerOptions, ResolvedConsumerOptions } from './consumer-options.ts'
import { consumerRequests } from './consumer-requests.ts'
import { ObservedHandling } from '../producer/observed-handling.ts'
import { Dispatcher } from './dispatcher.ts'
import { Failures } from './failures.ts'
import { Membership } from './membership.ts'
import type { MessageHandler } from './message-context.ts'
import { offsetStoreOf } from './offset-stores.ts'
import type { Delivery } from './queue-feed.ts'
import { sendBackVia } from './send-back.ts'

const PUSH = 'CONSUME_PASSIVELY'

/**
 * ```ts
 * const consumer = new PushConsumer({ namesrv: '127.0.0.1:9876', group: 'billing', from: 'first' })
 * consumer.subscribe('Orders', 'new || changed')
 * await consumer.run(async (message) => { await bill(JSON.parse(message.body.toString())) })
 * …
 * await consumer.close()
 * ```
 *
 * or, one message at a time, each settled when the next is asked for:
 *
 * ```ts
 * for await (const message of consumer) await bill(message)
 * ```
 *
 * Delivery is at least once. With `ordered`, messages of one queue are handled strictly one after the other.
 */
export class PushConsumer implements AsyncIterable<ReceivedMessage> {
  readonly #options: ResolvedConsumerOptions
  readonly #core: ClientCore
  readonly #membership: Membership
  readonly #dispatcher: Dispatcher
  readonly #observed: ObservedHandling
  #state: 'new' | 'started' | 'closing' | 'closed' = 'new'
  #use: 'none' | 'handler' | 'iteration' = 'none'
  #closed: Promise<void> | undefined

  /** Errors: `CLIENT_OPTION`. */
  constructor(options: PushConsumerOptions) {
    this.#options = resolveConsumerOptions(options)
    const { clock, log, ordered, model } = this.#options
    const core = new ClientCore({
      options: this.#options,
      isFollowerTold: true,
      heartbeatData: (clientId) =>
        consumerHeartbeat(clientId, this.#membership.subscriptions, { ...this.#options, consumeType: PUSH }),
      onConnectionLost: () => this.#membership.connectionLost(),
      onHeartbeat: (address, members) => this.#membership.heard(address, members),
      routes: consumerRequests({
        member: { ...this.#options, consumeType: PUSH },
        startMs: clock.nowMs(),
        membership: () => this.#membership,
        handleDirectly: (message) => this.#dispatcher.handleDirectly(message),
      }),
    })
    this.#core = core
    this.#membership = new Membership({
      core,
      options: this.#options,
      offsets: offsetStoreOf(core, this.#options),
      isLocking: ordered && model === 'cluster',
      use: {
        share: (topic, listed) => assignmentOf(core, this.#options, topic, listed),
        onMessages: (feed) => this.#dispatcher.offer(feed),
        onLost: (feed, why) => this.#dispatcher.tell(feed, why),
      },
    })
    this.#observed = new ObservedHandling(this.#options)
    const failures = new Failures({ ...this.#options, sendBack: sendBackVia(core, this.#options) })
    this.#dispatcher = new Dispatcher({ options: this.#options, clock, log, failures })
  }

  /** This client's name as brokers see it. */
  get clientId(): string {
    return this.#core.clientId
  }

  /** The queues this consumer holds now. */
  get assigned(): readonly MessageQueue[] {
    return this.#membership.feeds.map((feed) => feed.queue)
  }

  /**
   * Adds a topic, or changes its filter; before or after the start. All members of a group should subscribe to the same.
   * Errors: `CLIENT_OPTION`, `CLIENT_MESSAGE_ILLEGAL` for an impossible topic name.
   */
  subscribe(topic: string, filter: Filter = '*'): this {
    checkTopicName(topic)
    this.#checkOpen()
    this.#membership.subscribe(subscriptionOf(topic, filter, this.#options.clock.nowMs()))
    return this
  }

  unsubscribe(topic: string): void {
    this.#membership.unsubscribe(topic)
  }

  /** Joins the group and begins to pull. `run` and iteration do it by themselves. */
  async start(): Promise<void> {
    if (this.#state !== 'new') throw clientErrors.create('CLIENT_STATE', `the consumer is ${this.#state}`)
    if (this.#membership.subscriptions.length === 0) {
      throw clientErrors.create('CLIENT_STATE', 'nothing is subscribed to')
    }
    const { clock, model, group } = this.#options
    this.#state = 'started'
    if (model === 'cluster') this.#membership.subscribe(subscriptionOf(retryTopic(group), '*', clock.nowMs()))
    await this.#observed.start()
    if (this.#state === 'started') await this.#membership.join()
  }

  /** Hands every message to `handler`. Resolves when the consumer has started; it runs until `close`. Errors: `CLIENT_OPTION`. */
  async run(handler: MessageHandler, options?: RunOptions): Promise<void> {
    checkFunction('handler', handler)
    const signal = signalOf('run', options)
    this.#claim('handler')
    signal?.addEventListener('abort', () => void this.close(), { once: true })
    if (signal?.aborted === true) return this.close()
    await this.#observed.start()
    this.#dispatcher.handleBy(this.#observed.of(handler))
    if (this.#state === 'new') await this.start()
  }

  /** One message at a time. Asking for the next settles the last; leaving the loop gives the last one back. */
  [Symbol.asyncIterator](): AsyncIterator<ReceivedMessage, undefined> {
    this.#claim('iteration')
    let inHand: Delivery | undefined
    const settle = (): void => {
      const delivery = inHand
      inHand = undefined
      if (delivery === undefined) return
      this.#observed.done(delivery.message)
      delivery.feed.settle(delivery)
      this.#dispatcher.offer(delivery.feed)
    }
    return {
      next: async () => {
        settle()
        if (this.#state === 'new') await this.start()
        inHand = await this.#dispatcher.next()
        if (inHand === undefined) return { done: true, value: undefined }
        const { message, deliveries } = inHand
        this.#observed.taken(message, deliveries)
        return { done: false, value: message }
      },
      return: async () => {
        if (inHand !== undefined) {
          this.#observed.givenBack(inHand.message)
          inHand.feed.release(inHand)
        }
        inHand = undefined
        this.#use = 'none'
        return { done: true, value: undefined }
      },
    }
  }

  /**
   * Runs something that belongs to the message an iteration gave last: with OpenTelemetry its span, which lasts until the
   * message is settled, is the active one meanwhile.
   */
  within<T>(message: ReceivedMessage, run: () => T): T {
    return this.#observed.within(message, run)
  }

  /** Commits what is consumed now, without waiting for the interval. Errors: those of the offset store. */
  async commit(): Promise<void> {
    const failure = await this.#membership.commit()
    if (failure !== undefined) throw failure
  }

  /**
   * Stops pulling, waits for the handlers that run (at most `closeTimeoutMs`), commits, leaves the group, closes. Safe to
   * call twice.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    const wasStarted = this.#state === 'started'
    this.#state = 'closing'
    this.#membership.stop()
    await this.#dispatcher.stop(this.#options.closeTimeoutMs)
    if (wasStarted) await Promise.all([this.#membership.leave(), this.#observed.close()])
    this.#state = 'closed'
    this.#core.close()
  }

  #claim(use: 'handler' | 'iteration'): void {
    this.#checkOpen()
    if (this.#use !== 'none') {
      throw clientErrors.create('CLIENT_STATE', `this consumer’s messages already go to a ${this.#use}`)
    }
    this.#use = use
  }

  #checkOpen(): void {
    if (this.#state === 'closing' || this.#state === 'closed') {
      throw clientErrors.create('CLIENT_CLOSED', 'the consumer is closed')
    }
  }
}
