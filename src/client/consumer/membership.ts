/**
 * A consumer's place in its group: what it subscribes to, the queues that fall to it, where it is in them. Push and pull
 * consumers stand on it; what becomes of the messages is theirs.
 */
import { sleep } from '../../lib/clock.ts'
import type { Timer } from '../../lib/clock.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { ClientCore } from '../core/client-core.ts'
import { clientErrors } from '../core/errors.ts'
import { queueKey } from '../core/message-queue.ts'
import { leaderOf } from '../core/topic-route.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import type { SubscriptionData } from '../core/subscription.ts'
import type { Assignment, Listed } from './assignment.ts'
import { Beginnings } from './beginnings.ts'
import type { ResolvedGroupOptions } from './group-options.ts'
import { HeldQueues } from './held-queues.ts'
import { MemberNews } from './member-news.ts'
import { OffsetCommits } from './offset-commits.ts'
import type { OffsetStore, QueueOffset } from './offset-store.ts'
import { QueueFeed } from './queue-feed.ts'
import { LOCK_RENEWAL_MS, QueueLocks } from './queue-locks.ts'
import { Rebalancer } from './rebalancer.ts'

export interface MembershipNeeds {
  readonly core: ClientCore
  readonly options: ResolvedGroupOptions
  readonly offsets: OffsetStore
  /** Whether a queue is held with its lock. */
  readonly isLocking: boolean
  readonly use: MembershipUse
}

export interface MembershipUse {
  /** The queues of a topic that are this consumer's; undefined when that cannot be told now and all stays as it is. */
  share(topic: string, listed: Listed): Promise<Assignment | undefined>
  /** The feed has messages, or may be taken from again. */
  onMessages(feed: QueueFeed): void
  /** Nothing of the queue is wanted now. Default: never. */
  isPaused?(queue: MessageQueue): boolean
  /** Another member has the queue: whoever handles its messages should stop. */
  onLost(feed: QueueFeed, why: Error): void
}

const FINAL_COMMIT_MS = 3_000

export class Membership {
  readonly #needs: MembershipNeeds
  readonly #subscriptions = new Map<string, SubscriptionData>()
  readonly #beginnings: Beginnings
  readonly #commits: OffsetCommits
  readonly #locks: QueueLocks | undefined
  readonly #held: HeldQueues
  readonly #rebalancer: Rebalancer
  readonly #news: MemberNews
  readonly #timers: Timer[] = []
  /** Goes on while handlers finish: their queues are this member's until then. */
  #renewal: Timer | undefined
  /** Queue → where it begins, whatever the group's offset is. */
  readonly #starts = new Map<string, number>()
  #isOpen = false

