/** Consumes messages: pulls ahead, hands them to a handler or an iteration, keeps the group's offsets. */
import type { Timer } from '../../lib/clock.ts'
import { sleep } from '../../lib/clock.ts'
import { errorMessage } from '../../lib/errors.ts'
import { retryTopic } from '../../message/topic-name.ts'
import { assignmentOf } from './assignment.ts'
import type { Assignment, Listed } from './assignment.ts'
import { Beginnings } from './beginnings.ts'
import { sendBack } from '../core/broker-api.ts'
import { ClientCore } from '../core/client-core.ts'
import { clusterOffsetStore } from './cluster-offset-store.ts'
import { consumerHeartbeat } from './consumer-heartbeat.ts'
import { consumerRequests } from './consumer-requests.ts'
import { channels } from '../core/diagnostics.ts'
import type { RebalanceEvent } from '../core/diagnostics.ts'
import { Dispatcher } from './dispatcher.ts'
import type { MessageHandler } from './dispatcher.ts'
import { clientErrors } from '../core/errors.ts'
import { localOffsetStore } from './local-offset-store.ts'
import { queueKey } from '../core/message-queue.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import type { OffsetStore, QueueOffset } from './offset-store.ts'
import { resolveConsumerOptions } from './consumer-options.ts'
import type { PushConsumerOptions, ResolvedConsumerOptions } from './consumer-options.ts'
import { checkTopicName } from '../core/names.ts'
import { QueueFeed } from './queue-feed.ts'
import type { Delivery } from './queue-feed.ts'
import type { ReceivedMessage } from '../core/received-message.ts'
import { subscriptionOf } from '../core/subscription.ts'
import type { Filter, SubscriptionData } from '../core/subscription.ts'

export interface RunOptions {
  /** Closes the consumer when it fires. */
  readonly signal?: AbortSignal
}

/** A queue that another member may be giving up: its last offset is given this long to arrive. */
const HANDOVER_MS = 200
/** A rebalancing that could not be finished is tried again after this. */
const REBALANCE_AGAIN_MS = 1_000
const FINAL_COMMIT_MS = 3_000

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
 * Delivery is at least once; messages of one queue come in order unless `ordered` is false.
 */
export class PushConsumer implements AsyncIterable<ReceivedMessage> {
  readonly #options: ResolvedConsumerOptions
  readonly #core: ClientCore
  readonly #offsets: OffsetStore
  readonly #dispatcher: Dispatcher
  readonly #subscriptions = new Map<string, SubscriptionData>()
  readonly #feeds = new Map<string, QueueFeed>()
  readonly #beginnings: Beginnings
  /** Topic → the queues of the last round. */
  readonly #wanted = new Map<string, ReadonlySet<string>>()
  /** Queues whose start is asked for and not yet there. */
  readonly #beginning = new Set<string>()
  readonly #timers: Timer[] = []
  #state: 'new' | 'started' | 'closing' | 'closed' = 'new'
  #use: 'none' | 'handler' | 'iteration' = 'none'
  #startMs = 0
  /** The brokers were told of this consumer: before that it would find itself in no list. */
  #isIntroduced = false
  #isRebalancing = false
  #isRebalanceAsked = false
  /** A round is timed for later. */
  #isRebalanceDue = false
  #committing: Promise<void> = Promise.resolve()
  #closed: Promise<void> | undefined

