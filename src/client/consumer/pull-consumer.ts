/** Consumes at the program's own pace (RocketMQ DefaultLitePullConsumer): it polls, seeks, pauses and commits. */
import { knownKeys } from '../../lib/known-keys.ts'
import { checkQueue, checkQueues, checkWithin } from '../core/call-options.ts'
import { ClientCore } from '../core/client-core.ts'
import { abortedError, clientErrors } from '../core/errors.ts'
import { compareQueues, queueKey } from '../core/message-queue.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import { checkTopicName } from '../core/names.ts'
import { checkKeys } from '../core/options.ts'
import type { ReceivedMessage } from '../core/received-message.ts'
import { subscriptionOf } from '../core/subscription.ts'
import type { Filter } from '../core/subscription.ts'
import { assignmentOf } from './assignment.ts'
import type { Assignment, Listed } from './assignment.ts'
import { consumerHeartbeat } from './consumer-heartbeat.ts'
import { consumerRequests } from './consumer-requests.ts'
import { Membership } from './membership.ts'
import type { OffsetStore } from './offset-store.ts'
import { offsetStoreOf } from './offset-stores.ts'
import { resolvePullOptions } from './pull-options.ts'
import type { PullConsumerOptions, ResolvedPullOptions } from './pull-options.ts'
import { queuePlace } from './queue-place.ts'
import type { Place } from './queue-place.ts'
import { ObservedHandling } from '../producer/observed-handling.ts'
import { Polled } from './polled.ts'

export interface PollOptions {
  /** Longest wait for the first message. Default 5,000; 0: what is here already. */
  readonly timeoutMs?: number
  /** Default: the consumer's `pollBatch`. */
  readonly maxMessages?: number
  /** Ends the wait: `CLIENT_ABORTED`. */
  readonly signal?: AbortSignal
}

const pollKeys = knownKeys<PollOptions>({ timeoutMs: true, maxMessages: true, signal: true })

const PULL = 'CONSUME_ACTIVELY'
const POLL_TIMEOUT_MS = 5_000
/** One wait of an iteration, which waits again. */
const ITERATION_MS = 60_000

/**
 * ```ts
 * const consumer = new PullConsumer({ namesrv: '127.0.0.1:9876', group: 'audit', from: 'first' }).subscribe('Orders')
 * for (;;) {
 *   const messages = await consumer.poll({ timeoutMs: 1_000 })
 *   await store(messages)
 * }
 * …
 * await consumer.close()
 * ```
 *
 * `subscribe` shares the queues with the other members of the group; `assign` takes the queues that are named, whoever
 * else reads them. Delivery is at least once: what a poll gave is consumed when the next one is called.
 */
export class PullConsumer implements AsyncIterable<ReceivedMessage> {
  readonly #options: ResolvedPullOptions
  readonly #core: ClientCore
  readonly #offsets: OffsetStore
  readonly #membership: Membership
  readonly #polled: Polled
  readonly #observed: ObservedHandling
  /** The queues of `assign`; undefined: they are shared out. */
  #assigned: readonly MessageQueue[] | undefined
  readonly #paused = new Set<string>()
  #state: 'new' | 'started' | 'closed' = 'new'
  #joining: Promise<void> | undefined
  #isPolling = false

  /** Errors: `CLIENT_OPTION`. */
  constructor(options: PullConsumerOptions) {
    this.#options = resolvePullOptions(options)
    const core = new ClientCore({
      options: this.#options,
      isFollowerTold: true,
      heartbeatData: (clientId) =>
        consumerHeartbeat(clientId, this.#membership.subscriptions, { ...this.#options, consumeType: PULL }),
      onConnectionLost: () => this.#membership.connectionLost(),
      onHeartbeat: (address, members) => this.#membership.heard(address, members),
      routes: consumerRequests({
        member: { ...this.#options, ordered: false, consumeType: PULL },
        startMs: this.#options.clock.nowMs(),
        membership: () => this.#membership,
        handleDirectly: () => Promise.reject(clientErrors.create('CLIENT_STATE', 'this consumer has no handler')),
      }),
    })
    this.#core = core
    this.#offsets = offsetStoreOf(core, this.#options)
    this.#observed = new ObservedHandling(this.#options)
    this.#polled = new Polled(() => this.#membership.feeds, this.#observed)
    this.#membership = new Membership({
      core,
      options: this.#options,
      offsets: this.#offsets,
      isLocking: false,
      use: {
        share: (topic, listed) => this.#share(topic, listed),
        onMessages: () => this.#polled.wake(),
        onLost: () => undefined,
        isPaused: (queue) => this.#paused.has(queueKey(queue)),
      },
    })
  }

