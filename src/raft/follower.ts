/** A follower: takes what its leader sends, and watches whether there is one (Raft §5.2, §5.3). */
import { assert } from '../lib/assert.ts'
import type { Append, Commit, Filled, Heartbeat, Message, ResetChunk, TimeoutNow } from './message.ts'
import type { NodeState } from './node-state.ts'
import type { Index, NodeId } from './types.ts'

export type FromLeader = Append | Heartbeat | Commit | ResetChunk | Filled | TimeoutNow

export class Follower {
  readonly role = 'follower'
  readonly #node: NodeState
  #leader: NodeId | null
  #leaderContactMs: number
  #deadlineMs: number
  /** Entries up to here are this leader's: it said so in this term. */
  #verified: Index = 0

  constructor(node: NodeState, leader: NodeId | null) {
    this.#node = node
    this.#leader = leader
    this.#leaderContactMs = node.nowMs
    this.#deadlineMs = drawDeadline(node)
  }

  get leader(): NodeId | null {
    return this.#leader
  }

  /** While true this node votes for nobody else (thesis §4.2.3). */
  get leaderAlive(): boolean {
    const { nowMs, config } = this.#node
    return this.#leader !== null && nowMs - this.#leaderContactMs < config.electionTimeoutMinMs
  }

  /** Returns true when it is time to ask for an election. */
  tick(): boolean {
    if (this.#node.nowMs < this.#deadlineMs) return false
    if (this.#node.mayCampaign) return true
    this.#leader = this.leaderAlive ? this.#leader : null
    this.#deadlineMs = drawDeadline(this.#node)
    return false
  }

  /** This node itself stood still for `gapMs`: its leader was not silent, it was not heard. */
  stalled(gapMs: number): void {
    this.#deadlineMs += gapMs
    this.#leaderContactMs += gapMs
  }

  postpone(): void {
    this.#deadlineMs = drawDeadline(this.#node)
  }

  /** The election comes within `withinMs` unless a leader speaks before. */
  hasten(withinMs: number): void {
    const { nowMs, random } = this.#node
    this.#deadlineMs = Math.min(this.#deadlineMs, nowMs + random.integer(0, withinMs))
  }

  /** The leader's process ended: nothing is owed to it any more. */
  leaderLost(): void {
    this.#leader = null
    this.hasten(this.#node.config.heartbeatMs)
  }

  /** A message of this term's leader. Returns true when it asks this node to campaign at once. */
  step(message: FromLeader): boolean {
    this.#heard(message.from)
    if (message.type === 'timeoutNow') return this.#node.mayCampaign && this.#node.trusted
    this.#take(message)
    return false
  }

  #take(message: Exclude<FromLeader, TimeoutNow>): void {
    switch (message.type) {
      case 'append':
        return this.#append(message)
      case 'heartbeat':
        return this.#heartbeat(message)
      case 'commit':
        return this.#commitTo(message.commit)
      case 'resetChunk':
        return this.#reset(message)
      case 'filled':
        if (message.filling === this.#node.start) this.#node.becomeFilled()
    }
  }

  /** A reset put other entries here: what the leader verified before is gone. */
  restored(index: Index): void {
    this.#verified = index
  }

  #heard(leader: NodeId): void {
    assert(this.#leader === null || this.#leader === leader, `one leader in term ${this.#node.term}`)
    this.#leader = leader
    this.#leaderContactMs = this.#node.nowMs
    this.#deadlineMs = drawDeadline(this.#node)
    this.#node.acceptsDoubt = false
  }

  #append(message: Append): void {
    const node = this.#node
    const { log } = node
    if (!isWellFormed(message)) return
    node.askDurable(message.durable)
    // Before the start everything is committed and shared by every leader: the answer moves the leader past it.
    if (message.prevIndex < log.start.index) return this.#ack(message, log.start.index)
    if (log.termAt(message.prevIndex) !== message.prevTerm) return this.#reject(message)

    const last = message.runs.at(-1)?.last ?? message.prevIndex
    const divergence = message.runs.length === 0 ? last + 1 : log.divergence(message.runs)
    let match = Math.min(divergence - 1, last)
    if (divergence <= last) {
      // As if the append were lost: the leader finds that out by its next heartbeat, and asks again.
      if (divergence <= log.lastIndex && !node.truncateAfter(divergence - 1)) return
      // Frames are taken whole or not at all: after a partial overlap the leader sends what is missing.
      if (divergence === message.prevIndex + 1 && node.sink.appendFrames(message)) {
        log.append(message.runs)
        for (const entry of message.memberships) node.memberships.append(entry)
        match = last
      }
    }
    this.#verified = Math.max(this.#verified, match)
    node.commitTo(Math.min(message.commit, match))
    this.#ack(message, match)
  }

  /** The ack leaves once everything appended so far is stable. */
  #ack(message: Append, match: Index): void {
    const node = this.#node
    node.sendStable({
      type: 'appendReply',
      from: node.id,
      to: message.from,
      term: node.term,
      session: message.session,
      match,
      end: message.runs.at(-1)?.last ?? message.prevIndex,
      // The outbox lowers it to what is true when the ack leaves.
      durable: match,
      filling: node.filling,
    })
  }

  #reject(message: Append): void {
    const node = this.#node
    const hint = node.log.sharedAtMost(Math.min(message.prevIndex, node.log.lastIndex), message.prevTerm)
    // What is committed here is in every leader's log.
    const committed = { index: node.commit, term: node.log.termAt(node.commit) ?? 0 }
    const best = hint === undefined || hint.index < committed.index ? committed : hint
    node.send({
      type: 'appendReject',
      from: node.id,
      to: message.from,
      term: node.term,
      session: message.session,
      prevIndex: message.prevIndex,
      hintIndex: best.index,
      hintTerm: best.term,
      filling: node.filling,
    })
  }

