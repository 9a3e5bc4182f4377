/**
 * SYNC_MASTER: a send that the master holds waits until slaves hold it too (RocketMQ CommitLog.handleHA and
 * GroupTransferService; `isSlaveOK` as in 4.9). Whatever comes of it, the message is stored and delivered: the answer says
 * only how many hold it.
 *
 *   held         enough slaves hold it, as the flush mode of the group understands that
 *   unavailable  too few are connected, or near enough to be waited for; also when one of them goes meanwhile
 *   late         they did not say so in time
 */
import type { Clock, Timer } from '../../lib/clock.ts'
import type { ReplicaStatus } from '../../raft/status.ts'

export type SlaveAnswer = 'held' | 'unavailable' | 'late'

export interface SlaveAcksNeeds {
  readonly replica: { status(): Pick<ReplicaStatus, 'members' | 'progress'> }
  /** Bytes of the entries `first` to `last` of the log. */
  readonly byteLength: (first: number, last: number) => number
  readonly clock: Clock
  readonly options: {
    /** Slaves that must hold a send, from 1. */
    readonly needed: number
    readonly timeoutMs: number
    /** A slave that lacks more is not waited for. */
    readonly maxGapBytes: number
    /** A slave that was silent for longer counts as not connected. */
    readonly silentMs: number
  }
}

interface Slave {
  /** The highest index that it holds. */
  readonly match: number
  readonly isConnected: boolean
}

interface Waiter {
  readonly index: number
  readonly deadlineMs: number
  readonly done: (answer: SlaveAnswer) => void
}

const SWEEP_PERIOD_MS = 50

export class SlaveAcks {
  readonly #need: SlaveAcksNeeds
  readonly #sweep: Timer
  #slaves: readonly Slave[] = []
  /** In the order of their deadlines, and nearly in that of their indexes. */
  #waiters: Waiter[] = []

  constructor(need: SlaveAcksNeeds) {
    this.#need = need
    this.#sweep = need.clock.every(SWEEP_PERIOD_MS, () => this.look())
  }

  /** Calls `done` once it is known what slaves hold of the entry `index`, which the master has applied. */
  confirm(index: number, done: (answer: SlaveAnswer) => void): void {
    const { clock, options } = this.#need
    if (index <= this.#held) return done('held')
    if (this.#count((slave) => this.#isNear(slave, index)) < options.needed) return done('unavailable')
    this.#waiters.push({ index, deadlineMs: clock.monotonicMs() + options.timeoutMs, done })
  }

  /** Slaves hold more, came or went; or time has passed. */
  look(): void {
    const { replica, clock, options } = this.#need
    const { members, progress } = replica.status()
    this.#slaves = members.learners.map((id) => {
      const { match = 0, isLost = true, lastContactMs = Infinity } = progress[id] ?? {}
      // Of one that was not heard in this term nothing is known.
      return { match, isConnected: match > 0 && !isLost && lastContactMs <= options.silentMs }
    })
    const held = this.#held
    const isServed = this.#count(({ isConnected }) => isConnected) >= options.needed
    const nowMs = clock.monotonicMs()
    this.#settle(({ index, deadlineMs }) => {
      if (index <= held) return 'held'
      if (!isServed) return 'unavailable'
      return deadlineMs <= nowMs ? 'late' : undefined
    })
  }

  close(): void {
    this.#sweep.cancel()
    this.#settle(() => 'unavailable')
  }

  /** Answers from the front on, up to the first that still waits. */
  #settle(answerOf: (waiter: Waiter) => SlaveAnswer | undefined): void {
    const answers: SlaveAnswer[] = []
    for (const waiter of this.#waiters) {
      const answer = answerOf(waiter)
      if (answer === undefined) break
      answers.push(answer)
    }
    const answered = this.#waiters.slice(0, answers.length)
    if (answered.length === 0) return
    this.#waiters = this.#waiters.slice(answers.length)
    for (const [at, { done }] of answered.entries()) done(answers[at] ?? 'unavailable')
  }

  /** The highest index that enough slaves hold. */
  get #held(): number {
    const matches = this.#slaves.map(({ match }) => match).sort((a, b) => b - a)
    return matches[this.#need.options.needed - 1] ?? 0
  }

  #isNear({ match, isConnected }: Slave, index: number): boolean {
    const { byteLength, options } = this.#need
    return isConnected && (match >= index || byteLength(match + 1, index) < options.maxGapBytes)
  }

  #count(counts: (slave: Slave) => boolean): number {
    return this.#slaves.filter(counts).length
  }
}
