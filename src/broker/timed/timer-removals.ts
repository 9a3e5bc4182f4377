/**
 * The replicated side of messages that wait for a time of their own. Which wait is derived from the log (`TimerIndex`);
 * its one operation lies in the entry that delivers them, takes them back, or stores them again.
 *
 * | op | arguments | effect |
 * | --- | --- | --- |
 * | `remove` | list of `[dueMs, offset]` | the records at these offsets wait no more |
 */
import { assert } from '../../lib/assert.ts'
import type { PendingTimer, TimerIndex } from '../../store/timer-index.ts'
import type { Command, ReplicatedTable } from '../needs.ts'

const TABLE = 'timers'

export class TimerRemovals implements ReplicatedTable {
  readonly name = TABLE
  readonly #index: () => Pick<TimerIndex, 'remove'> | undefined

  /** `index` is there once entries are applied. */
  constructor(index: () => Pick<TimerIndex, 'remove'> | undefined) {
    this.#index = index
  }

  apply(op: string, args: readonly unknown[]): undefined {
    assert(op === 'remove', `no operation ${op}`)
    const [list] = args
    assert(Array.isArray(list), 'timers are removed as a list')
    const timers: readonly unknown[] = list
    const index = this.#index()
    for (const timer of timers) {
      assert(Array.isArray(timer), 'a timer is a pair')
      const [dueMs, offset]: readonly unknown[] = timer
      assert(typeof dueMs === 'number' && typeof offset === 'number', 'a timer is its time and its offset')
      index?.remove(dueMs, offset)
    }
    return undefined
  }

  takeChanges(): ReadonlyMap<string, unknown> {
    return new Map()
  }

  rows(): Iterable<readonly [key: string, value: unknown]> {
    return []
  }

  load(): void {
    // What waits is derived from the log, not from a snapshot.
  }
}

export function removeTimers(timers: readonly PendingTimer[]): Command {
  return { table: TABLE, op: 'remove', args: [timers.map(({ dueMs, offset }) => [dueMs, offset])] }
}

/** Whether the command is about timers: it counts even where tables have its entry already, for they hold none. */
export function isTimerRemoval(command: Command): boolean {
  return command.table === TABLE
}
