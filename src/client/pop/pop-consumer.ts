/** Takes messages by POP: the broker keeps track of every single one, and no member of the group owns a queue. */
import { sleep } from '../../lib/clock.ts'
import type { Clock } from '../../lib/clock.ts'
import { errorMessage } from '../../lib/errors.ts'
import { checkWithin, signalOf } from '../core/call-options.ts'
import type { RunOptions } from '../core/call-options.ts'
import { ClientCore } from '../core/client-core.ts'
import { askedConsumer } from '../core/asked-consumer.ts'
import { clientErrors } from '../core/errors.ts'
import { resolvePopOptions } from './pop-options.ts'
import type { PopConsumerOptions, ResolvedPopOptions } from './pop-options.ts'
import { checkTopicName } from '../core/names.ts'
import { checkFunction } from '../core/options.ts'
import { acknowledge, changeInvisible, pop } from './pop-requests.ts'
import type { Popped } from './pop-requests.ts'
import type { ReceivedMessage } from '../core/received-message.ts'
import { ObservedHandling } from '../producer/observed-handling.ts'
import { subscriptionOf, wants } from '../core/subscription.ts'
import type { Filter, SubscriptionData } from '../core/subscription.ts'

export interface PopContext {
  readonly group: string
  /** Times the message was delivered before. */
  readonly deliveries: number
  /**
   * Keeps the message away from others for so much longer, from now: for handlers that take their time. Errors:
   * `CLIENT_OPTION` for what is no time of up to a day.
   */
  extend(invisibleMs: number): Promise<void>
}

/** Resolving, or returning, acknowledges the message; throwing lets it come again later. */
export type PopHandler = (message: ReceivedMessage, context: PopContext) => unknown

const TROUBLE_PAUSE_MS = 200
const TROUBLE_PAUSE_MAX_MS = 5_000
/** RocketMQ's delays of redelivery (messageDelayLevel from level 3 on). */
const AGAIN_SECONDS = [10, 30, 60, 120, 180, 240, 300, 360, 420, 480, 540, 600, 1200, 1800, 3600, 7200] as const
const ACK_TIMEOUT_MS = 10_000
const POP = 'CONSUME_POP'
const EXTENSION = { low: 0, high: 86_400_000 }

/**
 * ```ts
 * const consumer = new PopConsumer({ namesrv: '127.0.0.1:9876', group: 'billing', from: 'first' })
 * consumer.subscribe('Orders')
 * await consumer.run(async (message) => { await bill(message) })
 * …
 * await consumer.close()
 * ```
 *
 * Delivery is at least once: a message whose handler fails, or is not done within `invisibleMs`, comes again. Messages come
 * in no order, unless `ordered` is set: then a queue gives nothing more until what it gave is acknowledged.
 */
export class PopConsumer {
  readonly #options: ResolvedPopOptions
  readonly #core: ClientCore
  readonly #clock: Clock
  readonly #subscriptions = new Map<string, SubscriptionData>()
  /** A loop for each topic and broker group. */
  readonly #loops = new Map<string, Promise<void>>()
  readonly #idle: (() => void)[] = []
  readonly #observed: ObservedHandling
  #handler: PopHandler | undefined
  #inHand = 0
  #state: 'new' | 'started' | 'closing' | 'closed' = 'new'

  /** Errors: `CLIENT_OPTION`. */
  constructor(options: PopConsumerOptions) {
    this.#options = resolvePopOptions(options)
    this.#clock = this.#options.clock
    this.#observed = new ObservedHandling(this.#options)
    this.#core = new ClientCore({
      options: this.#options,
      heartbeatData: (clientId) => this.#heartbeatData(clientId),
      routes: askedConsumer({
        member: { ...this.#options, consumeType: POP },
        startMs: this.#clock.nowMs(),
        subscriptions: () => [...this.#subscriptions.values()],
        queues: () => [],
        handleDirectly: (message) => this.#handleDirectly(message),
      }),
    })
  }

