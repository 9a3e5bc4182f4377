/**
 * When the group acknowledges a send: a replicated table of one row, so that all nodes have the same answer, from the
 * same place in the log on. The files of the nodes give the first value only.
 */
import { assert } from '../../lib/assert.ts'
import type { Command, ReplicatedTable } from '../needs.ts'
import type { BrokerOptions } from '../options/options.ts'

export type Promptness = 'sync' | 'async'

export interface Mode {
  /** What counts as held: `sync` on the medium, `async` written. */
  readonly flush: Promptness
  /** Who must hold it: `sync` a majority, `async` the leader. */
  readonly replication: Promptness
}

const TABLE = 'mode'
const keys = ['flush', 'replication'] as const satisfies readonly (keyof Mode)[]

/**
 * | op | arguments | effect |
 * | --- | --- | --- |
 * | `form` | flush, replication | the mode of a group that has none yet |
 * | `set` | flush or null, replication or null | changes what is not null |
 */
export class GroupMode implements ReplicatedTable {
  readonly name = TABLE
  #mode: Mode | undefined
  #isChanged = false

  /** Undefined until the first leader has formed the group. */
  get current(): Mode | undefined {
    return this.#mode
  }

  apply(op: string, args: readonly unknown[]): undefined {
    const [flush, replication] = args
    assert(op === 'form' || op === 'set', `the mode has no operation ${op}`)
    if (op === 'form' && this.#mode !== undefined) return undefined
    const before = this.#mode ?? { flush: 'sync', replication: 'sync' }
    this.#mode = {
      flush: promptness(flush) ?? before.flush,
      replication: promptness(replication) ?? before.replication,
    }
    this.#isChanged = true
    return undefined
  }

  takeChanges(): ReadonlyMap<string, unknown> {
    const changes = new Map<string, unknown>(this.#isChanged ? this.rows() : [])
    this.#isChanged = false
    return changes
  }

  *rows(): Generator<readonly [key: string, value: unknown]> {
    if (this.#mode === undefined) return
    for (const key of keys) yield [key, this.#mode[key]]
  }

  load(rows: Iterable<readonly [key: string, value: unknown]>): void {
    const values = new Map(rows)
    const [flush, replication] = keys.map((key) => promptness(values.get(key)))
    this.#mode = flush === undefined || replication === undefined ? undefined : { flush, replication }
    this.#isChanged = false
  }
}

export const modeCommands = {
  form: ({ flush, replication }: Mode): Command => ({ table: TABLE, op: 'form', args: [flush, replication] }),
  set: ({ flush = null, replication = null }: Partial<{ [Key in keyof Mode]: Mode[Key] | null }>): Command => ({
    table: TABLE,
    op: 'set',
    args: [flush, replication],
  }),
}

/** Whether `command` is a change of the mode. */
export function isModeCommand(command: Command | undefined): boolean {
  return command?.table === TABLE
}

/** Whether entries behind `command` must be durable, once it counts. */
export function asksForSyncFlush(command: Command): boolean {
  return isModeCommand(command) && command.args[0] === 'sync'
}

/** What a node's file says of the mode. */
export function modeOf(options: Pick<BrokerOptions, 'flushDiskType' | 'raftReplication'>): Mode {
  return { flush: flushOf(options.flushDiskType), replication: options.raftReplication }
}

/** RocketMQ's word for the flush. */
export function flushOf(flushDiskType: BrokerOptions['flushDiskType']): Promptness {
  return flushDiskType === 'SYNC_FLUSH' ? 'sync' : 'async'
}

export function flushDiskTypeOf(flush: Promptness): BrokerOptions['flushDiskType'] {
  return flush === 'sync' ? 'SYNC_FLUSH' : 'ASYNC_FLUSH'
}

/** `value` where it is a promptness, as it comes from the log or another process. */
export function promptness(value: unknown): Promptness | undefined {
  return value === 'sync' || value === 'async' ? value : undefined
}
