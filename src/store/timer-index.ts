/**
 * Messages that wait for a time of their own, by that time and by their place in the log: on disk, with what is not
 * written down yet in memory. Derived from the log: a record of the timer topic adds itself, a command of the entry that
 * delivers it (or takes it back, or stores it again) removes it. Applying entries again changes nothing, so it may be
 * ahead of the checkpoint, but never behind (`derived-writer.ts`).
 *
 *     t<due, 14 hex digits><offset, 14 hex digits>   →  nothing
 *     o<offset, 14 hex digits>                       →  due, in decimal
 *     index                                          →  the entry that all this stands at
 */
import { errorMessage } from '../lib/errors.ts'
import { databaseFailure, type Database, type DatabaseChange, type OpenDatabase } from './database.ts'
import { storeErrors } from './errors.ts'

export interface PendingTimer {
  /** Wall time. */
  readonly dueMs: number
  /** Of the record in the CommitLog. */
  readonly offset: number
}

/** What happened since a cut: the newest word on an offset counts. */
interface Changes {
  readonly added: Map<number, number>
  readonly removed: Map<number, number>
}

const INDEX_KEY = 'index'
/** What an entry in memory weighs, about. */
const ENTRY_BYTES = 100
const CHANGES_PER_BATCH = 8_192

/** Offsets removed while it is open: who reads, waits, and then acts, asks it before acting. */
export class RemovalWatch {
  readonly #removed = new Set<number>()
  readonly #close: (watch: RemovalWatch) => void

  constructor(close: (watch: RemovalWatch) => void) {
    this.#close = close
  }

  has(offset: number): boolean {
    return this.#removed.has(offset)
  }

  note(offset: number): void {
    this.#removed.add(offset)
  }

  end(): void {
    this.#close(this)
  }
}

export class TimerIndex {
  readonly #database: Database
  #standsAt: number
  #current = noChanges()
  /** Being written: over what is on disk, under `#current`. */
  #writing: Changes | undefined
  #earliestMs = -Infinity
  readonly #watches = new Set<RemovalWatch>()

  private constructor(database: Database, standsAt: number) {
    this.#database = database
    this.#standsAt = standsAt
  }

  /** Throws STORE_UNREADABLE; the folder may then be removed, and is made again from the log. */
  static async open(folder: string, openDatabase: OpenDatabase): Promise<TimerIndex> {
    try {
      const database = await openDatabase(folder)
      return new TimerIndex(database, Number((await database.get(INDEX_KEY))?.toString() ?? 0))
    } catch (cause) {
      const message = `the index of timers in ${folder} cannot be opened; it may be removed: ${errorMessage(cause)}`
      throw storeErrors.create('STORE_UNREADABLE', message, cause)
    }
  }

  /** The last entry whose changes are on disk. */
  get standsAt(): number {
    return this.#standsAt
  }

