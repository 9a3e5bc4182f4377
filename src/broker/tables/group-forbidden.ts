/**
 * Topics that a subscription group may not read (RocketMQ SubscriptionGroupManager.forbiddenTable): a replicated table.
 *
 * | op | arguments | effect |
 * | --- | --- | --- |
 * | `set` | group, topic, whether reading is forbidden | |
 */
import { assert } from '../../lib/assert.ts'
import type { Command, ReplicatedTable } from '../needs.ts'
import { TableRows, unknownOperation } from './table-rows.ts'

const TABLE = 'groupForbidden'
/** RocketMQ PermName.INDEX_PERM_READ: the bit of a topic's value in `forbiddenTable`. */
const READ_BIT = 1 << 2

export class GroupForbidden implements ReplicatedTable {
  readonly name = TABLE
  /** `group@topic`, for what is forbidden. */
  readonly #rows = new TableRows<true>()

  isReadForbidden(group: string, topic: string): boolean {
    return this.#rows.has(keyOf(group, topic))
  }

  /** As RocketMQ shows it: by group, then topic. */
  all(): Map<string, Map<string, number>> {
    const table = new Map<string, Map<string, number>>()
    for (const key of this.#rows.keys()) {
      const [group = '', topic = ''] = key.split('@')
      table.set(group, (table.get(group) ?? new Map<string, number>()).set(topic, READ_BIT))
    }
    return table
  }

  apply(op: string, args: readonly unknown[]): undefined {
    if (op !== 'set') return unknownOperation(TABLE, op)
    const [group, topic, isForbidden] = args
    assert(typeof group === 'string' && typeof topic === 'string', 'what is forbidden names group and topic')
    if (isForbidden === true) this.#rows.set(keyOf(group, topic), true)
    else this.#rows.delete(keyOf(group, topic))
    return undefined
  }

  /** As part of the entry that deletes the group. */
  forgetGroup(group: string): void {
    for (const key of Array.from(this.#rows.keys())) if (key.startsWith(`${group}@`)) this.#rows.delete(key)
  }

  takeChanges(): ReadonlyMap<string, unknown> {
    return this.#rows.takeChanges((row) => row)
  }

  rows(): Iterable<readonly [key: string, value: unknown]> {
    return this.#rows.sorted((row) => row)
  }

  load(rows: Iterable<readonly [key: string, value: unknown]>): void {
    this.#rows.load(rows, () => true)
  }
}

export const forbiddenCommands = {
  set: (group: string, topic: string, isForbidden: boolean): Command => ({
    table: TABLE,
    op: 'set',
    args: [group, topic, isForbidden],
  }),
}

function keyOf(group: string, topic: string): string {
  return `${group}@${topic}`
}
