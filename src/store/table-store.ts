/**
 * Snapshots of the replicated tables, in a database of keys (LevelDB): rows under `table/key` in msgpack, and the index of the entry up to
 * which the tables were applied, all in one atomic, synced batch. Values are encoded when they are taken: what the table
 * changes later does not reach into a snapshot.
 *
 * A snapshot is written after the checkpoint of queues and indexes that was cut in the same turn, so it is never ahead of
 * them: an entry applied again to the tables (a deleted topic) is at most passed over by the queues, never missed.
 */
import { pack, unpack } from 'msgpackr'
import { errorMessage } from '../lib/errors.ts'
import { databaseFailure, type Database, type DatabaseChange, type OpenDatabase } from './database.ts'
import { storeErrors } from './errors.ts'

/** What the store needs of a replicated table. */
export interface SnapshotTable {
  readonly name: string
  /** Rows whose value changed since the last call; `undefined` marks a deleted row. */
  takeChanges(): ReadonlyMap<string, unknown>
  /** All rows, in key order. */
  rows(): Iterable<readonly [key: string, value: unknown]>
  /** Replaces everything by `rows`. */
  load(rows: Iterable<readonly [key: string, value: unknown]>): void
}

/** A key of its own: those of rows have a slash. */
const INDEX_KEY = 'index'
const ROWS_PER_BATCH = 4096

export class TableStore {
  readonly #database: Database
  #appliedIndex: number
  /** Changes taken and not yet in the snapshot; the newest of a row counts. */
  readonly #pending = new Map<string, Buffer | undefined>()
  #writing: Promise<void> = Promise.resolve()

  private constructor(database: Database, appliedIndex: number) {
    this.#database = database
    this.#appliedIndex = appliedIndex
  }

  static async open(folder: string, openDatabase: OpenDatabase): Promise<TableStore> {
    try {
      const database = await openDatabase(folder)
      const index: unknown = decode(await database.get(INDEX_KEY))
      return new TableStore(database, typeof index === 'number' ? index : 0)
    } catch (cause) {
      throw storeErrors.create(
        'STORE_UNREADABLE',
        `the tables in ${folder} cannot be opened: ${errorMessage(cause)}`,
        cause,
      )
    }
  }

  /** Index of the last entry that the snapshot holds; 0 for an empty one. */
  get appliedIndex(): number {
    return this.#appliedIndex
  }

  /** Fills the tables with the snapshot. */
  async load(tables: Iterable<SnapshotTable>): Promise<void> {
    for (const table of tables) {
      const prefix = `${table.name}/`
      const rows: (readonly [string, unknown])[] = []
      // '0' follows '/'.
      for await (const [key, value] of this.#database.rows(prefix, `${table.name}0`)) {
        rows.push([key.slice(prefix.length), decode(value)])
      }
      table.load(rows)
    }
  }

  /**
   * Takes what changed in the tables, which stand at entry `index`. The function given writes it down. If it is not called,
   * or rejects, the changes are kept for the next time.
   */
  cut(index: number, tables: Iterable<SnapshotTable>): () => Promise<void> {
    for (const table of tables) {
      for (const [key, value] of table.takeChanges()) {
        this.#pending.set(`${table.name}/${key}`, value === undefined ? undefined : pack(value))
      }
    }
    const changes = new Map(this.#pending)
    return () => this.#write(index, changes)
  }

  /** Replaces everything by other rows, as of entry `index`. Done again after a crash, it gives the same. */
  async replace(
    index: number,
    rows: AsyncIterable<readonly [table: string, key: string, value: unknown]>,
  ): Promise<void> {
    await this.#writing.catch(() => undefined)
    this.#pending.clear()
    await this.#database.clear()
    let batch: DatabaseChange[] = []
    for await (const [table, key, value] of rows) {
      batch.push({ type: 'put', key: `${table}/${key}`, value: pack(value) })
      if (batch.length < ROWS_PER_BATCH) continue
      await this.#database.write(batch, { sync: false })
      batch = []
    }
    batch.push({ type: 'put', key: INDEX_KEY, value: pack(index) })
    await this.#database.write(batch, { sync: true })
    this.#appliedIndex = index
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => undefined)
    await this.#database.close()
  }

  async #commit(batch: DatabaseChange[]): Promise<void> {
    try {
      await this.#database.write(batch, { sync: true })
    } catch (cause) {
      throw databaseFailure('the tables', cause)
    }
  }

  #write(index: number, changes: Map<string, Buffer | undefined>): Promise<void> {
    const write = this.#writing
      .catch(() => undefined)
      .then(async () => {
        if (changes.size === 0 && index === this.#appliedIndex) return
        const batch: DatabaseChange[] = [{ type: 'put', key: INDEX_KEY, value: pack(index) }]
        for (const [key, value] of changes) {
          batch.push(value === undefined ? { type: 'del', key } : { type: 'put', key, value })
        }
        await this.#commit(batch)
        this.#appliedIndex = index
        // A row that changed again since has another value here.
        for (const [key, value] of changes) {
          if (this.#pending.get(key) === value) this.#pending.delete(key)
        }
      })
    this.#writing = write
    return write
  }
}

function decode(value: Buffer | undefined): unknown {
  return value === undefined ? undefined : unpack(value)
}
