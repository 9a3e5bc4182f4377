/** Sends messages. */
import { uniqueIds } from '../../message/message-id.ts'
import { batchRequest, batchResults, checkBatch } from './batch-send.ts'
import { Batcher } from './batcher.ts'
import { signalOf } from '../core/call-options.ts'
import type { SendOptions } from '../core/call-options.ts'
import { ClientCore } from '../core/client-core.ts'
import { abortedError, clientErrors } from '../core/errors.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import { resolveProducerOptions } from './producer-options.ts'
import type { ProducerOptions, ResolvedProducerOptions } from './producer-options.ts'
import { checkTopicName } from '../core/names.ts'
import { checkFunction } from '../core/options.ts'
import { checkMessage } from './message-check.ts'
import { prepareMessage } from './outgoing-message.ts'
import type { OutgoingMessage, PreparedMessage } from './outgoing-message.ts'
import type { ProducerExtras } from './producer-extras.ts'
import { aborted, nothing, refused, settle } from './settling.ts'
import { checkedRecall, recallMessage } from './recall.ts'
import type { RecallRequest } from './recall.ts'
import { observedSends } from './observed-sends.ts'
import type { ObservedSends } from './observed-sends.ts'
import { sendReply } from './reply.ts'
import { PendingRequests, replyEnvelope, replyTimeoutOf, requestProperties } from './requests.ts'
import type { ReplyMessage, RequestOptions } from './requests.ts'
import type { ReceivedMessage } from '../core/received-message.ts'
import { Sender } from './sender.ts'
import { leaderOf } from '../core/topic-route.ts'
import { TracedSend } from './traced-send.ts'
import { messageRequest, type SendDone, type SendRequest, type SendResult } from './send-request.ts'

export type SendCallback = SendDone

/**
 * ```ts
 * const producer = new Producer({ namesrv: '127.0.0.1:9876', group: 'orders' })
 * await producer.start()
 * const { queueOffset } = await producer.send({ topic: 'Orders', body: 'hello', tag: 'new' })
 * await producer.close()
 * ```
 *
 * Delivery is at least once. With `retryUndecided` (the default) a message whose answer was lost is sent again and may be
 * stored twice; consumers tell by `messageId`.
 */
export class Producer {
  readonly #options: ResolvedProducerOptions
  readonly #core: ClientCore
  readonly #sender: Sender
  readonly #batcher: Batcher<SendResult> | undefined
  readonly #newMessageId: () => string
  readonly #requests: PendingRequests
  readonly #traced: TracedSend | undefined
  #observed: ObservedSends | undefined
  #state: 'new' | 'started' | 'closing' | 'closed' = 'new'

