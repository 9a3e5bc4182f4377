/** What a replica tells of itself, for people and for `raftmq status`. */
import type { RaftCore } from './core.ts'
import type { ProgressState } from './progress.ts'
import type { Index, Membership, NodeId, Role, Term } from './types.ts'

export interface FollowerStatus {
  /** Highest entry known to be stable there. */
  readonly match: Index
  readonly next: Index
  readonly state: ProgressState
  /** False while its disk is being filled and its acks do not count. */
  readonly filled: boolean
  readonly lagEntries: number
  readonly lastContactMs: number
  /** The connection to it broke, and it was not heard since. */
  readonly isLost: boolean
  /** It has said to this leader that its disk is not slow, and nothing else since. */
  readonly isDiskGood: boolean
}

export interface ReplicaStatus {
  readonly id: NodeId
  readonly role: Role
  readonly term: Term
  readonly leader: NodeId | null
  readonly startIndex: Index
  readonly lastIndex: Index
  readonly commitIndex: Index
  readonly stableIndex: Index
  /** Of it, what is on the medium. */
  readonly durableIndex: Index
  /** On a leader: whether what it appends now must be durable on a quorum before it is committed. */
  readonly isFlushing: boolean
  readonly appliedIndex: Index
  /** Whether this node is a full voter. */
  readonly filled: boolean
  /** False while its log may lack what it acknowledged before its machine went down. */
  readonly trusted: boolean
  /** On a leader: its election stood on logs in doubt, so something acknowledged may be lost. */
  readonly electedInDoubt: boolean
  readonly clusterId: string | null
  readonly members: Membership
  /** On a leader: every other member. `lastContactMs`: milliseconds since it was last heard. */
  readonly progress: Readonly<Record<NodeId, FollowerStatus>>
}

export function statusOf(core: RaftCore, appliedIndex: Index, nowMs: number): ReplicaStatus {
  const { node } = core
  const progress: Record<NodeId, FollowerStatus> = {}
  for (const [id, peer] of core.leading?.progress ?? []) {
    if (id === node.id) continue
    progress[id] = {
      match: peer.match,
      next: peer.next,
      state: peer.state,
      filled: peer.filling === 0,
      lagEntries: node.log.lastIndex - peer.match,
      lastContactMs: nowMs - peer.lastContactMs,
      isLost: peer.isLost,
      isDiskGood: peer.isDiskGood,
    }
  }
  return {
    id: node.id,
    role: core.role,
    term: core.term,
    leader: core.leader,
    startIndex: node.log.start.index,
    lastIndex: node.log.lastIndex,
    commitIndex: node.commit,
    stableIndex: node.stable,
    durableIndex: node.durable,
    isFlushing: core.leading?.isFlushing ?? false,
    appliedIndex,
    filled: node.filled,
    trusted: node.trusted,
    electedInDoubt: core.leading?.isInDoubt ?? false,
    clusterId: node.clusterId,
    members: node.membership,
    progress,
  }
}
