/**
 * Messages that were popped and are not acknowledged: a replicated table, in place of RocketMQ's revive topic. A row is
 * one checkpoint: what one pop took of one queue. Where a group goes on popping is its committed offset
 * (`consumer-offsets.ts`), moved in the same entry.
 *
 * | change | arguments | effect; result |
 * | --- | --- | --- |
 * | `pop` | queue, popTime, invisible, from, next, offsets | if the group's offset is `from`: it becomes `next`, and `offsets` a checkpoint; whether it did |
 * | `ack` | checkpoint, offsets | those are done |
 * | `move` | checkpoint, offset, popTime, invisible | the message becomes a checkpoint of its own; whether it was there |
 * | `orderPop` | queue, popTime, invisible, from, offsets, attempt | the queue's ordered checkpoint; how often each was delivered before |
 * | `orderAck` | queue, popTime, offset | done; the group's offset goes to the first that is not |
 * | `orderMove` | queue, popTime, offset, visible at | |
 *
 * Operations: `apply` takes a list of changes and returns their results; `revive`, with the records of the messages that
 * come again in the same entry, takes a list of `[checkpoint, offsets]`.
 */
import { assert } from '../../lib/assert.ts'
import type { Command, ReplicatedTable } from '../needs.ts'
import { TableRows, unknownOperation } from '../tables/table-rows.ts'
import { listOf, numbersOf } from './lists.ts'
import { OrderedPops } from './ordered-pops.ts'
import { type PopQueue, queueKey } from './pop-queue.ts'

/** A checkpoint, as it is read: offsets that are not acknowledged. */
export interface Checkpoint extends PopQueue {
  readonly key: string
  readonly popTimeMs: number
  readonly invisibleMs: number
  readonly pending: ReadonlySet<number>
}

export interface PopCheckpointsNeeds {
  /** The group's committed offset; part of the entry that is applied. */
  readonly offsetOf: (queue: PopQueue) => number | undefined
  readonly commit: (queue: PopQueue, queueOffset: number) => void
}

export type PopChange = readonly unknown[]

const TABLE = 'popCheckpoints'

interface Row extends Checkpoint {
  readonly pending: Set<number>
}

export class PopCheckpoints implements ReplicatedTable {
  readonly name = TABLE
  readonly ordered: OrderedPops
  readonly #need: PopCheckpointsNeeds
  readonly #rows = new TableRows<Row>()
  /** Messages in flight by queue. */
  readonly #pending = new Map<string, number>()

  constructor(need: PopCheckpointsNeeds) {
    this.#need = need
    this.ordered = new OrderedPops(need)
  }

  get(key: string): Checkpoint | undefined {
    return this.#rows.get(key)
  }

  /** What a message was moved to after `popTimeMs`, if it is pending there; looks through all checkpoints. */
  movedTo(queue: PopQueue, offset: number, popTimeMs: number): Checkpoint | undefined {
    for (const row of this.#rows.values()) {
      if (row.popTimeMs <= popTimeMs || !row.pending.has(offset)) continue
      if (row.key === checkpointKey(queue, offset, row.popTimeMs)) return row
    }
    return undefined
  }

  all(): Iterable<Checkpoint> {
    return this.#rows.values()
  }

  /** Messages of the queue that are popped and not acknowledged. */
  inFlight(queue: PopQueue): number {
    return this.#pending.get(queueKey(queue)) ?? 0
  }

