/**
 * Committed records → units of their queues and entries of the key index, in the order of the log (RocketMQ
 * CommitLogDispatcherBuildConsumeQueue, CommitLogDispatcherBuildIndex). Runs on leader and follower alike, from the
 * records' bytes alone.
 */
import { assert } from '../lib/assert.ts'
import { findProperty, locateIndexed, PropertyName, type IndexedPlaces } from '../message/properties.ts'
import {
  recordFault,
  recordOffset,
  recordPropertiesStart,
  recordQueueId,
  recordQueueOffset,
  recordSize,
  recordStoreTimestampMs,
  recordSysFlag,
  recordTopicStart,
  topicLengthBefore,
} from '../message/record.ts'
import { SystemTopic } from '../message/topic-name.ts'
import { SysFlag, takesQueueOffset, transactionType } from '../message/sys-flag.ts'
import { javaHashCode, javaHashCodeOfBytes } from '../message/tags-code.ts'
import type { ConsumeQueue } from './consume-queue.ts'
import { type ConsumeQueues, newTopic, type TopicQueues } from './consume-queues.ts'
import { isTopic } from './topic-table.ts'

/** Where keys go. */
export interface KeySink {
  /** `hash` is Java's hash code of `topic#key`. */
  add(hash: number, offset: number, storeTimestampMs: number): void
}

/** Where messages go that wait for a time of their own. */
export interface TimerSink {
  /** The record at `offset` waits until `dueMs`, wall time. */
  add(dueMs: number, offset: number): void
}

/** A queue that got messages: who waits for queueOffsets below `next` can be woken. */
export interface Touched {
  readonly topic: string
  readonly queueId: number
  readonly next: number
}

export interface DispatcherNeeds {
  readonly queues: ConsumeQueues
  readonly keys: KeySink
  readonly timers: TimerSink | undefined
  /** A queue has units that are not written; its chunks grew by `grownBytes`. */
  readonly dirtied: (queue: ConsumeQueue, grownBytes: number) => void
}

const SPACE = 0x20
const UNKNOWN_TOPIC = newTopic('')

export class Dispatcher {
  readonly #need: DispatcherNeeds
  /** The topic of the last record: the next one is likely the same, and comparing bytes is cheaper than a string. */
  #topic: TopicQueues = UNKNOWN_TOPIC
  readonly #places: IndexedPlaces = { tags: -1, tagsEnd: -1, keys: -1, keysEnd: -1, uniqueKey: -1, uniqueKeyEnd: -1 }
  /** Java's hash code of `topic#`, which the hashes of its keys go on from. */
  #keySeed = 0
  #queue: ConsumeQueue | undefined
  #isTimerTopic = false
  /** Records before this offset are no longer counted to their queues: a log may begin a little before its start. */
  logStart = 0

  constructor(need: DispatcherNeeds) {
    this.#need = need
  }

  /** Forget what was remembered of a topic that may be gone. */
  forget(): void {
    this.#topic = UNKNOWN_TOPIC
    this.#queue = undefined
  }

  /**
   * Dispatches the records in `bytes[start, end)`, back to back. Queues touched are noted in `touched`, each once for one
   * `round` (any number that is new). Returns the end of the last record in the CommitLog.
   */
  dispatch(bytes: Buffer, start: number, end: number, touched: ConsumeQueue[], round: number): number {
    let logEnd = 0
    for (let at = start; at < end; ) {
      const fault = recordFault(bytes, at, end)
      assert(fault === undefined, `a committed entry holds no record: ${fault}`)
      const size = recordSize(bytes, at)
      this.#record(bytes, at, size, touched, round)
      logEnd = recordOffset(bytes, at) + size
      at += size
    }
    return logEnd
  }

  #record(bytes: Buffer, at: number, size: number, touched: ConsumeQueue[], round: number): void {
    const offset = recordOffset(bytes, at)
    if (offset < this.logStart) return
    const sysFlag = recordSysFlag(bytes, at)
    const topicStart = recordTopicStart(bytes, at)
    const topicLength = topicLengthBefore(bytes, at, topicStart)
    this.#enter(bytes, topicStart, topicLength)
    const timestampMs = recordStoreTimestampMs(bytes, at)
    const isIndexed = transactionType(sysFlag) !== SysFlag.transactionRollback
    const tags = this.#scan(bytes, topicStart + topicLength + 2, at + size, isIndexed ? offset : -1, timestampMs)
    if (!takesQueueOffset(sysFlag)) return

