/**
 * The queues that this consumer holds: begun when they become its own, given up when they are another's. In order a queue
 * is held with its lock: it begins when the lock is there, and its lock is free when its handler is done and its offset
 * is stored (RocketMQ RebalancePushImpl.removeUnnecessaryMessageQueue).
 */
import { sleep } from '../../lib/clock.ts'
import type { Clock } from '../../lib/clock.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import { channels } from '../core/diagnostics.ts'
import type { RebalanceEvent } from '../core/diagnostics.ts'
import { queueKey } from '../core/message-queue.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import type { Assignment } from './assignment.ts'
import type { QueueFeed } from './queue-feed.ts'
import type { QueueLocks } from './queue-locks.ts'

export interface HeldQueuesNeeds {
  readonly group: string
  readonly world: { readonly clock: Clock; readonly log: Log; readonly closing: AbortSignal }
  /** Stores how far a queue that is given up was consumed. Never rejects. */
  handOver(feed: QueueFeed): Promise<unknown>
  /** None where order is not kept, or is nobody else's matter. */
  readonly locks: QueueLocks | undefined
  /** Where the queue begins, as a feed; undefined when its topic is not subscribed to any more. */
  newFeed(queue: MessageQueue): Promise<QueueFeed | undefined>
  /** Something could not be begun: share the queues out again soon. */
  again(): void
}

/** A queue that another member may be giving up: its last offset is given this long to arrive. */
const HANDOVER_MS = 200

export class HeldQueues {
  readonly #needs: HeldQueuesNeeds
  readonly #feeds = new Map<string, QueueFeed>()
  /** Topic → the queues of the last round. */
  readonly #wanted = new Map<string, ReadonlySet<string>>()
  /** Queues whose start is asked for and not yet there. */
  readonly #beginning = new Set<string>()
  /** Queues that are given up and whose handler runs still, or whose offset is on its way. */
  readonly #leaving = new Map<string, QueueFeed>()

  constructor(needs: HeldQueuesNeeds) {
    this.#needs = needs
  }

  get feeds(): readonly QueueFeed[] {
    return [...this.#feeds.values()]
  }

  feedOf(queue: MessageQueue): QueueFeed | undefined {
    return this.#feeds.get(queueKey(queue))
  }

  /** Gives up what is no longer this consumer's at once; what is new is begun beside the rounds. */
  async assign(topic: string, { queues, isShared }: Assignment): Promise<void> {
    const wanted = new Set(queues.map(queueKey))
    this.#wanted.set(topic, wanted)
    const lost = this.feeds.filter(({ queue }) => queue.topic === topic && !wanted.has(queueKey(queue)))
    const fresh = queues.filter((queue) => !this.#isKnown(queueKey(queue)))
    for (const queue of fresh) void this.#begin(queue, isShared)
    await Promise.all(lost.map((feed) => this.giveUp(feed)))
    if ((lost.length > 0 || fresh.length > 0) && channels.rebalance.hasSubscribers) {
      const event: RebalanceEvent = { group: this.#needs.group, topic, queues }
      channels.rebalance.publish(event)
    }
  }

  /** Gives up the queues of all other topics. */
  async keepTopics(isKept: (topic: string) => boolean): Promise<void> {
    for (const topic of this.#wanted.keys()) if (!isKept(topic)) this.#wanted.delete(topic)
    for (const feed of this.feeds) if (!isKept(feed.queue.topic)) await this.giveUp(feed)
  }

  /**
   * Drops the queue and stores how far it is consumed, so that its next owner begins there. In order this goes on behind
   * the rounds until its handler is done. Never rejects.
   */
  async giveUp(feed: QueueFeed): Promise<void> {
    feed.drop()
    this.#feeds.delete(queueKey(feed.queue))
    const { locks } = this.#needs
    if (locks === undefined) await this.#needs.handOver(feed)
    else void this.#leave(feed, locks)
  }

  /** The queue is another member's by now: its place is not stored. The feed that was its, if there was one. */
  forget(queue: MessageQueue): QueueFeed | undefined {
    const feed = this.feedOf(queue)
    if (feed !== undefined) void this.giveUp(feed)
    return feed ?? this.#leaving.get(queueKey(queue))
  }

  /** No more pulls. What is in hand may still be settled, and all of it committed. */
  dropAll(): void {
    this.#wanted.clear()
    for (const feed of this.#feeds.values()) feed.drop()
  }

  async #leave(feed: QueueFeed, locks: QueueLocks): Promise<void> {
    const key = queueKey(feed.queue)
    this.#leaving.set(key, feed)
    await Promise.race([feed.whenIdle(), whenAborted(this.#needs.world.closing)])
    await this.#needs.handOver(feed)
    await locks.free([feed.queue])
    this.#leaving.delete(key)
    // It may have been shared out to this consumer again meanwhile.
    if (this.#isWanted(feed.queue)) this.#needs.again()
  }

  /** Never rejects: what cannot be begun now is tried again by a later round. */
  async #begin(queue: MessageQueue, isShared: boolean): Promise<void> {
    const key = queueKey(queue)
    const { world, locks } = this.#needs
    this.#beginning.add(key)
    try {
      if (locks === undefined && isShared) await sleep(world.clock, HANDOVER_MS, world.closing)
      if (await this.#takeOver(queue)) return
      await sleep(world.clock, HANDOVER_MS, world.closing)
      if (!(await this.#takeOver(queue))) this.#needs.again()
    } catch (error) {
      if (!this.#isWanted(queue)) return
      world.log.debug({ queue, error: errorMessage(error) }, 'a queue could not be begun; trying again')
      this.#needs.again()
    } finally {
      this.#beginning.delete(key)
    }
  }

  /** False: another member has its lock still. */
  async #takeOver(queue: MessageQueue): Promise<boolean> {
    const { locks } = this.#needs
    if (!this.#isWanted(queue)) return true
    if (locks !== undefined && !(await locks.take(queue))) return false
    const feed = await this.#needs.newFeed(queue).catch(async (error: unknown) => {
      await locks?.free([queue])
      throw error
    })
    // Between the question and here the consumer may have been closed, or the queue given to another member.
    if (feed === undefined || !this.#isWanted(queue)) {
      await locks?.free([queue])
      return true
    }
    this.#feeds.set(queueKey(queue), feed)
    void feed.run()
    return true
  }

  #isKnown(key: string): boolean {
    return this.#feeds.has(key) || this.#beginning.has(key) || this.#leaving.has(key)
  }

  #isWanted(queue: MessageQueue): boolean {
    return this.#wanted.get(queue.topic)?.has(queueKey(queue)) === true
  }
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
