/**
 * How the consumers of a group that let the broker assign them queues get their messages: a replicated table (RocketMQ
 * MessageRequestModeManager). Row `topic@group`.
 *
 * | op | arguments | effect |
 * | --- | --- | --- |
 * | `set` | topic, group, mode, number of clients that share a queue | |
 */
import { assert } from '../../lib/assert.ts'
import type { Command, ReplicatedTable } from '../needs.ts'
import { TableRows, unknownOperation } from './table-rows.ts'

export interface RequestMode {
  readonly mode: 'PULL' | 'POP'
  /** POP: how many more clients share a client's queues; 0 or below: all share all. */
  readonly popShareQueueNum: number
}

const TABLE = 'requestModes'

export class RequestModes implements ReplicatedTable {
  readonly name = TABLE
  readonly #rows = new TableRows<RequestMode>()

  get(topic: string, group: string): RequestMode | undefined {
    return this.#rows.get(keyOf(topic, group))
  }

  all(): { readonly topic: string; readonly group: string; readonly mode: RequestMode }[] {
    return [...this.#rows.entries()].map(([key, mode]) => {
      const [topic = '', group = ''] = key.split('@')
      return { topic, group, mode }
    })
  }

  apply(op: string, args: readonly unknown[]): undefined {
    if (op !== 'set') return unknownOperation(TABLE, op)
    const [topic, group, ...mode] = args
    assert(typeof topic === 'string' && typeof group === 'string', 'a mode names topic and group')
    this.#rows.set(keyOf(topic, group), decode(mode))
    return undefined
  }

  /** As part of the entry that deletes a topic or a group. */
  forget(is: (topic: string, group: string) => boolean): void {
    for (const { topic, group } of this.all()) if (is(topic, group)) this.#rows.delete(keyOf(topic, group))
  }

  takeChanges(): ReadonlyMap<string, unknown> {
    return this.#rows.takeChanges(encode)
  }

  rows(): Iterable<readonly [key: string, value: unknown]> {
    return this.#rows.sorted(encode)
  }

  load(rows: Iterable<readonly [key: string, value: unknown]>): void {
    this.#rows.load(rows, decode)
  }
}

export const requestModeCommands = {
  set: (topic: string, group: string, { mode, popShareQueueNum }: RequestMode): Command => ({
    table: TABLE,
    op: 'set',
    args: [topic, group, mode, popShareQueueNum],
  }),
}

function encode({ mode, popShareQueueNum }: RequestMode): unknown {
  return [mode, popShareQueueNum]
}

function decode(value: unknown): RequestMode {
  assert(Array.isArray(value) && typeof value[1] === 'number', 'a mode is a name and a number')
  return { mode: value[0] === 'POP' ? 'POP' : 'PULL', popShareQueueNum: value[1] }
}

function keyOf(topic: string, group: string): string {
  return `${topic}@${group}`
}
