import type { SnapshotTable } from '../../../src/store/table-store.ts'

/** A table of plain rows. */
export class PlainTable implements SnapshotTable {
  readonly name: string
  #rows = new Map<string, unknown>()
  #changed = new Set<string>()

  constructor(name: string) {
    this.name = name
  }

  set(key: string, value: unknown): void {
    this.#rows.set(key, value)
    this.#changed.add(key)
  }

  delete(key: string): void {
    this.#rows.delete(key)
    this.#changed.add(key)
  }

  takeChanges(): Map<string, unknown> {
    const changes = new Map([...this.#changed].map((key) => [key, this.#rows.get(key)] as const))
    this.#changed.clear()
    return changes
  }

  *rows(): Generator<readonly [string, unknown]> {
    yield* [...this.#rows].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  load(rows: Iterable<readonly [string, unknown]>): void {
    this.#rows = new Map(rows)
    this.#changed.clear()
  }
}