  get waitingBytes(): number {
    return sizeOf(this.#current) * ENTRY_BYTES
  }

  /** Nothing is due before. */
  get earliestMs(): number {
    return this.#earliestMs
  }

  add(dueMs: number, offset: number): void {
    this.#current.removed.delete(offset)
    this.#current.added.set(offset, dueMs)
    this.#earliestMs = Math.min(this.#earliestMs, dueMs)
  }

  remove(dueMs: number, offset: number): void {
    this.#current.added.delete(offset)
    this.#current.removed.set(offset, dueMs)
    for (const watch of this.#watches) watch.note(offset)
  }

  /** From now on the watch knows what is removed. It must be ended. */
  watch(): RemovalWatch {
    const watch = new RemovalWatch((ended) => this.#watches.delete(ended))
    this.#watches.add(watch)
    return watch
  }

  /** Timers due until `untilMs`, the earliest `limit` of them, in their order. */
  due(untilMs: number, limit: number): Promise<PendingTimer[]> {
    const range = { gte: timeKey(this.#earliestMs, 0), lt: timeKey(untilMs + 1, 0) }
    return this.#list(range, limit, ({ dueMs }) => dueMs <= untilMs, byDue)
  }

  /** Timers due in this millisecond, at most `limit`. */
  at(wantedMs: number, limit: number): Promise<PendingTimer[]> {
    const range = { gte: timeKey(wantedMs, 0), lt: timeKey(wantedMs + 1, 0) }
    return this.#list(range, limit, ({ dueMs }) => dueMs === wantedMs, byDue)
  }

  /** Moves `earliestMs` to where it is: for who found nothing due, one at a time. */
  async findEarliest(): Promise<void> {
    const range = { gte: timeKey(this.#earliestMs, 0), lt: 'u' }
    // What comes while this looks lowers it.
    this.#earliestMs = Infinity
    const [first] = await this.#list(range, 1, () => true, byDue)
    this.#earliestMs = Math.min(this.#earliestMs, first?.dueMs ?? Infinity)
  }

  /** Timers whose records lie before `offset`, the first `limit` of them, in the order of the log. */
  async before(offset: number, limit: number): Promise<PendingTimer[]> {
    const range = { gte: offsetKey(0), lt: offsetKey(offset) }
    return this.#list(range, limit, (timer) => timer.offset < offset, byOffset)
  }

  /** Takes what changed up to entry `index`; the function given writes it down. Not called, or failed: kept for the next. */
  cut(index: number): () => Promise<void> {
    this.#writing = this.#writing === undefined ? this.#current : merged(this.#writing, this.#current)
    this.#current = noChanges()
    const changes = this.#writing
    return async () => {
      // Removals last, and the index with them: a batch torn off in between is derived again.
      for (const batch of batchesOf(changes)) await this.#write(batch)
      await this.#write([{ type: 'put', key: INDEX_KEY, value: Buffer.from(String(index)) }])
      this.#standsAt = index
      if (this.#writing === changes) this.#writing = undefined
    }
  }

  /** Forgets everything: what follows is derived from the log's start. */
  async clear(): Promise<void> {
    await this.#database.clear()
    this.#standsAt = 0
    this.#current = noChanges()
    this.#writing = undefined
    this.#earliestMs = -Infinity
  }

  close(): Promise<void> {
    return this.#database.close()
  }

  async #write(changes: readonly DatabaseChange[]): Promise<void> {
    try {
      await this.#database.write(changes, { sync: true })
    } catch (cause) {
      throw databaseFailure('the index of timers', cause)
    }
  }

  async #list(
    range: { readonly gte: string; readonly lt: string },
    limit: number,
    isWanted: (timer: PendingTimer) => boolean,
    order: (a: PendingTimer, b: PendingTimer) => number,
  ): Promise<PendingTimer[]> {
    // As they are in this turn; what is removed later, a watch knows.
    const layers = this.#writing === undefined ? [this.#current] : [this.#current, this.#writing]
    const found: PendingTimer[] = []
    const isOver = (offset: number, above: number): boolean =>
      layers.slice(0, above).some(({ added, removed }) => added.has(offset) || removed.has(offset))
    layers.forEach(({ added }, at) => {
      for (const [offset, dueMs] of added) {
        const timer = { dueMs, offset }
        if (isWanted(timer) && !isOver(offset, at)) found.push(timer)
      }
    })
    let fromDisk = 0
    for await (const [key, value] of this.#database.rows(range.gte, range.lt)) {
      const timer = parse(key, value)
      if (timer === undefined || isOver(timer.offset, layers.length)) continue
      found.push(timer)
      if (++fromDisk >= limit) break
    }
    found.sort(order)
    return found.slice(0, limit)
  }
}

const byDue = (a: PendingTimer, b: PendingTimer): number => a.dueMs - b.dueMs || a.offset - b.offset
const byOffset = (a: PendingTimer, b: PendingTimer): number => a.offset - b.offset

function noChanges(): Changes {
  return { added: new Map(), removed: new Map() }
}

function sizeOf({ added, removed }: Changes): number {
  return added.size + removed.size
}

function merged(older: Changes, newer: Changes): Changes {
  const added = new Map(older.added)
  const removed = new Map(older.removed)
  for (const [offset, dueMs] of newer.added) {
    added.set(offset, dueMs)
    removed.delete(offset)
  }
  for (const [offset, dueMs] of newer.removed) {
    removed.set(offset, dueMs)
    added.delete(offset)
  }
  return { added, removed }
}

function* batchesOf({ added, removed }: Changes): Generator<DatabaseChange[]> {
  let batch: DatabaseChange[] = []
  for (const [offset, dueMs] of added) {
    batch.push({ type: 'put', key: timeKey(dueMs, offset), value: EMPTY })
    batch.push({ type: 'put', key: offsetKey(offset), value: Buffer.from(String(dueMs)) })
    if (batch.length < CHANGES_PER_BATCH) continue
    yield batch
    batch = []
  }
  for (const [offset, dueMs] of removed) {
    batch.push({ type: 'del', key: timeKey(dueMs, offset) })
    batch.push({ type: 'del', key: offsetKey(offset) })
    if (batch.length < CHANGES_PER_BATCH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

const EMPTY = Buffer.alloc(0)

function timeKey(dueMs: number, offset: number): string {
  return `t${hex(dueMs)}${hex(offset)}`
}

function offsetKey(offset: number): string {
  return `o${hex(offset)}`
}

/** 14 digits hold every safe integer. */
function hex(value: number): string {
  return Math.max(0, value).toString(16).padStart(14, '0')
}

function parse(key: string, value: Buffer): PendingTimer | undefined {
  if (key.startsWith('t')) {
    return { dueMs: Number.parseInt(key.slice(1, 15), 16), offset: Number.parseInt(key.slice(15), 16) }
  }
  return key.startsWith('o')
    ? { dueMs: Number(value.toString()), offset: Number.parseInt(key.slice(1), 16) }
    : undefined
}
