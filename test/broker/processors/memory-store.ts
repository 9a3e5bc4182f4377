import { findProperty } from '../../../src/message/properties.ts'
import { decodeRecord } from '../../../src/message/record.ts'
import { tagsCode } from '../../../src/message/tags-code.ts'
import type { PullRequest, PullResult, PullStatus } from '../../../src/store/consume-queue-pull.ts'
import type { KeyQuery, KeyResult } from '../../../src/store/key-query.ts'
import type { MemoryLog } from './memory-log.ts'

/** Reads what a `MemoryLog` holds, as the message store does. */
export class MemoryStore {
  readonly #log: MemoryLog
  /** While true, a pull waits for `read` to be called: as if from disk. */
  isSlow = false
  readonly waiting: (() => void)[] = []
  /** The log went on far since the first message of every queue. */
  isOld = false
  readonly #beforeRead: () => Promise<void> | undefined

  /** `beforeRead`: what a read of records waits for. */
  constructor(log: MemoryLog, beforeRead: () => Promise<void> | undefined = () => undefined) {
    this.#log = log
    this.#beforeRead = beforeRead
  }

  queueBounds(topic: string, queueId: number): { min: number; max: number } | undefined {
    return this.#log.bounds(topic, queueId)
  }

  get endOffset(): number {
    return this.#log.all().reduce((bytes, { length }) => bytes + length, 0)
  }

  pull(request: PullRequest): PullResult | Promise<PullResult> {
    const wait = this.#beforeRead()
    if (wait !== undefined) return wait.then(() => this.#pull(request))
    const result = this.#pull(request)
    if (!this.isSlow) return result
    return new Promise((resolve) => this.waiting.push(() => resolve(result)))
  }

  read(): void {
    for (const wake of this.waiting.splice(0)) wake()
  }

  async recordAt(offset: number): Promise<Buffer | undefined> {
    await this.#beforeRead()
    return this.#log.all().find((record) => decodeRecord(record, 0).offset === offset)
  }

  async byKey(query: KeyQuery): Promise<KeyResult> {
    await this.#beforeRead()
    const all = this.#log.all().filter((record) => {
      const message = decodeRecord(record, 0)
      const keys = findProperty(message.properties, 'KEYS')?.split(' ') ?? []
      return (
        message.topic === query.topic && [...keys, findProperty(message.properties, 'UNIQ_KEY')].includes(query.key)
      )
    })
    const records = all.slice(-query.maxCount)
    return { records, bytes: 0, lastUpdateTimestampMs: 1, lastUpdateOffset: 2 }
  }

  units(
    topic: string,
    queueId: number,
    { from, count }: { readonly from: number; readonly count: number },
  ): Promise<{ offset: number; size: number; tagsCode: number }[]> {
    const messages = this.#log.messages(topic, queueId).slice(from, from + count)
    return Promise.resolve(messages.map(({ offset, size }) => ({ offset, size, tagsCode: 65 })))
  }

  offsetByTime(topic: string, queueId: number, timestampMs: number, boundary: 'lower' | 'upper'): Promise<number> {
    const times = this.#log.messages(topic, queueId).map((message) => message.storeTimestampMs)
    const at = times.findIndex((time) => time >= timestampMs)
    const lower = at < 0 ? times.length : at
    if (boundary === 'lower') return Promise.resolve(lower)
    const upper = times.findLastIndex((time) => time <= timestampMs)
    return Promise.resolve(Math.max(upper, 0))
  }

  isYoung(topic: string, queueId: number): boolean {
    const bounds = this.#log.bounds(topic, queueId)
    return !this.isOld && bounds !== undefined && bounds.min === 0 && bounds.max > 0
  }

  earliestTime(topic: string, queueId: number): Promise<number | undefined> {
    return Promise.resolve(this.#log.messages(topic, queueId)[0]?.storeTimestampMs)
  }

  timeOfQueueOffset(topic: string, queueId: number, queueOffset: number): Promise<number | undefined> {
    return Promise.resolve(this.#log.messages(topic, queueId)[queueOffset]?.storeTimestampMs)
  }

  #pull({ topic, queueId, queueOffset, maxCount, maxBytes, tagsCodes, accept }: PullRequest): PullResult {
    const bounds = this.#log.bounds(topic, queueId)
    const empty = (status: PullStatus, nextQueueOffset: number): PullResult => ({
      status,
      slices: [],
      count: 0,
      bytes: 0,
      nextQueueOffset,
      minQueueOffset: bounds?.min ?? 0,
      maxQueueOffset: bounds?.max ?? 0,
    })
    if (bounds === undefined) return empty('noSuchQueue', 0)
    if (bounds.max === 0) return empty('noMessageInQueue', 0)
    if (queueOffset < bounds.min) return empty('tooSmall', bounds.min)
    if (queueOffset === bounds.max) return empty('overflowOne', queueOffset)
    if (queueOffset > bounds.max) return empty('overflowBadly', bounds.max)
    const slices: Buffer[] = []
    let bytes = 0
    let next = queueOffset
    for (const record of (this.#log.queues.get(`${topic}@${queueId}`) ?? []).slice(queueOffset)) {
      const tags = findProperty(decodeRecord(record, 0).properties, 'TAGS')
      const isWanted = (tagsCodes?.has(tagsCode(tags)) ?? true) && (accept?.(record) ?? true)
      if (isWanted && slices.length > 0 && (slices.length >= maxCount || bytes + record.length > maxBytes)) break
      next++
      if (!isWanted) continue
      slices.push(record)
      bytes += record.length
    }
    if (slices.length === 0) return empty('noMatched', next)
    return { ...empty('found', next), slices, count: slices.length, bytes }
  }
}
