/** Arithmetic of majorities, joint ones included (thesis §4.3). Pure. */
import type { Membership, NodeId } from './types.ts'

export type Tally = 'won' | 'lost' | 'pending'

export function majority(voters: number): number {
  return (voters >>> 1) + 1
}

/** The highest value that a majority of `voters` has reached; Infinity for no voters. */
function reached(voters: readonly NodeId[], valueOf: (id: NodeId) => number): number {
  const [first, second, third] = voters
  if (first === undefined) return Infinity
  if (second === undefined) return valueOf(first)
  // The usual size, asked after every ack: the middle one of three, without a list.
  if (third !== undefined && voters.length === 3) return middle(valueOf(first), valueOf(second), valueOf(third))
  const values: number[] = []
  for (const voter of voters) values.push(valueOf(voter))
  values.sort((a, b) => b - a)
  return values[majority(voters.length) - 1] ?? 0
}

function middle(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c))
}

/** The highest value that the quorum has reached: during a joint change, both majorities. */
export function quorumValue(membership: Membership, valueOf: (id: NodeId) => number): number {
  const value = reached(membership.voters, valueOf)
  return membership.outgoing.length === 0 ? value : Math.min(value, reached(membership.outgoing, valueOf))
}

/** Whether the quorum says yes. */
export function hasQuorum(membership: Membership, says: (id: NodeId) => boolean): boolean {
  return quorumValue(membership, (id) => (says(id) ? 1 : 0)) >= 1
}

function tallyOf(voters: readonly NodeId[], voteOf: (id: NodeId) => boolean | undefined): Tally {
  if (voters.length === 0) return 'won'
  let granted = 0
  let refused = 0
  for (const voter of voters) {
    const vote = voteOf(voter)
    if (vote === true) granted++
    else if (vote === false) refused++
  }
  const needed = majority(voters.length)
  if (granted >= needed) return 'won'
  return voters.length - refused < needed ? 'lost' : 'pending'
}

/** How an election stands. A vote that has not come is undefined. Only members' votes are asked for. */
export function tally(membership: Membership, voteOf: (id: NodeId) => boolean | undefined): Tally {
  const incoming = tallyOf(membership.voters, voteOf)
  const outgoing = tallyOf(membership.outgoing, voteOf)
  if (incoming === 'lost' || outgoing === 'lost') return 'lost'
  return incoming === 'won' && outgoing === 'won' ? 'won' : 'pending'
}
