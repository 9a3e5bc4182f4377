/** What an operator asks of a group's members, and the membership it leads to. Pure. */
import { raftErrors } from './errors.ts'
import { isRemoved } from './memberships.ts'
import type { Membership, MembershipTarget, NodeId } from './types.ts'

export type MemberChange =
  /** A new learner, which its peers reach at `place`. */
  | { readonly kind: 'add'; readonly id: NodeId; readonly place: string }
  /** A member is reached at another place from now on. */
  | { readonly kind: 'move'; readonly id: NodeId; readonly place: string }
  /** A learner becomes a voter. */
  | { readonly kind: 'promote'; readonly id: NodeId }
  | { readonly kind: 'remove'; readonly id: NodeId }
  /** `id` leaves and the learner `by` gets its vote, in one change. */
  | { readonly kind: 'replace'; readonly id: NodeId; readonly by: NodeId }

/**
 * Where `change` leads from `membership`; undefined when it is there already, so that asking again is no mistake.
 * Throws `RAFT_ID_USED` or `RAFT_UNKNOWN_MEMBER`.
 */
export function targetOf(membership: Membership, change: MemberChange): MembershipTarget | undefined {
  const now = { voters: membership.voters, learners: [...membership.learners, ...(membership.learnersNext ?? [])] }
  if (change.kind === 'add') return withNew(membership, now, change)
  if (change.kind === 'move') return withPlace(membership, now, change)
  if (change.kind === 'promote') return withVote(membership, now, change.id)
  const { id } = change
  const isOut = isRemoved(membership, id)
  if (change.kind === 'remove') {
    if (isOut) return undefined
    known(membership, now, id)
    return without(now, id)
  }
  const replaced = withVote(membership, now, change.by) ?? now
  if (isOut && now.voters.includes(change.by)) return undefined
  known(membership, now, id)
  return without(replaced, id)
}

function withNew(
  { places, ...membership }: Membership,
  now: MembershipTarget,
  { id, place }: { readonly id: NodeId; readonly place: string },
): MembershipTarget | undefined {
  if (isRemoved(membership, id)) known(membership, now, id)
  if (!isIn(now, id)) return { voters: now.voters, learners: [...now.learners, id], places: { [id]: place } }
  if (places?.[id] === place) return undefined
  throw raftErrors.create('RAFT_ID_USED', `${id} is a member already, at ${places?.[id] ?? '?'}`)
}

function withPlace(
  membership: Membership,
  now: MembershipTarget,
  { id, place }: { readonly id: NodeId; readonly place: string },
): MembershipTarget | undefined {
  known(membership, now, id)
  return membership.places?.[id] === place ? undefined : { ...now, places: { [id]: place } }
}

function withVote(membership: Membership, now: MembershipTarget, id: NodeId): MembershipTarget | undefined {
  known(membership, now, id)
  return now.voters.includes(id) ? undefined : { ...without(now, id), voters: [...now.voters, id] }
}

function without({ voters, learners }: MembershipTarget, id: NodeId): MembershipTarget {
  return { voters: voters.filter((other) => other !== id), learners: learners.filter((other) => other !== id) }
}

function known(membership: Membership, now: MembershipTarget, id: NodeId): void {
  if (isRemoved(membership, id)) throw raftErrors.create('RAFT_ID_USED', `${id} was removed from the group`)
  if (!isIn(now, id)) throw raftErrors.create('RAFT_UNKNOWN_MEMBER', `the group has no member ${id}`)
}

const isIn = ({ voters, learners }: MembershipTarget, id: NodeId): boolean =>
  voters.includes(id) || learners.includes(id)
