/**
 * Ordered pops (RocketMQ ConsumerOrderInfoManager): a queue gives nothing more to its group until what it gave is
 * acknowledged or visible again, and then begins with the first that is not acknowledged. At most one row a queue; part
 * of `checkpoints.ts`, which describes the changes.
 */
import { TableRows, unknownOperation } from '../tables/table-rows.ts'
import type { PopChange, PopCheckpointsNeeds } from './checkpoints.ts'
import { listOf, numbersOf } from './lists.ts'
import { type PopQueue, queueKey } from './pop-queue.ts'

interface Row extends PopQueue {
  readonly popTimeMs: number
  readonly invisibleMs: number
  readonly attemptId: string
  readonly offsets: readonly number[]
  /** How often each was delivered before. */
  readonly counts: readonly number[]
  /** When each is visible again, where that was changed; 0: with the rest. */
  readonly visibleMs: number[]
  readonly acked: boolean[]
}

const PREFIX = '~order@'

export class OrderedPops {
  readonly #need: PopCheckpointsNeeds
  readonly #rows = new TableRows<Row>()

  constructor(need: PopCheckpointsNeeds) {
    this.#need = need
  }

  static isOwn(key: string): boolean {
    return key.startsWith(PREFIX)
  }

  /** Whether the queue waits for acknowledgements. The same attempt, asked again, is given the same once more. */
  isBlocked(queue: PopQueue, nowMs: number, attemptId: string | undefined): boolean {
    const row = this.#rows.get(keyOf(queue))
    if (row === undefined || (attemptId !== undefined && attemptId !== '' && attemptId === row.attemptId)) return false
    return row.offsets.some((_offset, at) => row.acked[at] !== true && visibleAt(row, at) > nowMs)
  }

  change(kind: string, [topic, group, queueId, ...rest]: readonly unknown[]): unknown {
    const queue = { topic: String(topic), group: String(group), queueId: Number(queueId) }
    if (kind === 'orderPop') return this.#pop(queue, rest)
    const [popTimeMs, offset = -1, visibleMs = 0] = numbersOf(rest)
    const row = this.#rows.get(keyOf(queue))
    const at = row?.offsets.indexOf(offset) ?? -1
    if (row === undefined || row.popTimeMs !== popTimeMs || at < 0) return false
    this.#rows.touch(keyOf(queue))
    if (kind === 'orderMove') row.visibleMs[at] = visibleMs
    else if (kind === 'orderAck') this.#ack(row, at)
    else return unknownOperation('popCheckpoints', kind)
    return true
  }

  forget(is: (queue: PopQueue) => boolean): void {
    for (const row of Array.from(this.#rows.values())) if (is(row)) this.#rows.delete(keyOf(row))
  }

  takeChanges(): Map<string, unknown> {
    return this.#rows.takeChanges(encode)
  }

  rows(): Iterable<readonly [key: string, value: unknown]> {
    return this.#rows.sorted(encode)
  }

  load(rows: Iterable<readonly [key: string, value: unknown]>): void {
    this.#rows.load(rows, (value, key) => decode(key, value))
  }

  #pop(queue: PopQueue, [popTime, invisible, from, list, attempt]: readonly unknown[]): readonly number[] | false {
    if ((this.#need.offsetOf(queue) ?? -1) !== from) return false
    const offsets = numbersOf(list)
    const [popTimeMs = 0, invisibleMs = 0] = numbersOf([popTime, invisible])
    const before = this.#rows.get(keyOf(queue))
    const counts = offsets.map((offset) => {
      const at = before?.offsets.indexOf(offset) ?? -1
      return at < 0 ? 0 : (before?.counts[at] ?? 0) + 1
    })
    const fresh = { visibleMs: offsets.map(() => 0), acked: offsets.map(() => false) }
    this.#rows.set(keyOf(queue), {
      ...queue,
      popTimeMs,
      invisibleMs,
      attemptId: String(attempt),
      offsets,
      counts,
      ...fresh,
    })
    // From now on the group has a place in the queue, wherever it ends.
    if (from === -1) this.#need.commit(queue, offsets[0] ?? 0)
    return counts
  }

  #ack(row: Row, at: number): void {
    row.acked[at] = true
    const first = row.acked.indexOf(false)
    const last = row.offsets.at(-1) ?? 0
    this.#need.commit(row, first < 0 ? last + 1 : (row.offsets[first] ?? 0))
    if (first < 0) this.#rows.delete(keyOf(row))
  }
}

export const orderChanges = {
  pop: (
    { topic, group, queueId }: PopQueue,
    taken: {
      readonly popTimeMs: number
      readonly invisibleMs: number
      readonly from: number | undefined
      readonly offsets: readonly number[]
      readonly attemptId: string | undefined
    },
  ): PopChange => {
    const { popTimeMs, invisibleMs, from, offsets, attemptId } = taken
    return ['orderPop', topic, group, queueId, popTimeMs, invisibleMs, from ?? -1, offsets, attemptId ?? '']
  },
  ack: ({ topic, group, queueId }: PopQueue, popTimeMs: number, offset: number): PopChange => [
    'orderAck',
    topic,
    group,
    queueId,
    popTimeMs,
    offset,
  ],
  move: (
    { topic, group, queueId }: PopQueue,
    popTimeMs: number,
    { offset, visibleMs }: { readonly offset: number; readonly visibleMs: number },
  ): PopChange => ['orderMove', topic, group, queueId, popTimeMs, offset, visibleMs],
}

function visibleAt(row: Row, at: number): number {
  const changed = row.visibleMs[at] ?? 0
  return changed > 0 ? changed : row.popTimeMs + row.invisibleMs
}

function keyOf(queue: PopQueue): string {
  return PREFIX + queueKey(queue)
}

function encode({ popTimeMs, invisibleMs, attemptId, offsets, counts, visibleMs, acked }: Row): unknown {
  return [popTimeMs, invisibleMs, attemptId, offsets, counts, [...visibleMs], [...acked]]
}

function decode(key: string, value: unknown): Row {
  const [topic = '', group = '', queueId] = key.slice(PREFIX.length).split('@')
  const [popTime, invisible, attemptId, offsets, counts, visible, acked] = listOf(value)
  const [popTimeMs = 0, invisibleMs = 0] = numbersOf([popTime, invisible])
  return {
    topic,
    group,
    queueId: Number(queueId),
    popTimeMs,
    invisibleMs,
    attemptId: String(attemptId),
    offsets: numbersOf(offsets),
    counts: numbersOf(counts),
    visibleMs: [...numbersOf(visible)],
    acked: listOf(acked).map((one) => one === true),
  }
}
