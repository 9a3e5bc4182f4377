/**
 * A replicated table of configurations by name: what topics and subscription groups have in common.
 *
 * | op | arguments | effect |
 * | --- | --- | --- |
 * | `form` | rows | adds the rows that are not there: what a new group begins with |
 * | `create` | row | adds the row unless its name is there |
 * | `update` | rows, attribute changes per row | replaces the rows; attributes are merged into what is there |
 * | `delete` | name, detail | removes the row, and in the same entry what `deleted` removes from other tables |
 */
import { assert } from '../../lib/assert.ts'
import { type AttributeChanges, type Attributes, alterAttributes } from './attributes.ts'
import type { Command, ReplicatedTable } from '../needs.ts'
import { TableRows, unknownOperation } from './table-rows.ts'

export interface Config {
  readonly attributes: Attributes
}

/** Goes up with every change of the table; name servers and administrators compare it (RocketMQ DataVersion). */
export interface TableVersion {
  readonly timestampMs: number
  readonly counter: number
}

export interface ConfigTableNeeds<Row extends Config> {
  readonly name: string
  /** The name of a row that log or snapshot brought; asserts its shape. */
  readonly nameOf: (row: Row) => string
  /** A row was deleted: removes what other tables hold of it. Part of the entry, so it must be deterministic. */
  readonly deleted: (name: string, detail: unknown) => void
}

type ConfigOp = 'form' | 'create' | 'update' | 'delete'

/** No topic and no group has this name: `@` is no legal character. */
const VERSION_KEY = '@version'
const FIRST_VERSION: TableVersion = { timestampMs: 0, counter: 0 }

export class ConfigTable<Row extends Config> implements ReplicatedTable {
  readonly name: string
  readonly #need: ConfigTableNeeds<Row>
  readonly #rows = new TableRows<Row>()
  #version: TableVersion = FIRST_VERSION
  #isVersionChanged = false

  constructor(need: ConfigTableNeeds<Row>) {
    this.name = need.name
    this.#need = need
  }

  get version(): TableVersion {
    return this.#version
  }

  get size(): number {
    return this.#rows.size
  }

  get(name: string): Row | undefined {
    return this.#rows.get(name)
  }

  has(name: string): boolean {
    return this.#rows.has(name)
  }

  /** All rows, in no order. */
  all(): Iterable<Row> {
    return this.#rows.values()
  }

  apply(op: string, args: readonly unknown[], at: { readonly timestampMs: number }): undefined {
    if (!this.#change(op, args)) return undefined
    this.#version = { timestampMs: at.timestampMs, counter: this.#version.counter + 1 }
    this.#isVersionChanged = true
    return undefined
  }

  takeChanges(): ReadonlyMap<string, unknown> {
    const changes = this.#rows.takeChanges(same)
    if (this.#isVersionChanged) changes.set(VERSION_KEY, this.#version)
    this.#isVersionChanged = false
    return changes
  }

  *rows(): Generator<readonly [key: string, value: unknown]> {
    // '@' sorts before letters and after digits and '%', '-': the version is put where key order wants it.
    let isVersionDue = this.#version.counter > 0
    for (const row of this.#rows.sorted(same)) {
      if (isVersionDue && row[0] > VERSION_KEY) {
        isVersionDue = false
        yield [VERSION_KEY, this.#version]
      }
      yield row
    }
    if (isVersionDue) yield [VERSION_KEY, this.#version]
  }

  load(rows: Iterable<readonly [key: string, value: unknown]>): void {
    let version = FIRST_VERSION
    const configs: (readonly [string, unknown])[] = []
    for (const row of rows) {
      if (row[0] === VERSION_KEY) version = versionOf(row[1])
      else configs.push(row)
    }
    this.#rows.load(configs, (value) => this.#rowOf(value))
    this.#version = version
    this.#isVersionChanged = false
  }

  readonly commands = {
    form: (rows: readonly Row[]): Command => this.#command('form', [rows]),
    create: (row: Row): Command => this.#command('create', [row]),
    update: (rows: readonly Row[], changes: readonly AttributeChanges[]): Command =>
      this.#command('update', [rows, changes]),
    delete: (name: string, detail?: unknown): Command => this.#command('delete', [name, detail]),
  }

  /** The names of the rows that a command of this table speaks of. */
  namesIn({ op, args }: Command): string[] {
    if (op === 'delete') return typeof args[0] === 'string' ? [args[0]] : []
    const rows: unknown = op === 'create' ? [args[0]] : args[0]
    return this.#rowsOf(rows).map((row) => this.#need.nameOf(row))
  }

  /** Returns whether anything changed. */
  #change(op: string, args: readonly unknown[]): boolean {
    switch (op) {
      case 'form': {
        const added = this.#rowsOf(args[0]).filter((row) => !this.has(this.#need.nameOf(row)))
        for (const row of added) this.#rows.set(this.#need.nameOf(row), row)
        return added.length > 0
      }
      case 'create': {
        const row = this.#rowOf(args[0])
        if (this.has(this.#need.nameOf(row))) return false
        this.#rows.set(this.#need.nameOf(row), row)
        return true
      }
      case 'update': {
        const changes = args[1]
        assert(isList(changes), 'an update brings attribute changes')
        this.#rowsOf(args[0]).forEach((row, place) => {
          const name = this.#need.nameOf(row)
          const current = this.get(name)?.attributes ?? {}
          const attributes = alterAttributes(current, changesOf(changes[place]))
          this.#rows.set(name, { ...row, attributes })
        })
        return true
      }
      case 'delete': {
        const name = args[0]
        assert(typeof name === 'string', 'a deletion names its row')
        const isDeleted = this.#rows.delete(name)
        this.#need.deleted(name, args[1])
        return isDeleted
      }
      default:
        return unknownOperation(this.name, op)
    }
  }

  #command(op: ConfigOp, args: readonly unknown[]): Command {
    return { table: this.name, op, args }
  }

  #rowsOf(value: unknown): Row[] {
    assert(Array.isArray(value), 'rows come as a list')
    return value.map((row: unknown) => this.#rowOf(row))
  }

  /** Log and snapshot hold what this table wrote: a wrong shape is our bug, and `nameOf` looks at it. */
  #rowOf(value: unknown): Row {
    assert(typeof value === 'object' && value !== null, 'a row is an object')
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- bytes that this table wrote, under a checksum
    const row = value as Row
    assert(typeof this.#need.nameOf(row) === 'string', 'a row has its name')
    return row
  }
}

function versionOf(value: unknown): TableVersion {
  assert(typeof value === 'object' && value !== null, 'a version row is an object')
  assert('counter' in value && typeof value.counter === 'number', 'a version row has its counter')
  assert('timestampMs' in value && typeof value.timestampMs === 'number', 'a version row has its time')
  return { timestampMs: value.timestampMs, counter: value.counter }
}

/** Checked by `checkAttributeChanges` before it was proposed. */
function changesOf(value: unknown): AttributeChanges {
  const changes: Record<string, string> = {}
  for (const [name, text] of Object.entries(value ?? {})) changes[name] = String(text)
  return changes
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

function same<Row>(row: Row): Row {
  return row
}
