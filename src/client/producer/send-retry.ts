/**
 * What to do after one attempt to send: a table from what happened to what it means, and one decision on top.
 * The distinction everything hangs on is *certainly not stored* against *undecided*: an undecided message that is sent
 * again may be stored twice, and one that is given up may turn up all the same.
 */
import type { ClientErrorCode } from '../core/errors.ts'

/** What one attempt amounted to. */
export type Outcome = 'stored' | 'notStored' | 'undecided' | 'refused'

export interface Verdict {
  readonly outcome: Outcome
  /** Whether another attempt can help. */
  readonly retriable: boolean
  /** Whether the route may be stale: ask the name server before the next attempt. */
  readonly refreshRoute: boolean
  /**
   * Whether the attempt counts against `retries`. Waiting for a leader or for a busy broker does not: only
   * `sendTimeoutMs` bounds it, so that a failover of a second does not use up three attempts in a millisecond.
   */
  readonly counts: boolean
  /** For how long the leader this attempt went to is passed over, unless the route changes. 0: not at all. */
  readonly suspectMs: number
  /** The error when this is the last attempt; none for `stored`. */
  readonly error: ClientErrorCode
}

/** RocketMQ's names for the ways a message can be stored (`SendStatus`). */
export type SendStatus = 'SEND_OK' | 'FLUSH_DISK_TIMEOUT' | 'SLAVE_NOT_AVAILABLE' | 'FLUSH_SLAVE_TIMEOUT'

const statuses: ReadonlyMap<number, SendStatus> = new Map([
  [0, 'SEND_OK'],
  [10, 'FLUSH_DISK_TIMEOUT'],
  [11, 'SLAVE_NOT_AVAILABLE'],
  [12, 'FLUSH_SLAVE_TIMEOUT'],
])

export function sendStatus(responseCode: number): SendStatus | undefined {
  return statuses.get(responseCode)
}

/** A node that does not lead will forward as soon as it knows who does: it is worth asking again soon. */
const DEPOSED_MS = 60
const UNREACHABLE_MS = 300

const stored: Verdict = {
  outcome: 'stored',
  retriable: false,
  refreshRoute: false,
  counts: true,
  suspectMs: 0,
  error: 'CLIENT_PROTOCOL',
}
const refused: Verdict = {
  outcome: 'refused',
  retriable: false,
  refreshRoute: false,
  counts: true,
  suspectMs: 0,
  error: 'CLIENT_REFUSED',
}
const undecided: Verdict = {
  outcome: 'undecided',
  retriable: true,
  refreshRoute: true,
  counts: true,
  suspectMs: 0,
  error: 'CLIENT_UNDECIDED',
}
const busy: Verdict = {
  outcome: 'notStored',
  retriable: true,
  refreshRoute: false,
  counts: false,
  suspectMs: 0,
  error: 'CLIENT_BUSY',
}
const elsewhere: Verdict = {
  outcome: 'notStored',
  retriable: true,
  refreshRoute: true,
  counts: false,
  suspectMs: DEPOSED_MS,
  error: 'CLIENT_NO_LEADER',
}
const refusedHere: Verdict = {
  outcome: 'notStored',
  retriable: true,
  refreshRoute: true,
  counts: true,
  suspectMs: 0,
  error: 'CLIENT_REFUSED',
}

/**
 * Response code → verdict. The retriable ones are those of `DefaultMQProducer.retryResponseCodes`, plus flow control
 * and "not leader for queue". Code 1 is undecided whatever its remark: our brokers say `UNKNOWN…` with it, and stock
 * ones answer it when a replica did not acknowledge in time, after the message was written.
 */
const byResponseCode: ReadonlyMap<number, Verdict> = new Map([
  ...[...statuses.keys()].map((code): [number, Verdict] => [code, stored]),
  [1, undecided],
  [2, busy],
  [13, { ...refused, error: 'CLIENT_MESSAGE_ILLEGAL' }],
  [14, elsewhere],
  [16, refusedHere],
  [17, refusedHere],
  [204, refusedHere],
  [205, refusedHere],
  [215, busy],
  [501, elsewhere],
  [1500, elsewhere],
])

export function verdictOfResponse(responseCode: number): Verdict {
  return byResponseCode.get(responseCode) ?? refused
}

