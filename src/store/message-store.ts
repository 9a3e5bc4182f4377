/**
 * What the broker sees of everything that is derived from the log: queues, pulls, times, keys. Fed with committed entries
 * in order (`apply`), it writes itself down in checkpoints and answers from memory and disk.
 *
 * After a start it stands at `appliedIndex`, the entry of its last checkpoint: entries from the next one on are applied
 * again, earlier ones are passed over. What changes queues besides records (a deleted topic, the log's start) names the
 * index of its entry too, so that applying a log again gives the same queues.
 */
import { assert } from '../lib/assert.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { frameIndex, frameLength, frameOffset, frameRecordCount, frameRecordsStart } from '../message/entry-frame.ts'
import { recordFault, recordOffset, recordSize, recordStoreTimestampMs } from '../message/record.ts'
import { QueuePull, emptyResult, type PullRequest, type PullResult } from './consume-queue-pull.ts'
import { ConsumeQueueReader, type UnitPlace, type UnitRange } from './consume-queue-reader.ts'
import type { ConsumeQueue } from './consume-queue.ts'
import type { DerivedOptions } from './derived-options.ts'
import { DerivedWriter } from './derived-writer.ts'
import { Dispatcher, type Touched } from './dispatcher.ts'
import type { FileSystem } from './file-system.ts'
import { findByKey, type KeyQuery, type KeyResult } from './key-query.ts'
import type { LogPosition } from './log-position.ts'
import type { LogSource } from './log-source.ts'
import { saveQueueStarts } from './queue-starts.ts'
import { ResetFile } from './reset-state.ts'
import type { SnapshotTable } from './table-store.ts'
import { raiseStarts } from './consume-queue-start.ts'
import type { TimerIndex } from './timer-index.ts'
import { searchQueueByTime, type TimeBoundary } from './time-index.ts'

export interface MessageStoreNeeds {
  readonly fileSystem: FileSystem
  /** A folder of its own. */
  readonly folder: string
  readonly log: LogSource
  readonly clock: Clock
  readonly logger: Log
  readonly options?: Partial<DerivedOptions>
  /** See `DerivedWriterNeeds`: the tables' snapshot is cut with every checkpoint. */
  readonly alongside?: () => () => Promise<void>
  /** See `DerivedWriterNeeds`: messages that wait for a time of their own. */
  readonly timers?: TimerIndex
  /** The disk can no longer be believed: the node must end. */
  readonly fatal: (error: Error) => void
}

export interface QueueBounds {
  readonly min: number
  /** One above the highest queueOffset. */
  readonly max: number
}

export interface StoreStats {
  readonly queues: number
  readonly pageBytes: number
  readonly keyIndexBytes: number
  readonly checkpointBytes: number
  readonly memoryBytes: number
  readonly repairedPages: number
}

export class MessageStore {
  readonly #needs: MessageStoreNeeds
  readonly #log: LogSource
  readonly #clock: Clock
  readonly #timer: Timer
  #writer: DerivedWriter
  #reader: ConsumeQueueReader
  #dispatcher: Dispatcher
  #touched: ConsumeQueue[] = []
  #round = 1
  #resets = 0
  #isSuspended = false
  #movingStart: Promise<void> = Promise.resolve()

  private constructor(needs: MessageStoreNeeds, writer: DerivedWriter) {
    this.#needs = needs
    this.#log = needs.log
    this.#clock = needs.clock
    this.#writer = writer
    this.#reader = readerOf(writer, needs.log)
    this.#dispatcher = dispatcherOf(writer, needs.timers)
    this.#timer = needs.clock.every(writer.options.checkpointPeriodMs, () => this.#writer.checkpointIfDue(true))
  }

  static async open(needs: MessageStoreNeeds): Promise<MessageStore> {
    return new MessageStore(needs, await DerivedWriter.open(needs))
  }

  /** Index of the last entry that is derived. The state machine applies from the next one on. */
  get appliedIndex(): number {
    return this.#writer.position.index
  }

  /** Where the records of that entry end. */
  get endOffset(): number {
    return this.#writer.position.endOffset
  }

  /** Where retention lets the log start. */
  get logStart(): number {
    return this.#writer.position.logStart
  }

  /** True while more is in memory than should be: whoever replays a long log waits for `checkpoint` first. */
  get isSaturated(): boolean {
    return this.#writer.isSaturated
  }

  /** Applies one committed entry. An entry that is derived already is passed over. */
  apply(frame: Buffer): void {
    const index = frameIndex(frame, 0)
    if (index <= this.appliedIndex) return
    let { endOffset } = this
    if (frameRecordCount(frame, 0) > 0) {
      const start = frameRecordsStart(frame, 0)
      endOffset = this.#dispatcher.dispatch(frame, start, frameLength(frame, 0), this.#touched, this.#round)
    }
    this.#writer.moveTo(index, Math.max(endOffset, frameOffset(frame, 0) + frameLength(frame, 0)))
  }

