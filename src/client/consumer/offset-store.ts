/** Where a consumer's offsets are kept: a cluster consumer's at the broker, a broadcast one's in a file of its own. */
import type { MessageQueue } from '../core/message-queue.ts'

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
