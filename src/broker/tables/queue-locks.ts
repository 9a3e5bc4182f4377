/**
 * Which client consumes a queue in order (RocketMQ RebalanceLockManager). Who holds a lock is replicated; until when is
 * not: a lock lasts 60 s from its last renewal here, and a new leader lets every lock it finds begin anew, so that no
 * queue has two holders across a failover.
 *
 * | op | arguments | effect |
 * | --- | --- | --- |
 * | `lock` | group, clientId, list of `topic@queueId` | the client holds them |
 * | `unlock` | group, clientId, list of `topic@queueId` | those that the client holds are free |
 */
import { assert } from '../../lib/assert.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Command, Leadership, Proposals, ReplicatedTable } from '../needs.ts'
import { TableRows, unknownOperation } from './table-rows.ts'

export interface LockedQueue {
  readonly topic: string
  readonly queueId: number
}

export interface QueueLocksNeeds {
  /** Proposes here or not at all: what is granted is decided by this node's own view of the leases. */
  readonly proposals: Pick<Proposals, 'commandWithRecords'>
  readonly leadership: Pick<Leadership, 'term'>
  readonly clock: Clock
  /** RocketMQ rocketmq.broker.rebalance.lockMaxLiveTime, 60,000. */
  readonly leaseMs: number
}

type LockOp = 'lock' | 'unlock'

const TABLE = 'queueLocks'

export class QueueLocks implements ReplicatedTable {
  readonly name = TABLE
  readonly #need: QueueLocksNeeds
  /** `group@topic@queueId` → clientId. */
  readonly #rows = new TableRows<string>()
  /** When each lock was last renewed in `#term`, monotonic. A lock without an entry counts from `#termStartMs`. */
  #renewed = new Map<string, number>()
  #term = -1
  #termStartMs = 0
  /** Locks whose command is in flight: nobody else gets them meanwhile. */
  readonly #taking = new Map<string, string>()

  constructor(need: QueueLocksNeeds) {
    this.#need = need
  }

  /** Locks or renews; resolves with those that the client holds then. Rejects as `Proposals.command` does. */
  async lock<Queue extends LockedQueue>(group: string, clientId: string, queues: readonly Queue[]): Promise<Queue[]> {
    this.#enterTerm()
    const held: Queue[] = []
    const wanted: Queue[] = []
    for (const queue of queues) {
      const key = keyOf(group, queue)
      const taker = this.#taking.get(key)
      const holder = this.#liveHolder(key)
      if (holder === clientId && taker === undefined) {
        this.#renewed.set(key, this.#need.clock.monotonicMs())
        held.push(queue)
      } else if (holder === undefined && taker === undefined) wanted.push(queue)
    }
    if (wanted.length === 0) return held
    for (const queue of wanted) this.#taking.set(keyOf(group, queue), clientId)
    try {
      await this.#need.proposals.commandWithRecords(command('lock', group, clientId, wanted), [])
    } finally {
      for (const queue of wanted) this.#taking.delete(keyOf(group, queue))
    }
    // Checked again: while this waited, an unlock or another leader's lock may have been applied behind it.
    return [...held, ...wanted].filter((queue) => this.#rows.get(keyOf(group, queue)) === clientId)
  }

  async unlock(group: string, clientId: string, queues: readonly LockedQueue[]): Promise<void> {
    const held = queues.filter((queue) => this.#rows.get(keyOf(group, queue)) === clientId)
    if (held.length === 0) return
    await this.#need.proposals.commandWithRecords(command('unlock', group, clientId, held), [])
  }

  /** Whether a lock of the group is alive: then it consumes in order. */
  isGroupLocked(group: string): boolean {
    this.#enterTerm()
    const prefix = `${group}@`
    for (const key of this.#rows.keys()) {
      if (key.startsWith(prefix) && this.#liveHolder(key) !== undefined) return true
    }
    return false
  }

  /** As part of the entry that deletes the group. */
  forgetGroup(group: string): void {
    const prefix = `${group}@`
    for (const key of this.#rows.keys()) if (key.startsWith(prefix)) this.#rows.delete(key)
  }

  apply(op: string, args: readonly unknown[]): undefined {
    const [group, clientId, queues] = args
    assert(typeof group === 'string' && typeof clientId === 'string', 'a lock names group and client')
    assert(Array.isArray(queues), 'a lock lists its queues')
    for (const queue of queues as unknown[]) {
      const key = `${group}@${String(queue)}`
      switch (op) {
        case 'lock':
          this.#rows.set(key, clientId)
          this.#renewed.set(key, this.#need.clock.monotonicMs())
          break
        case 'unlock':
          if (this.#rows.get(key) === clientId) {
            this.#rows.delete(key)
            this.#renewed.delete(key)
          }
          break
        default:
          return unknownOperation(TABLE, op)
      }
    }
    return undefined
  }

  takeChanges(): ReadonlyMap<string, unknown> {
    return this.#rows.takeChanges((clientId) => clientId)
  }

  rows(): Iterable<readonly [key: string, value: unknown]> {
    return this.#rows.sorted((clientId) => clientId)
  }

  load(rows: Iterable<readonly [key: string, value: unknown]>): void {
    this.#rows.load(rows, (value) => {
      assert(typeof value === 'string', 'a lock row is a client id')
      return value
    })
    this.#renewed.clear()
  }

  /** The client whose lock is not over. */
  #liveHolder(key: string): string | undefined {
    const holder = this.#rows.get(key)
    if (holder === undefined) return undefined
    const sinceMs = Math.max(this.#renewed.get(key) ?? 0, this.#termStartMs)
    return this.#need.clock.monotonicMs() - sinceMs > this.#need.leaseMs ? undefined : holder
  }

  /** In a new term every lock begins anew: this node does not know when the last leader renewed it. */
  #enterTerm(): void {
    if (this.#term === this.#need.leadership.term) return
    this.#term = this.#need.leadership.term
    this.#termStartMs = this.#need.clock.monotonicMs()
    this.#renewed = new Map()
  }
}

function command(op: LockOp, group: string, clientId: string, queues: readonly LockedQueue[]): Command {
  return { table: TABLE, op, args: [group, clientId, queues.map(({ topic, queueId }) => `${topic}@${queueId}`)] }
}

function keyOf(group: string, { topic, queueId }: LockedQueue): string {
  return `${group}@${topic}@${queueId}`
}