  /** Errors: `CLIENT_OPTION`. */
  constructor(options: PushConsumerOptions) {
    this.#options = resolveConsumerOptions(options)
    const { clock, log, group, ordered, concurrency, handlerTimeoutMs, namesrv } = this.#options
    this.#core = new ClientCore({
      options: this.#options,
      isFollowerTold: true,
      heartbeatData: (clientId) => consumerHeartbeat(clientId, this.#options, [...this.#subscriptions.values()]),
      onConnectionLost: () => this.#connectionLost(),
      routes: consumerRequests({
        group,
        startMs: clock.nowMs(),
        ordered,
        namesrv,
        nowMs: () => clock.nowMs(),
        subscriptions: () => [...this.#subscriptions.values()],
        feeds: () => [...this.#feeds.values()],
        rebalanceSoon: () => this.#rebalance(),
        resetOffsets: (topic, offsets) => this.#resetOffsets(topic, offsets),
        handleDirectly: (message) => this.#dispatcher.handleDirectly(message),
      }),
    })
    const { from, requestTimeoutMs } = this.#options
    this.#beginnings = new Beginnings({ core: this.#core, group, from, timeoutMs: requestTimeoutMs })
    this.#offsets =
      this.#options.model === 'broadcast'
        ? localOffsetStore(this.#options.offsetFile)
        : clusterOffsetStore(this.#core, group, this.#options.requestTimeoutMs)
    this.#dispatcher = new Dispatcher({
      group,
      clock,
      log,
      concurrency,
      ordered,
      handlerTimeoutMs,
      sendBack: (message, delayLevel) => this.#sendBack(message, delayLevel),
    })
  }

  /** This client's name as brokers see it. */
  get clientId(): string {
    return this.#core.clientId
  }

  /** The queues this consumer holds now. */
  get assigned(): readonly MessageQueue[] {
    return [...this.#feeds.values()].map((feed) => feed.queue)
  }

  /**
   * Adds a topic, or changes its filter; before or after the start. All members of a group should subscribe to the same.
   * Errors: `CLIENT_OPTION`, `CLIENT_MESSAGE_ILLEGAL` for an impossible topic name.
   */
  subscribe(topic: string, filter: Filter = '*'): this {
    checkTopicName(topic)
    this.#checkOpen()
    this.#subscriptions.set(topic, subscriptionOf(topic, filter, this.#options.clock.nowMs()))
    if (this.#state === 'started') void this.#subscribed(topic)
    return this
  }

  unsubscribe(topic: string): void {
    this.#subscriptions.delete(topic)
    if (this.#state !== 'started') return
    this.#core.heartbeatAll()
    this.#rebalance()
  }

  /** Joins the group and begins to pull. `run` and iteration do it by themselves. */
  async start(): Promise<void> {
    if (this.#state !== 'new') throw clientErrors.create('CLIENT_STATE', `the consumer is ${this.#state}`)
    if (this.#subscriptions.size === 0) throw clientErrors.create('CLIENT_STATE', 'nothing is subscribed to')
    const { clock, model, group, rebalanceIntervalMs, commitIntervalMs } = this.#options
    this.#state = 'started'
    this.#startMs = clock.nowMs()
    if (model === 'cluster') {
      const topic = retryTopic(group)
      this.#subscriptions.set(topic, subscriptionOf(topic, '*', this.#startMs))
    }
    this.#core.start()
    this.#core.routes.onChange(() => this.#routeChanged())
    this.#timers.push(
      clock.every(rebalanceIntervalMs, () => this.#rebalance()),
      clock.every(commitIntervalMs, () => void this.#commit()),
    )
    await this.#sayHello()
    this.#isIntroduced = true
    this.#rebalance()
  }

  /** Hands every message to `handler`. Resolves when the consumer has started; it runs until `close`. */
  async run(handler: MessageHandler, { signal }: RunOptions = {}): Promise<void> {
    this.#claim('handler')
    signal?.addEventListener('abort', () => void this.close(), { once: true })
    if (signal?.aborted === true) return this.close()
    this.#dispatcher.handleBy(handler)
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
      delivery.feed.settle(delivery)
      this.#dispatcher.offer(delivery.feed)
    }
    return {
      next: async () => {
        settle()
        if (this.#state === 'new') await this.start()
        inHand = await this.#dispatcher.next()
        return inHand === undefined ? { done: true, value: undefined } : { done: false, value: inHand.message }
      },
      return: async () => {
        if (inHand !== undefined) inHand.feed.release(inHand)
        inHand = undefined
        this.#use = 'none'
        return { done: true, value: undefined }
      },
    }
  }

  /** Commits what is consumed now, without waiting for the interval. Errors: those of the offset store. */
  async commit(): Promise<void> {
    const failure = await this.#commit()
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
    for (const timer of this.#timers) timer.cancel()
    for (const feed of this.#feeds.values()) feed.drop()
    await this.#dispatcher.stop(this.#options.closeTimeoutMs)
    if (wasStarted) {
      const { clock, log } = this.#options
      const failure = await Promise.race([
        this.#commit(),
        sleep(clock, FINAL_COMMIT_MS).then(() => clientErrors.create('CLIENT_TIMEOUT', 'no answer')),
      ])
      if (failure !== undefined) log.warn({ error: errorMessage(failure) }, 'the last offsets could not be committed')
      await this.#core.unregisterAll({ consumerGroup: this.#options.group })
    }
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

  /** Routes of all topics, then a heartbeat to all brokers, then the route of the retry topic that it made. */
  async #sayHello(): Promise<void> {
    const topics = [...this.#subscriptions.keys()]
    await Promise.all(topics.map((topic) => this.#beginnings.meet(topic)))
    const addresses = new Set(this.#core.routes.brokers().flatMap((group) => [...group.addresses.values()]))
    await Promise.all([...addresses].map((address) => this.#core.heartbeatTo(address)))
  }

  async #subscribed(topic: string): Promise<void> {
    await this.#beginnings.meet(topic)
    this.#core.heartbeatAll()
    const old = [...this.#feeds.values()].filter((feed) => feed.queue.topic === topic)
    // A feed pulls with the filter it was made with.
    for (const feed of old) await this.#giveUp(feed)
    this.#rebalance()
  }

  #connectionLost(): void {
    if (this.#state !== 'started') return
    for (const topic of this.#subscriptions.keys()) this.#core.routes.refresh(topic).catch(() => undefined)
  }

  #routeChanged(): void {
    for (const feed of this.#feeds.values()) feed.leaderChanged()
    this.#rebalance()
  }

  /** Shares the queues out anew: at once, or once more after the round that is under way. */
  #rebalance(): void {
    this.#isRebalanceAsked = true
    if (this.#isIntroduced && !this.#isRebalancing && this.#state === 'started') void this.#rebalanceRounds()
  }

  #rebalanceLater(): void {
    if (this.#isRebalanceDue) return
    this.#isRebalanceDue = true
    this.#options.clock.after(REBALANCE_AGAIN_MS, () => {
      this.#isRebalanceDue = false
      this.#rebalance()
    })
  }

  async #rebalanceRounds(): Promise<void> {
    this.#isRebalancing = true
    while (this.#isRebalanceAsked && this.#state === 'started') {
      this.#isRebalanceAsked = false
      const listed: Listed = new Map()
      let isBalanced = true
      for (const topic of this.#subscriptions.keys()) {
        isBalanced = (await this.#rebalanceTopic(topic, listed)) && isBalanced
      }
      for (const feed of this.#feeds.values()) {
        if (!this.#subscriptions.has(feed.queue.topic)) await this.#giveUp(feed)
      }
      for (const topic of this.#wanted.keys()) if (!this.#subscriptions.has(topic)) this.#wanted.delete(topic)
      if (!isBalanced) this.#rebalanceLater()
    }
    this.#isRebalancing = false
  }

  /** False: it could not be finished. */
  async #rebalanceTopic(topic: string, listed: Listed): Promise<boolean> {
    try {
      const assignment = await assignmentOf(this.#core, this.#options, topic, listed)
      if (this.#state !== 'started') return true
      if (assignment === undefined) return false
      await this.#assign(topic, assignment)
      return true
    } catch (error) {
      if (this.#state === 'started') {
        this.#options.log.debug({ topic, error: errorMessage(error) }, 'queues could not be shared out')
      }
      return false
    }
  }

  /** Gives up what is no longer this consumer's at once; what is new is begun beside the rounds. */
  async #assign(topic: string, { queues, isShared }: Assignment): Promise<void> {
    const wanted = new Set(queues.map(queueKey))
    this.#wanted.set(topic, wanted)
    const held = [...this.#feeds.values()].filter((feed) => feed.queue.topic === topic)
    const lost = held.filter((feed) => !wanted.has(queueKey(feed.queue)))
    const fresh = queues.filter((queue) => !this.#feeds.has(queueKey(queue)) && !this.#beginning.has(queueKey(queue)))
    for (const queue of fresh) void this.#begin(queue, isShared)
    await Promise.all(lost.map((feed) => this.#giveUp(feed)))
    if ((lost.length > 0 || fresh.length > 0) && channels.rebalance.hasSubscribers) {
      const event: RebalanceEvent = { group: this.#options.group, topic, queues }
      channels.rebalance.publish(event)
    }
  }

  /** Never rejects: what cannot be begun now is tried again by a later round. */
  async #begin(queue: MessageQueue, isShared: boolean): Promise<void> {
    const key = queueKey(queue)
    this.#beginning.add(key)
    try {
      if (isShared) await sleep(this.#options.clock, HANDOVER_MS, this.#core.closing)
      if (this.#isWanted(queue)) await this.#takeOver(queue)
    } catch (error) {
      if (this.#state !== 'started') return
      this.#options.log.debug({ queue, error: errorMessage(error) }, 'a queue could not be begun; trying again')
      this.#rebalanceLater()
    } finally {
      this.#beginning.delete(key)
    }
  }

  #isWanted(queue: MessageQueue): boolean {
    return this.#state === 'started' && this.#wanted.get(queue.topic)?.has(queueKey(queue)) === true
  }

  async #takeOver(queue: MessageQueue): Promise<void> {
    const stored = await this.#offsets.read(queue, this.#core.closing)
    const startOffset = stored ?? (await this.#beginnings.of(queue))
    // Between the question and here the consumer may have been closed, or the queue given to another member.
    const subscription = this.#subscriptions.get(queue.topic)
    if (!this.#isWanted(queue) || subscription === undefined) return
    const feed = new QueueFeed({
      core: this.#core,
      options: this.#options,
      queue,
      subscription,
      startOffset,
      onMessages: (from) => this.#dispatcher.offer(from),
    })
    if (stored !== undefined) feed.noteCommitted(stored)
    this.#feeds.set(queueKey(queue), feed)
    void feed.run()
  }

  /** Drops the queue and stores how far it is consumed, so that its next owner begins there. */
  async #giveUp(feed: QueueFeed): Promise<void> {
    feed.drop()
    this.#feeds.delete(queueKey(feed.queue))
    const queueOffset = feed.uncommitted
    if (queueOffset === undefined) return
    try {
      await this.#offsets.commit([{ queue: feed.queue, queueOffset }], this.#core.closing)
    } catch (error) {
      this.#options.log.debug({ queue: feed.queue, error: errorMessage(error) }, 'an offset could not be handed over')
    }
  }

  #resetOffsets(topic: string, offsets: readonly QueueOffset[]): void {
    for (const { queue, queueOffset } of offsets) {
      if (queue.topic === topic) this.#feeds.get(queueKey(queue))?.reset(queueOffset)
    }
    this.#options.log.info({ topic, queues: offsets.length }, 'offsets were reset by the broker')
    void this.#commit()
  }

  /** Commits run one behind the other. Resolves with the failure, if there was one. */
  #commit(): Promise<Error | undefined> {
    const result = this.#committing.then(() => this.#commitNow())
    this.#committing = result.then(() => undefined)
    return result
  }

  async #commitNow(): Promise<Error | undefined> {
    const due = [...this.#feeds.values()].flatMap((feed) => {
      const queueOffset = feed.uncommitted
      return queueOffset === undefined ? [] : [{ feed, messages: feed.messages, queue: feed.queue, queueOffset }]
    })
    if (due.length === 0) return undefined
    try {
      await this.#offsets.commit(due.map(({ queue, queueOffset }) => ({ queue, queueOffset })))
    } catch (error) {
      this.#options.log.debug({ error: errorMessage(error) }, 'offsets could not be committed; trying again later')
      return error instanceof Error ? error : new Error(String(error))
    }
    for (const { feed, messages, queueOffset } of due) {
      if (feed.messages === messages) feed.noteCommitted(queueOffset)
    }
    return undefined
  }

  async #sendBack(message: ReceivedMessage, delayLevel: number): Promise<void> {
    const { model, group, maxReconsumeTimes, requestTimeoutMs, log } = this.#options
    const { brokerName, offset, queueOffset } = message
    if (model === 'broadcast') {
      // Nobody else will ever handle it for this consumer: RocketMQ drops it, too.
      log.warn({ topic: message.topic, queueOffset }, 'a broadcast message failed and is skipped')
      return
    }
    const back = {
      group,
      brokerName,
      offset,
      originMessageId: message.messageId,
      originTopic: message.storedTopic,
      delayLevel,
      maxReconsumeTimes,
    }
    await this.#core.callLeader(
      { topic: message.storedTopic, brokerName },
      (address, options) => sendBack(this.#core.invoke, address, back, options),
      { timeoutMs: requestTimeoutMs, signal: this.#core.closing },
    )
  }
}
