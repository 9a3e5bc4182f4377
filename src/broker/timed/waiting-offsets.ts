/**
 * How far back the log is still needed by messages that wait: those of the delay levels, and halves of transactions. They
 * wait for some hours at most, or are stored again in that time, so retention waits for them.
 */
import { recordOffset } from '../../message/record.ts'
import { SystemTopic } from '../../message/topic-name.ts'
import type { PullRequest, PullResult } from '../../store/consume-queue-pull.ts'
import { delayQueueId, type DelayLevels } from './delay-levels.ts'
import type { DelayOffsets } from './delay-offsets.ts'
import type { PendingHalves } from '../transactions/pending-halves.ts'

export interface WaitingOffsetsNeeds {
  readonly store: {
    queueBounds(topic: string, queueId: number): { readonly min: number; readonly max: number } | undefined
    pull(request: PullRequest): PullResult | Promise<PullResult>
  }
  readonly delayOffsets: Pick<DelayOffsets, 'get'>
  readonly delayLevels: DelayLevels
  readonly halves: Pick<PendingHalves, 'from'>
}

export class WaitingOffsets {
  readonly #need: WaitingOffsetsNeeds

  constructor(need: WaitingOffsetsNeeds) {
    this.#need = need
  }

  /** The offset of the first record in the CommitLog that somebody waits for; Infinity when nobody does. */
  async lowest(): Promise<number> {
    const { delayLevels, delayOffsets, halves } = this.#need
    let lowest = await this.#offsetAt(SystemTopic.transactionHalf, 0, halves.from)
    for (let level = 1; level <= delayLevels.max; level++) {
      const offset = await this.#offsetAt(SystemTopic.schedule, delayQueueId(level), delayOffsets.get(level))
      lowest = Math.min(lowest, offset)
    }
    return lowest
  }

  async #offsetAt(topic: string, queueId: number, from: number): Promise<number> {
    const { store } = this.#need
    const bounds = store.queueBounds(topic, queueId)
    if (bounds === undefined || from >= bounds.max) return Infinity
    const queueOffset = Math.max(from, bounds.min)
    const { slices } = await store.pull({ topic, queueId, queueOffset, maxCount: 1, maxBytes: 1 })
    const first = slices[0]
    return first === undefined ? Infinity : recordOffset(first, 0)
  }
}