  apply(op: string, args: readonly unknown[]): unknown {
    const list = listOf(args[0])
    if (op === 'apply') return list.map((change) => this.#change(change))
    if (op === 'revive') {
      for (const end of list) {
        const [key, offsets] = listOf(end)
        this.#done(String(key), numbersOf(offsets))
      }
      return undefined
    }
    return unknownOperation(TABLE, op)
  }

  /** As part of the entry that deletes a topic or a group, or moves the group. */
  forget(is: (queue: PopQueue) => boolean): void {
    for (const row of Array.from(this.#rows.values())) if (is(row)) this.#delete(row)
    this.ordered.forget(is)
  }

  takeChanges(): ReadonlyMap<string, unknown> {
    return new Map([...this.#rows.takeChanges(encode), ...this.ordered.takeChanges()])
  }

  *rows(): Generator<readonly [key: string, value: unknown]> {
    // Ordered rows begin with a character behind all that names may hold.
    yield* this.#rows.sorted(encode)
    yield* this.ordered.rows()
  }

  load(rows: Iterable<readonly [key: string, value: unknown]>): void {
    const all = [...rows]
    this.ordered.load(all.filter(([key]) => OrderedPops.isOwn(key)))
    this.#rows.load(
      all.filter(([key]) => !OrderedPops.isOwn(key)),
      (value, key) => decode(key, value),
    )
    this.#pending.clear()
    for (const row of this.#rows.values()) this.#count(row, row.pending.size)
  }

  #change(change: unknown): unknown {
    const [kind, ...args] = listOf(change)
    switch (kind) {
      case 'pop':
        return this.#pop(args)
      case 'ack':
        this.#done(String(args[0]), numbersOf(args[1]))
        return true
      case 'move':
        return this.#move(args)
      default:
        return this.ordered.change(String(kind), args)
    }
  }

  #pop([topic, group, ...rest]: readonly unknown[]): boolean {
    const [queueId, popTimeMs, invisibleMs, from, next] = numbersOf(rest.slice(0, 5))
    const offsets = numbersOf(rest[5])
    const queue = { topic: String(topic), group: String(group), queueId: queueId ?? 0 }
    if ((this.#need.offsetOf(queue) ?? -1) !== from) return false
    const start = offsets[0]
    if (start !== undefined) {
      const key = checkpointKey(queue, start, popTimeMs ?? 0)
      if (this.#rows.has(key)) return false
      this.#add({ ...queue, key, popTimeMs: popTimeMs ?? 0, invisibleMs: invisibleMs ?? 0, pending: new Set(offsets) })
    }
    this.#need.commit(queue, next ?? 0)
    return true
  }

  #move([key, ...rest]: readonly unknown[]): boolean {
    const [offset = 0, popTimeMs = 0, invisibleMs = 0] = numbersOf(rest)
    const row = this.#rows.get(String(key))
    if (row?.pending.has(offset) !== true) return false
    this.#done(row.key, [offset])
    const { topic, group, queueId } = row
    const moved = checkpointKey(row, offset, popTimeMs)
    this.#add({ topic, group, queueId, key: moved, popTimeMs, invisibleMs, pending: new Set([offset]) })
    return true
  }

  #done(key: string, offsets: readonly number[]): void {
    const row = this.#rows.get(key)
    if (row === undefined) return
    let count = 0
    for (const offset of offsets) if (row.pending.delete(offset)) count++
    this.#count(row, -count)
    if (row.pending.size === 0) this.#rows.delete(key)
    else if (count > 0) this.#rows.touch(key)
  }

  #add(row: Row): void {
    this.#rows.set(row.key, row)
    this.#count(row, row.pending.size)
  }

  #delete(row: Row): void {
    this.#count(row, -row.pending.size)
    this.#rows.delete(row.key)
  }

  #count(queue: PopQueue, by: number): void {
    const key = queueKey(queue)
    const count = (this.#pending.get(key) ?? 0) + by
    assert(count >= 0, 'no more is acknowledged than was popped')
    if (count === 0) this.#pending.delete(key)
    else this.#pending.set(key, count)
  }
}

export const popCommands = {
  apply: (changes: readonly PopChange[]): Command => ({ table: TABLE, op: 'apply', args: [changes] }),
  revive: (ends: readonly (readonly [key: string, offsets: readonly number[]])[]): Command => ({
    table: TABLE,
    op: 'revive',
    args: [ends],
  }),
}

export const popChanges = {
  pop: (
    { topic, group, queueId }: PopQueue,
    taken: {
      readonly popTimeMs: number
      readonly invisibleMs: number
      readonly from: number | undefined
      readonly next: number
      readonly offsets: readonly number[]
    },
  ): PopChange => {
    const { popTimeMs, invisibleMs, from, next, offsets } = taken
    return ['pop', topic, group, queueId, popTimeMs, invisibleMs, from ?? -1, next, offsets]
  },
  ack: (key: string, offsets: readonly number[]): PopChange => ['ack', key, offsets],
  move: (key: string, offset: number, popTimeMs: number, invisibleMs: number): PopChange => [
    'move',
    key,
    offset,
    popTimeMs,
    invisibleMs,
  ],
}

export function checkpointKey(queue: PopQueue, start: number, popTimeMs: number): string {
  return `${queueKey(queue)}@${start}@${popTimeMs}`
}

/** Each offset as its distance from the one before: small numbers. */
function encode({ invisibleMs, pending }: Row): unknown {
  const sorted = [...pending].sort((a, b) => a - b)
  return [invisibleMs, ...sorted.map((offset, at) => offset - (sorted[at - 1] ?? 0))]
}

function decode(key: string, value: unknown): Row {
  const [topic = '', group = '', queueId, , popTimeMs] = key.split('@')
  const [invisibleMs = 0, ...steps] = numbersOf(value)
  const pending = new Set<number>()
  let last = 0
  for (const step of steps) {
    last += step
    pending.add(last)
  }
  return { key, topic, group, queueId: Number(queueId), popTimeMs: Number(popTimeMs), invisibleMs, pending }
}
