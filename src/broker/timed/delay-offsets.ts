/**
 * How far the messages of each delay level are delivered: a replicated table (RocketMQ delayOffset.json). Its one
 * operation, `advance`, lies in the same entry as the messages that it delivers: `[level, next queueOffset]`.
 */
import { assert } from '../../lib/assert.ts'
import type { Command, ReplicatedTable } from '../needs.ts'
import { TableRows } from '../tables/table-rows.ts'

export class DelayOffsets implements ReplicatedTable {
  readonly name = 'delayOffsets'
  readonly #rows = new TableRows<number>()

  /** The queueOffset in the level's queue that is delivered next. */
  get(level: number): number {
    return this.#rows.get(String(level)) ?? 0
  }

  /** All levels that delivered anything: level → queueOffset. */
  all(): Map<number, number> {
    return new Map([...this.#rows.entries()].map(([level, next]) => [Number(level), next]))
  }

  advance(level: number, next: number): Command {
    return { table: this.name, op: 'advance', args: [level, next] }
  }

  apply(op: string, args: readonly unknown[]): undefined {
    assert(op === 'advance', `no operation ${op}`)
    const [level, next] = args
    assert(typeof level === 'number' && typeof next === 'number', 'a level advances to a queueOffset')
    assert(next > this.get(level), 'a level advances')
    this.#rows.set(String(level), next)
    return undefined
  }

  takeChanges(): ReadonlyMap<string, unknown> {
    return this.#rows.takeChanges((next) => next)
  }

  rows(): Iterable<readonly [key: string, value: unknown]> {
    return this.#rows.sorted((next) => next)
  }

  load(rows: Iterable<readonly [key: string, value: unknown]>): void {
    this.#rows.load(rows, (value) => {
      assert(typeof value === 'number', 'a delay row is a queueOffset')
      return value
    })
  }
}
