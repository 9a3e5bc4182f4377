/**
 * Brings the followers' logs to their leader's (Raft §5.3): where they meet, what is sent ahead of its answers, what was
 * lost on the way, and how far it is committed.
 */
import { assert } from '../lib/assert.ts'
import type { FlushRule } from './flush-rule.ts'
import type { Followers } from './followers.ts'
import { appendTo, heartbeatTo, saidTo } from './leader-says.ts'
import type { Answer, Append, AppendReject, AppendReply, HeartbeatReply, ResetChunk, ResetReply } from './message.ts'
import type { NodeState } from './node-state.ts'
import type { ResetMeta } from './ports.ts'
import type { Progress } from './progress.ts'
import type { Index, NodeId, TermRun } from './types.ts'

/** Entries that a follower may be sent now. */
export interface Wanted {
  readonly session: number
  readonly first: Index
  readonly last: Index
}

export class Replication {
  readonly #node: NodeState
  readonly #followers: Followers
  readonly #flushing: FlushRule

  constructor(node: NodeState, followers: Followers, flushing: FlushRule) {
    this.#node = node
    this.#followers = followers
    this.#flushing = flushing
  }

  /** A heartbeat of read-index round `round` to everybody; who has not answered a probe is asked again. */
  heartbeat(round: number): void {
    const node = this.#node
    for (const progress of this.#followers.all.values()) {
      if (progress.id === node.id) continue
      const said = { round, commit: this.#tellable(progress), durable: this.#flushing.isDurable }
      node.send(heartbeatTo(node, progress, said))
      progress.probing = false
      this.probe(progress)
    }
  }

  probeAll(): void {
    for (const progress of this.#followers.all.values()) if (progress.id !== this.#node.id) this.probe(progress)
  }

  /** Asks whether the entry before `next` is there; carries no entries. */
  probe(progress: Progress): void {
    if (progress.state !== 'probe' || progress.probing) return
    if (progress.next <= this.#node.log.start.index) return progress.becomeReset()
    progress.probing = true
    this.#node.send(this.#appendOf(progress, [], []))
  }

  /** Entries that `peer` may be sent now: its window is open and there are some. */
  wants(peer: NodeId): Wanted | undefined {
    const progress = this.#followers.get(peer)
    const { log, config, id, memberships } = this.#node
    if (progress === undefined || peer === id || progress.state !== 'replicate') return undefined
    if (progress.next > log.lastIndex || !progress.windowOpen) return undefined
    if (progress.next <= log.start.index) {
      progress.becomeReset()
      return undefined
    }
    const last = memberships.reach(
      progress.next,
      log.reach(progress.next, config.maxAppendRuns),
      config.maxAppendMemberships,
    )
    return { session: progress.session, first: progress.next, last }
  }

  /**
   * The append that carries entries `first..last` to `peer`, whose bytes are at hand. Undefined when what `wants` said
   * is over: another session, another state, or already sent.
   */
  append(peer: NodeId, want: Wanted, last: Index, bytes: number): Append | undefined {
    const progress = this.#followers.get(peer)
    if (progress === undefined || progress.state !== 'replicate') return undefined
    if (progress.session !== want.session || progress.next !== want.first) return undefined
    const { log, memberships } = this.#node
    if (want.first <= log.start.index) return undefined
    assert(
      last >= want.first && last <= want.last,
      `entries ${want.first}..${want.last} were wanted, not up to ${last}`,
    )
    const append = this.#appendOf(progress, log.slice(want.first, last), memberships.within(want.first, last))
    progress.sent(last, bytes)
    return append
  }

  /** A piece of a reset for `peer`, if it still waits for one. */
  resetChunk(peer: NodeId, session: number, reset: number, meta: ResetMeta, position: number): ResetChunk | undefined {
    const progress = this.#followers.get(peer)
    if (progress === undefined || progress.state !== 'reset' || progress.session !== session) return undefined
    return { ...saidTo(this.#node, progress), type: 'resetChunk', session, reset, meta, position }
  }

  /** Followers whose commit is behind and whom no append will tell soon. */
  tellCommit(): void {
    for (const progress of this.#followers.all.values()) {
      const commit = this.#tellable(progress)
      if (commit <= progress.toldCommit || progress.id === this.#node.id) continue
      progress.toldCommit = commit
      this.#node.send({ ...saidTo(this.#node, progress), type: 'commit', session: progress.session, commit })
    }
  }

  get hasUntoldCommit(): boolean {
    for (const progress of this.#followers.all.values()) {
      if (progress.id !== this.#node.id && this.#tellable(progress) > progress.toldCommit) return true
    }
    return false
  }

  /** What an answer of this session says of the follower's log. */
  answered(progress: Progress, message: Answer): void {
    switch (message.type) {
      case 'appendReply':
        return this.#accepted(progress, message)
      case 'appendReject':
        return this.#rejected(progress, message)
      case 'heartbeatReply':
        return this.#beaten(progress, message)
      case 'resetReply':
        return this.#resetReply(progress, message)
    }
  }

  #accepted(progress: Progress, message: AppendReply): void {
    this.#acked(progress, message.match, message.durable)
    if (message.match < message.end && progress.state === 'replicate') this.#reprobe(progress, message.match + 1)
  }

  #acked(progress: Progress, match: Index, durable: Index): void {
    if (match > this.#node.log.lastIndex) return
    progress.acked(match, durable)
    if (progress.state === 'probe' && match >= progress.next - 1) progress.becomeReplicate()
    if (progress.state === 'reset' && match >= this.#node.log.start.index) progress.becomeProbe(match + 1)
  }

  #rejected(progress: Progress, message: AppendReject): void {
    const { log } = this.#node
    if (progress.state === 'reset' || message.prevIndex <= progress.match) return
    // A probe is answered once: a rejection of another question is old.
    if (progress.state === 'probe' && message.prevIndex !== progress.next - 1) return
    if (message.hintIndex < log.start.index) return progress.becomeReset()
    const shared = log.sharedAtMost(Math.min(message.hintIndex, message.prevIndex - 1), message.hintTerm)
    if (shared === undefined) return progress.becomeReset()
    this.#reprobe(progress, shared.index + 1)
  }

  #beaten(progress: Progress, message: HeartbeatReply): void {
    progress.round = Math.max(progress.round, message.round)
    progress.isDiskGood = message.diskSlow === undefined
    this.#acked(progress, message.match, message.durable)
    // The heartbeat left after those appends and they are not there: lost on the way.
    if (progress.state === 'replicate' && message.received < message.sent && message.sent > progress.match) {
      this.#reprobe(progress, Math.max(message.received, progress.match) + 1)
    }
  }

  #resetReply(progress: Progress, message: ResetReply): void {
    // A reset is durable when it is done.
    if (message.done) this.#acked(progress, message.match, message.match)
    if (message.done && progress.state === 'probe') this.probe(progress)
    this.#node.sink.resetReply(message)
  }

  #reprobe(progress: Progress, next: Index): void {
    progress.becomeProbe(next)
    this.probe(progress)
  }

  #appendOf(progress: Progress, runs: readonly TermRun[], memberships: Append['memberships']): Append {
    return appendTo(this.#node, progress, { runs, memberships, durable: this.#flushing.isDurable })
  }

  #tellable(progress: Progress): Index {
    return Math.min(this.#node.commit, progress.match)
  }
}
