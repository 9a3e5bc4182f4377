/**
 * The locks of the queues that a consumer handles in order (RocketMQ RebalanceImpl.lock, ProcessQueue). A queue is handled
 * only while its lock is held. The broker keeps a lock for 60 s from its last renewal; this side counts on 30 s of them,
 * from when the renewal was asked for, so that it stops long before another member can begin.
 *
 *        asked        renewed       …                lapsed here          free at the broker
 *     ─────┴──────── 20 s ┴──────────────────────── 30 s ┴───────────────────────── 60 s ┴─────▶
 *           handlers are called                     │ no handler is called   │ the place is lost, too
 */
import type { Clock } from '../../lib/clock.ts'
import { errorMessage } from '../../lib/errors.ts'
import { LockBatchRequestBody, LockBatchResponseBody } from '../../remoting/bodies/queue.ts'
import { RequestCode } from '../../remoting/codes.ts'
import { succeeded } from '../core/broker-api.ts'
import type { ClientCore } from '../core/client-core.ts'
import { queueKey } from '../core/message-queue.ts'
import type { MessageQueue } from '../core/message-queue.ts'

export interface QueueLocksNeeds {
  readonly core: Pick<ClientCore, 'options' | 'clientId' | 'closing' | 'invoke' | 'callLeader'>
  readonly group: string
  readonly timeoutMs: number
  /** Another member has it, or may have had it: what is known of its place counts no more. */
  onLost(queue: MessageQueue): void
  /** A lock that had lapsed is held again, and nobody had it meanwhile. */
  onRegained(queue: MessageQueue): void
}

interface Lock {
  readonly queue: MessageQueue
  /** When the request that got it, or renewed it last, was made; monotonic. */
  askedMs: number
  /** The same by the wall clock, for people. */
  askedAtMs: number
}

/** How often locks are renewed (ProcessQueue.REBALANCE_LOCK_INTERVAL). */
export const LOCK_RENEWAL_MS = 20_000
/** How long a lock is believed in (ProcessQueue.REBALANCE_LOCK_MAX_LIVE_TIME). */
const BELIEVED_MS = 30_000
/** How long the broker keeps it (RebalanceLockManager.REBALANCE_LOCK_MAX_LIVE_TIME). */
const LEASE_MS = 60_000

export class QueueLocks {
  readonly #needs: QueueLocksNeeds
  readonly #clock: Clock
  readonly #locks = new Map<string, Lock>()
  /** Locks that are asked for. */
  readonly #taking = new Set<Promise<unknown>>()

  constructor(needs: QueueLocksNeeds) {
    this.#needs = needs
    this.#clock = needs.core.options.clock
  }

  /** False: another member holds it. Errors: those of `ClientCore.callLeader`. */
  async take(queue: MessageQueue): Promise<boolean> {
    const taking = this.#take(queue)
    this.#taking.add(taking)
    try {
      return await taking
    } finally {
      this.#taking.delete(taking)
    }
  }

  /** Whether its messages may be handled now. */
  isHeld(queue: MessageQueue): boolean {
    const lock = this.#locks.get(queueKey(queue))
    return lock !== undefined && this.#clock.monotonicMs() - lock.askedMs < BELIEVED_MS
  }

  /** When the lock was asked for last, by the wall clock; 0: never. */
  lastLockMs(queue: MessageQueue): number {
    return this.#locks.get(queueKey(queue))?.askedAtMs ?? 0
  }

  /** Never rejects: what could not be renewed lapses, and is tried again. */
  async renew(): Promise<void> {
    await Promise.all([...this.#byBroker([...this.#locks.values()])].map((locks) => this.#renewAt(locks)))
  }

  /** Lets other members have it at once. Never rejects: what the broker does not hear of is free when its lease is over. */
  async free(queues: readonly MessageQueue[]): Promise<void> {
    const held = queues.flatMap((queue) => this.#locks.get(queueKey(queue)) ?? [])
    for (const { queue } of held) this.#locks.delete(queueKey(queue))
    await Promise.all([...this.#byBroker(held)].map((locks) => this.#unlock(locks.map(({ queue }) => queue))))
  }

  /** Those that are asked for, too: an answer that comes when nobody wants the queue any more would keep it for a minute. */
  async freeAll(): Promise<void> {
    await Promise.allSettled(this.#taking)
    await this.free([...this.#locks.values()].map(({ queue }) => queue))
  }

  async #take(queue: MessageQueue): Promise<boolean> {
    const at = this.#now()
    if (!(await this.#lock([queue])).has(queueKey(queue))) return false
    this.#locks.set(queueKey(queue), { queue, ...at })
    return true
  }

  async #renewAt(locks: readonly Lock[]): Promise<void> {
    const at = this.#now()
    let held: ReadonlySet<string>
    try {
      held = await this.#lock(locks.map(({ queue }) => queue))
    } catch (error) {
      this.#needs.core.options.log.debug({ error: errorMessage(error) }, 'locks of queues could not be renewed')
      return
    }
    for (const lock of locks) {
      const key = queueKey(lock.queue)
      if (this.#locks.get(key) !== lock) continue
      // The broker may have given it away and got it back: then its answer tells nothing of the place.
      const wasOver = at.askedMs - lock.askedMs >= LEASE_MS
      if (held.has(key) && !wasOver) {
        const hadLapsed = !this.isHeld(lock.queue)
        Object.assign(lock, at)
        if (hadLapsed) this.#needs.onRegained(lock.queue)
        continue
      }
      if (held.has(key)) void this.#unlock([lock.queue])
      this.#locks.delete(key)
      this.#needs.onLost(lock.queue)
    }
  }

  /** Queues of one broker group. Resolves with the keys of those that this client holds then. */
  async #lock(queues: readonly MessageQueue[]): Promise<ReadonlySet<string>> {
    const [queue] = queues
    if (queue === undefined) return new Set()
    const request = { code: RequestCode.LOCK_BATCH_MQ, body: this.#body(queues) }
    const { core, timeoutMs } = this.#needs
    const answer = await core.callLeader(
      queue,
      async (address, options) => succeeded(await core.invoke(address, request, options)),
      { timeoutMs, signal: core.closing },
    )
    return new Set(LockBatchResponseBody.decode(answer.body).lockOKMQSet.map(queueKey))
  }

  async #unlock(queues: readonly MessageQueue[]): Promise<void> {
    const [queue] = queues
    if (queue === undefined) return
    const request = { code: RequestCode.UNLOCK_BATCH_MQ, body: this.#body(queues) }
    const { core, timeoutMs } = this.#needs
    try {
      await core.callLeader(
        queue,
        async (address, options) => succeeded(await core.invoke(address, request, options)),
        { timeoutMs },
      )
    } catch (error) {
      core.options.log.debug({ queue, error: errorMessage(error) }, 'a queue could not be unlocked')
    }
  }

  #body(queues: readonly MessageQueue[]): Buffer {
    const { core, group } = this.#needs
    return LockBatchRequestBody.encode({
      clientId: core.clientId,
      consumerGroup: group,
      mqSet: [...queues],
      onlyThisBroker: false,
    })
  }

  #byBroker(locks: readonly Lock[]): Iterable<Lock[]> {
    const groups = new Map<string, Lock[]>()
    for (const lock of locks) {
      const { brokerName } = lock.queue
      groups.set(brokerName, [...(groups.get(brokerName) ?? []), lock])
    }
    return groups.values()
  }

  #now(): { readonly askedMs: number; readonly askedAtMs: number } {
    return { askedMs: this.#clock.monotonicMs(), askedAtMs: this.#clock.nowMs() }
  }
}
