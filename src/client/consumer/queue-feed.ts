/**
 * One queue that this consumer holds: pulls it, keeps what was pulled, knows how far it is consumed. Pulling pauses while
 * too much waits for the handlers.
 */
import { sleep } from '../../lib/clock.ts'
import { errorCode, errorMessage } from '../../lib/errors.ts'
import { pull } from '../core/broker-api.ts'
import type { PullAnswer } from '../core/broker-api.ts'
import type { ClientCore } from '../core/client-core.ts'
import { clientErrors } from '../core/errors.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import type { ResolvedGroupOptions } from './group-options.ts'
import { ProcessQueue } from './process-queue.ts'
import type { Taken } from './process-queue.ts'
import { receivedMessages } from '../core/received-message.ts'
import type { ReceivedMessage } from '../core/received-message.ts'
import { wants } from '../core/subscription.ts'
import type { SubscriptionData } from '../core/subscription.ts'

export interface QueueFeedNeeds {
  readonly core: ClientCore
  readonly options: ResolvedGroupOptions
  readonly at: {
    readonly queue: MessageQueue
    readonly startOffset: number
    readonly subscription: SubscriptionData
  }
  /** False: its messages may be another member's by now; in order that depends on the queue's lock. */
  isOpen(queue: MessageQueue): boolean
  /** True: the program wants nothing of it now. */
  isPaused(queue: MessageQueue): boolean
  /** Messages wait to be taken. */
  onMessages(feed: QueueFeed): void
}

/** A message in hand, with the way back to its place. */
export interface Delivery extends Taken<ReceivedMessage> {
  readonly feed: QueueFeed
  /** The process queue it came from: after a reset the feed has another one. */
  readonly source: ProcessQueue<ReceivedMessage>
  /** How often it was handed out before, here or elsewhere. */
  readonly deliveries: number
}

/** A pull's answer may be this late before the broker counts as lost. */
const PULL_GRACE_MS = 3_000
const REFUSED_PAUSE_MS = 1_000
const ROUTE_PAUSE_MS = 50

export class QueueFeed {
  readonly queue: MessageQueue
  readonly #needs: QueueFeedNeeds
  #messages: ProcessQueue<ReceivedMessage>
  /** What is stored as this queue's offset; undefined: nothing that this feed knows of. */
  #committed: number | undefined = undefined
  #isDropped = false
  /** Ends the pull that is held by the broker. */
  #pulling = new AbortController()
  #wakePull: (() => void) | undefined
  #address = ''
  /** Place → how often the message was given back. */
  readonly #givenBack = new Map<number, number>()
  readonly #idle: (() => void)[] = []
  #inHand = 0
  lastPullMs: number
  lastConsumeMs: number
  /** Whether the dispatcher has this feed in its list. */
  isListed = false
  /** Lanes of the dispatcher that work on this feed. */
  lanes = 0
  /** Warned about once until a pull works again. */
  #isFailing = false

  constructor(needs: QueueFeedNeeds) {
    const { options, at } = needs
    this.#needs = needs
    this.queue = at.queue
    this.#messages = this.#newMessages(at.startOffset)
    this.lastPullMs = options.clock.nowMs()
    this.lastConsumeMs = this.lastPullMs
  }

  get messages(): ProcessQueue<ReceivedMessage> {
    return this.#messages
  }

  get isDropped(): boolean {
    return this.#isDropped
  }

  /** Messages taken and neither settled nor given back, those from before a reset too. */
  get inHand(): number {
    return this.#inHand
  }

  /** Whether `take` gives a message that may be handled now. */
  get mayTake(): boolean {
    if (this.#isDropped || this.#messages.waiting === 0) return false
    return this.#needs.isOpen(this.queue) && !this.#needs.isPaused(this.queue)
  }

  /** The offset to commit; undefined when it is stored already, or when it may be another member's by now. */
  get uncommitted(): number | undefined {
    if (!this.#needs.isOpen(this.queue)) return undefined
    const { commitOffset } = this.#messages
    return commitOffset === this.#committed ? undefined : commitOffset
  }

  noteCommitted(queueOffset: number): void {
    this.#committed = queueOffset
  }

  /** Pulls until dropped. Never rejects. */
  async run(): Promise<void> {
    while (!this.#isDropped) {
      try {
        if (this.#messages.hasRoom && !this.#needs.isPaused(this.queue)) await this.#pullOnce()
        else await this.#room()
      } catch (error) {
        if (this.#isDropped) return
        await this.#recover(error)
      }
    }
  }

  /** Gives the queue up: no more pulls, what waits is forgotten. Messages in hand may still be settled. */
  drop(): void {
    this.#isDropped = true
    this.#pulling.abort()
    this.#wakePull?.()
  }

  /** Begins anew at `queueOffset`, forgetting what waits. Whatever is in hand no longer counts. */
  reset(queueOffset: number): void {
    this.#messages = this.#newMessages(queueOffset)
    this.#givenBack.clear()
    this.#committed = undefined
    this.#restartPull()
  }

  /** It is not paused any more. */
  wake(): void {
    this.#wakePull?.()
  }

  /** Resolves when no message is in hand. */
  whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve)
      this.#settleIdle()
    })
  }

