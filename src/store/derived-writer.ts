/**
 * Writes down what is derived from the log: queues, key index, and how far both go. One checkpoint at a time:
 *
 *   1  in one turn: where everything stands now (the cut); queues and index go on growing behind it
 *   2  pages and key blocks of the cut are written and synced
 *   3  the log is on disk as far as the cut goes: nothing derived may outlive its source; then the timers of the cut
 *   4  the checkpoint record is written and synced: from now on a start begins here
 *   5  memory and pages that only older checkpoints needed are free
 *
 * A crash before 4 leaves the checkpoint before. What 2 wrote then is not known to it, or lies behind the end of a queue,
 * and is written again with the same units when the log is applied again.
 */
import type { Clock } from '../lib/clock.ts'
import { errorCode, errorMessage } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { Alongside } from './alongside.ts'
import { Checkpoint } from './checkpoint.ts'
import { encodeCheckpoint, type CheckpointImage, type CheckpointMeta } from './checkpoint-codec.ts'
import type { ConsumeQueue, Chunk } from './consume-queue.ts'
import { UNIT_BYTES } from './consume-queue-unit.ts'
import { ConsumeQueues } from './consume-queues.ts'
import { DERIVED_DEFAULTS, type DerivedOptions } from './derived-options.ts'
import { storeErrors } from './errors.ts'
import type { FileSystem } from './file-system.ts'
import { KeyIndex } from './key-index.ts'
import { decodeKeyParts } from './key-index-state.ts'
import type { LogSource } from './log-source.ts'
import { PageFiles } from './page-files.ts'
import { PAGE_BYTES, UNITS_PER_PAGE, pageIndexOf } from './page-layout.ts'
import { PageStore } from './page-store.ts'
import { loadQueueStarts, type QueueStarts } from './queue-starts.ts'
import type { QueueStart } from './reset-state.ts'
import { cutPages, newPage, writePages } from './page-writer.ts'

export interface DerivedWriterNeeds {
  readonly fileSystem: FileSystem
  readonly folder: string
  readonly log: LogSource
  readonly clock: Clock
  readonly logger: Log
  readonly options?: Partial<DerivedOptions>
  /** See `Alongside`. */
  readonly alongside?: () => () => Promise<void>
  /**
   * Derived like the queues, and written down by itself: before the checkpoint, so that it is never behind one. When it is
   * behind what a checkpoint says, everything is derived again.
   */
  readonly timers?: {
    readonly standsAt: number
    readonly waitingBytes: number
    cut(index: number): () => Promise<void>
    clear(): Promise<void>
  }
  readonly fatal: (error: Error) => void
}

type Position = Omit<CheckpointMeta, 'nextQueueNumber'>

/** Errors of a disk that is full: what was not written now is written when there is room. */
const NO_ROOM: ReadonlySet<string | undefined> = new Set(['ENOSPC', 'EDQUOT'])

interface Parts {
  readonly options: DerivedOptions
  readonly queues: ConsumeQueues
  readonly pages: PageStore
  readonly keys: KeyIndex
  readonly file: Checkpoint
  readonly position: Position
}

export class DerivedWriter {
  readonly options: DerivedOptions
  readonly queues: ConsumeQueues
  readonly pages: PageStore
  readonly keys: KeyIndex
  readonly file: Checkpoint
  readonly #need: DerivedWriterNeeds
  #position: Position
  /** Where the last durable checkpoint stands. */
  #saved: Position
  #savedAtMs: number
  readonly #alongside: Alongside
  /** Queues whose row in the checkpoint is old. */
  #changed = new Set<ConsumeQueue>()
  /** Queues that ended and may still be in the checkpoint. */
  #removed: number[] = []
  #memoryBytes = 0
  #unwrittenBytes = 0
  #running: Promise<void> | undefined
  /** The checkpoint after the running one; its cut is not made yet. */
  #next: Promise<void> | undefined
  #isClosed = false

  private constructor(need: DerivedWriterNeeds, parts: Parts) {
    this.#need = need
    this.options = parts.options
    this.queues = parts.queues
    this.pages = parts.pages
    this.keys = parts.keys
    this.file = parts.file
    this.#position = parts.position
    this.#saved = parts.position
    this.#savedAtMs = need.clock.monotonicMs()
    this.#alongside = new Alongside(need.alongside)
  }

