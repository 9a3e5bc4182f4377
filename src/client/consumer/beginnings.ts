/** Where a group begins that has no offset yet (RocketMQ RebalancePushImpl.computePullFromWhere). */
import { maxOffset, searchOffset } from '../core/broker-api.ts'
import type { ClientCore } from '../core/client-core.ts'
import { queueKey, type MessageQueue } from '../core/message-queue.ts'
import type { ConsumeFrom } from './group-options.ts'
import { retryTopic } from '../../message/topic-name.ts'

export interface BeginningsNeeds {
  readonly core: ClientCore
  readonly group: string
  readonly from: ConsumeFrom
  readonly timeoutMs: number
}

export class Beginnings {
  readonly #need: BeginningsNeeds
  /** Topic → its queues when the consumer began to listen; nothing where nobody could say. */
  readonly #older = new Map<string, ReadonlySet<string>>()

  constructor(need: BeginningsNeeds) {
    this.#need = need
  }

  /** Learns the topic's route, and with it which queues are older than the consumer's interest in them. Never rejects. */
  async meet(topic: string): Promise<void> {
    try {
      const route = await this.#need.core.routes.refresh(topic)
      if (!this.#older.has(topic)) this.#older.set(topic, new Set(route?.readQueues.map(queueKey)))
    } catch {
      // Nobody could say: its queues count as older.
    }
  }

  /** The queueOffset to begin with. Errors: those of `ClientCore.callLeader`. */
  async of(queue: MessageQueue): Promise<number> {
    const { core, from, group, timeoutMs } = this.#need
    if (from === 'first' || queue.topic === retryTopic(group)) return 0
    const { invoke } = core
    const limits = { timeoutMs, signal: core.closing }
    if (from === 'last') {
      // A queue that was made after the consumer began to listen has nothing that it could skip.
      if (this.#older.get(queue.topic)?.has(queueKey(queue)) === false) return 0
      return core.callLeader(queue, (address, options) => maxOffset(invoke, address, queue, options), limits)
    }
    const at = { queue, timestampMs: from.getTime() }
    return core.callLeader(queue, (address, options) => searchOffset(invoke, address, at, options), limits)
  }
}