  /** Queues that got messages since the last call: their waiting pulls can be answered. Ends a batch of entries. */
  takeTouched(): readonly Touched[] {
    const touched = this.#touched
    this.#touched = []
    this.#round++
    this.#writer.checkpointIfDue(false)
    return touched
  }

  queueBounds(topic: string, queueId: number): QueueBounds | undefined {
    const queue = this.#writer.queues.queue(topic, queueId)
    return queue === undefined ? undefined : { min: queue.min, max: queue.next }
  }

  /** The queueOffset after the last applied message; 0 for a queue that never had one. */
  nextQueueOffset(topic: string, queueId: number): number {
    return this.#writer.queues.queue(topic, queueId)?.next ?? 0
  }

  /** Ids of the queues that have, or had, messages of the topic. */
  queueIds(topic: string): number[] {
    return [...(this.#writer.queues.topic(topic)?.queues.keys() ?? [])]
  }

  /** Synchronous while everything asked for is in memory. */
  pull(request: PullRequest): PullResult | Promise<PullResult> {
    // What a consumer asks for may be there again in a moment: it must wait, not start over.
    if (this.#isSuspended) return emptyResult('overflowOne', request.queueOffset, 0, request.queueOffset)
    const topic = this.#writer.queues.topic(request.topic)
    const queue = topic?.queues.get(request.queueId)
    if (topic === undefined || queue === undefined) return emptyResult('noSuchQueue', 0, 0, 0)
    const { min, next } = queue
    const { queueOffset } = request
    if (next === 0) return emptyResult('noMessageInQueue', 0, 0, 0)
    if (queueOffset < min) return emptyResult('tooSmall', min, min, next)
    if (queueOffset === next) return emptyResult('overflowOne', queueOffset, min, next)
    if (queueOffset > next) return emptyResult('overflowBadly', next, min, next)
    return new QueuePull({ queue, topic: topic.bytes, log: this.#log, units: this.#reader, request }).run()
  }

  /** The record that begins at `offset`; undefined when none does, it left the log, or it is not committed. */
  async recordAt(offset: number): Promise<Buffer | undefined> {
    if (offset < this.logStart || offset >= this.endOffset) return undefined
    const frame = this.#log.frameInMemory(offset) ?? (await this.#log.frameAt(offset))
    if (frame === undefined) return undefined
    const at = offset - frameOffset(frame, 0)
    // A made-up offset may lie anywhere: only what is a whole record of this very offset is given out.
    if (at < frameRecordsStart(frame, 0) || recordFault(frame, at, frame.length) !== undefined) return undefined
    return recordOffset(frame, at) === offset ? frame.subarray(at, at + recordSize(frame, at)) : undefined
  }

  /** Records with a key (or unique id), in the order of the log: of all that match, the newest `maxCount`. */
  byKey(query: KeyQuery): Promise<KeyResult> {
    return findByKey(query, this.#writer.keys, (offset) => this.recordAt(offset))
  }

  /** The queueOffset for a time (`time-index.ts`); 0 for a queue that does not exist. */
  async offsetByTime(topic: string, queueId: number, timestampMs: number, boundary: TimeBoundary): Promise<number> {
    const queue = this.#writer.queues.queue(topic, queueId)
    if (queue === undefined) return 0
    const timeOf = (queueOffset: number): Promise<number | undefined> => this.#timeOf(queue, queueOffset)
    const found = await searchQueueByTime(
      {
        min: queue.min,
        next: queue.next,
        timeOf,
        timeOfPage: async (pageIndex, first) => (await this.#reader.timeOfPage(queue, pageIndex)) ?? timeOf(first),
      },
      timestampMs,
      boundary,
    )
    return Math.max(found, queue.min)
  }

  /** Store time of a message; undefined when the queue has none there. */
  timeOfQueueOffset(topic: string, queueId: number, queueOffset: number): Promise<number | undefined> {
    const queue = this.#writer.queues.queue(topic, queueId)
    return queue === undefined ? Promise.resolve(undefined) : this.#timeOf(queue, queueOffset)
  }

  /** What the queue says of its messages in `range`. */
  units(topic: string, queueId: number, range: UnitRange): Promise<UnitPlace[]> {
    const queue = this.#writer.queues.queue(topic, queueId)
    return queue === undefined ? Promise.resolve([]) : this.#reader.unitsOf(queue, range)
  }

  /**
   * Whether a queue has its first message still, and the log went on by `youngBytes` at most since: a group that never
   * committed begins with it (RocketMQ checkInMemByConsumeOffset, which asks this machine's page cache instead).
   */
  isYoung(topic: string, queueId: number): boolean {
    const queue = this.#writer.queues.queue(topic, queueId)
    const { youngBytes } = this.#writer.options
    return queue?.min === 0 && queue.next > 0 && this.endOffset - queue.minUnitOffset <= youngBytes
  }

  /** Store time of the oldest message of a queue; undefined when it has none. */
  earliestTime(topic: string, queueId: number): Promise<number | undefined> {
    return this.timeOfQueueOffset(topic, queueId, this.queueBounds(topic, queueId)?.min ?? 0)
  }

  /** Entry `index` deleted the topic: its queues end, and begin at 0 if it is made again. */
  deleteTopic(topic: string, index: number): void {
    if (index <= this.appliedIndex) return
    this.#dispatcher.forget()
    for (const queue of this.#writer.queues.removeTopic(topic)) this.#writer.removed(queue)
  }

  /**
   * The group decided that the log starts at `offset`: raises every queue's minimum to its first message from there on, and
   * resolves when that is durable, and all that goes alongside. Only then may the log let go of what lies before.
   */
  moveLogStart(offset: number): Promise<void> {
    const run = this.#movingStart.then(() => this.#moveLogStart(offset))
    this.#movingStart = run.catch(() => undefined)
    return run
  }

  /** Everything applied so far is on disk when it resolves. */
  checkpoint(): Promise<void> {
    return this.#writer.checkpoint()
  }

  async stats(): Promise<StoreStats> {
    const { pages, keys, file, queues, memoryBytes } = this.#writer
    return {
      queues: queues.count,
      pageBytes: await pages.bytesOnDisk(),
      keyIndexBytes: await keys.bytesOnDisk(),
      checkpointBytes: file.bytesOnDisk,
      memoryBytes,
      repairedPages: this.#reader.repairedPages,
    }
  }

  /** Writes a last checkpoint, so that the next start has nothing to apply again; closes all files. */
  async close(): Promise<void> {
    this.#timer.cancel()
    await this.#movingStart
    await this.#writer.close(true)
  }

  /** Closes all files as they are: for a node that ends because its disk failed. */
  async abandon(): Promise<void> {
    this.#timer.cancel()
    await this.#writer.abandon()
  }

  /**
   * What a follower behind the log's start needs, as a file that goes when it is closed. `now` is asked in the turn in
   * which queues and tables are read: the log's own start, and the entry that the tables stand at.
   */
  async openReset(
    now: () => { readonly position: LogPosition; readonly tablesIndex: number },
    tables: Iterable<Pick<SnapshotTable, 'name' | 'rows'>>,
  ): Promise<ResetFile> {
    // While the start moves, queues stand at two starts.
    for (let moving = this.#movingStart; ; moving = this.#movingStart) {
      await moving
      if (moving === this.#movingStart) break
    }
    const start = { ...now(), logStart: this.logStart }
    return ResetFile.make(this.#needs.fileSystem, `${this.#needs.folder}/reset-${++this.#resets}`, {
      start,
      queues: this.#writer.starts(),
      tables,
    })
  }

  /** Lets go of everything: the log is being replaced. Until `reopen` there are no queues, and pulls find nothing new. */
  async suspend(): Promise<void> {
    this.#isSuspended = true
    await this.#movingStart
    for (const queue of this.#writer.queues.all()) queue.remove()
    this.#writer.queues.clear()
    await this.#writer.close(false)
  }

  /** Takes up what is on disk now (`installReset`), over the log as it is now. */
  async reopen(): Promise<void> {
    this.#writer = await DerivedWriter.open(this.#needs)
    this.#reader = readerOf(this.#writer, this.#log)
    this.#dispatcher = dispatcherOf(this.#writer, this.#needs.timers)
    this.#touched = []
    this.#isSuspended = false
  }

  async #moveLogStart(offset: number): Promise<void> {
    assert(offset <= this.endOffset, 'the log starts at what is derived')
    if (offset > this.logStart) await this.#raiseStarts(offset)
    // Also where an earlier process had come so far: it may have ended before what goes alongside was written.
    await this.#writer.checkpoint()
  }

  async #raiseStarts(offset: number): Promise<void> {
    const writer = this.#writer
    await raiseStarts({ writer, reader: this.#reader, turn: () => this.#turn() }, offset)
    writer.moveLogStart(offset)
    this.#dispatcher.logStart = offset
    const { fileSystem, folder } = this.#needs
    await saveQueueStarts(fileSystem, folder, offset, writer.starts())
  }

  async #timeOf(queue: ConsumeQueue, queueOffset: number): Promise<number | undefined> {
    const place = await this.#reader.unit(queue, queueOffset)
    if (place === undefined) return undefined
    const record = await this.recordAt(place.offset)
    return record === undefined ? undefined : recordStoreTimestampMs(record, 0)
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#clock.endOfTurn(resolve))
  }
}

function readerOf(writer: DerivedWriter, log: LogSource): ConsumeQueueReader {
  return new ConsumeQueueReader({ pages: writer.pages, log, derivedEnd: () => writer.position.endOffset })
}

function dispatcherOf(writer: DerivedWriter, timers: TimerIndex | undefined): Dispatcher {
  const { queues, keys } = writer
  const dispatcher = new Dispatcher({ queues, keys, timers, dirtied: (queue, grown) => writer.dirtied(queue, grown) })
  dispatcher.logStart = writer.position.logStart
  return dispatcher
}
