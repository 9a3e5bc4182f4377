/** Which queue a message goes to. Pure: the caller hands in the queues, sorted, and what it knows of the brokers. */
import type { Random } from '../../lib/prng.ts'
import { javaHashCode } from '../../message/tags-code.ts'
import type { MessageQueue } from '../core/message-queue.ts'

export class RoundRobin {
  #turn: number

  /** Starts at a random place, so that many short-lived producers do not all begin with queue 0. */
  constructor(random: Random) {
    this.#turn = random.integer(0, 0x3fffffff)
  }

  /**
   * The next queue in turn, passing over queues whose broker `isUsable` rejects while another broker is left
   * (RocketMQ `TopicPublishInfo.selectOneMessageQueue(lastBrokerName)`). Undefined only for an empty list.
   */
  next(queues: readonly MessageQueue[], isUsable?: (brokerName: string) => boolean): MessageQueue | undefined {
    const count = queues.length
    if (count === 0) return undefined
    for (let tries = 0; tries < count; tries++) {
      const queue = queues[this.#advance() % count]
      if (queue !== undefined && (isUsable === undefined || isUsable(queue.brokerName))) return queue
    }
    return queues[this.#advance() % count]
  }

  #advance(): number {
    this.#turn = (this.#turn + 1) & 0x3fffffff
    return this.#turn
  }
}

/**
 * The queue of a sharding key: equal keys, equal queues, as long as the topic keeps its queues
 * (RocketMQ `SelectMessageQueueByHash`, Java's `String.hashCode`).
 */
export function queueOfKey(queues: readonly MessageQueue[], shardingKey: string): MessageQueue | undefined {
  if (queues.length === 0) return undefined
  return queues[Math.abs(javaHashCode(shardingKey) % queues.length)]
}