/** What befell an attempt that got no response. */
export type Trouble = 'noRoute' | 'noLeader' | 'connectFailed' | 'connectionLost' | 'timedOut' | 'overloaded'

const byTrouble: Readonly<Record<Trouble, Verdict>> = {
  noRoute: {
    outcome: 'notStored',
    retriable: true,
    refreshRoute: true,
    counts: true,
    suspectMs: 0,
    error: 'CLIENT_NO_ROUTE',
  },
  noLeader: elsewhere,
  connectFailed: {
    outcome: 'notStored',
    retriable: true,
    refreshRoute: true,
    counts: false,
    suspectMs: UNREACHABLE_MS,
    error: 'CLIENT_CONNECT',
  },
  connectionLost: undecided,
  timedOut: { ...undecided, suspectMs: UNREACHABLE_MS },
  overloaded: {
    outcome: 'notStored',
    retriable: true,
    refreshRoute: false,
    counts: false,
    suspectMs: 0,
    error: 'CLIENT_OVERLOADED',
  },
}

export function verdictOfTrouble(trouble: Trouble): Verdict {
  return byTrouble[trouble]
}

/** The first pause of a send that met a busy broker; each next one is twice as long, up to the last. */
const FIRST_PAUSE_MS = 50
const LAST_PAUSE_MS = 2_000
/**
 * What a busy broker may take for what it does take. An attempt with less time left would turn "certainly not stored" into
 * "nobody knows".
 */
const BUSY_DECIDES_MS = 700

/**
 * How long a send waits that found its broker busy `times` in a row. Half of it is chance: who was refused together does
 * not come back together. `draw`: a number from 0 to below 1.
 */
export function busyPauseMs(times: number, draw: number): number {
  const longest = Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (times - 1))
  return longest * (0.5 + draw / 2)
}

export interface SendState {
  /** Attempts that counted so far, this one included if it did. */
  readonly counted: number
  /** Whether any earlier attempt ended undecided. */
  readonly sawUndecided: boolean
  /** Time left of `sendTimeoutMs`. */
  readonly remainingMs: number
}

export interface RetryPolicy {
  /** Attempts that may follow the first one that counted. */
  readonly retries: number
  readonly retryUndecided: boolean
  /** Shortest time left for which another attempt is worth it. */
  readonly minAttemptMs: number
}

export type Decision =
  | { readonly action: 'deliver' }
  | { readonly action: 'retry'; readonly refreshRoute: boolean }
  | { readonly action: 'fail'; readonly error: ClientErrorCode }

const deliver: Decision = { action: 'deliver' }
const retryHere: Decision = { action: 'retry', refreshRoute: false }
const retryElsewhere: Decision = { action: 'retry', refreshRoute: true }

/**
 * The next step after an attempt. A message that was undecided once stays so in its final error: a later
 * "not stored" speaks of the later attempt only.
 */
export function decideSend(verdict: Verdict, state: SendState, policy: RetryPolicy): Decision {
  if (verdict.outcome === 'stored') return deliver
  const isUndecided = verdict.outcome === 'undecided' || state.sawUndecided
  const error: ClientErrorCode = isUndecided ? 'CLIENT_UNDECIDED' : verdict.error
  if (!verdict.retriable) return { action: 'fail', error }
  if (verdict.outcome === 'undecided' && !policy.retryUndecided) return { action: 'fail', error }
  if (state.counted > policy.retries) return { action: 'fail', error }
  const neededMs = verdict.refreshRoute ? policy.minAttemptMs : Math.max(policy.minAttemptMs, BUSY_DECIDES_MS)
  if (state.remainingMs < neededMs) return { action: 'fail', error }
  return verdict.refreshRoute ? retryElsewhere : retryHere
}

/** The pauses of one send whose broker is busy: the same one is to be asked again, and not at once. */
export class BackOff {
  #times = 0
  untilMs = 0

  /** An attempt ended so; the send's time is over at `deadlineMs`. `draw`: see `busyPauseMs`. */
  judged(decision: Decision, at: { readonly nowMs: number; readonly deadlineMs: number }, draw: number): void {
    this.#times = decision.action === 'retry' && !decision.refreshRoute ? this.#times + 1 : 0
    const pausedMs = at.nowMs + busyPauseMs(this.#times, draw)
    this.untilMs = this.#times === 0 ? 0 : Math.min(pausedMs, at.deadlineMs - BUSY_DECIDES_MS)
  }
}