  /** The route changed: a pull held by a broker that no longer leads is useless. */
  leaderChanged(): void {
    if (this.#needs.core.routes.reader(this.queue.brokerName) !== this.#address) this.#restartPull()
  }

  take(): Delivery | undefined {
    const source = this.#messages
    const taken = source.take()
    if (taken === undefined) return undefined
    this.#inHand += 1
    const { message, place } = taken
    const deliveries = message.reconsumeTimes + (this.#givenBack.get(place) ?? 0)
    return { message, place, feed: this, source, deliveries }
  }

  settle({ source, place }: Delivery): void {
    source.settle(place)
    this.#inHand -= 1
    if (source === this.#messages && this.#givenBack.size > 0) this.#givenBack.delete(place)
    this.#settleIdle()
    if (source === this.#messages && this.#wakePull !== undefined && source.hasRoom) this.#wakePull()
  }

  release({ source, place }: Delivery): void {
    source.release(place)
    this.#inHand -= 1
    if (source === this.#messages) this.#givenBack.set(place, (this.#givenBack.get(place) ?? 0) + 1)
    this.#settleIdle()
    if (!this.#isDropped) this.#needs.onMessages(this)
  }

  async #pullOnce(): Promise<void> {
    const { core, options, at } = this.#needs
    const address = core.routes.reader(this.queue.brokerName)
    if (address === undefined)
      throw clientErrors.create('CLIENT_NO_LEADER', `${this.queue.brokerName} has no leader now`)
    this.#address = address
    const source = this.#messages
    const { group, pullBatch, suspendTimeoutMs } = options
    const request = {
      group,
      queue: this.queue,
      queueOffset: source.pulledTo,
      maxMessages: pullBatch,
      suspendTimeoutMs,
      subscription: at.subscription,
    }
    this.lastPullMs = options.clock.nowMs()
    const timeoutMs = suspendTimeoutMs + PULL_GRACE_MS
    const answer = await pull(core.invoke, address, request, { timeoutMs, signal: this.#pulling.signal })
    if (this.#isDropped || source !== this.#messages) return
    this.#isFailing = false
    await this.#take(answer)
  }

  async #take(answer: PullAnswer): Promise<void> {
    const { options, at } = this.#needs
    const { subscription } = at
    const messages = this.#messages
    if (answer.status === 'offsetMoved') return this.#move(answer)
    // A broker that answers with a lower offset than was asked for knows less than this consumer: the offset stays.
    const nextOffset = Math.max(answer.nextOffset, messages.pulledTo)
    if (answer.status !== 'found') return messages.arrived([], nextOffset)
    const all = receivedMessages(answer.body, this.queue.brokerName, options.checkCrc)
    const wanted = all.filter(
      (message) =>
        message.queueOffset >= messages.pulledTo &&
        (subscription.tagsSet.length === 0 || wants(subscription, message.tag)),
    )
    const last = all.at(-1)
    messages.arrived(wanted, Math.max(nextOffset, last === undefined ? 0 : last.queueOffset + 1))
    if (wanted.length > 0) this.#needs.onMessages(this)
  }

  /** The offset asked for is not in the queue any more, or not yet: go where the broker says. */
  async #move(answer: PullAnswer): Promise<void> {
    const messages = this.#messages
    const { log } = this.#needs.options
    const moved = { queue: this.queue, from: messages.pulledTo, to: answer.nextOffset }
    log.info(moved, 'the offset is outside the queue: consuming goes on where the broker says')
    if (answer.nextOffset >= messages.pulledTo) return messages.arrived([], answer.nextOffset)
    // Backwards: what is still to be handled lies above and is handled first.
    while (messages.size > 0 && !this.#isDropped && messages === this.#messages) await this.#room()
    if (!this.#isDropped && messages === this.#messages) this.reset(answer.nextOffset)
  }

  async #recover(error: unknown): Promise<void> {
    const { core, options } = this.#needs
    const code = errorCode(error)
    if (code === 'RMQ_ASSERTION') throw error
    if (code === 'CLIENT_ABORTED') return
    if (!this.#isFailing) {
      this.#isFailing = true
      options.log.debug({ queue: this.queue, error: errorMessage(error) }, 'a pull failed; trying again')
    }
    if (code === 'CLIENT_CONNECT') core.routes.suspect(this.#address)
    if (code === 'CLIENT_REFUSED' || code === 'CLIENT_PROTOCOL') {
      // A leader that was elected a moment ago may not know this group yet.
      if (await core.heartbeatTo(this.#address)) await this.#pause(REFUSED_PAUSE_MS)
    }
    try {
      await core.routes.refresh(this.queue.topic)
    } catch {
      await this.#pause(ROUTE_PAUSE_MS)
    }
    if (!core.routes.isUsable(this.queue.brokerName)) await this.#pause(ROUTE_PAUSE_MS)
  }

  async #pause(milliseconds: number): Promise<void> {
    await sleep(this.#needs.options.clock, milliseconds, this.#pulling.signal).catch(() => undefined)
  }

  /** Resolves when something was settled, or the feed ended or begins anew. */
  #room(): Promise<void> {
    return new Promise((resolve) => {
      this.#wakePull = () => {
        this.#wakePull = undefined
        resolve()
      }
    })
  }

  #restartPull(): void {
    this.#pulling.abort()
    this.#pulling = new AbortController()
    this.#wakePull?.()
  }

  #settleIdle(): void {
    if (this.#idle.length > 0 && this.#inHand === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }

  #newMessages(startOffset: number): ProcessQueue<ReceivedMessage> {
    const {
      maxMessagesPerQueue: maxMessages,
      maxBytesPerQueue: maxBytes,
      maxSpanPerQueue: maxSpan,
    } = this.#needs.options
    return new ProcessQueue(startOffset, { maxMessages, maxBytes, maxSpan })
  }
}