  /** Errors: `CLIENT_OPTION`. */
  constructor(options: ProducerOptions, extras?: ProducerExtras) {
    this.#options = resolveProducerOptions(options)
    const { clock, random, group, batch, trace } = this.#options
    this.#requests = new PendingRequests({ clock, max: this.#options.maxInFlight })
    this.#core = new ClientCore({
      options: this.#options,
      routes: [...this.#requests.routes(), ...(extras?.routes ?? [])],
      heartbeatData: (clientId) => ({
        clientID: clientId,
        producerDataSet: [{ groupName: group }],
        consumerDataSet: [],
      }),
    })
    this.#sender = new Sender(this.#core, this.#options)
    this.#newMessageId = uniqueIds({ clock, random, ...this.#core.identity })
    const leader = (brokerName: string): string | undefined => this.#core.routes.leader(brokerName)
    if (trace) this.#traced = new TracedSend({ ...this.#options, leader, send: (rows) => this.#sendRows(rows) })
    extras?.attach(this.#core, this.#traced)
    if (batch !== undefined) {
      this.#batcher = new Batcher({
        clock,
        limits: batch,
        sendBatch: (first, members, done) => void this.#sendMembers(first, members, done),
        sendAlone: (first, prepared, done) => this.#sendAlone(first, prepared, done, true),
        flushed: () => this.#sender.flush(),
      })
    }
  }

  /** This client's name as brokers see it. */
  get clientId(): string {
    return this.#core.clientId
  }

  /** Messages sent and not settled; one that was given up while its batch is on its way counts until that is settled. */
  get inFlight(): number {
    return this.#sender.inFlight + (this.#batcher?.messages ?? 0)
  }

  /** Makes the producer ready. Connections are made when they are needed. */
  async start(): Promise<void> {
    if (this.#state !== 'new') throw clientErrors.create('CLIENT_STATE', `the producer is ${this.#state}`)
    this.#state = 'started'
    this.#core.start()
    this.#observed = await observedSends(this.#options, this.#traced)
  }

  /**
   * Sends one message and waits until it is stored. Errors: `CLIENT_UNDECIDED` when it may or may not be stored, the
   * others of the table when it certainly is not.
   */
  send(message: OutgoingMessage, options?: SendOptions): Promise<SendResult> {
    return new Promise((resolve, reject) => {
      const signal = signalOf('send', options)
      if (signal === undefined) {
        this.#start(message, (error, result) => settle(resolve, reject, error, result))
        return
      }
      if (signal.aborted) return reject(abortedError(signal))
      const onAbort = (): void => giveUp(abortedError(signal))
      const giveUp = this.#start(message, (error, result) => {
        signal.removeEventListener('abort', onAbort)
        settle(resolve, reject, error, result)
      })
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  /**
   * Sends a request and waits for the reply that a consumer gives with `reply`. Errors: those of `send`;
   * `CLIENT_NO_REPLY` when none came in time: the request may have been handled.
   */
  async request(message: OutgoingMessage, options: RequestOptions = {}): Promise<ReplyMessage> {
    const timeoutMs = replyTimeoutOf(options)
    const refusal = this.#refusal()
    if (refusal !== undefined) throw refusal
    checkMessage(message)
    // A broker knows where replies go from this client's heartbeat: that comes first.
    await this.introduce(message.topic)
    const correlationId = this.#newMessageId()
    const properties = requestProperties({ correlationId, clientId: this.clientId, timeoutMs })
    const reply = this.#requests.wait(correlationId, timeoutMs)
    this.#start({ ...message, properties: { ...message.properties, ...properties } }, (error) => {
      if (error !== undefined) this.#requests.fail(correlationId, error)
    })
    return reply
  }

  /** Resolves when the leaders of the topic's brokers know this client, for what they send it by themselves. */
  async introduce(topic: string): Promise<void> {
    const route = await this.#sender.findRoute(topic)
    await Promise.all(
      [...(route?.brokers.values() ?? [])].map((group) => this.#core.heartbeatOnce(leaderOf(group) ?? '')),
    )
  }

  /**
   * Takes back a message that was sent with `delayMs` or `deliverAt` and is not due yet: it is not delivered. Taken back
   * twice it is as once. Errors: `CLIENT_REFUSED` when its time is over, or the handle is none.
   */
  async recall(request: RecallRequest): Promise<void> {
    const { topic, recallHandle } = checkedRecall(request)
    const refusal = this.#refusal()
    if (refusal !== undefined) throw refusal
    const recall = (): Promise<void> =>
      recallMessage(this.#core, { topic, recallHandle, ...this.#options }, (messageId, isSuccess) =>
        this.#traced?.recalled({ topic, messageId }, isSuccess),
      )
    await (this.#observed?.settle('recall', topic, recall) ?? recall())
  }

  /**
   * Replies to a request that a consumer took. Resolves when the one that asked has the reply. Errors:
   * `CLIENT_MESSAGE_ILLEGAL` for a message that is no request, `CLIENT_REFUSED` when nobody waits for it any more.
   */
  async reply(request: ReceivedMessage, reply: Pick<OutgoingMessage, 'body' | 'properties' | 'flag'>): Promise<void> {
    const refusal = this.#refusal()
    if (refusal !== undefined) throw refusal
    const { topic, properties } = replyEnvelope(request)
    const message = { ...reply, topic, properties: { ...reply.properties, ...properties } }
    checkMessage(message)
    const prepared = prepareMessage(message, this.#newMessageId(), this.#options)
    await sendReply(this.#core, request, this.#request(message, prepared), this.#options)
  }

  /**
   * As `send`, without a promise: for programs that keep thousands of messages in flight. `done` is called exactly once,
   * and may be called before this returns. Errors: `CLIENT_OPTION` for what cannot be called.
   */
  sendCallback(message: OutgoingMessage, done: SendCallback): void {
    checkFunction('done', done)
    this.#start(message, done)
  }

  /** Sends and waits for nothing. True: it left this process; nobody tells whether it arrived. */
  async sendOneway(message: OutgoingMessage): Promise<boolean> {
    const refusal = this.#refusal()
    if (refusal !== undefined) throw refusal
    checkMessage(message)
    checkTopicName(message.topic)
    const prepared = prepareMessage(message, this.#newMessageId(), this.#options)
    this.#batcher?.flushBefore(message)
    return this.#sender.sendOneway(this.#request(message, prepared))
  }

  /**
   * Sends messages of one topic as one batch: stored next to each other in one queue, acknowledged or refused together.
   * Results are in the order of the messages. Errors: as `send`; `CLIENT_MESSAGE_ILLEGAL` for mixed topics, delays, or a
   * batch over `maxBodyBytes`.
   */
  async sendBatch(messages: readonly OutgoingMessage[], options?: SendOptions): Promise<SendResult[]> {
    const signal = signalOf('sendBatch', options)
    const first = checkBatch(messages)
    if (first === undefined) return []
    if (signal?.aborted === true) throw abortedError(signal)
    const refusal = this.#refusal()
    if (refusal !== undefined) throw refusal
    checkTopicName(first.topic)
    const observed = this.#observed?.beginBatch(messages)
    const members = (observed?.messages ?? messages).map((message) => this.#prepareMember(message))
    this.#batcher?.flushBefore(first)
    return new Promise((resolve, reject) => {
      const onAbort = (): void => giveUp(abortedError(signal ?? AbortSignal.abort()))
      const giveUp = this.#sendMembers(first, members, (error, results) => {
        signal?.removeEventListener('abort', onAbort)
        observed?.done(error, results)
        settle(resolve, reject, error, results)
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** The queues of a topic that may be written, sorted: for callers that choose one themselves. */
  async queues(topic: string): Promise<readonly MessageQueue[]> {
    const refusal = this.#refusal()
    if (refusal !== undefined) throw refusal
    checkTopicName(topic)
    const route = await this.#sender.findRoute(topic)
    if (route === undefined) throw clientErrors.create('CLIENT_NO_ROUTE', `the topic ${topic} does not exist`)
    return route.writeQueues
  }

  /**
   * Takes no more messages, waits for those in flight (each ends within `sendTimeoutMs`), says goodbye to the brokers and
   * closes. With `signal`, what is still in flight when it fires fails.
   */
  async close(options?: SendOptions): Promise<void> {
    const signal = signalOf('close', options)
    if (this.#state === 'closed' || this.#state === 'closing') return
    const wasStarted = this.#state === 'started'
    this.#state = 'closing'
    if (wasStarted) {
      this.#batcher?.flush()
      await Promise.race([this.#sender.whenIdle(), aborted(signal)])
      await Promise.race([this.#traced?.flush(), aborted(signal)])
      if (signal?.aborted !== true) await this.#core.unregisterAll({ producerGroup: this.#options.group })
    }
    this.#state = 'closed'
    this.#requests.close()
    this.#core.close()
    this.#sender.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #start(message: OutgoingMessage, done: SendCallback): (error: Error) => void {
    try {
      checkMessage(message)
    } catch (error) {
      return refused(error, done)
    }
    const observed = this.#observed?.begin(message, done)
    return observed === undefined ? this.#startNow(message, done) : this.#startNow(observed.message, observed.done)
  }

  #startNow(message: OutgoingMessage, done: SendCallback): (error: Error) => void {
    const refusal = this.#refusal()
    if (refusal !== undefined) {
      done(refusal, undefined)
      return nothing
    }
    let prepared: PreparedMessage
    try {
      if (!this.#sender.knows(message.topic)) checkTopicName(message.topic)
      prepared = prepareMessage(message, this.#newMessageId(), this.#options)
    } catch (error) {
      return refused(error, done)
    }
    const batcher = this.#batcher
    if (batcher?.takes(message, prepared) === true) {
      const overload = this.#sender.overload(batcher.messages + 1, batcher.bytes + prepared.body.length)
      if (overload === undefined) return batcher.add(message, prepared, done)
      done(overload, undefined)
      return nothing
    }
    batcher?.flushBefore(message)
    return this.#sendAlone(message, prepared, done)
  }

  #sendAlone(
    message: OutgoingMessage,
    prepared: PreparedMessage,
    done: SendCallback,
    isGathered = false,
  ): (error: Error) => void {
    const handle = this.#sender.send(this.#request(message, prepared, isGathered), done)
    return (error) => this.#sender.giveUp(handle, error)
  }

  /** Rows of the trace leave by themselves, also while the producer closes. */
  #sendRows(message: OutgoingMessage): Promise<SendResult> {
    const prepared = prepareMessage(message, this.#newMessageId(), this.#options)
    return new Promise((resolve, reject) => {
      this.#sendAlone(message, prepared, (error, result) => settle(resolve, reject, error, result))
    })
  }

  #request(message: OutgoingMessage, prepared: PreparedMessage, isGathered = false): SendRequest {
    return messageRequest(message, prepared, { bornMs: this.#options.clock.nowMs(), isGathered })
  }

  /** Members of a batch are not compressed: its format has no place for their sysFlag. */
  #prepareMember(message: OutgoingMessage): PreparedMessage {
    const options = { ...this.#options, compressOverBytes: Number.POSITIVE_INFINITY }
    return prepareMessage(message, this.#newMessageId(), options)
  }

  #sendMembers(
    first: OutgoingMessage,
    members: readonly PreparedMessage[],
    done: (error: Error | undefined, results: SendResult[] | undefined) => void,
  ): (error: Error) => void {
    const request = batchRequest(first, members, this.#options.clock.nowMs())
    if (request.body.length > this.#options.maxBodyBytes) {
      const why = `the batch has ${request.body.length} bytes, over ${this.#options.maxBodyBytes} (maxBodyBytes)`
      done(clientErrors.create('CLIENT_MESSAGE_ILLEGAL', why), undefined)
      return nothing
    }
    const handle = this.#sender.send(request, (error, answer) => {
      if (answer === undefined) done(error, undefined)
      else done(undefined, batchResults(members, answer))
    })
    return (error) => this.#sender.giveUp(handle, error)
  }

  #refusal(): Error | undefined {
    if (this.#state === 'started') return undefined
    if (this.#state === 'new') return clientErrors.create('CLIENT_STATE', 'the producer is not started: await start()')
    return clientErrors.create('CLIENT_CLOSED', 'the producer is closed')
  }
}
