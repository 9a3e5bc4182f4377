/**
 * Where a consumer stands in its queues. `OffsetTable` is the pure part both kinds share: what is consumed here and what
 * of it is committed elsewhere. A cluster consumer commits to the broker, a broadcast one to a file of its own.
 */
import { queueKey } from './message-queue.ts'
import type { MessageQueue } from './message-queue.ts'

export interface OffsetStore {
  /** The stored queueOffset; undefined when the group never committed one for this queue. */
  read(queue: MessageQueue, signal?: AbortSignal): Promise<number | undefined>
  /** Stores the offsets. Resolves when they are stored; rejects with the first failure, having tried all. */
  commit(offsets: readonly QueueOffset[], signal?: AbortSignal): Promise<void>
}

export interface QueueOffset {
  readonly queue: MessageQueue
  readonly queueOffset: number
}

export class OffsetTable {
  readonly #rows = new Map<string, { queue: MessageQueue; queueOffset: number; committed: number }>()

  /** Begins a queue at `queueOffset`, which is what is stored. */
  begin(queue: MessageQueue, queueOffset: number): void {
    this.#rows.set(queueKey(queue), { queue, queueOffset, committed: queueOffset })
  }

  /** Everything below `queueOffset` is consumed. Never goes back; a queue that was ended stays ended. */
  advance(queue: MessageQueue, queueOffset: number): void {
    const row = this.#rows.get(queueKey(queue))
    if (row !== undefined && queueOffset > row.queueOffset) row.queueOffset = queueOffset
  }

  get(queue: MessageQueue): number | undefined {
    return this.#rows.get(queueKey(queue))?.queueOffset
  }

  end(queue: MessageQueue): void {
    this.#rows.delete(queueKey(queue))
  }

  /** What was consumed since it was last committed. */
  uncommitted(): QueueOffset[] {
    const rows: QueueOffset[] = []
    for (const row of this.#rows.values()) {
      if (row.queueOffset !== row.committed) rows.push({ queue: row.queue, queueOffset: row.queueOffset })
    }
    return rows
  }

  committed(offsets: readonly QueueOffset[]): void {
    for (const { queue, queueOffset } of offsets) {
      const row = this.#rows.get(queueKey(queue))
      if (row !== undefined) row.committed = queueOffset
    }
  }

  all(): QueueOffset[] {
    return [...this.#rows.values()].map(({ queue, queueOffset }) => ({ queue, queueOffset }))
  }
}
