/**
 * Applies committed entries in order: table commands first, then the queues that an entry's records belong to. The same
 * code on leader and follower, and nothing but the entry decides what it does (Raft §2, replicated state machines).
 */
import { assert } from '../../lib/assert.ts'
import type { Clock } from '../../lib/clock.ts'
import type { EntryId } from '../../raft/types.ts'
import { decodeCommand } from '../tables/command-codec.ts'
import type { Command, ReplicatedTable } from '../needs.ts'

/** One committed entry, as the log gives it: views of its frame. */
export interface AppliedEntry {
  readonly id: EntryId
  readonly timestampMs: number
  /** Empty when the entry carries no command. */
  readonly command: Uint8Array | undefined
  readonly recordCount: number
  /** The whole frame. */
  readonly frame: Buffer
}

export interface StateMachineNeeds {
  /** Committed entries from `first` on, at most about `maxBytes`; waits for the disk where it must. */
  readonly readEntries: (
    first: number,
    last: number,
    maxBytes: number,
  ) => readonly AppliedEntry[] | Promise<readonly AppliedEntry[]>
  readonly tables: ReadonlyMap<string, ReplicatedTable>
  /** An entry is about to be applied. */
  readonly begin: (entry: AppliedEntry) => void
  /** Adds the records of the entry to their queues and indexes; every entry, for it says how far those go. */
  readonly dispatch: (entry: AppliedEntry) => void
  /**
   * The tables came with what this command did; the queues may not have: after a reset they are derived from the log's
   * start while the tables are of a later entry. A deleted topic must end its queues here too.
   */
  readonly passedOver: (entry: AppliedEntry, command: Command) => void
  /** The entry was applied; `result` is what its command returned. */
  readonly applied: (entry: AppliedEntry, command: Command | undefined, result: unknown) => void
  /** A batch of entries was applied: the time to wake who waits for messages. */
  readonly settled: (index: number) => void
  /** When more is in memory than should be (a long log is applied again): resolves when there is room. */
  readonly ease: () => Promise<void> | undefined
  readonly fatal: (error: Error) => void
  readonly clock: Clock
}

/** Bytes applied before the event loop gets a turn. */
const BATCH_BYTES = 1 << 20

interface Waiter {
  readonly index: number
  readonly wake: () => void
}

export class StateMachine {
  readonly #need: StateMachineNeeds
  #appliedIndex: number
  /** Table commands up to here came with the snapshot and are not applied again. */
  #tablesIndex: number
  #commitIndex = 0
  #running = false
  #stopped = false
  /** Of the run under way: one that was stopped may still wait for the disk, and changes nothing when it goes on. */
  #generation = 0
  #waiters: Waiter[] = []

  constructor(need: StateMachineNeeds, start: { readonly appliedIndex: number; readonly tablesIndex: number }) {
    this.#need = need
    this.#appliedIndex = start.appliedIndex
    this.#tablesIndex = start.tablesIndex
  }

  get appliedIndex(): number {
    return this.#appliedIndex
  }

  /** Entries up to `index` are committed. */
  committed(index: number): void {
    if (index <= this.#commitIndex) return
    this.#commitIndex = index
    if (!this.#running && !this.#stopped) this.#start()
  }

  /** Resolves when everything up to `index` is applied. */
  whenApplied(index: number): Promise<void> {
    if (index <= this.#appliedIndex) return Promise.resolve()
    return new Promise((wake) => this.#waiters.push({ index, wake }))
  }

  /** Stops between two entries, at once: what it waits for (a damaged entry that no peer brings) may never come. */
  stop(): void {
    this.#stopped = true
    this.#running = false
    this.#generation++
  }

  /** After a reset: what is applied is what the new tables and queues stand for. */
  restart(start: { readonly appliedIndex: number; readonly tablesIndex: number }): void {
    assert(!this.#running, 'a reset finds the state machine stopped')
    this.#appliedIndex = start.appliedIndex
    this.#tablesIndex = start.tablesIndex
    this.#stopped = false
    if (this.#commitIndex > this.#appliedIndex) this.#start()
  }

  #start(): void {
    this.#running = true
    const generation = this.#generation
    this.#run(generation).catch((error: unknown) => {
      if (generation !== this.#generation) return
      this.#running = false
      this.#need.fatal(error instanceof Error ? error : new Error(String(error)))
    })
  }

  async #run(generation: number): Promise<void> {
    while (this.#appliedIndex < this.#commitIndex) {
      const found = this.#need.readEntries(this.#appliedIndex + 1, this.#commitIndex, BATCH_BYTES)
      // What lies in the tail cache is applied in this very turn; only the disk is waited for.
      const entries = found instanceof Promise ? await found : found
      if (generation !== this.#generation) return
      assert(entries.length > 0, 'committed entries can be read')
      for (const entry of entries) {
        this.#apply(entry)
        if (generation !== this.#generation) return
      }
      this.#need.settled(this.#appliedIndex)
      this.#wake()
      const ease = this.#need.ease()
      if (ease !== undefined) await ease
      if (generation === this.#generation && this.#appliedIndex < this.#commitIndex) await this.#turn()
      if (generation !== this.#generation) return
    }
    this.#running = false
  }

  #apply(entry: AppliedEntry): void {
    assert(entry.id.index === this.#appliedIndex + 1, `entry ${entry.id.index} follows ${this.#appliedIndex}`)
    assert(entry.id.index <= this.#commitIndex, 'only committed entries are applied')
    this.#need.begin(entry)
    let command: Command | undefined
    let result: unknown
    if (entry.command !== undefined && entry.id.index <= this.#tablesIndex) {
      this.#need.passedOver(entry, decodeCommand(entry.command))
    } else if (entry.command !== undefined) {
      command = decodeCommand(entry.command)
      const table = this.#need.tables.get(command.table)
      assert(table !== undefined, `no table ${command.table}`)
      result = table.apply(command.op, command.args, { timestampMs: entry.timestampMs })
    }
    this.#need.dispatch(entry)
    this.#appliedIndex = entry.id.index
    this.#need.applied(entry, command, result)
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#need.clock.endOfTurn(resolve))
  }

  #wake(): void {
    if (this.#waiters.length === 0) return
    const waiters = this.#waiters
    this.#waiters = waiters.filter((waiter) => waiter.index > this.#appliedIndex)
    for (const waiter of waiters) if (waiter.index <= this.#appliedIndex) waiter.wake()
  }
}
