/** One core among imagined peers: messages in, messages out, nothing else. Its log and disk are perfect and silent. */
import { seededRandom } from '../../src/lib/prng.ts'
import { raftConfig, type RaftConfig } from '../../src/raft/config.ts'
import { RaftCore, type Ready } from '../../src/raft/core.ts'
import type { Heartbeat, Message } from '../../src/raft/message.ts'
import type { LogSink } from '../../src/raft/node-state.ts'
import type { HardState, Membership, TermRun } from '../../src/raft/types.ts'

export interface OneCoreOptions {
  readonly id?: string
  readonly voters?: readonly string[]
  readonly membership?: Membership
  /** Terms of the entries from index 1 on. */
  readonly log?: readonly number[]
  readonly hardState?: Partial<HardState>
  readonly seed?: number
  readonly config?: Partial<RaftConfig>
  readonly nowMs?: number
}

/** A message without what every message from `peer` to the core carries. */
export type Said<Type extends Message['type']> = Omit<Extract<Message, { type: Type }>, 'to' | 'from'>

export class OneCore {
  readonly core: RaftCore
  readonly id: string
  readonly truncations: number[] = []
  /** What stable was said to mean, one after the other. */
  readonly flushAsked: boolean[] = []
  /** What its own appends are worth: on the medium, or only written. */
  isDurable = true
  nowMs: number
  /** Whether frames are taken. */
  takesFrames = true
  /** Whether the log can be cut now. */
  canCut = true

  constructor(options: OneCoreOptions = {}) {
    this.id = options.id ?? 'a'
    this.nowMs = options.nowMs ?? 0
    const sink: LogSink = {
      appendEmpty() {},
      appendMembership() {},
      appendFrames: () => this.takesFrames,
      truncateAfter: (index) => {
        if (this.canCut) this.truncations.push(index)
        return this.canCut
      },
      setDurable: (durable) => this.flushAsked.push(durable),
      resetChunk() {},
      resetReply() {},
    }
    const terms = options.log ?? []
    const configured = options.membership ?? { voters: options.voters ?? ['a', 'b', 'c'], outgoing: [], learners: [] }
    this.core = new RaftCore({
      id: this.id,
      config: raftConfig(options.config),
      random: seededRandom(options.seed ?? 1),
      sink,
      hardState: {
        term: terms.at(-1) ?? 0,
        vote: null,
        filled: true,
        trusted: true,
        clusterId: null,
        ...options.hardState,
      },
      configured,
      logState: { start: { index: 0, term: 0 }, runs: runsOf(terms), memberships: [] },
      nowMs: this.nowMs,
    })
  }

  /** Terms of the log, entry by entry. */
  get terms(): number[] {
    const terms: number[] = []
    for (const run of this.core.node.log.toRuns())
      for (let index = run.first; index <= run.last; index++) terms.push(run.term)
    return terms
  }

  /** Hands in a message from `from`; returns everything that comes out, own messages delivered. */
  hear<Type extends Message['type']>(from: string, said: Said<Type>): Message[] {
    // The fields of the message of that type, with the two that are the same for all: what Omit took off is put back.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    this.core.step({ ...said, from, to: this.id } as unknown as Message)
    return this.drain()
  }

  /** `from` answers a heartbeat as one that holds everything it speaks of, and says `and` beside that. */
  answer(from: string, { term, session, round, sent }: Heartbeat, and: { readonly diskSlow?: true } = {}): Message[] {
    const held = { sent, received: sent, match: sent, durable: sent, filling: 0 }
    return this.hear<'heartbeatReply'>(from, { type: 'heartbeatReply', term, session, round, ...held, ...and })
  }

  /** Moves the time on, tick by tick. */
  wait(ms: number): Message[] {
    const out: Message[] = []
    for (let left = ms; left > 0; left -= 20) {
      this.nowMs += Math.min(20, left)
      this.core.tick(this.nowMs)
      out.push(...this.drain())
    }
    return out
  }

  /** What is to be done now, without doing it. */
  ready(): Ready {
    return this.core.ready()
  }

  /** Everything that leaves, its conditions met; what the core says to itself is heard. */
  drain(): Message[] {
    const out: Message[] = []
    while (this.core.node.hasOutput || this.core.leading !== undefined) {
      const ready = this.core.ready()
      this.core.stabilized(ready.lastIndex, this.isDurable ? ready.lastIndex : 0)
      const messages = [...ready.messages, ...ready.afterStable]
      if (messages.length === 0) break
      for (const message of messages) {
        if (message.to === this.id) this.core.step(this.#asItLeaves(message))
        else out.push(message)
      }
    }
    return out
  }

  /** As the driver does: an own ack claims of durability what is true. */
  #asItLeaves(message: Message): Message {
    if (message.type !== 'appendReply') return message
    return { ...message, durable: Math.min(message.durable, this.core.node.durable) }
  }

  /** Makes it the leader of the next term, by the votes of `voters`. */
  elect(voters: readonly string[] = ['b']): Message[] {
    this.wait(1040)
    const { term } = this.core
    for (const voter of voters)
      this.hear<'preVoteReply'>(voter, { type: 'preVoteReply', term: term + 1, granted: true })
    const out: Message[] = []
    for (const voter of voters)
      out.push(...this.hear<'voteReply'>(voter, { type: 'voteReply', term: term + 1, granted: true }))
    return out
  }

  /** `follower` says that it holds everything up to `match`. */
  ack(follower: string, match: number, durable = match): Message[] {
    const session = this.core.leading?.progress.get(follower)?.session ?? 0
    return this.hear<'appendReply'>(follower, {
      type: 'appendReply',
      term: this.core.term,
      session,
      match,
      end: match,
      durable,
      filling: 0,
    })
  }

  /** A leader's append of entries with `terms` after `prevIndex`. */
  append(
    from: string,
    term: number,
    prevIndex: number,
    prevTerm: number,
    terms: readonly number[],
    commit = 0,
    durable = true,
  ): Message[] {
    return this.hear<'append'>(from, {
      type: 'append',
      term,
      session: 1,
      prevIndex,
      prevTerm,
      runs: runsOf(terms, prevIndex),
      memberships: [],
      commit,
      durable,
    })
  }

  /** An append of term 2 from `leader` that brings `membership` as entry 2. */
  hearMembership(leader: string, membership: Membership, commit: number): Message[] {
    return this.hear<'append'>(leader, {
      type: 'append',
      term: 2,
      session: 1,
      prevIndex: 1,
      prevTerm: 1,
      runs: runsOf([2], 1),
      memberships: [{ index: 2, membership }],
      commit,
      durable: true,
    })
  }

  propose(): number {
    return this.core.propose().index
  }
}

/** Terms, entry by entry from `after + 1`, as runs. */
export function runsOf(terms: readonly number[], after = 0): TermRun[] {
  const runs: { term: number; first: number; last: number }[] = []
  for (const [at, term] of terms.entries()) {
    const index = after + 1 + at
    const last = runs.at(-1)
    if (last?.term === term) last.last = index
    else runs.push({ term, first: index, last: index })
  }
  return runs
}

export function only<Type extends Message['type']>(
  messages: readonly Message[],
  type: Type,
): Extract<Message, { type: Type }>[] {
  return messages.filter((message): message is Extract<Message, { type: Type }> => message.type === type)
}
