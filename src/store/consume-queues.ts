/** All consume queues of a broker: topic → queueId → queue. 40,000 of them are a few megabytes and no open file. */
import { assert } from '../lib/assert.ts'
import { javaHashCode } from '../message/tags-code.ts'
import { ConsumeQueue, type ConsumeQueueState } from './consume-queue.ts'
import { topicHash, type TopicRow, TopicTable } from './topic-table.ts'

/** The queues of one topic. */
export interface TopicQueues extends TopicRow {
  readonly topic: string
  readonly queues: Map<number, ConsumeQueue>
}

/** A topic without queues. */
export function newTopic(topic: string): TopicQueues {
  return { topic, bytes: Buffer.from(topic), hash: javaHashCode(topic), queues: new Map() }
}

export class ConsumeQueues {
  readonly #topics = new Map<string, TopicQueues>()
  readonly #byBytes = new TopicTable<TopicQueues>()
  readonly #byNumber = new Map<number, ConsumeQueue>()
  #nextNumber = 1

  /** Numbers are never given twice: the checkpoint keeps the next one. */
  get nextNumber(): number {
    return this.#nextNumber
  }

  get count(): number {
    return this.#byNumber.size
  }

  topic(topic: string): TopicQueues | undefined {
    return this.#topics.get(topic)
  }

  /** The topic whose UTF-8 is `bytes[start, start + length)`. */
  topicOf(bytes: Buffer, start: number, length: number): TopicQueues | undefined {
    return this.#byBytes.find(bytes, start, length, topicHash(bytes, start, length))
  }

  queue(topic: string, queueId: number): ConsumeQueue | undefined {
    return this.#topics.get(topic)?.queues.get(queueId)
  }

  byNumber(number: number): ConsumeQueue | undefined {
    return this.#byNumber.get(number)
  }

  all(): IterableIterator<ConsumeQueue> {
    return this.#byNumber.values()
  }

  /** A new queue that begins at `queueOffset`. */
  create(topic: string, queueId: number, queueOffset: number): ConsumeQueue {
    return this.add(
      {
        number: this.#nextNumber,
        topic,
        queueId,
        min: queueOffset,
        next: queueOffset,
        minUnitOffset: 0,
        firstPageIndex: 0,
        pages: [],
      },
      false,
    )
  }

  /** Adds a queue; `isSaved` when the checkpoint knows it. */
  add(state: ConsumeQueueState, isSaved: boolean): ConsumeQueue {
    let topic = this.#topics.get(state.topic)
    if (topic === undefined) {
      topic = newTopic(state.topic)
      this.#topics.set(state.topic, topic)
      this.#byBytes.add(topic)
    }
    assert(!topic.queues.has(state.queueId), 'a queue is made once')
    assert(!this.#byNumber.has(state.number), 'a queue number is given once')
    const queue = new ConsumeQueue(state, isSaved)
    topic.queues.set(state.queueId, queue)
    this.#byNumber.set(state.number, queue)
    this.reserveNumbers(state.number + 1)
    return queue
  }

  /** Queue numbers below `next` have been given. */
  reserveNumbers(next: number): void {
    if (next > this.#nextNumber) this.#nextNumber = next
  }

  /** Takes out the queues of a topic, and returns them. */
  removeTopic(topic: string): ConsumeQueue[] {
    const row = this.#topics.get(topic)
    if (row === undefined) return []
    const removed = [...row.queues.values()]
    this.#topics.delete(topic)
    this.#byBytes.remove(row)
    for (const queue of removed) this.#byNumber.delete(queue.number)
    return removed
  }

  clear(): void {
    this.#topics.clear()
    this.#byBytes.clear()
    this.#byNumber.clear()
  }
}
