/** The limits of what is derived from the log. */

export interface DerivedOptions {
  /** Size of one page file. */
  readonly pageFileBytes: number
  /** Pages kept in memory for reading. */
  readonly cacheBytes: number
  /** Open files of pages, and of key blocks. */
  readonly maxOpenFiles: number
  /**
   * A checkpoint is due when so many bytes of log were applied since the last: what a start has to apply again. One that
   * would write more than the log grew waits, until `dirtyBytes` or the time say otherwise.
   */
  readonly checkpointBytes: number
  /** A checkpoint is due when anything was applied and the last is so long ago. */
  readonly checkpointPeriodMs: number
  /** So many times as long, while one would write more than the log grew. */
  readonly costlyPeriods: number
  /** A checkpoint is due when so many bytes of units and keys are in memory alone. */
  readonly dirtyBytes: number
  /** Bytes of written units that stay in memory because they are the newest. */
  readonly tailBytes: number
  /** A queue is young while the log went on by at most so much since its first message. */
  readonly youngBytes: number
}

export const DERIVED_DEFAULTS: DerivedOptions = {
  pageFileBytes: 64 * 1024 * 1024,
  cacheBytes: 8 * 1024 * 1024,
  maxOpenFiles: 32,
  checkpointBytes: 64 * 1024 * 1024,
  checkpointPeriodMs: 5_000,
  costlyPeriods: 12,
  dirtyBytes: 16 * 1024 * 1024,
  tailBytes: 8 * 1024 * 1024,
  // What brokers of a few gigabytes of memory keep of the log in their page cache.
  youngBytes: 1024 * 1024 * 1024,
}