  /** This client's name as brokers see it. */
  get clientId(): string {
    return this.#core.clientId
  }

  /** Adds a topic; before the start. Errors: `CLIENT_OPTION`, `CLIENT_STATE`, `CLIENT_MESSAGE_ILLEGAL`. */
  subscribe(topic: string, filter: Filter = '*'): this {
    checkTopicName(topic)
    if (this.#state !== 'new') throw clientErrors.create('CLIENT_STATE', `the consumer is ${this.#state}`)
    this.#subscriptions.set(topic, subscriptionOf(topic, filter, this.#clock.nowMs()))
    return this
  }

  /** Hands every message to `handler`. Resolves when the consumer has started; it runs until `close`. Errors: `CLIENT_OPTION`. */
  async run(handler: PopHandler, options?: RunOptions): Promise<void> {
    checkFunction('handler', handler)
    const signal = signalOf('run', options)
    if (this.#state !== 'new') throw clientErrors.create('CLIENT_STATE', `the consumer is ${this.#state}`)
    if (this.#subscriptions.size === 0) throw clientErrors.create('CLIENT_STATE', 'nothing is subscribed to')
    signal?.addEventListener('abort', () => void this.close(), { once: true })
    if (signal?.aborted === true) return this.close()
    this.#state = 'started'
    this.#core.start()
    await this.#observed.start()
    this.#handler = this.#observed.of(handler)
    this.#core.routes.onChange(() => this.#popEverywhere())
    await Promise.allSettled([...this.#subscriptions.keys()].map((topic) => this.#core.routes.refresh(topic)))
    this.#popEverywhere()
  }

  /**
   * Takes no more messages and waits for the handlers, at most `closeTimeoutMs`. What a broker gives to a pop that is
   * under way then, and what is not acknowledged, comes again after `invisibleMs`.
   */
  async close(): Promise<void> {
    if (this.#state === 'closed' || this.#state === 'closing') return
    const wasStarted = this.#state === 'started'
    this.#state = 'closing'
    if (wasStarted) {
      await Promise.race([this.#whenIdle(), sleep(this.#clock, this.#options.closeTimeoutMs)])
      await Promise.all([this.#core.unregisterAll({ consumerGroup: this.#options.group }), this.#observed.close()])
    }
    this.#state = 'closed'
    this.#core.close()
    await Promise.allSettled(this.#loops.values())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #popEverywhere(): void {
    for (const [topic, subscription] of this.#subscriptions) {
      for (const brokerName of this.#core.routes.get(topic)?.brokers.keys() ?? []) {
        const key = `${topic}@${brokerName}`
        if (this.#state !== 'started' || this.#loops.has(key)) continue
        this.#loops.set(
          key,
          this.#popFrom(brokerName, subscription).finally(() => this.#loops.delete(key)),
        )
      }
    }
  }

  async #popFrom(brokerName: string, subscription: SubscriptionData): Promise<void> {
    const { concurrency, popBatch } = this.#options
    let pauseMs = TROUBLE_PAUSE_MS
    while (this.#state === 'started') {
      const room = Math.min(popBatch, concurrency - this.#inHand)
      if (room <= 0) {
        await this.#whenRoom()
        continue
      }
      // What is asked for is kept free, so that no message waits here while its time runs.
      this.#inHand += room
      const popped = await this.#pop(brokerName, subscription, room).catch((error: unknown) => {
        this.#options.log.debug({ brokerName, reason: errorMessage(error) }, 'a pop failed')
        return undefined
      })
      this.#give(room - (popped?.length ?? 0))
      for (const one of popped ?? []) void this.#handle(one, subscription)
      if (popped !== undefined) pauseMs = TROUBLE_PAUSE_MS
      else if (this.#state === 'started') {
        await this.#core.routes.refresh(subscription.topic).catch(() => undefined)
        await sleep(this.#clock, pauseMs)
        pauseMs = Math.min(2 * pauseMs, TROUBLE_PAUSE_MAX_MS)
      }
      if (this.#core.routes.get(subscription.topic)?.brokers.has(brokerName) === false) return
    }
  }

  async #pop(brokerName: string, subscription: SubscriptionData, maxMessages: number): Promise<Popped[]> {
    const { group, invisibleMs, pollMs, from, ordered, requestTimeoutMs } = this.#options
    const address = this.#core.routes.leader(brokerName)
    if (address === undefined) throw clientErrors.create('CLIENT_NO_LEADER', `${brokerName} has no leader now`)
    await this.#core.heartbeatOnce(address)
    const { topic } = subscription
    const request = { group, topic, brokerName, subscription, maxMessages, invisibleMs, pollMs, ordered }
    return pop(
      this.#core.invoke,
      address,
      { ...request, isFromFirst: from === 'first', bornMs: this.#clock.nowMs() },
      { timeoutMs: pollMs + requestTimeoutMs },
    )
  }

  async #handle(popped: Popped, subscription: SubscriptionData): Promise<void> {
    let current = popped
    const { message, deliveries } = popped
    const { group } = this.#options
    const context: PopContext = {
      group,
      deliveries,
      extend: async (invisibleMs) => {
        checkWithin('invisibleMs', invisibleMs, EXTENSION)
        current = await this.#change(current, invisibleMs)
      },
    }
    try {
      // Equal hashes are not equal tags: what is not wanted is done with.
      const isWanted = message.storedTopic !== subscription.topic || wants(subscription, message.tag)
      if (isWanted) await this.#handler?.(message, context)
      await this.#atLeader(message, (address) => acknowledge(this.#core.invoke, address, group, current))
    } catch (error) {
      this.#options.log.debug({ messageId: message.messageId, reason: errorMessage(error) }, 'comes again')
      const seconds = AGAIN_SECONDS[Math.min(deliveries, AGAIN_SECONDS.length - 1)] ?? 10
      // When even that fails, it comes again after its invisible time.
      await this.#change(current, seconds * 1_000).catch(() => undefined)
    } finally {
      this.#give(1)
    }
  }

  /** One that was not popped: nobody waits for its acknowledgement. */
  async #handleDirectly(message: ReceivedMessage): Promise<void> {
    if (this.#handler === undefined) throw clientErrors.create('CLIENT_STATE', 'this consumer has no handler')
    const { group } = this.#options
    await this.#handler(message, { group, deliveries: message.reconsumeTimes, extend: () => Promise.resolve() })
  }

  #change(popped: Popped, invisibleMs: number): Promise<Popped> {
    const { group } = this.#options
    return this.#atLeader(popped.message, (address) =>
      changeInvisible(this.#core.invoke, address, { group, popped, invisibleMs }),
    )
  }

  #atLeader<T>(message: ReceivedMessage, call: (address: string) => Promise<T>): Promise<T> {
    const at = { topic: message.topic, brokerName: message.brokerName }
    return this.#core.callLeader(at, call, { timeoutMs: ACK_TIMEOUT_MS })
  }

  #give(count: number): void {
    this.#inHand -= count
    if (count > 0) for (const wake of this.#idle.splice(0)) wake()
  }

  #whenRoom(): Promise<void> {
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  /** Pops under way count as messages in hand: when one ends the state says that no other begins. */
  async #whenIdle(): Promise<void> {
    while (this.#inHand > 0) await this.#whenRoom()
  }

  #heartbeatData(clientID: string) {
    const consumer = {
      groupName: this.#options.group,
      consumeType: POP,
      messageModel: 'CLUSTERING',
      consumeFromWhere: this.#options.from === 'first' ? 'CONSUME_FROM_FIRST_OFFSET' : 'CONSUME_FROM_LAST_OFFSET',
      subscriptionDataSet: [...this.#subscriptions.values()],
      unitMode: false,
    } as const
    return { clientID, producerDataSet: [], consumerDataSet: [consumer] }
  }
}
