/**
 * The rows of a replicated table: by key, with what changed since the last snapshot. A table holds one and adds the
 * operations; what it hands out is never changed in place.
 */
import { createHash } from 'node:crypto'
import { AssertionError } from '../../lib/assert.ts'

export class TableRows<Row> {
  readonly #rows = new Map<string, Row>()
  readonly #changed = new Set<string>()

  get size(): number {
    return this.#rows.size
  }

  get(key: string): Row | undefined {
    return this.#rows.get(key)
  }

  has(key: string): boolean {
    return this.#rows.has(key)
  }

  keys(): Iterable<string> {
    return this.#rows.keys()
  }

  values(): Iterable<Row> {
    return this.#rows.values()
  }

  entries(): Iterable<readonly [key: string, row: Row]> {
    return this.#rows.entries()
  }

  set(key: string, row: Row): void {
    this.#rows.set(key, row)
    this.#changed.add(key)
  }

  /** Marks a row whose inside the table changed. */
  touch(key: string): void {
    this.#changed.add(key)
  }

  delete(key: string): boolean {
    if (!this.#rows.delete(key)) return false
    this.#changed.add(key)
    return true
  }

  /** The changed rows as `encode` writes them, `undefined` for deleted ones; forgets that they changed. */
  takeChanges(encode: (row: Row) => unknown): Map<string, unknown> {
    const changes = new Map<string, unknown>()
    for (const key of this.#changed) {
      const row = this.#rows.get(key)
      changes.set(key, row === undefined ? undefined : encode(row))
    }
    this.#changed.clear()
    return changes
  }

  /** All rows in key order (UTF-16 units), the same on every replica. */
  *sorted(encode: (row: Row) => unknown): Generator<readonly [key: string, value: unknown]> {
    for (const key of [...this.#rows.keys()].sort()) {
      const row = this.#rows.get(key)
      if (row !== undefined) yield [key, encode(row)]
    }
  }

  /** Replaces everything. What was loaded is what the snapshot holds: nothing counts as changed. */
  load(rows: Iterable<readonly [key: string, value: unknown]>, decode: (value: unknown, key: string) => Row): void {
    this.#rows.clear()
    this.#changed.clear()
    for (const [key, value] of rows) this.#rows.set(key, decode(value, key))
  }
}

/** For an operation that its table does not know: a build refuses commands of a later version, so this is our bug. */
export function unknownOperation(table: string, op: string): never {
  throw new AssertionError(`table ${table} knows no operation ${op}`)
}

/** A digest of rows in key order, equal on replicas that applied the same entries. The order of fields does not count. */
export function digestRows(rows: Iterable<readonly [key: string, value: unknown]>): string {
  const hash = createHash('sha256')
  for (const [key, value] of rows) {
    hash.update(JSON.stringify(key))
    hash.update(canonical(value))
  }
  return hash.digest('hex')
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}
