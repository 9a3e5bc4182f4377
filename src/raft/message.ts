/**
 * What nodes of a group say to each other: one type per message, told apart by `type`. Entries' bytes are not here; the
 * driver attaches them (`Envelope` in `ports.ts`).
 *
 * Every message carries the sender's term. Requests of a leader carry a `session`, echoed by the answer: a leader draws
 * a new one whenever it learns that the peer restarted, so an answer of the process that is gone counts for nothing.
 */
import type { ResetMeta } from './ports.ts'
import type { Index, MembershipEntry, NodeId, Term, TermRun } from './types.ts'

interface Base {
  readonly from: NodeId
  readonly to: NodeId
  readonly term: Term
}

/** Would you vote for me in `term` (one above mine)? Changes nothing at either end (thesis §9.6). */
export interface PreVote extends Base {
  readonly type: 'preVote'
  readonly lastIndex: Index
  readonly lastTerm: Term
}

/** Granted: `term` is the term asked for. Refused: `term` is the term of who refuses. */
export interface PreVoteReply extends Base {
  readonly type: 'preVoteReply'
  readonly granted: boolean
  /** Only from a node whose log is in doubt: the number of its start. */
  readonly doubt?: number
}

/** RequestVote (Raft figure 2). */
export interface Vote extends Base {
  readonly type: 'vote'
  readonly lastIndex: Index
  readonly lastTerm: Term
  /** The leader asked for this election: no voter refuses because that leader is alive (thesis §3.10). */
  readonly transfer: boolean
}

export interface VoteReply extends Base {
  readonly type: 'voteReply'
  readonly granted: boolean
  /** As in `PreVoteReply`. */
  readonly doubt?: number
}

/** AppendEntries (Raft figure 2). Without runs: a probe whether the entry (prevIndex, prevTerm) is there. */
export interface Append extends Base {
  readonly type: 'append'
  readonly session: number
  readonly prevIndex: Index
  readonly prevTerm: Term
  /** The entries' terms, from `prevIndex + 1` without gaps. */
  readonly runs: readonly TermRun[]
  /** Memberships among the entries: the only content that Raft reads. */
  readonly memberships: readonly MembershipEntry[]
  readonly commit: Index
  /** Stable means on the medium; otherwise written is enough. What the receiver does from here on. */
  readonly durable: boolean
}

/** Everything up to `match` is the leader's and stable here. */
export interface AppendReply extends Base {
  readonly type: 'appendReply'
  readonly session: number
  readonly match: Index
  /** Last index that the append spoke of: when it is above `match`, the rest must be sent again. */
  readonly end: Index
  /** Of `match`, what is on the medium: not above it, and equal to it where stable means durable. */
  readonly durable: Index
  /** 0 from a full voter; otherwise this start's number of a node that is being filled, or whose log is in doubt. */
  readonly filling: number
}

/** The entry (prevIndex, prevTerm) is not here. The hint skips whole terms (Raft §5.3, last paragraphs). */
export interface AppendReject extends Base {
  readonly type: 'appendReject'
  readonly session: number
  readonly prevIndex: Index
  /** The highest entry here that may be in the leader's log: not above `prevIndex`, its term not above `prevTerm`. */
  readonly hintIndex: Index
  readonly hintTerm: Term
  readonly filling: number
}

export interface Heartbeat extends Base {
  readonly type: 'heartbeat'
  readonly session: number
  /** Number of the read-index round this confirms (thesis §6.4). */
  readonly round: number
  /** Last index handed to the transport for this peer in this session. */
  readonly sent: Index
  /** Not above what the peer is known to hold. */
  readonly commit: Index
  /** As in `Append`. */
  readonly durable: boolean
}

export interface HeartbeatReply extends Base {
  readonly type: 'heartbeatReply'
  readonly session: number
  readonly round: number
  readonly sent: Index
  /** Entries known to be the leader's, stable or not: below `sent` something was lost on the way. */
  readonly received: Index
  /** As in `AppendReply`: makes up for lost ones. */
  readonly match: Index
  readonly durable: Index
  readonly filling: number
  /** Only from a node whose disk is slow. */
  readonly diskSlow?: true
}

/** How far the log is committed, when no append says it soon. Not answered. */
export interface Commit extends Base {
  readonly type: 'commit'
  readonly session: number
  readonly commit: Index
}

/** To a leader whose term is over: there is a higher one. */
export interface Stale extends Base {
  readonly type: 'stale'
}

/** Take over: campaign at once (thesis §3.10). */
export interface TimeoutNow extends Base {
  readonly type: 'timeoutNow'
}

/** A piece of the state that replaces a log which ends before the leader's starts. */
export interface ResetChunk extends Base {
  readonly type: 'resetChunk'
  readonly session: number
  /** Which reset of this session. */
  readonly reset: number
  readonly meta: ResetMeta
  readonly position: number
}

/** Bytes below `position` are taken; `done`: the log now starts after `meta.start`, durably. */
export interface ResetReply extends Base {
  readonly type: 'resetReply'
  readonly session: number
  readonly reset: number
  readonly position: number
  readonly done: boolean
  readonly match: Index
  readonly filling: number
}

/** To a node that is being filled: you hold everything that was committed. */
export interface Filled extends Base {
  readonly type: 'filled'
  /** The number the node gave; another start of it (perhaps with another disk) is not meant. */
  readonly filling: number
}

/** Formation, from the voter with the lowest id: are you empty, and configured as I am? */
export interface FormAsk extends Base {
  readonly type: 'formAsk'
  readonly round: number
  readonly members: readonly NodeId[]
}

export interface FormAnswer extends Base {
  readonly type: 'formAnswer'
  readonly round: number
  readonly empty: boolean
  readonly filled: boolean
  /** This start's number. */
  readonly start: number
}

/** All configured nodes answered and are empty: be a voter of the new group. */
export interface Form extends Base {
  readonly type: 'form'
  readonly round: number
  /** The number given in the answer. */
  readonly start: number
}

export type Message =
  | PreVote
  | PreVoteReply
  | Vote
  | VoteReply
  | Append
  | AppendReply
  | AppendReject
  | Heartbeat
  | HeartbeatReply
  | Commit
  | Stale
  | TimeoutNow
  | ResetChunk
  | ResetReply
  | Filled
  | FormAsk
  | FormAnswer
  | Form

/** Pre-votes are about a term to come, and formation is before any: they count whatever the sender's term is. */
export function isBeforeTerms(message: Message): boolean {
  return beforeTerms.has(message.type)
}

const beforeTerms: ReadonlySet<Message['type']> = new Set<Message['type']>([
  'preVote',
  'preVoteReply',
  'formAsk',
  'formAnswer',
  'form',
])

/** An ack claims of durability what is true when it leaves: not above `durable`. */
export function asDurable(message: Message, durable: Index): Message {
  if (message.type !== 'appendReply') return message
  return message.durable <= durable ? message : { ...message, durable }
}

/** What followers answer to a leader. */
export type Answer = AppendReply | AppendReject | HeartbeatReply | ResetReply

export function isAnswer(message: Message): message is Answer {
  return answers.has(message.type)
}

const answers: ReadonlySet<Message['type']> = new Set<Answer['type']>([
  'appendReply',
  'appendReject',
  'heartbeatReply',
  'resetReply',
])
