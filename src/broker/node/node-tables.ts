/**
 * The replicated tables of a node, and what one means for the others: deleting a topic ends its queues and offsets in
 * the entry that deletes it, on every replica.
 */
import { createTopics, type Topics } from '../tables/topics.ts'
import { createSubscriptionGroups, type SubscriptionGroups } from '../tables/subscription-groups.ts'
import { ConsumerOffsets } from '../tables/consumer-offsets.ts'
import { DelayOffsets } from '../timed/delay-offsets.ts'
import { GroupMode } from '../group/group-mode.ts'
import { Losses } from '../tables/losses.ts'
import { GroupForbidden } from '../tables/group-forbidden.ts'
import { PopCheckpoints } from '../pop/checkpoints.ts'
import { RequestModes } from '../tables/request-modes.ts'
import { LogStartTable } from '../tables/log-start-table.ts'
import type { ReplicatedTable } from '../needs.ts'
import { PendingHalves } from '../transactions/pending-halves.ts'
import type { QueueLocks } from '../tables/queue-locks.ts'
import type { TimerRemovals } from '../timed/timer-removals.ts'
import { digestRows } from '../tables/table-rows.ts'

export interface NodeTablesNeeds {
  readonly locks: QueueLocks
  readonly timers: TimerRemovals
  /** Entry `index` deleted the topic: its queues end. */
  readonly topicDeleted: (topic: string, index: number) => void
}

export class NodeTables {
  readonly topics: Topics
  readonly groups: SubscriptionGroups
  readonly offsets = new ConsumerOffsets()
  readonly delayOffsets = new DelayOffsets()
  readonly halves = new PendingHalves()
  readonly logStart = new LogStartTable()
  readonly mode = new GroupMode()
  readonly losses = new Losses()
  readonly forbidden = new GroupForbidden()
  readonly modes = new RequestModes()
  readonly checkpoints = new PopCheckpoints({
    offsetOf: ({ topic, group, queueId }) => this.offsets.get(topic, group, queueId),
    commit: (queue, queueOffset) => this.offsets.move(queue, queueOffset),
  })
  readonly locks: QueueLocks
  readonly timers: TimerRemovals
  readonly byName: ReadonlyMap<string, ReplicatedTable>
  #applyingIndex = 0
  #standsAt = 0

  constructor(need: NodeTablesNeeds) {
    this.locks = need.locks
    this.timers = need.timers
    this.topics = createTopics({
      deleted: (topic) => {
        this.offsets.forgetTopic(topic)
        this.checkpoints.forget((queue) => queue.topic === topic)
        this.modes.forget((name) => name === topic)
        need.topicDeleted(topic, this.#applyingIndex)
      },
    })
    this.groups = createSubscriptionGroups({
      deleted: (group, withOffsets) => {
        if (withOffsets) this.offsets.forgetGroup(group)
        need.locks.forgetGroup(group)
        this.forbidden.forgetGroup(group)
        this.checkpoints.forget((queue) => queue.group === group)
        this.modes.forget((_topic, name) => name === group)
      },
    })
    const all: readonly ReplicatedTable[] = [
      this.topics,
      this.groups,
      this.offsets,
      this.delayOffsets,
      this.halves,
      this.logStart,
      this.mode,
      this.losses,
      this.forbidden,
      this.modes,
      this.checkpoints,
      need.locks,
      need.timers,
    ]
    this.byName = new Map(all.map((table) => [table.name, table]))
  }

  /** The last entry that the tables hold. */
  get standsAt(): number {
    return this.#standsAt
  }

  /** The rows were loaded from a snapshot as of entry `index`. */
  loaded(index: number): void {
    this.#standsAt = index
  }

  /** The entry `index` is about to be applied. An entry that a snapshot holds already changes no table. */
  begin(index: number): void {
    this.#applyingIndex = index
    if (index > this.#standsAt) this.#standsAt = index
  }

  /** Equal on replicas that applied the same entries. */
  digest(): string {
    const digests = [...this.byName]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, table]) => `${name}=${digestRows(table.rows())}`)
    return digestRows(digests.map((digest, at) => [String(at), digest] as const))
  }
}