  constructor(needs: MembershipNeeds) {
    this.#needs = needs
    const { core, options, offsets, use } = needs
    const { clock, log, group, from, requestTimeoutMs: timeoutMs } = options
    this.#beginnings = new Beginnings({ core, group, from, timeoutMs })
    this.#commits = new OffsetCommits({ store: offsets, log })
    const locked = {
      onLost: (queue: MessageQueue) => this.#lockLost(queue),
      onRegained: (queue: MessageQueue) => this.#offer(queue),
    }
    this.#locks = needs.isLocking ? new QueueLocks({ core, group, timeoutMs, ...locked }) : undefined
    this.#held = new HeldQueues({
      group,
      world: { clock, log, closing: core.closing },
      handOver: async (feed) => (options.autoCommit ? this.#commits.commit(() => [feed], core.closing) : undefined),
      locks: this.#locks,
      newFeed: (queue) => this.#newFeed(queue),
      again: () => this.#rebalancer.later(),
    })
    this.#news = new MemberNews(clock, options.heartbeatIntervalMs)
    this.#rebalancer = new Rebalancer({
      clock,
      log,
      held: this.#held,
      topics: () => [...this.#subscriptions.keys()],
      share: (topic, listed) => use.share(topic, listed),
    })
  }

  get subscriptions(): readonly SubscriptionData[] {
    return [...this.#subscriptions.values()]
  }

  /** The queues held now. */
  get feeds(): readonly QueueFeed[] {
    return this.#held.feeds
  }

  feedOf(queue: MessageQueue): QueueFeed | undefined {
    return this.#held.feedOf(queue)
  }

  /** When the queue's lock was taken or renewed, by the wall clock; 0: it has none. */
  lastLockMs(queue: MessageQueue): number {
    return this.#locks?.lastLockMs(queue) ?? 0
  }

  /** Adds the topic, or changes its filter. */
  subscribe(subscription: SubscriptionData): void {
    this.#subscriptions.set(subscription.topic, subscription)
    if (this.#isOpen) void this.#subscribed(subscription.topic)
  }

  unsubscribe(topic: string): void {
    if (!this.#subscriptions.delete(topic) || !this.#isOpen) return
    this.#needs.core.heartbeatAll()
    this.#rebalancer.soon()
  }

  /** Shares the queues out anew. */
  rebalanceSoon(): void {
    this.#rebalancer.soon()
  }

  /** Joins the group and begins to pull. */
  async join(): Promise<void> {
    const { core, options } = this.#needs
    const { clock, rebalanceIntervalMs, commitIntervalMs, autoCommit } = options
    this.#isOpen = true
    core.start()
    core.routes.onChange(() => this.#routeChanged())
    this.#timers.push(clock.every(rebalanceIntervalMs, () => this.#lookWhoIsThere()))
    if (autoCommit) this.#timers.push(clock.every(commitIntervalMs, () => void this.commit()))
    if (this.#locks !== undefined) this.#renewal = clock.every(LOCK_RENEWAL_MS, () => void this.#locks?.renew())
    // Before that it would find itself in no list.
    await this.#sayHello()
    this.#rebalancer.open()
  }

  /** No more pulls and no new queues. What is in hand may still be settled. */
  stop(): void {
    this.#isOpen = false
    for (const timer of this.#timers) timer.cancel()
    this.#rebalancer.close()
    this.#held.dropAll()
  }

  /** Stores how far all was consumed, and says goodbye. Never rejects: what cannot be stored is logged. */
  async leave(): Promise<void> {
    const { core, options } = this.#needs
    if (options.autoCommit) {
      const failure = await Promise.race([
        this.commit(),
        sleep(options.clock, FINAL_COMMIT_MS).then(() => clientErrors.create('CLIENT_TIMEOUT', 'no answer')),
      ])
      const error = failure === undefined ? undefined : errorMessage(failure)
      if (error !== undefined) options.log.warn({ error }, 'the last offsets could not be committed')
    }
    this.#renewal?.cancel()
    await this.#locks?.freeAll()
    await core.unregisterAll({ consumerGroup: options.group })
  }

  /** Stores how far the queues are consumed. Resolves with the failure, if there was one. */
  commit(): Promise<Error | undefined> {
    return this.#commits.commit(() => this.#held.feeds)
  }

  /** The queue goes on at `queueOffset`, or begins there when it is held. */
  seek(queue: MessageQueue, queueOffset: number): void {
    const feed = this.#held.feedOf(queue)
    if (feed === undefined) this.#starts.set(queueKey(queue), queueOffset)
    else feed.reset(queueOffset)
  }

  /** As brokers ask (220): sets what is held of the topic, and stores it. */
  resetOffsets(topic: string, offsets: readonly QueueOffset[]): void {
    for (const { queue, queueOffset } of offsets) {
      if (queue.topic === topic) this.#held.feedOf(queue)?.reset(queueOffset)
    }
    this.#needs.options.log.info({ topic, queues: offsets.length }, 'offsets were reset by the broker')
    void this.commit()
  }

  /** A broker answered a heartbeat, and maybe said who is in the group. */
  heard(address: string, members: string | undefined): void {
    if (this.#news.heard(address, members)) this.#rebalancer.soon()
  }

  connectionLost(): void {
    if (!this.#isOpen) return
    const { routes } = this.#needs.core
    for (const topic of this.#subscriptions.keys()) routes.refresh(topic).catch(() => undefined)
  }

  /** Notices (40) may be lost: queues are shared out anew at intervals, unless it is sure that nobody came or went. */
  #lookWhoIsThere(): void {
    if (!this.#news.isTold(this.#needs.core.routes.brokers().map(leaderOf))) this.#rebalancer.soon()
  }

  /** Routes of all topics, then a heartbeat to all brokers, so that they list this member. */
  async #sayHello(): Promise<void> {
    const { core } = this.#needs
    const topics = [...this.#subscriptions.keys()]
    await Promise.all(topics.map((topic) => this.#beginnings.meet(topic)))
    const addresses = new Set(core.routes.brokers().flatMap((group) => [...group.addresses.values()]))
    await Promise.all([...addresses].map((address) => core.heartbeatTo(address)))
  }

  async #subscribed(topic: string): Promise<void> {
    await this.#beginnings.meet(topic)
    this.#needs.core.heartbeatAll()
    // A feed pulls with the filter it was made with.
    for (const feed of this.feeds) if (feed.queue.topic === topic) await this.#held.giveUp(feed)
    this.#rebalancer.soon()
  }

  #routeChanged(): void {
    for (const feed of this.feeds) feed.leaderChanged()
    this.#rebalancer.soon()
  }

  /** Where the group is in the queue, or where it begins. Undefined: the topic is not subscribed to any more. */
  async #newFeed(queue: MessageQueue): Promise<QueueFeed | undefined> {
    const { core, options, offsets, use } = this.#needs
    const stored = await offsets.read(queue, core.closing)
    const key = queueKey(queue)
    const begun = this.#starts.get(key) ?? stored ?? (await this.#beginnings.of(queue))
    const startOffset = this.#starts.get(key) ?? begun
    this.#starts.delete(key)
    const subscription = this.#subscriptions.get(queue.topic)
    if (subscription === undefined) return undefined
    const feed = new QueueFeed({
      core,
      options,
      at: { queue, startOffset, subscription },
      isOpen: (of) => this.#locks?.isHeld(of) ?? true,
      isPaused: (of) => use.isPaused?.(of) ?? false,
      onMessages: (from) => use.onMessages(from),
    })
    if (stored === startOffset) feed.noteCommitted(stored)
    return feed
  }

  #offer(queue: MessageQueue): void {
    const feed = this.feedOf(queue)
    if (feed !== undefined) this.#needs.use.onMessages(feed)
  }

  #lockLost(queue: MessageQueue): void {
    this.#needs.options.log.info({ queue }, 'the lock of a queue went to another member')
    const feed = this.#held.forget(queue)
    const why = clientErrors.create('CLIENT_QUEUE_LOST', `${queueKey(queue)} went to another member`)
    if (feed !== undefined) this.#needs.use.onLost(feed, why)
    this.#rebalancer.later()
  }
}
