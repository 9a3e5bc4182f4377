/** The words of the Raft paper, as types. The core holds no entry's bytes: it knows (index, term) only. */

/** A node's name in its group (`n0`). Never reused for another disk. */
export type NodeId = string
/** Place of an entry in the log, from 1. 0 is "before the first entry". */
export type Index = number
/** Raft's logical time, from 1. 0 is "no term yet". */
export type Term = number

export interface EntryId {
  readonly index: Index
  readonly term: Term
}

/** All entries of one term that stand together: a log of a billion entries under twenty leaders is twenty of these. */
export interface TermRun {
  readonly term: Term
  readonly first: Index
  /** Included. Invariant: first <= last. */
  readonly last: Index
}

/** What must be on disk before any answer that stands on it leaves (Raft figure 2, "persistent state"). */
export interface HardState {
  readonly term: Term
  /** Whom this node voted for in `term`. */
  readonly vote: NodeId | null
  /**
   * Whether this node is a full voter. False on an empty disk: until the group is formed, or a leader says that this
   * node holds everything that was committed, it neither votes nor campaigns and its acks count for nothing. A wiped
   * disk under an old id can therefore never vote for a shorter log.
   */
  readonly filled: boolean
  /**
   * False on a disk that may have lost entries which this node acknowledged: it ran in async flush, and its machine went
   * down (`store/trust-file.ts`). Until a leader says that it holds everything that was committed its acks count for
   * nothing, and its vote completes no quorum unless every voter has voted.
   */
  readonly trusted: boolean
  /** The cluster that this disk belongs to, once the entry that names it is committed; null before. */
  readonly clusterId: string | null
}

/** The hard state of a disk that nothing was ever written to. */
export const emptyHardState: HardState = { term: 0, vote: null, filled: false, trusted: true, clusterId: null }

/**
 * Who votes. Outside a change `outgoing` is empty; during a joint change (thesis §4.3) a decision needs a majority of
 * `voters` and a majority of `outgoing`. Travels as data in the log, so that changing it online needs no new format.
 */
export interface Membership {
  readonly voters: readonly NodeId[]
  readonly outgoing: readonly NodeId[]
  readonly learners: readonly NodeId[]
  /** Voters in `outgoing` that become learners when the change is over (etcd ConfState.LearnersNext). */
  readonly learnersNext?: readonly NodeId[]
  /** Ids that took part once and are out for good: no disk is ever a member under them again. */
  readonly removed?: readonly NodeId[]
  /** Where the members reach each other; opaque to Raft. A member without one is where each node's file says. */
  readonly places?: Readonly<Record<NodeId, string>>
  /** Drawn by the group's first leader and part of its first entry; absent only in a configuration not formed yet. */
  readonly clusterId?: string
}

/** Who shall take part once a change is over. */
export interface MembershipTarget {
  readonly voters: readonly NodeId[]
  readonly learners: readonly NodeId[]
  /** Places that are new or change. */
  readonly places?: Readonly<Record<NodeId, string>>
}

/** A membership and the index of the entry that brought it (0: the configuration the group was formed with). */
export interface MembershipEntry {
  readonly index: Index
  readonly membership: Membership
}

/** Why a node should not lead now. */
export interface Fitness {
  /** Its disk takes no writes. */
  readonly diskFull: boolean
  /**
   * From here on entries behind the commit are damaged, and no peer gives them again. Who leads with that can bring nobody
   * up to it: its log counts as ending before, and in doubt, for it may have acknowledged them.
   */
  readonly damagedFrom: Index | undefined
  /** Committed entries that it has yet to apply are damaged, and no peer gives them again now: it would never be ready. */
  readonly cannotApply: boolean
  /** Its disk is slow. It leads while nobody better can: said to the leader, and no reason to stop by itself. */
  readonly diskSlow: boolean
}

export type Role = 'follower' | 'preCandidate' | 'candidate' | 'leader'