  /** Takes up the last checkpoint, or begins at the start of the log when there is none that can be used. */
  static async open(need: DerivedWriterNeeds): Promise<DerivedWriter> {
    const { fileSystem, folder, log, logger } = need
    const options = { ...DERIVED_DEFAULTS, ...need.options }
    const { maxOpenFiles } = options
    const { checkpoint: file, image: found } = await Checkpoint.open(fileSystem, folder)
    const keyState = found === undefined ? undefined : decodeKeyParts(found.keyParts)
    const hasTimers = need.timers === undefined || (found !== undefined && need.timers.standsAt >= found.index)
    const isUsable = keyState !== undefined && found !== undefined && hasTimers && fits(found, log)
    const image = isUsable ? found : undefined
    if (image === undefined) await need.timers?.clear()
    const starts = image === undefined ? await startsOf(need) : undefined
    if (image === undefined && log.endOffset > log.startOffset) {
      logger.info({ startOffset: log.startOffset }, 'queues and indexes are built from the log')
    }
    const pageFiles = await PageFiles.open({ fileSystem, folder: `${folder}/pages`, suffix: '.pages', maxOpenFiles })
    const keyFiles = await PageFiles.open({ fileSystem, folder: `${folder}/keys`, suffix: '.keys', maxOpenFiles })
    const pages = new PageStore({
      files: pageFiles,
      pagesPerFile: Math.floor(options.pageFileBytes / PAGE_BYTES),
      cachePages: Math.floor(options.cacheBytes / PAGE_BYTES),
    })
    const queues = new ConsumeQueues()
    const used: (readonly number[] | Uint32Array)[] = []
    for (const state of image?.queues.values() ?? []) {
      queues.add(state, true)
      used.push(state.pages)
    }
    queues.reserveNumbers(image?.nextQueueNumber ?? 1)
    pages.restore(used)
    for (const [topic, queueId, queueOffset] of starts?.queues ?? []) queues.create(topic, queueId, queueOffset)
    const position =
      image === undefined
        ? { index: log.startIndex, endOffset: log.startOffset, logStart: starts?.logStart ?? log.startOffset }
        : { index: image.index, endOffset: image.endOffset, logStart: image.logStart }
    const keys = new KeyIndex(keyFiles, image === undefined ? undefined : keyState)
    return new DerivedWriter(need, { options, queues, pages, keys, file, position })
  }

  get position(): Position {
    return this.#position
  }

  get memoryBytes(): number {
    return this.#memoryBytes + this.keys.waitingBytes
  }

  get isSaturated(): boolean {
    return this.#waitingBytes > 4 * this.options.dirtyBytes
  }

  moveTo(index: number, endOffset: number): void {
    this.#position = { index, endOffset, logStart: this.#position.logStart }
  }

  moveLogStart(logStart: number): void {
    this.#position = { ...this.#position, logStart }
    this.keys.moveLogStart(logStart)
  }

  dirtied(queue: ConsumeQueue, grownBytes: number): void {
    if (!queue.isChanged) this.#change(queue)
    this.#memoryBytes += grownBytes
    this.#unwrittenBytes += UNIT_BYTES
  }

  removed(queue: ConsumeQueue): void {
    for (const chunk of queue.chunks) this.#memoryBytes -= chunk.bytes.length
    this.pages.release(queue.remove())
    this.#changed.delete(queue)
    this.#removed.push(queue.number)
  }

  raiseMin(queue: ConsumeQueue, min: number, minUnitOffset: number): void {
    this.pages.release(queue.raiseMin(min, minUnitOffset))
    this.#change(queue)
  }