  /** This client's name as brokers see it. */
  get clientId(): string {
    return this.#core.clientId
  }

  /** The queues this consumer holds now. */
  get assigned(): readonly MessageQueue[] {
    return this.#membership.feeds.map((feed) => feed.queue)
  }

  /** Shares a topic's queues with the group; again: changes its filter. Errors: as `assign`. */
  subscribe(topic: string, filter: Filter = '*'): this {
    checkTopicName(topic)
    this.#checkOpen()
    if (this.#assigned !== undefined) throw clientErrors.create('CLIENT_STATE', 'this consumer’s queues are assigned')
    this.#membership.subscribe(subscriptionOf(topic, filter, this.#options.clock.nowMs()))
    return this
  }

  unsubscribe(topic: string): void {
    this.#membership.unsubscribe(topic)
  }

  /**
   * Takes exactly these queues, in place of those assigned before. Errors: `CLIENT_STATE` after `subscribe`,
   * `CLIENT_CLOSED`, `CLIENT_OPTION`, `CLIENT_MESSAGE_ILLEGAL` for an impossible topic name.
   */
  assign(queues: readonly MessageQueue[], filter: Filter = '*'): this {
    this.#checkOpen()
    if (this.#assigned === undefined && this.#membership.subscriptions.length > 0) {
      throw clientErrors.create('CLIENT_STATE', 'this consumer’s queues are shared out')
    }
    checkQueues(queues)
    const topics = new Set(queues.map(({ topic }) => topic))
    for (const topic of topics) checkTopicName(topic)
    this.#assigned = [...queues].sort(compareQueues)
    const known = new Map(this.#membership.subscriptions.map((subscription) => [subscription.topic, subscription]))
    for (const topic of known.keys()) if (!topics.has(topic)) this.#membership.unsubscribe(topic)
    for (const topic of topics) {
      const subscription = subscriptionOf(topic, filter, this.#options.clock.nowMs())
      if (known.get(topic)?.subString !== subscription.subString) this.#membership.subscribe(subscription)
    }
    this.#membership.rebalanceSoon()
    return this
  }

  /** The queues of a topic that may be read, sorted: what `assign` takes. Errors: `CLIENT_NO_ROUTE`. */
  async queues(topic: string): Promise<readonly MessageQueue[]> {
    checkTopicName(topic)
    this.#checkOpen()
    const route = await this.#core.routes.find(topic)
    if (route === undefined) throw clientErrors.create('CLIENT_NO_ROUTE', `the topic ${topic} does not exist`)
    return route.readQueues
  }

  /** Joins the group and begins to pull. The first poll does it by itself. */
  start(): Promise<void> {
    this.#checkOpen()
    if (this.#membership.subscriptions.length === 0) {
      return Promise.reject(clientErrors.create('CLIENT_STATE', 'nothing is subscribed to or assigned'))
    }
    this.#state = 'started'
    this.#joining ??= this.#join()
    return this.#joining
  }

  /**
   * The next messages, in order within each queue; none when there are none in time, or the consumer is closed meanwhile.
   * What the poll before gave counts as consumed now. Errors: `CLIENT_STATE` for a second poll beside this one,
   * `CLIENT_CLOSED`, `CLIENT_ABORTED`, `CLIENT_OPTION`.
   */
  async poll(options: PollOptions = {}): Promise<readonly ReceivedMessage[]> {
    checkKeys(options, 'poll', pollKeys)
    const { timeoutMs = POLL_TIMEOUT_MS, maxMessages = this.#options.pollBatch, signal } = options
    checkWithin('timeoutMs', timeoutMs, { low: 0, high: 3_600_000 })
    checkWithin('maxMessages', maxMessages, { low: 1, high: 65_536 })
    this.#checkOpen()
    if (this.#isPolling) throw clientErrors.create('CLIENT_STATE', 'a poll is under way already')
    if (signal?.aborted === true) throw abortedError(signal)
    this.#isPolling = true
    try {
      this.#polled.settle()
      await this.start()
      return await this.#next(maxMessages, timeoutMs, signal)
    } finally {
      this.#isPolling = false
    }
  }

  /**
   * One message at a time, until the consumer is closed. Asking for the next settles the last; leaving the loop gives the
   * last one back.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<ReceivedMessage, undefined> {
    try {
      while (this.#state !== 'closed') {
        const [message] = await this.poll({ maxMessages: 1, timeoutMs: ITERATION_MS })
        if (message !== undefined) yield message
      }
      return undefined
    } finally {
      this.#polled.giveBack()
    }
  }

  /**
   * Runs something that belongs to a message in hand: with OpenTelemetry its span, which lasts until the message is
   * settled, is the active one meanwhile.
   */
  within<T>(message: ReceivedMessage, run: () => T): T {
    return this.#observed.within(message, run)
  }

  /** Goes on at this place: what was given and not yet polled past counts no more. Errors: see `seekTo`. */
  seek(queue: MessageQueue, queueOffset: number): Promise<number> {
    return this.#seekTo(queue, { queueOffset })
  }

  /** Goes on with the first message that was stored at that time or later. */
  seekToTime(queue: MessageQueue, time: Date): Promise<number> {
    return this.#seekTo(queue, { time })
  }

  seekToBegin(queue: MessageQueue): Promise<number> {
    return this.#seekTo(queue, 'begin')
  }

  seekToEnd(queue: MessageQueue): Promise<number> {
    return this.#seekTo(queue, 'end')
  }

  /** Nothing more of these queues is given until they are resumed; their place stays. */
  pause(...queues: readonly MessageQueue[]): void {
    checkQueues(queues)
    for (const queue of queues) this.#paused.add(queueKey(queue))
  }

  resume(...queues: readonly MessageQueue[]): void {
    checkQueues(queues)
    for (const queue of queues) {
      this.#paused.delete(queueKey(queue))
      this.#membership.feedOf(queue)?.wake()
    }
    this.#polled.wake()
  }

  /** Commits all that was given so far. Errors: those of the offset store. */
  async commit(): Promise<void> {
    this.#checkOpen()
    this.#polled.settle()
    const failure = await this.#membership.commit()
    if (failure !== undefined) throw failure
  }

  /** The queueOffset that the group committed, or undefined when it never did. */
  async committed(queue: MessageQueue): Promise<number | undefined> {
    checkQueue(queue)
    this.#checkOpen()
    return this.#offsets.read(queue, this.#core.closing)
  }

  /** The queueOffset of what `poll` gives next of a queue that is held; undefined for others. */
  position(queue: MessageQueue): number | undefined {
    checkQueue(queue)
    return this.#membership.feedOf(queue)?.messages.nextOffset
  }

  /** Ends a poll that waits, commits (with `autoCommit`), leaves the group, closes. Safe to call twice. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return
    const wasStarted = this.#state === 'started'
    this.#state = 'closed'
    this.#polled.settle()
    this.#membership.stop()
    this.#polled.wake()
    if (wasStarted) await Promise.all([this.#membership.leave(), this.#observed.close()])
    this.#core.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #join(): Promise<void> {
    await this.#observed.start()
    if (this.#state === 'started') await this.#membership.join()
  }

  async #next(max: number, timeoutMs: number, signal: AbortSignal | undefined): Promise<readonly ReceivedMessage[]> {
    const { clock } = this.#options
    const endMs = clock.monotonicMs() + timeoutMs
    for (;;) {
      const here = this.#polled.take(max)
      const leftMs = endMs - clock.monotonicMs()
      if (here.length > 0 || leftMs <= 0 || this.#state === 'closed') return here
      await this.#polled.wait(clock, leftMs, signal)
      if (signal?.aborted === true) throw abortedError(signal)
    }
  }

  async #seekTo(queue: MessageQueue, place: Place): Promise<number> {
    this.#checkOpen()
    const { requestTimeoutMs: timeoutMs } = this.#options
    const queueOffset = await queuePlace(this.#core, queue, place, timeoutMs)
    this.#polled.forget(queue)
    this.#membership.seek(queue, queueOffset)
    return queueOffset
  }

  async #share(topic: string, listed: Listed): Promise<Assignment | undefined> {
    if (this.#assigned === undefined) return assignmentOf(this.#core, this.#options, topic, listed)
    return { queues: this.#assigned.filter((queue) => queue.topic === topic), isShared: false }
  }

  #checkOpen(): void {
    if (this.#state === 'closed') throw clientErrors.create('CLIENT_CLOSED', 'the consumer is closed')
  }
}
