/** Leaders one after the other over one log, and a client that asks whoever leads until it is answered. */
import { digestRows } from '../../../src/broker/tables/table-rows.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { createHarness, type Harness, type TestReply } from '../processors/harness.ts'
import type { MemoryEntry } from '../processors/memory-log.ts'
import { type End, Leader, type Step } from './leader.ts'

export interface Setting {
  readonly options?: Readonly<Record<string, boolean | number>>
  /** What is there before anything goes wrong. */
  readonly prepared: readonly MemoryEntry[]
  /** A leader is new, or leads again: clients come to it. */
  joined?(leader: Leader): void
}

/** How long nobody leads. */
const ELECTION_MS = 400
const TURNS_PER_ANSWER = 100
const ATTEMPTS = 50

export class Group {
  readonly clock = new ManualClock()
  readonly shared: MemoryEntry[] = []
  readonly #setting: Setting
  readonly #ends: readonly End[]
  readonly #all: Leader[] = []
  #leader: Leader
  #term = 1
  #lostMs: number | undefined
  #returning: { readonly leader: Leader; readonly atMs: number } | undefined

  /** `ends[n]`: of the nth leader; those without one are not lost. */
  constructor(setting: Setting, ends: readonly End[]) {
    this.#setting = setting
    this.#ends = ends
    this.shared.push(...setting.prepared)
    this.#leader = this.#begin()
  }

  get leader(): Leader {
    return this.#leader
  }

  /** Of the first leader. */
  get steps(): readonly Step[] {
    return this.#all[0]?.steps ?? []
  }

  get losses(): number {
    return this.#term - 1
  }

  /** Time goes on, `stepMs` by `stepMs`. */
  async wait(ms: number, stepMs = 50): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.clock.advance(Math.min(stepMs, ms - passed))
      for (let turns = 0; turns < 3; turns++) await this.#turn()
      this.#look()
    }
  }

  /** Asks until somebody answers with an outcome that is known, as a patient client does. */
  async ask(...request: Parameters<Harness['send']>): Promise<TestReply> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const reply = await this.try(...request)
      if (reply !== undefined) return reply
      await this.wait(100)
    }
    throw new Error(`nobody answered ${request[0]}`)
  }

  /** Asks once; undefined when no answer came, or one that says: unknown, busy, not the leader. */
  async try(...request: Parameters<Harness['send']>): Promise<TestReply | undefined> {
    const leader = this.#leader
    if (!leader.leads) return undefined
    const replies = leader.harness.send(...request)
    for (let turns = 0; turns < TURNS_PER_ANSWER && replies.length === 0 && leader.leads; turns++) {
      await this.#turn()
      this.clock.advance(1)
    }
    const [reply] = replies
    if (reply === undefined || !leader.leads || !leader.step('answer')) return undefined
    const isUnknown = reply.code === 14 || reply.code === 2 || reply.remark?.startsWith('UNKNOWN') === true
    return isUnknown ? undefined : reply
  }

  /** The tables of the last leader are what the log says, however it came to them. */
  differences(): string[] {
    const replica = createHarness(this.#given())
    for (const entry of this.shared) replica.log.apply(entry)
    return ['delayOffsets', 'halves', 'popCheckpoints', 'consumerOffsets'].filter((name) => {
      const [own, other] = [this.#leader.harness, replica].map(({ log }) => log.tables.get(name)?.rows() ?? [])
      return digestRows(own ?? []) !== digestRows(other ?? [])
    })
  }

  close(): void {
    for (const leader of this.#all) leader.close()
  }

  #given(): { readonly options: Readonly<Record<string, boolean | number>> } {
    return { options: this.#setting.options ?? {} }
  }

  #begin(): Leader {
    const { shared, clock } = this
    const end = this.#ends[this.#all.length]
    const fromSnapshot = this.#all.length % 2 === 1
    const leader = new Leader({ shared, clock, ...this.#given(), end, fromSnapshot })
    this.#all.push(leader)
    leader.lead(this.#term)
    this.#setting.joined?.(leader)
    return leader
  }

  #look(): void {
    const nowMs = this.clock.monotonicMs()
    if (!this.#leader.leads) {
      this.#lostMs ??= nowMs
      if (nowMs - this.#lostMs >= ELECTION_MS) this.#elect(nowMs)
    } else if (this.#returning !== undefined && nowMs >= this.#returning.atMs) this.#return(this.#returning.leader)
  }

  #elect(nowMs: number): void {
    const lost = this.#leader
    this.#lostMs = undefined
    this.#term++
    this.#leader = this.#begin()
    lost.follow()
    const returnMs = this.#ends[this.#all.length - 2]?.returnMs
    if (returnMs !== undefined) this.#returning = { leader: lost, atMs: nowMs + returnMs }
  }

  #return(leader: Leader): void {
    const other = this.#leader
    other.lose('deposed', Infinity)
    this.#returning = undefined
    this.#term++
    this.#leader = leader
    leader.lead(this.#term)
    other.follow()
    this.#setting.joined?.(leader)
  }

  async #turn(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve))
    this.clock.advance(0)
  }
}
