/**
 * Which changes of a membership a leader begins (thesis §4, etcd's strict reconfiguration check). Pure: what the leader
 * knows goes in, a reason to refuse comes out.
 */
import { isRemoved, membersOf } from './memberships.ts'
import { hasQuorum } from './quorum.ts'
import type { Membership, MembershipTarget, NodeId } from './types.ts'

/** Codes of `raftErrors` that a change is refused with. */
export type ChangeRefusal =
  | 'RAFT_NOT_LEADER'
  | 'RAFT_TRANSFERRING'
  | 'RAFT_BUSY'
  | 'RAFT_CHANGE_UNDERWAY'
  | 'RAFT_TOO_MANY_MEMBERS'
  | 'RAFT_ID_USED'
  | 'RAFT_NOT_CAUGHT_UP'
  | 'RAFT_WOULD_LOSE_QUORUM'

export interface ChangeView {
  readonly membership: Membership
  /** An entry of the leader's own term is committed, and so is the membership in force. */
  readonly isSettled: boolean
  /** A full voter's disk that answered lately; before it told this leader what it holds it is only taken to be full. */
  readonly isHeard: (id: NodeId) => boolean
  /** It lacks so little that a quorum which needs it does not stand still (thesis §4.2.1). */
  readonly isCaughtUp: (id: NodeId) => boolean
}

/** A membership travels in the head of a message: it must stay small. */
const MAX_MEMBERS = 15
const MAX_REMOVED = 1_000

type Rule = readonly [refuses: (view: ChangeView, target: MembershipTarget) => boolean, refusal: ChangeRefusal]

const rules: readonly Rule[] = [
  [({ isSettled, membership }) => !isSettled || membership.outgoing.length > 0, 'RAFT_CHANGE_UNDERWAY'],
  [
    ({ membership }, { voters, learners }) =>
      voters.length + learners.length > MAX_MEMBERS || (membership.removed?.length ?? 0) >= MAX_REMOVED,
    'RAFT_TOO_MANY_MEMBERS',
  ],
  [
    ({ membership }, { voters, learners }) => [...voters, ...learners].some((id) => isRemoved(membership, id)),
    'RAFT_ID_USED',
  ],
  // A quorum that needs votes of empty disks decides nothing: only filled learners become voters.
  [
    ({ membership, isHeard, isCaughtUp }, { voters }) =>
      voters.some(
        (id) => !membership.voters.includes(id) && !(isKnown(membership, id) && isHeard(id) && isCaughtUp(id)),
      ),
    'RAFT_NOT_CAUGHT_UP',
  ],
  [
    ({ membership, isHeard }, { voters }) =>
      voters.length === 0 || !hasQuorum({ voters, outgoing: membership.voters, learners: [] }, isHeard),
    'RAFT_WOULD_LOSE_QUORUM',
  ],
]

const isKnown = (membership: Membership, id: NodeId): boolean => membersOf(membership).includes(id)

/** Why `target` is not begun now, or undefined if it may be. */
export function changeRefusal(view: ChangeView, target: MembershipTarget): ChangeRefusal | undefined {
  return rules.find(([refuses]) => refuses(view, target))?.[1]
}
