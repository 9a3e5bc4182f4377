/**
 * What the Raft driver (`replica.ts`) needs of the world, as contracts. `broker/` adapts the real store and sockets to
 * them; the simulator hands in its own. `Draft` is what a proposal is made of and opaque here.
 */
import type { EntryId, HardState, Index, Membership, MembershipEntry, NodeId, Term, TermRun } from './types.ts'
import type { Message } from './message.ts'

/** Consecutive entries as they lie in the log: whole frames, back to back, over one or more buffers. */
export interface EntryBytes {
  readonly first: Index
  readonly last: Index
  readonly bytes: readonly Uint8Array[]
}

/** What a log store found when it was opened: everything it tells of is stable. */
export interface LogState {
  /** The entry before the first one kept; `{index: 0, term: 0}` for a log that starts at its beginning. */
  readonly start: EntryId
  /** Term runs of all entries kept, ascending, without gaps, from `start.index + 1`. */
  readonly runs: readonly TermRun[]
  /** Membership entries kept, ascending by index; the first may be the one that the log start stands on. */
  readonly memberships: readonly MembershipEntry[]
}

/**
 * The log on disk. Calls are FIFO: what is appended after a truncation lies after it, also on disk.
 * `append*` and `truncateAfter` take effect in memory at once, or are refused at once.
 */
export interface LogStore<Draft> {
  state(): LogState
  /** Leader: makes the entry `id` from `draft`, encoding it once; the same memory goes to disk and to peers. */
  append(id: EntryId, draft: Draft): void
  /** Leader: the empty entry of a new term (Raft §8). */
  appendEmpty(id: EntryId): void
  /** Leader: a membership, as an entry. */
  appendMembership(id: EntryId, membership: Membership): void
  /**
   * Follower: frames as received. Throws an error with code `RAFT_BAD_ENTRIES` (wire, not a bug) unless every frame is
   * whole, its checksum right, and its index and term are those of `runs` (the pair assertion of the core's arithmetic),
   * and one with code `RAFT_LOG_FULL` when the disk has no room for them; in both cases nothing was appended.
   */
  appendFrames(entries: EntryBytes, runs: readonly TermRun[]): void
  /**
   * Drops every entry after `index`. Precondition: `index` is not below the commit. False, with nothing dropped, while rot
   * hides at which byte the log has to end; the store sees to its repair.
   */
  truncateAfter(index: Index): boolean
  /**
   * Resolves when everything appended and truncated before this call is stable: as `setDurable` says, after fdatasync or
   * once written. Calls join the group commit that is next. A rejection means that the disk can no longer be
   * believed: the node ends.
   */
  stable(): Promise<void>
  /** From now on `stable` waits for the medium (sync flush), or for write(2) only. Told again only when it changes. */
  setDurable(durable: boolean): void
  /** Everything up to here is on the medium, and stays when power is lost. Not above what is in the log. */
  durableIndex(): Index
  /**
   * Entries from `first`, at most up to `last` and about `maxBytes` (at least one entry). Undefined if any of them is no
   * longer (or not yet) here: the caller looks again at what it wanted. Synchronous when the tail cache holds them.
   */
  read(first: Index, last: Index, maxBytes: number): EntryBytes | undefined | Promise<EntryBytes | undefined>
  /** Bytes of frames in `first..last`, an estimate good enough for windows. */
  byteLength(first: Index, last: Index): number
  /** A state to reset a follower with, which is behind the log's start: tables, runs, queue bounds (see `ResetSource`). */
  openReset(): Promise<ResetSource>
  /**
   * Follower: replaces everything by what the chunks said. Called with the chunks in order; resolves, once durable, with
   * the new state of the log. A crash in between leaves either the old or the new state. Rejects, with the old state
   * untouched, with what `chunks` throws (code `RAFT_RESET_ABORTED`), with code `RAFT_BAD_ENTRIES` for bytes that are
   * not a state, or with code `RAFT_LOG_FULL` when the disk has no room for it; any other rejection ends the node.
   */
  applyReset(meta: ResetMeta, chunks: AsyncIterable<Uint8Array>): Promise<LogState>
}

/** What a reset brings: the log then starts after `start`, and is filled by ordinary appends. */
export interface ResetMeta {
  readonly start: EntryId
  readonly membership: MembershipEntry
  readonly byteLength: number
}

export interface ResetSource {
  readonly meta: ResetMeta
  /** `length` bytes at `position` of the state, fewer only at its end. */
  read(position: number, length: number): Promise<Uint8Array>
  close(): void
}

/** Term, vote, and whether this disk is a full voter, on disk. An empty disk loads `emptyHardState`. */
export interface StableStore {
  load(): HardState
  /** Resolves after fsync. A rejection ends the node: no reply may stand on a vote that was not written. */
  save(state: HardState): Promise<void>
}

/** A Raft message with the bytes it speaks of (appends that carry entries; chunks of a reset). */
export interface Envelope {
  readonly message: Message
  readonly payload: readonly Uint8Array[]
}

/**
 * Messages to peers: unordered in principle, at most once, never blocking. A transport drops rather than queues without
 * bound; Raft repeats what matters. The handshake carries the sender's incarnation (new at every process start): the
 * transport reports it by `peerStarted` before it delivers that incarnation's first message.
 */
export interface PeerTransport {
  send(to: NodeId, envelope: Envelope): void
}

/** Who leads, as one node knows it. A node that only asks whether it could win (pre-vote) is still a follower. */
export interface RoleState {
  readonly role: 'follower' | 'candidate' | 'leader'
  readonly term: Term
  readonly leader: NodeId | null
}

/** What the driver tells its owner, always from a turn of its own, never re-entrantly from within a call to it. */
export interface ReplicaEvents {
  /** Entries up to `index` are committed. Called with ascending indexes. */
  committed(index: Index): void
  /** This node's role, the term, and who leads as far as it knows. */
  roleChanged(state: RoleState): void
  /** Entries after `afterIndex` were cut off by another leader. */
  truncated(afterIndex: Index): void
  /**
   * Everything up to `index` is stable on this node (asynchronous replication acknowledges by it on a leader). Not
   * called for every step, and goes back after a truncation.
   */
  stable?(index: Index): void
  /** Who takes part now, and by the last membership known to be committed: at the start and at every change of either. */
  members?(current: MembershipEntry, committed: MembershipEntry): void
  /** On a leader: a learner holds more than it did, came, or its connection broke. `Replica.status` has what it is now. */
  learnersMoved?(): void
  /** The log was replaced by a reset; the state machine must load its tables again. */
  reset(state: LogState): void
  /** The disk or a checked invariant failed: the node must end now. */
  fatal(error: Error): void
}
