import type { LogPosition } from './log-position.ts'

/** The files behind the queue. Steps are idempotent: after a lack of room the same step is done again. */
export interface CommitTarget {
  /** Writes back to back from `offset`, within the current segment. */
  write(buffers: readonly Buffer[], offset: number): Promise<void>
  /** The same, durable when it resolves: what was written before need not be. */
  writeDurable(buffers: readonly Buffer[], offset: number): Promise<void>
  /** Makes all that was written durable. May run beside `write`. */
  sync(): Promise<void>
  /** Makes the current segment durable and begins the next one at `start`; durable when it resolves. */
  roll(start: LogPosition): Promise<void>
  /** Cuts the log behind `to`, into earlier segments if need be; durable when it resolves. */
  truncate(to: LogPosition): Promise<void>
}
