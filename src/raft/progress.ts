/**
 * What a leader knows of one follower, as a small state machine.
 *
 *   probe      one question at a time: where do our logs meet?
 *   replicate  appends stream ahead of their answers, within a window
 *   reset      the follower needs entries from before the log's start; a reset is under way
 *
 *   probe --ok--> replicate --reject, loss--> probe        probe --hint before the start--> reset --done--> probe
 *   any --the peer restarted--> probe, with a new session and nothing known
 */
import { assert } from '../lib/assert.ts'
import { Inflights, type Window } from './inflights.ts'
import type { Index, NodeId } from './types.ts'

export type ProgressState = 'probe' | 'replicate' | 'reset'

export class Progress {
  readonly id: NodeId
  /** Highest entry known to be the follower's and stable there. Invariant: match < next. */
  match: Index = 0
  /** Of `match`, what is known to be on its medium. Invariant: durable <= match. */
  durable: Index = 0
  /** The next entry to send. Entries between match and next are on the way. */
  next: Index
  state: ProgressState = 'probe'
  /** Echoed by every answer; an answer of another session says nothing about this one. */
  session: number
  /** A probe is on the way; another leaves with the next heartbeat. */
  probing = false
  lastContactMs: number
  /** The connection to it broke and it was not heard since. */
  isLost = false
  /** It has said to this leader that its disk is not slow, and nothing else since. */
  isDiskGood = false
  /** Highest commit told to the follower. */
  toldCommit: Index = 0
  /** Highest read-index round the follower confirmed. */
  round = 0
  /** 0 for a full voter; otherwise the number of a start that is being filled. */
  filling = 0
  /** Of a node in doubt whose vote elected this leader: the leader's first entry. 0 otherwise. */
  absolvedAt: Index = 0
  /**
   * Entry proposed after `filling` was first seen. Once it is committed, by the others' quorum alone, and there, every
   * decision that the old disk took part in is in the leader's log or can no longer be completed:
   *   1. the others' quorum that committed it shares a node with any quorum the old disk was part of;
   *   2. that node refuses a candidate whose log lacks the entry, and a vote of the old disk was for such a log.
   */
  fillIndex: Index = 0

  readonly #inflights: Inflights

  constructor(init: { id: NodeId; next: Index; session: number; nowMs: number; window: Window }) {
    this.id = init.id
    this.next = init.next
    this.session = init.session
    this.lastContactMs = init.nowMs
    this.#inflights = new Inflights(init.window)
  }

  /** What this follower's acks are worth to a quorum: nothing while it is being filled. */
  get countedMatch(): Index {
    return this.#counts ? this.match : 0
  }

  /** The same of what is on its medium. */
  get countedDurable(): Index {
    return this.#counts ? this.durable : 0
  }

  /** Of a node in doubt that voted for this leader nothing is missing any more once it has all that the leader began with. */
  get #counts(): boolean {
    return this.filling === 0 || (this.absolvedAt > 0 && this.match >= this.absolvedAt)
  }

  get windowOpen(): boolean {
    return this.#inflights.isOpen
  }

  /** Entries up to `last` leave now. Only in `replicate`. */
  sent(last: Index, bytes: number): void {
    assert(this.state === 'replicate', 'entries are sent to a follower whose log is known')
    assert(last >= this.next, `entries up to ${last} were sent before ${this.next}`)
    this.next = last + 1
    this.#inflights.add(last, bytes)
  }

  /** The follower holds everything up to `match`, up to `durable` on its medium. */
  acked(match: Index, durable: Index): void {
    this.#inflights.freeTo(match)
    this.durable = Math.max(this.durable, Math.min(durable, match))
    this.match = Math.max(this.match, match)
    this.next = Math.max(this.next, this.match + 1)
  }

  becomeProbe(next: Index): void {
    this.state = 'probe'
    this.probing = false
    this.next = Math.max(next, this.match + 1)
    this.toldCommit = Math.min(this.toldCommit, this.next - 1)
    this.#inflights.clear()
  }

  becomeReplicate(): void {
    this.state = 'replicate'
    this.probing = false
    this.next = this.match + 1
    this.#inflights.clear()
  }

  becomeReset(): void {
    this.state = 'reset'
    this.probing = false
    this.#inflights.clear()
  }

  /** The peer is another process now: what the old one had matched, had on the way and had confirmed is forgotten. */
  restart(session: number): void {
    const next = this.next
    this.session = session
    this.match = 0
    this.durable = 0
    this.isLost = false
    this.absolvedAt = 0
    this.round = 0
    this.toldCommit = 0
    this.becomeProbe(next)
  }

  /** A node in doubt, in its start `filling`, that voted for the leader whose first entry is `firstIndex`. */
  absolve(filling: number, firstIndex: Index): void {
    this.filling = filling
    this.absolvedAt = firstIndex
    this.fillIndex = firstIndex
  }
}
