/**
 * One machine's disk: what is durable, and what a crash leaves of the rest. The log and the stable store are two files:
 * their writes are ordered each by itself only.
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
  #durableHard: HardState = emptyHardState
  /** Log changes that are not durable yet, oldest first. */
  #pending: Change[] = []
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

  /** A crash: of what was not durable, some prefix may have reached the disk. */
  crash(random: Random): void {
    const reached = random.integer(0, this.#pending.length)
    for (const change of this.#pending.slice(0, reached)) change(this.#durable)
    this.#pending = []
    if (this.#pendingHard !== undefined && random.next() < 0.5) this.#durableHard = this.#pendingHard
    this.#pendingHard = undefined
  }

  /** The machine of a node in async flush went down: the last `count` entries were written only, and the node knows. */
  losePower(count: number): void {
    this.#durable.entries.length -= count
    this.#durableHard = { ...this.#durableHard, trusted: false }
  }

  /** What a process finds that starts now. */
  image(): Image {
    return copyOf(this.#durable)
  }

  change(change: Change): void {
    this.#pending.push(change)
  }

  get pendingCount(): number {
    return this.#pending.length
  }

  syncFirst(count: number): void {
    for (const change of this.#pending.splice(0, count)) change(this.#durable)
  }

  beginSave(state: HardState): void {
    this.#pendingHard = state
  }

  endSave(state: HardState): void {
    this.#durableHard = state
    this.#pendingHard = undefined
  }

  replace(image: Image): void {
    this.#pending = []
    this.#durable = copyOf(image)
  }
}

function copyOf(image: Image): Image {
  return { start: image.start, base: image.base, entries: [...image.entries] }
}
