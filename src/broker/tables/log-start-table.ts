/**
 * Where the group decided that its log starts: retention is a replicated decision, so that a failover never moves a
 * queue's minimum. One row.
 */
import { assert } from '../../lib/assert.ts'
import type { Command, ReplicatedTable } from '../needs.ts'

const TABLE = 'logStart'
const KEY = 'offset'

export class LogStartTable implements ReplicatedTable {
  readonly name = TABLE
  #offset = 0
  #isChanged = false

  /** Bytes of the CommitLog below this may go. */
  get offset(): number {
    return this.#offset
  }

  apply(op: string, args: readonly unknown[]): undefined {
    assert(op === 'move', `the log start has no operation ${op}`)
    const [offset] = args
    assert(typeof offset === 'number' && Number.isSafeInteger(offset), 'the log start is an offset')
    // Never back: what was dropped is dropped.
    if (offset <= this.#offset) return undefined
    this.#offset = offset
    this.#isChanged = true
    return undefined
  }

  takeChanges(): ReadonlyMap<string, unknown> {
    const changes = new Map<string, unknown>(this.#isChanged ? [[KEY, this.#offset]] : [])
    this.#isChanged = false
    return changes
  }

  *rows(): Generator<readonly [key: string, value: unknown]> {
    if (this.#offset > 0) yield [KEY, this.#offset]
  }

  load(rows: Iterable<readonly [key: string, value: unknown]>): void {
    this.#offset = 0
    for (const [, value] of rows) if (typeof value === 'number') this.#offset = value
    this.#isChanged = false
  }
}

export const logStartCommands = {
  move: (offset: number): Command => ({ table: TABLE, op: 'move', args: [offset] }),
}
