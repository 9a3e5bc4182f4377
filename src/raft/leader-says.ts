/** What a leader says, put together: of itself, to one follower. */
import { assert } from '../lib/assert.ts'
import type { Append, AppendReply, Heartbeat } from './message.ts'
import type { NodeState } from './node-state.ts'
import type { Progress } from './progress.ts'
import type { Index, NodeId, Term } from './types.ts'

/** From whom, to whom, and under which term. */
export function saidTo({ id, term }: NodeState, { id: to }: Progress): { from: NodeId; to: NodeId; term: Term } {
  return { from: id, to, term }
}

/** The entries `carried` after the last one sent; without any, a probe whether that one is there. */
export function appendTo(
  node: NodeState,
  progress: Progress,
  carried: Pick<Append, 'runs' | 'memberships' | 'durable'>,
): Append {
  const { log, commit } = node
  const prevIndex = progress.next - 1
  const prevTerm = log.termAt(prevIndex)
  assert(prevTerm !== undefined, `the entry before ${progress.next} has a term`)
  progress.toldCommit = Math.max(progress.toldCommit, Math.min(commit, carried.runs.at(-1)?.last ?? prevIndex))
  const { session } = progress
  return { type: 'append', ...saidTo(node, progress), session, prevIndex, prevTerm, ...carried, commit }
}

export function heartbeatTo(
  node: NodeState,
  progress: Progress,
  said: Pick<Heartbeat, 'round' | 'commit' | 'durable'>,
): Heartbeat {
  progress.toldCommit = Math.max(progress.toldCommit, said.commit)
  const { session, next } = progress
  const { round, commit, durable } = said
  return { type: 'heartbeat', ...saidTo(node, progress), session, round, sent: next - 1, commit, durable }
}

/** The own ack, which takes the way of everybody's. */
export function ownAck({ id, term }: NodeState, session: number, match: Index): AppendReply {
  return { type: 'appendReply', from: id, to: id, term, session, match, end: match, durable: match, filling: 0 }
}
