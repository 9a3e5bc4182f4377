/**
 * What the processors need of the node, as narrow interfaces: each processor names the few it uses.
 * `node.ts` hands in the real ones.
 */
import type { RecordDraft } from '../message/record.ts'

/** How a send ended, once it is decided. */
export interface Stored {
  readonly queueOffset: number
  /** Byte offset of the record in the CommitLog. */
  readonly offset: number
  readonly storeTimestampMs: number
  /** Raft's index of its entry. */
  readonly index: number
}

/** The door to the Raft log. Everything that changes replicated state goes through here. */
export interface Proposals {
  /**
   * Throws what `records` would fail with now for so many bytes or more: `BROKER_NOT_LEADER`, `BROKER_BUSY`. Whoever takes a
   * request apart asks first: a node that has too much to do refuses most of what comes.
   */
  checkRoom(bytes: number): void
  /**
   * Appends `drafts` (one or more records, consecutive in their queue) in one entry and calls `done` once the group's
   * mode lets it be acknowledged (sync replication: committed and applied). `isEarly`: in any mode already when the
   * leader's own write is done (`early-acks.ts`). Exactly one of `stored`/`error` is given.
   * Errors: `BROKER_NOT_LEADER`, `BROKER_BUSY` (certainly not stored), `BROKER_UNDECIDED` (may or may not be stored).
   */
  records(
    drafts: readonly RecordDraft[],
    done: (error: Error | undefined, stored: readonly Stored[] | undefined) => void,
    isEarly?: boolean,
  ): void
  /** Appends a table command; resolves with what applying it returned, after commit and apply, in every mode. */
  command(command: Command): Promise<unknown>
  /** As `command`, with records in the same entry: effect and cause are one (send-back, delayed delivery, …). */
  commandWithRecords(command: Command, drafts: readonly RecordDraft[]): Promise<readonly Stored[]>
}

/**
 * A change of a replicated table: `[name of the table, operation, arguments…]`, encoded with msgpackr in the log.
 * Applying one uses nothing but its arguments and the tables: the same on every replica.
 */
export interface Command {
  readonly table: string
  readonly op: string
  readonly args: readonly unknown[]
}

/** Who leads, as this node knows it. */
export interface Leadership {
  /** True only after an entry of this leader's own term was applied, and while it leads. */
  readonly isReady: boolean
  readonly term: number
  /**
   * Resolves when everything that was committed anywhere before this call is applied here (Raft thesis §6.4, read
   * index). Rejects with `BROKER_NOT_LEADER` or `BROKER_BUSY`.
   */
  readBarrier(): Promise<void>
}

/** One table of the state machine: commands in, reads out, snapshots of its rows. */
export interface ReplicatedTable {
  readonly name: string
  /** Applies an operation. Deterministic; an operation it does not know is our bug. Returns what the proposer gets. */
  apply(op: string, args: readonly unknown[], at: { readonly timestampMs: number }): unknown
  /** Rows whose value changed since the last call, for the snapshot; `undefined` marks a deleted row. */
  takeChanges(): ReadonlyMap<string, unknown>
  /** All rows, for a reset and for the digest, in key order. */
  rows(): Iterable<readonly [key: string, value: unknown]>
  /** Replaces everything by `rows`. */
  load(rows: Iterable<readonly [key: string, value: unknown]>): void
}