  #heartbeat(message: Heartbeat): void {
    const node = this.#node
    this.#commitTo(message.commit)
    node.askDurable(message.durable)
    const match = Math.min(this.#verified, node.stable)
    node.send({
      type: 'heartbeatReply',
      from: node.id,
      to: message.from,
      term: node.term,
      session: message.session,
      round: message.round,
      sent: message.sent,
      received: this.#verified,
      match,
      durable: Math.min(match, node.durable),
      filling: node.filling,
      ...node.slowness,
    })
  }

  #commitTo(commit: Index): void {
    this.#node.commitTo(Math.min(commit, this.#verified))
  }

  #reset(message: ResetChunk): void {
    const node = this.#node
    const { start } = message.meta
    if (start.index > node.commit && !node.log.has(start)) return node.sink.resetChunk(message)
    // Here already: an earlier answer was lost, or appends were faster.
    this.#verified = Math.max(this.#verified, start.index)
    node.commitTo(start.index)
    node.sendStable({
      type: 'resetReply',
      from: node.id,
      to: message.from,
      term: node.term,
      session: message.session,
      reset: message.reset,
      position: message.meta.byteLength,
      done: true,
      match: start.index,
      filling: node.filling,
    })
  }
}

export function drawDeadline(node: NodeState): number {
  const { electionTimeoutMinMs, electionTimeoutMaxMs } = node.config
  return node.nowMs + node.random.integer(electionTimeoutMinMs, electionTimeoutMaxMs)
}

/** Runs follow `prevIndex` without gaps, in ascending terms, none of a term that has not come. */
function isWellFormed(message: Append): boolean {
  let index = message.prevIndex
  let term = message.prevTerm
  for (const run of message.runs) {
    if (run.first !== index + 1 || run.last < run.first || run.term < term || run.term > message.term) return false
    index = run.last
    term = run.term
  }
  return message.memberships.every((entry) => entry.index > message.prevIndex && entry.index <= index)
}

export function isFromLeader(message: Message): message is FromLeader {
  return fromLeader.has(message.type)
}

const fromLeader: ReadonlySet<Message['type']> = new Set<FromLeader['type']>([
  'append',
  'heartbeat',
  'commit',
  'resetChunk',
  'filled',
  'timeoutNow',
])
