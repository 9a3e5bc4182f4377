/**
 * Consumers commit one offset a request and queue, one-way, every few seconds: what arrives within a period becomes one
 * command (RocketMQ keeps them in memory and writes a file every five seconds). An offset is in the log at most a period
 * after it came, and before leadership is given away.
 */
import { type Clock, sleep, type Timer } from '../../lib/clock.ts'
import { errorCode } from '../../lib/errors.ts'
import { type ConsumerOffsets, type OffsetCommit, offsetCommands } from '../tables/consumer-offsets.ts'
import { refusal } from '../errors.ts'
import type { Proposals } from '../needs.ts'

/** Called once the offset is committed, or certainly or possibly not. */
type Done = (error: Error | undefined) => void

interface Pending {
  readonly topic: string
  readonly group: string
  readonly offsets: Map<number, number>
}

export interface OffsetCommitsNeeds {
  readonly offsets: Pick<ConsumerOffsets, 'get'>
  readonly proposals: Pick<Proposals, 'command'>
  readonly clock: Clock
  readonly options: {
    /** At most one command in this time. */
    readonly periodMs: number
    /** Offsets waiting for their command; more are refused with BROKER_BUSY. */
    readonly maxPending: number
  }
}

export class OffsetCommits {
  readonly #need: OffsetCommitsNeeds
  #pending = new Map<string, Pending>()
  #pendingCount = 0
  #inFlight = new Map<string, Pending>()
  #waiting: Done[] = []
  #timer: Timer | undefined
  #nextFlushMs = 0
  #flushing: Promise<void> | undefined
  #isHandingOver = false
  #isClosed = false

  constructor(need: OffsetCommitsNeeds) {
    this.#need = need
  }

  /**
   * Commits an offset with the next command. A later offset of the same queue replaces one that still waits. `done`, if
   * given, hears of the outcome. Throws BROKER_BUSY when too many wait, BROKER_NOT_LEADER when they are for the next leader.
   */
  commit(topic: string, group: string, queueId: number, queueOffset: number, done?: Done): void {
    if (this.#isClosed) throw refusal('BROKER_NOT_LEADER', 'this node stops')
    if (this.#isHandingOver) throw refusal('BROKER_NOT_LEADER', 'leadership is being handed over')
    const key = `${topic}@${group}`
    let row = this.#pending.get(key)
    const isNew = row?.offsets.has(queueId) !== true
    if (isNew && this.#pendingCount >= this.#need.options.maxPending) {
      throw refusal('BROKER_BUSY', `${this.#pendingCount} offsets wait to be committed`)
    }
    if (done !== undefined) {
      if (this.#waiting.length >= this.#need.options.maxPending) {
        throw refusal('BROKER_BUSY', `${this.#waiting.length} requests wait for their offsets`)
      }
      this.#waiting.push(done)
    }
    if (row === undefined) this.#pending.set(key, (row = { topic, group, offsets: new Map() }))
    if (isNew) this.#pendingCount++
    row.offsets.set(queueId, queueOffset)
    this.#schedule()
  }

  /** As `commit`, for one-way requests: what is committed already, or finds no room, is dropped. */
  offer(topic: string, group: string, queueId: number, queueOffset: number): void {
    const isKnown = this.#need.offsets.get(topic, group, queueId) === queueOffset
    if (isKnown && this.pending(topic, group, queueId) === undefined) return
    if (this.#isClosed || this.#pendingCount >= this.#need.options.maxPending) return
    this.commit(topic, group, queueId, queueOffset)
  }

  /** An offset that came and is not applied yet: what its consumer's successor should begin with. */
  pending(topic: string, group: string, queueId: number): number | undefined {
    const key = `${topic}@${group}`
    return this.#pending.get(key)?.offsets.get(queueId) ?? this.#inFlight.get(key)?.offsets.get(queueId)
  }

  /** Forgets what waits for a topic or group that is being deleted: it must not come back after its deletion. */
  forget(is: (topic: string, group: string) => boolean): void {
    for (const [key, row] of this.#pending) {
      if (!is(row.topic, row.group)) continue
      this.#pendingCount -= row.offsets.size
      this.#pending.delete(key)
    }
  }

  /**
   * Before leadership is given away: from now on offsets are for the next leader, and those that came before are committed
   * first. Resolves when they are, or after `withinMs`: one more commit of their consumers is no reason to stay.
   */
  async handOver(withinMs: number): Promise<void> {
    this.#isHandingOver = true
    this.#timer?.cancel()
    this.#timer = undefined
    const settled = async (): Promise<void> => {
      await this.#flushing
      if (this.#pending.size > 0 && this.#isHandingOver) await this.#startFlush()
    }
    await Promise.race([settled(), sleep(this.#need.clock, withinMs)])
  }

  /** The hand-over ended, however it did. */
  resume(): void {
    this.#isHandingOver = false
    if (this.#pending.size > 0) this.#schedule()
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    const waiting = this.#waiting
    this.#waiting = []
    for (const done of waiting) done(refusal('BROKER_NOT_LEADER', 'this node stops'))
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#flushing !== undefined || this.#isClosed || this.#isHandingOver) return
    const waitMs = this.#nextFlushMs - this.#need.clock.monotonicMs()
    this.#timer = this.#need.clock.after(Math.max(0, waitMs), () => {
      this.#timer = undefined
      void this.#startFlush()
    })
  }

  #startFlush(): Promise<void> {
    this.#flushing = this.#flush().finally(() => {
      this.#flushing = undefined
      if (this.#pending.size > 0 || this.#waiting.length > 0) this.#schedule()
    })
    return this.#flushing
  }

  async #flush(): Promise<void> {
    const rows = this.#pending
    const waiting = this.#waiting
    if (rows.size === 0) {
      for (const done of waiting) done(undefined)
      this.#waiting = []
      return
    }
    this.#pending = new Map()
    this.#pendingCount = 0
    this.#waiting = []
    this.#inFlight = rows
    this.#nextFlushMs = this.#need.clock.monotonicMs() + this.#need.options.periodMs
    let failure: Error | undefined
    try {
      await this.#need.proposals.command(offsetCommands.commit(rows.values() as Iterable<OffsetCommit>))
    } catch (error) {
      if (errorCode(error) === 'RMQ_ASSERTION') throw error
      failure = error instanceof Error ? error : new Error(String(error))
      // Whoever leads now hears of them with the consumers' next commits; as leader this node tries again itself.
      if (errorCode(error) !== 'BROKER_NOT_LEADER') this.#restore(rows)
    }
    this.#inFlight = new Map()
    for (const done of waiting) done(failure)
  }

  /** Puts back what was not committed, under what came meanwhile: setting an offset twice does no harm. */
  #restore(rows: ReadonlyMap<string, Pending>): void {
    for (const [key, row] of rows) {
      let pending = this.#pending.get(key)
      if (pending === undefined) this.#pending.set(key, (pending = { ...row, offsets: new Map() }))
      for (const [queueId, queueOffset] of row.offsets) {
        if (pending.offsets.has(queueId) || this.#pendingCount >= this.#need.options.maxPending) continue
        pending.offsets.set(queueId, queueOffset)
        this.#pendingCount++
      }
    }
  }
}
