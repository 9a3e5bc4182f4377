/**
 * One leader of a group, real but for log and disk, that is lost at a step of its own. A step is whatever it does that
 * somebody else can see, or waits for: a read, a proposal, its commit, telling who proposed it, a question to a client,
 * an answer.
 */
import { refusal } from '../../../src/broker/errors.ts'
import type { Command, Proposals, Stored } from '../../../src/broker/needs.ts'
import { DelaySchedule } from '../../../src/broker/timed/delay-schedule.ts'
import { isTimerRemoval } from '../../../src/broker/timed/timer-removals.ts'
import { TransactionChecks, type TransactionChecksNeeds } from '../../../src/broker/transactions/transaction-checks.ts'
import { silentLog } from '../../../src/lib/log.ts'
import type { RecordDraft } from '../../../src/message/record.ts'
import type { ManualClock } from '../../support/manual-clock.ts'
import { createHarness, type Harness, identity } from '../processors/harness.ts'
import type { MemoryEntry } from '../processors/memory-log.ts'

/** `deposed`: it goes on as a follower, with all that it has in memory. */
export type Way = 'dies' | 'deposed'

export interface End {
  /** Its how manyth step is not taken any more. */
  readonly step: number
  /** So many of the entries that it has in flight then reached a majority, the first ones. */
  readonly kept: number
  readonly way: Way
  /** One that was deposed leads again when another has led for so long. */
  readonly returnMs?: number
}

export interface Step {
  readonly what: 'read' | 'propose' | 'commit' | 'tell' | 'ask' | 'answer'
  readonly inFlight: number
}

interface Flight {
  readonly entry: MemoryEntry
  readonly done: (error: Error | undefined, stored: readonly Stored[], result: unknown) => void
}

export interface LeaderNeeds {
  /** What a majority holds, in order. */
  readonly shared: MemoryEntry[]
  readonly clock: ManualClock
  readonly options: Readonly<Record<string, boolean | number>>
  readonly end: End | undefined
  /** Begins with the tables of a snapshot, as a restarted node does, and the rest of the log. */
  readonly fromSnapshot: boolean
}

const COMMIT_MS = 3

export class Leader implements Proposals {
  readonly harness: Harness
  readonly steps: Step[] = []
  readonly #need: LeaderNeeds
  readonly #closing: { close(): void }[]
  #flights: Flight[] = []
  #applied = 0
  #state: 'leads' | 'follows' | 'dead' = 'follows'

  constructor(need: LeaderNeeds) {
    this.#need = need
    const { clock, options } = need
    this.harness = createHarness({
      clock,
      options,
      proposals: () => this,
      beforeRead: () => this.#beforeRead(),
    })
    this.harness.leadership.isReady = false
    if (need.fromSnapshot) this.#loadSnapshot()
    this.catchUp()
    const { delayOffsets: offsets, store, leadership, topics, delayLevels: levels, timers, pop } = this.harness
    const delays = { offsets, store, proposals: this, leadership, topics, levels, clock, log: silentLog }
    const relay: TransactionChecksNeeds['relay'] = {
      notify: (member, request) => {
        if (this.step('ask')) this.harness.relay.notify(member, request)
      },
    }
    const { brokerName } = identity
    const checks = { ...this.harness, proposals: this, relay, brokerName, log: silentLog }
    this.#closing = [timers, pop, new DelaySchedule(delays), new TransactionChecks(checks)]
  }

  get leads(): boolean {
    return this.#state === 'leads'
  }

