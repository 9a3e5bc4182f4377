/** A database of keys on a simulated disk: batches are whole; those that were not synced may be lost, the newest first. */
import type { Random } from '../../src/lib/prng.ts'
import type { Database, DatabaseChange } from '../../src/store/database.ts'

/** Undefined: everything goes. */
type Batch = readonly DatabaseChange[] | undefined

export class SimulatedDatabase {
  #rows = new Map<string, Buffer>()
  #durable = new Map<string, Buffer>()
  #pending: Batch[] = []

  /** As one process sees it: `enter` is what every call waits for. */
  view(enter: (isWrite: boolean) => Promise<void>): Database {
    const write = async (batch: Batch, isSynced: boolean): Promise<void> => {
      await enter(true)
      apply(this.#rows, batch)
      this.#pending.push(batch)
      if (!isSynced) return
      await enter(true)
      this.#durable = new Map(this.#rows)
      this.#pending = []
    }
    const rows = (from: string, below: string): (readonly [string, Buffer])[] =>
      [...this.#rows].filter(([key]) => key >= from && key < below).sort(([a], [b]) => (a < b ? -1 : 1))
    return {
      get: async (key) => {
        await enter(false)
        return this.#rows.get(key)
      },
      async *rows(from, below) {
        await enter(false)
        yield* rows(from, below)
      },
      write: (changes, { sync }) => write(changes, sync),
      clear: () => write(undefined, false),
      close: () => enter(false),
    }
  }

  crash(random: Random): void {
    const kept = random.integer(0, this.#pending.length)
    for (const batch of this.#pending.slice(0, kept)) apply(this.#durable, batch)
    this.#pending = []
    this.#rows = new Map(this.#durable)
  }
}

function apply(rows: Map<string, Buffer>, batch: Batch): void {
  if (batch === undefined) return rows.clear()
  for (const change of batch) {
    if (change.type === 'put') rows.set(change.key, change.value)
    else rows.delete(change.key)
  }
}