  #change(queue: ConsumeQueue): void {
    queue.isChanged = true
    this.#changed.add(queue)
  }

  /** No checkpoint begins any more, and one that fails tells nobody: the node ends. */
  async abandon(): Promise<void> {
    this.#isClosed = true
    await this.#closeFiles()
  }

  /** Begins a checkpoint when one is due; `byTime` from the periodic timer. */
  checkpointIfDue(byTime: boolean): void {
    if (this.#running !== undefined || this.#next !== undefined) return
    const { checkpointBytes, checkpointPeriodMs, costlyPeriods, dirtyBytes } = this.options
    const grownBytes = this.#position.endOffset - this.#saved.endOffset
    // Every queue that grew costs the disk a page at least: with many of them that is more than the log itself.
    const isCostly = this.#changed.size * PAGE_BYTES > grownBytes
    const patienceMs = checkpointPeriodMs * (isCostly ? costlyPeriods : 1)
    const isDue = byTime
      ? this.#isBehind && this.#need.clock.monotonicMs() - this.#savedAtMs >= patienceMs
      : (grownBytes >= checkpointBytes && !isCostly) || this.#waitingBytes >= dirtyBytes
    // Its failure was told already, to `fatal` or to the log.
    if (isDue) this.checkpoint().catch(() => undefined)
  }

  /** Resolves when everything derived at this moment is durable. Calls before a cut share it. */
  checkpoint(): Promise<void> {
    this.#next ??= (this.#running ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined
        this.#running = this.#run().finally(() => (this.#running = undefined))
        return this.#running
      })
    return this.#next
  }

  /** Where each queue begins that lost messages to retention. */
  *starts(): Generator<QueueStart> {
    for (const queue of this.queues.all()) if (queue.min > 0) yield [queue.topic, queue.queueId, queue.min]
  }

  /**
   * Closes all files; without a last checkpoint when what is here is void. A disk without room does not keep a node from
   * stopping: what was not written is applied again at the next start.
   */
  async close(withCheckpoint: boolean): Promise<void> {
    const last = withCheckpoint ? this.checkpoint() : (this.#next ?? this.#running)
    try {
      await last
    } catch (error) {
      if (withCheckpoint && !NO_ROOM.has(errorCode(error))) throw error
    } finally {
      this.#isClosed = true
      await this.#closeFiles()
    }
  }

  async #closeFiles(): Promise<void> {
    await this.pages.close()
    await this.keys.close()
    await this.file.close()
  }

  /** What is in memory alone. */
  get #waitingBytes(): number {
    return this.#unwrittenBytes + this.keys.waitingBytes + (this.#need.timers?.waitingBytes ?? 0)
  }

  get #isBehind(): boolean {
    return (
      this.#changed.size > 0 || this.#removed.length > 0 || this.#position !== this.#saved || !this.#alongside.isSaved
    )
  }

  async #run(): Promise<void> {
    if (!this.#isBehind || this.#isClosed) return
    const position = this.#position
    const changed = this.#changed
    const removed = this.#removed
    const released = this.pages.takeReleased()
    const unwritten = this.#unwrittenBytes
    this.#changed = new Set()
    for (const queue of changed) queue.isChanged = false
    this.#removed = []
    this.#unwrittenBytes = 0
    const isWhole = this.file.needsWhole
    const writeAlongside = this.#alongside.cut()
    const writeTimers = this.#need.timers?.cut(position.index)
    const pageCut = cutPages(changed, this.pages)
    const keyCut = this.keys.cut(isWhole)
    const payload = encodeCheckpoint({
      isWhole,
      meta: { ...position, nextQueueNumber: this.queues.nextNumber },
      removed: isWhole ? [] : removed,
      queues: isWhole ? this.queues.all() : changed,
      keyPart: keyCut.part,
    })
    try {
      await writePages(pageCut, this.pages)
      await keyCut.write()
      await this.#need.log.flushedThrough(position.endOffset)
      await writeTimers?.()
      await this.file.save(payload, isWhole)
    } catch (error) {
      for (const queue of changed) if (!queue.isRemoved) this.#change(queue)
      this.#removed.push(...removed)
      this.#unwrittenBytes += unwritten
      this.pages.release(released)
      this.#failed(error)
      throw error
    }
    this.#saved = position
    this.#savedAtMs = this.#need.clock.monotonicMs()
    for (const queue of changed) queue.markSaved(queue.pageEnd)
    this.pages.free(released)
    this.#trim(pageCut.ends)
    try {
      await keyCut.saved()
      await writeAlongside()
    } catch (error) {
      this.#failed(error)
      throw error
    }
  }

  #failed(error: unknown): void {
    if (this.#isClosed) return
    if (NO_ROOM.has(errorCode(error))) {
      this.#need.logger.warn({ error: errorMessage(error) }, 'no room for a checkpoint of queues and indexes')
      return
    }
    this.#need.fatal(error instanceof Error ? error : new Error(String(error)))
  }

  /** Lets go of memory that was written: whole pages go to the cache, the newest units stay while there is room. */
  #trim(ends: readonly (readonly [ConsumeQueue, number])[]): void {
    for (const [queue] of ends) {
      this.#memoryBytes -= queue.dropWrittenChunks(false, (chunk) => this.#toCache(queue, chunk))
    }
    if (this.#memoryBytes - this.#unwrittenBytes <= this.options.tailBytes) return
    for (const queue of this.queues.all()) this.#memoryBytes -= queue.dropWrittenChunks(true)
  }

  #toCache(queue: ConsumeQueue, chunk: Chunk): void {
    const pageNumber = queue.pageNumber(pageIndexOf(chunk.first))
    if (pageNumber === undefined || chunk.count !== UNITS_PER_PAGE) return
    const bytes = newPage(queue.number, chunk.first, chunk.firstTimestampMs, chunk.bytes)
    this.pages.cache.put(pageNumber, { bytes, through: chunk.first + chunk.count })
  }
}

/** Whether a checkpoint speaks of this log: it begins before where the checkpoint ends, and reaches at least there. */
function fits(image: CheckpointImage, log: LogSource): boolean {
  return image.endOffset >= log.startOffset && image.endOffset <= log.endOffset
}

/** Where queues begin when there is no checkpoint. A log that lost its beginning cannot be derived without. */
async function startsOf(need: DerivedWriterNeeds): Promise<QueueStarts | undefined> {
  const starts = await loadQueueStarts(need.fileSystem, need.folder)
  if (starts === undefined && need.log.startOffset > 0) {
    throw storeErrors.create('STORE_FILE_MISSING', `${need.folder} tells neither queues nor where they begin`)
  }
  return starts
}
