/**
 * One machine's disk: what is durable, what is only written, and what a crash leaves of it. What is written outlives its
 * process, and not the machine's power. The log and the stable store are two files: their writes are ordered each by
 * itself only.
 */
import { emptyHardState } from '../../src/raft/types.ts'
import type { EntryId, HardState, Index, MembershipEntry } from '../../src/raft/types.ts'
import type { Random } from '../../src/lib/prng.ts'

export interface Entry {
  readonly term: number
  /** What was proposed; 0 for an empty entry, below 0 for a membership. */
  readonly value: number
}

export interface DiskFaults {
  readonly maxSyncMs: number
  readonly slowSyncRate: number
  readonly slowSyncMs: number
  /** Share of reads that do not come from memory, and how long they take at most. */
  readonly slowReadRate: number
  readonly slowReadMs: number
}

export const calmDisk: DiskFaults = { maxSyncMs: 2, slowSyncRate: 0, slowSyncMs: 0, slowReadRate: 0, slowReadMs: 0 }

/** A log: entries after `start`. */
export interface Image {
  start: EntryId
  base: MembershipEntry | undefined
  entries: Entry[]
}

export type Change = (image: Image) => void

export class Disk {
  #durable: Image = { start: { index: 0, term: 0 }, base: undefined, entries: [] }
  /** As processes see it. */
  #written: Image = copyOf(this.#durable)
  #durableHard: HardState = emptyHardState
  /** Log changes that are not durable yet, oldest first. */
  #pending: Change[] = []
  /** How many of them are written. */
  #writtenCount = 0
  /** The node has answered for what is only written, and its disk says so. */
  isUnsynced = false
  #pendingHard: HardState | undefined
  failNextSync = false
  /** How long the next sync of the log takes, when it is to take another time. */
  nextSyncMs: number | undefined
  /** Tells this disk from the one before, in the same machine. */
  readonly serial: number

  constructor(serial: number) {
    this.serial = serial
  }

  get hard(): HardState {
    return this.#durableHard
  }

  get startIndex(): Index {
    return this.#durable.start.index
  }

  get lastDurableIndex(): Index {
    return this.#durable.start.index + this.#durable.entries.length
  }

  /** The durable entry at `index`. */
  entryAt(index: Index): Entry | undefined {
    return this.#durable.entries[index - this.#durable.start.index - 1]
  }

  /** Whether an entry is written there, and outlives the process, or was when the log began later. */
  isWritten(index: Index, { term, value }: Entry): boolean {
    const { start, entries } = this.#written
    if (index <= start.index) return true
    const written = entries[index - start.index - 1]
    return written?.term === term && written.value === value
  }

  /** The process dies: what is written stays, and of the rest some prefix. */
  crash(random: Random): void {
    const reached = random.integer(this.#writtenCount, this.#pending.length)
    this.writeFirst(reached - this.#writtenCount)
    this.#pending.length = reached
    this.#crashHard(random)
  }

  /** The machine goes down: of what is not durable some prefix stays. A node that answered for the rest knows it. */
  cutPower(random: Random): void {
    const reached = random.integer(0, this.#pending.length)
    for (const change of this.#pending.slice(0, reached)) change(this.#durable)
    this.#forgetPending()
    this.#crashHard(random)
    if (this.isUnsynced) this.#durableHard = { ...this.#durableHard, trusted: false }
    this.isUnsynced = false
  }

  /** The machine of a node in async flush went down: the last `count` entries were written only, and the node knows. */
  losePower(count: number): void {
    this.image()
    this.#durable.entries.length -= count
    this.#forgetPending()
    this.#durableHard = { ...this.#durableHard, trusted: false }
  }

  /** What a process finds that starts now. Before it does anything it makes that durable. */
  image(): Image {
    this.syncFirst(this.#writtenCount)
    this.#forgetPending()
    this.isUnsynced = false
    return copyOf(this.#durable)
  }

  change(change: Change): void {
    this.#pending.push(change)
  }

  /** The next `count` changes are written. */
  writeFirst(count: number): void {
    const from = this.#writtenCount
    for (const change of this.#pending.slice(from, from + count)) change(this.#written)
    this.#writtenCount += count
  }

  /** The first `count` changes that are not durable are. */
  syncFirst(count: number): void {
    this.writeFirst(Math.max(0, count - this.#writtenCount))
    for (const change of this.#pending.splice(0, count)) change(this.#durable)
    this.#writtenCount -= count
  }

  beginSave(state: HardState): void {
    this.#pendingHard = state
  }

  endSave(state: HardState): void {
    this.#durableHard = state
    this.#pendingHard = undefined
  }

  replace(image: Image): void {
    this.#durable = copyOf(image)
    this.#forgetPending()
  }

  #forgetPending(): void {
    this.#pending = []
    this.#writtenCount = 0
    this.#written = copyOf(this.#durable)
  }

  #crashHard(random: Random): void {
    if (this.#pendingHard !== undefined && random.next() < 0.5) this.#durableHard = this.#pendingHard
    this.#pendingHard = undefined
  }
}

function copyOf(image: Image): Image {
  return { start: image.start, base: image.base, entries: [...image.entries] }
}