  get #isDead(): boolean {
    return this.#state === 'dead'
  }

  lead(term: number): void {
    this.catchUp()
    this.#state = 'leads'
    Object.assign(this.harness.leadership, { term, isReady: true })
  }

  /** The next thing it does. False: it is not done, for the leader is lost. */
  step(what: Step['what']): boolean {
    if (this.#state !== 'leads') return this.#state === 'follows'
    this.steps.push({ what, inFlight: this.#flights.length })
    const { end } = this.#need
    if (this.steps.length !== end?.step) return true
    this.lose(end.way, end.kept)
    return false
  }

  lose(way: Way, kept: number): void {
    this.harness.leadership.isReady = false
    this.#state = way === 'dies' ? 'dead' : 'follows'
    this.#need.shared.push(...this.#flights.slice(0, kept).map(({ entry }) => entry))
    if (way === 'dies') this.close()
  }

  /** Another leads now: applies what is decided; what it had proposed and is not there has an unknown fate, for it. */
  follow(): void {
    this.catchUp()
    for (const { done } of this.#flights.splice(0)) done(refusal('BROKER_UNDECIDED', 'another leads'), [], undefined)
  }

  catchUp(): void {
    const { shared } = this.#need
    while (this.#applied < shared.length && !this.#isDead) {
      const entry = shared[this.#applied++]
      if (entry === undefined) throw new Error('the log has no holes')
      const { stored, result } = this.harness.log.apply(entry)
      if (this.#flights[0]?.entry !== entry) continue
      const [flight] = this.#flights.splice(0, 1)
      this.step('tell')
      if (!this.#isDead) flight?.done(undefined, stored, result)
    }
  }

  checkRoom(): void {}

  records(
    drafts: readonly RecordDraft[],
    done: (error: Error | undefined, stored: readonly Stored[] | undefined) => void,
  ): void {
    this.#propose(undefined, drafts, (error, stored) => done(error, error === undefined ? stored : undefined))
  }

  command(command: Command): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#propose(command, [], (error, _stored, result) => (error === undefined ? resolve(result) : reject(error)))
    })
  }

  commandWithRecords(command: Command, drafts: readonly RecordDraft[]): Promise<readonly Stored[]> {
    return new Promise((resolve, reject) => {
      this.#propose(command, drafts, (error, stored) => (error === undefined ? resolve(stored) : reject(error)))
    })
  }

  close(): void {
    for (const one of this.#closing) one.close()
  }

  #propose(command: Command | undefined, drafts: readonly RecordDraft[], done: Flight['done']): void {
    const { clock } = this.#need
    if (!this.step('propose') && this.#isDead) return
    if (!this.leads) return done(refusal('BROKER_NOT_LEADER', 'it was deposed'), [], undefined)
    this.#flights.push({ entry: { command, drafts, timestampMs: clock.nowMs() }, done })
    clock.after(COMMIT_MS, () => this.#commit())
  }

  #commit(): void {
    if (!this.leads || !this.step('commit')) return
    const [flight] = this.#flights
    if (flight === undefined) throw new Error('what is committed was in flight')
    this.#need.shared.push(flight.entry)
    this.catchUp()
  }

  #beforeRead(): Promise<void> | undefined {
    this.step('read')
    return this.#isDead ? new Promise(() => undefined) : undefined
  }

  #loadSnapshot(): void {
    const { shared, options } = this.#need
    const first = createHarness({ options })
    const snapshots = new Map([...first.log.tables.keys()].map((name) => [name, new Map<string, unknown>()]))
    // The last entry is applied after the snapshot: as every step is tried, so is every place for one.
    this.#applied = Math.max(0, shared.length - 1)
    for (const entry of shared.slice(0, this.#applied)) {
      first.log.apply(entry)
      for (const [name, table] of first.log.tables) keep(snapshots.get(name), table.takeChanges())
      const isDerived = entry.command !== undefined && isTimerRemoval(entry.command)
      this.harness.log.apply({ ...entry, command: isDerived ? entry.command : undefined })
    }
    for (const [name, rows] of snapshots) this.harness.log.tables.get(name)?.load(structuredClone([...rows]))
  }
}

/** As the store of tables does. */
function keep(rows: Map<string, unknown> | undefined, changes: ReadonlyMap<string, unknown>): void {
  for (const [key, value] of changes) {
    if (value === undefined) rows?.delete(key)
    else rows?.set(key, structuredClone(value))
  }
}
