/**
 * Which segments may go: pure. The leader proposes what comes out, so that a failover never moves a queue's minimum; only
 * the forced part is decided by each node alone, and stays below what the snapshot and all voters cover.
 *
 * The keys are RocketMQ's (MessageStoreConfig; DefaultMessageStore.CleanCommitLogService): `fileReservedTime`,
 * `deleteWhen`, `diskMaxUsedSpaceRatio`, and the ratio at which expiry is no longer asked.
 */

export interface RetentionOptions {
  /** `fileReservedTime`. */
  readonly reservedMs: number
  /** `deleteWhen`: hours of the day, local time. */
  readonly deleteHours: readonly number[]
  /** `diskMaxUsedSpaceRatio` as a share: beyond it expired segments go at any hour. */
  readonly maxUsedRatio: number
  /** Beyond it the oldest segments go, expired or not. */
  readonly forceUsedRatio: number
  /** Segments dropped at once, at most (`deleteFileBatchMax`). */
  readonly maxSegments: number
}

export const DEFAULT_RETENTION_OPTIONS: RetentionOptions = {
  reservedMs: 72 * 3_600_000,
  deleteHours: [4],
  maxUsedRatio: 0.75,
  forceUsedRatio: 0.85,
  maxSegments: 10,
}

export interface RetentionInput {
  /** Ascending; the last one grows and always stays. */
  readonly segments: readonly { readonly endOffset: number; readonly lastTimestampMs: number }[]
  /** By `RetentionClock`. */
  readonly nowMs: number
  /** Hour of the day, local time. */
  readonly hour: number
  readonly diskUsedRatio: number
  /** What derived files and tables stand for on disk: nothing beyond may go. */
  readonly coveredOffset: number
}

/**
 * The offset below which segments go; undefined when none does. `coveredOffset` bounds it in every case: for the forced
 * decision of one node it must also be below what every voter has.
 */
export function retentionOffset(input: RetentionInput, options: RetentionOptions): number | undefined {
  const { segments, nowMs, diskUsedRatio, coveredOffset } = input
  const isForced = diskUsedRatio > options.forceUsedRatio
  const isTime = options.deleteHours.includes(input.hour) || diskUsedRatio > options.maxUsedRatio
  if (!isForced && !isTime) return undefined
  let offset: number | undefined
  for (const segment of segments.slice(0, -1).slice(0, options.maxSegments)) {
    const isExpired = nowMs - segment.lastTimestampMs > options.reservedMs
    if (!isExpired && !isForced) break
    if (segment.endOffset > coveredOffset) break
    offset = segment.endOffset
  }
  return offset
}

/**
 * Time for retention: a clock that jumps deletes nothing. It goes with the monotonic clock from where the wall clock stood
 * when the node started, and follows the wall clock back, never forward.
 */
export class RetentionClock {
  #wallMs: number
  #monotonicMs: number

  constructor(now: { readonly wallMs: number; readonly monotonicMs: number }) {
    this.#wallMs = now.wallMs
    this.#monotonicMs = now.monotonicMs
  }

  nowMs(now: { readonly wallMs: number; readonly monotonicMs: number }): number {
    const elapsedMs = Math.max(0, now.monotonicMs - this.#monotonicMs)
    this.#wallMs = Math.min(now.wallMs, this.#wallMs + elapsedMs)
    this.#monotonicMs = now.monotonicMs
    return this.#wallMs
  }
}
