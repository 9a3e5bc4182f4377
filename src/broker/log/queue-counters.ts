/**
 * The next queueOffset of every queue on a leader. Derived from the *end* of its log: when a leader becomes ready, every
 * entry before its own empty one is applied, so what the store knows then is the end; from there the leader counts what
 * it proposes itself. Forgotten whenever leadership or a topic ends.
 */
export interface AppliedQueues {
  /** The queueOffset after the last applied record of the queue; 0 for a queue without any. */
  nextQueueOffset(topic: string, queueId: number): number
}

export class QueueCounters {
  readonly #applied: AppliedQueues
  readonly #next = new Map<string, number[]>()

  constructor(applied: AppliedQueues) {
    this.#applied = applied
  }

  /** Takes the next queueOffset of the queue. */
  take(topic: string, queueId: number): number {
    let queues = this.#next.get(topic)
    if (queues === undefined) this.#next.set(topic, (queues = []))
    const next = queues[queueId] ?? this.#applied.nextQueueOffset(topic, queueId)
    queues[queueId] = next + 1
    return next
  }

  /** What `take` would give, without taking it: the end of the queue as this leader knows it. */
  peek(topic: string, queueId: number): number {
    return this.#next.get(topic)?.[queueId] ?? this.#applied.nextQueueOffset(topic, queueId)
  }

  forgetTopic(topic: string): void {
    this.#next.delete(topic)
  }

  clear(): void {
    this.#next.clear()
  }
}
