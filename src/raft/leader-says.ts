/** What a leader says, put together: of itself, to one follower. */
import { assert } from '../lib/assert.ts'
import type { Append, AppendReply, Heartbeat } from './message.ts'
import type { NodeState } from './node-state.ts'
import type { Progress } from './progress.ts'
import type { Index } from './types.ts'

/** Entries that a follower may be sent now. */
export interface Wanted {
  readonly session: number
  readonly first: Index
  readonly last: Index
}

/** The entries `carried` after the last one sent; without any, a probe whether that one is there. */
export function appendTo(
  node: NodeState,
  progress: Progress,
  carried: Pick<Append, 'runs' | 'memberships' | 'durable'>,
): Append {
  const { id, term, log, commit } = node
  const prevIndex = progress.next - 1
  const prevTerm = log.termAt(prevIndex)
  assert(prevTerm !== undefined, `the entry before ${progress.next} has a term`)
  progress.toldCommit = Math.max(progress.toldCommit, Math.min(commit, carried.runs.at(-1)?.last ?? prevIndex))
  const { session } = progress
  return { type: 'append', from: id, to: progress.id, term, session, prevIndex, prevTerm, ...carried, commit }
}

export function heartbeatTo(
  node: NodeState,
  progress: Progress,
  said: Pick<Heartbeat, 'round' | 'commit' | 'durable'>,
): Heartbeat {
  const { id, term } = node
  progress.toldCommit = Math.max(progress.toldCommit, said.commit)
  const { session, next } = progress
  const { round, commit, durable } = said
  return { type: 'heartbeat', from: id, to: progress.id, term, session, round, sent: next - 1, commit, durable }
}

/** The own ack, which takes the way of everybody's. */
export function ownAck({ id, term }: NodeState, session: number, match: Index): AppendReply {
  return { type: 'appendReply', from: id, to: id, term, session, match, end: match, durable: match, filling: 0 }
}
