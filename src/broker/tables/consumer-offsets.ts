/**
 * How far every consumer group is in every queue: a replicated table (RocketMQ ConsumerOffsetManager). One row per
 * `topic@group`, holding the queues' offsets; one command carries what many consumers committed in a while.
 *
 * | op | arguments | effect |
 * | --- | --- | --- |
 * | `commit` | list of `[topic, group, queueId, queueOffset, queueId, queueOffset, …]` | sets them; offsets may go back |
 * | `removeTopic` | topic | forgets what all groups know of the topic |
 * | `removeGroup` | group | forgets the group |
 */
import { assert } from '../../lib/assert.ts'
import type { Command, ReplicatedTable } from '../needs.ts'
import { TableRows, unknownOperation } from './table-rows.ts'

/** Offsets of the queues of one topic, as one group committed them. */
export interface OffsetCommit {
  readonly topic: string
  readonly group: string
  readonly offsets: ReadonlyMap<number, number>
}

export interface OffsetPlace {
  readonly topic: string
  readonly group: string
  readonly queueId: number
}

type Queues = Map<number, number>

const TABLE = 'consumerOffsets'
const SEPARATOR = '@'

export class ConsumerOffsets implements ReplicatedTable {
  readonly name = TABLE
  readonly #rows = new TableRows<Queues>()

  /** The queueOffset to consume next, or undefined when the group never committed one for this queue. */
  get(topic: string, group: string, queueId: number): number | undefined {
    return this.#rows.get(keyOf(topic, group))?.get(queueId)
  }

  /** All that the group committed for the topic. */
  ofTopic(topic: string, group: string): ReadonlyMap<number, number> {
    return this.#rows.get(keyOf(topic, group)) ?? new Map()
  }

  groupsOfTopic(topic: string): string[] {
    const prefix = topic + SEPARATOR
    return [...this.#rows.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length))
  }

  topicsOfGroup(group: string): string[] {
    const suffix = SEPARATOR + group
    return [...this.#rows.keys()].filter((key) => key.endsWith(suffix)).map((key) => key.slice(0, -suffix.length))
  }

  /** All rows: `topic@group` → queueId → queueOffset. */
  all(): Iterable<readonly [key: string, offsets: ReadonlyMap<number, number>]> {
    return this.#rows.entries()
  }

  apply(op: string, args: readonly unknown[]): undefined {
    switch (op) {
      case 'commit': {
        const commits = args[0]
        assert(Array.isArray(commits), 'commits come as a list')
        for (const commit of commits as unknown[]) this.#commit(commit)
        return undefined
      }
      case 'removeTopic':
        assert(typeof args[0] === 'string', 'the topic is named')
        this.forgetTopic(args[0])
        return undefined
      case 'removeGroup':
        assert(typeof args[0] === 'string', 'the group is named')
        this.forgetGroup(args[0])
        return undefined
      default:
        return unknownOperation(TABLE, op)
    }
  }

  /** As part of an entry that moves a group by itself: what it popped is recorded there. */
  move({ topic, group, queueId }: OffsetPlace, queueOffset: number): void {
    this.#commit([topic, group, queueId, queueOffset])
  }

  /** As part of the entry that deletes the topic. */
  forgetTopic(topic: string): void {
    for (const group of this.groupsOfTopic(topic)) this.#rows.delete(keyOf(topic, group))
  }

  /** As part of the entry that deletes the group. */
  forgetGroup(group: string): void {
    for (const topic of this.topicsOfGroup(group)) this.#rows.delete(keyOf(topic, group))
  }

  takeChanges(): ReadonlyMap<string, unknown> {
    return this.#rows.takeChanges(encodeQueues)
  }

  rows(): Iterable<readonly [key: string, value: unknown]> {
    return this.#rows.sorted(encodeQueues)
  }

  load(rows: Iterable<readonly [key: string, value: unknown]>): void {
    this.#rows.load(rows, decodeQueues)
  }

  #commit(commit: unknown): void {
    assert(Array.isArray(commit) && commit.length % 2 === 0, 'a commit is topic, group and pairs')
    const [topic, group] = commit as unknown[]
    assert(typeof topic === 'string' && typeof group === 'string', 'a commit names topic and group')
    const key = keyOf(topic, group)
    let queues = this.#rows.get(key)
    if (queues === undefined) this.#rows.set(key, (queues = new Map()))
    else this.#rows.touch(key)
    setPairs(queues, commit, 2)
  }
}

export const offsetCommands = {
  commit: (commits: Iterable<OffsetCommit>): Command => {
    const list: unknown[] = []
    for (const { topic, group, offsets } of commits) list.push([topic, group, ...[...offsets].flat()])
    return { table: TABLE, op: 'commit', args: [list] }
  },
  removeTopic: (topic: string): Command => ({ table: TABLE, op: 'removeTopic', args: [topic] }),
  removeGroup: (group: string): Command => ({ table: TABLE, op: 'removeGroup', args: [group] }),
}

function keyOf(topic: string, group: string): string {
  return topic + SEPARATOR + group
}

/** `[queueId, queueOffset, …]` by queueId, so that replicas that heard of queues in another order write the same. */
function encodeQueues(queues: Queues): number[] {
  return [...queues].sort(([a], [b]) => a - b).flat()
}

function decodeQueues(value: unknown): Queues {
  assert(Array.isArray(value) && value.length % 2 === 0, 'an offsets row is a list of pairs')
  const queues: Queues = new Map()
  setPairs(queues, value, 0)
  return queues
}

function setPairs(queues: Queues, pairs: readonly unknown[], from: number): void {
  for (let at = from; at < pairs.length; at += 2) {
    const queueId = pairs[at]
    const queueOffset = pairs[at + 1]
    assert(typeof queueId === 'number' && typeof queueOffset === 'number', 'offsets are pairs of numbers')
    queues.set(queueId, queueOffset)
  }
}