    if (this.#isTimerTopic) this.#timer(bytes, at, size, offset)
    const queueId = recordQueueId(bytes, at)
    const queueOffset = recordQueueOffset(bytes, at)
    const queue = this.#find(bytes, topicStart, topicLength, queueId, queueOffset)
    // Places are given in the order of the log by one leader at a time that knows all before: a gap is our bug.
    assert(
      queueOffset === queue.next,
      `record ${offset} is ${queueOffset} of ${queue.topic}/${queueId}, which is at ${queue.next}`,
    )
    this.#need.dirtied(queue, queue.append(offset, size, tags, timestampMs))
    if (queue.round === round) return
    queue.round = round
    touched.push(queue)
  }

  /** Makes the record's topic the current one. */
  #enter(bytes: Buffer, start: number, length: number): void {
    if (length > 0 && isTopic(this.#topic.bytes, bytes, start, length)) return
    this.#topic = this.#need.queues.topicOf(bytes, start, length) ?? this.#named(bytes, start, length)
    this.#keySeed = javaHashCode('#', this.#topic.hash)
    this.#isTimerTopic = this.#topic.topic === SystemTopic.timer
    this.#queue = undefined
  }

  /** A topic that has no queue yet, or whose bytes are not the UTF-8 of its name. */
  #named(bytes: Buffer, start: number, length: number): TopicQueues {
    const name = bytes.toString('utf8', start, start + length)
    return this.#need.queues.topic(name) ?? newTopic(name)
  }

  #find(bytes: Buffer, topicStart: number, topicLength: number, queueId: number, queueOffset: number): ConsumeQueue {
    if (this.#queue?.queueId === queueId) return this.#queue
    let queue = this.#topic.queues.get(queueId)
    if (queue === undefined) {
      // The first record of a queue says where it begins: 0, or further on when the log is read from a later start.
      queue = this.#need.queues.create(
        bytes.toString('utf8', topicStart, topicStart + topicLength),
        queueId,
        queueOffset,
      )
      this.#topic = this.#need.queues.topic(queue.topic) ?? this.#topic
    }
    this.#queue = queue
    return queue
  }

  /** Hands the record's keys on (unless `offset` is -1) and returns its tags code. One pass over the properties. */
  #scan(bytes: Buffer, start: number, end: number, offset: number, timestampMs: number): number {
    const places = this.#places
    locateIndexed(bytes, start, end, places)
    if (offset >= 0) {
      if (places.uniqueKey >= 0) this.#key(bytes, places.uniqueKey, places.uniqueKeyEnd, offset, timestampMs)
      let from = places.keys
      for (let i = from; from >= 0 && i <= places.keysEnd; i++) {
        if (i < places.keysEnd && bytes[i] !== SPACE) continue
        if (i > from) this.#key(bytes, from, i, offset, timestampMs)
        from = i + 1
      }
    }
    return places.tags >= 0 ? javaHashCodeOfBytes(bytes, places.tags, places.tagsEnd) : 0
  }

  #timer(bytes: Buffer, at: number, size: number, offset: number): void {
    const properties = bytes.subarray(recordPropertiesStart(bytes, at), at + size)
    const dueMs = Number(findProperty(properties, PropertyName.TIMER_OUT_MS) ?? Number.NaN)
    if (Number.isSafeInteger(dueMs) && dueMs >= 0) this.#need.timers?.add(dueMs, offset)
  }

  #key(bytes: Buffer, start: number, end: number, offset: number, timestampMs: number): void {
    this.#need.keys.add(javaHashCodeOfBytes(bytes, start, end, this.#keySeed), offset, timestampMs)
  }
}

/** The tags code of the record at `at`. */
export function recordTagsCode(bytes: Buffer, at: number): number {
  const places: IndexedPlaces = { tags: -1, tagsEnd: -1, keys: -1, keysEnd: -1, uniqueKey: -1, uniqueKeyEnd: -1 }
  locateIndexed(bytes, recordPropertiesStart(bytes, at), at + recordSize(bytes, at), places)
  return places.tags >= 0 ? javaHashCodeOfBytes(bytes, places.tags, places.tagsEnd) : 0
}
