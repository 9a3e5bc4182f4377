/** A disk as one process sees it: the ports of the Raft driver. */
import type { Random } from '../../src/lib/prng.ts'
import { raftErrors } from '../../src/raft/errors.ts'
import type { EntryBytes, LogState, LogStore, ResetMeta, ResetSource, StableStore } from '../../src/raft/ports.ts'
import type { EntryId, HardState, Index, Membership, MembershipEntry, TermRun } from '../../src/raft/types.ts'
import type { Change, Disk, DiskFaults, Entry, Image } from './disk.ts'

/** What a disk is busy with. */
export type DiskWork = 'save' | 'write' | 'sync' | 'read'

export interface DiskNeeds {
  readonly random: Random
  /** Calls `done` after a while, unless the process is gone by then. */
  readonly later: (delayMs: number, done: () => void, work: DiskWork) => void
  /** A digest of everything up to `index`, for resets: what a state machine would hold. */
  readonly digestAt: (index: Index) => number
  /** Memberships travel as numbers in the simulated frames: -1 is the first of these. */
  readonly memberships: Membership[]
  /** Told of frames that are not what their message said: nobody damages any, so somebody sent the wrong ones. */
  readonly refused: (error: Error) => void
  /** Told of every entry written by this process, for the checkers. */
  readonly wrote: (index: Index, entry: Entry, prevTerm: number) => void
}

const FRAME_BYTES = 32
const WRITE_MS = 0.5
/** In async flush what is written is durable after so long, at most. */
const FLUSH_MS = 150

export class OpenDisk implements LogStore<number>, StableStore {
  readonly #disk: Disk
  readonly #need: DiskNeeds
  readonly #faults: () => DiskFaults
  readonly #image: Image
  #changes = 0
  #written = 0
  #synced = 0
  /** Truncations that are not durable yet: the change that each is, and the last entry it leaves. */
  #cuts: { readonly change: number; readonly index: Index }[] = []
  #isSyncAsked = true
  #isFlushing = false
  #resetUnderWay = false

  constructor(disk: Disk, need: DiskNeeds, faults: () => DiskFaults) {
    this.#disk = disk
    this.#need = need
    this.#faults = faults
    this.#image = disk.image()
  }

  get lastIndex(): Index {
    return this.#image.start.index + this.#image.entries.length
  }

  get startIndex(): Index {
    return this.#image.start.index
  }

  entryAt(index: Index): Entry | undefined {
    return this.#image.entries[index - this.#image.start.index - 1]
  }

  load(): HardState {
    return this.#disk.hard
  }

  save(state: HardState): Promise<void> {
    this.#disk.beginSave(state)
    return this.#sync('save', () => this.#disk.endSave(state))
  }

  state(): LogState {
    const { start, base, entries } = this.#image
    const runs: { term: number; first: number; last: number }[] = []
    const memberships: MembershipEntry[] = base === undefined ? [] : [base]
    for (const [at, entry] of entries.entries()) {
      const index = start.index + 1 + at
      const run = runs.at(-1)
      if (run?.term === entry.term) run.last = index
      else runs.push({ term: entry.term, first: index, last: index })
      const membership = this.#need.memberships[-entry.value - 1]
      if (entry.value < 0 && membership !== undefined) memberships.push({ index, membership })
    }
    return { start, runs, memberships }
  }

  append(id: EntryId, draft: number): void {
    this.#write(id.index, { term: id.term, value: draft })
  }

  appendEmpty(id: EntryId): void {
    this.#write(id.index, { term: id.term, value: 0 })
  }

  appendMembership(id: EntryId, membership: Membership): void {
    this.#write(id.index, { term: id.term, value: -this.#need.memberships.push(membership) })
  }

  appendFrames(entries: EntryBytes, runs: readonly TermRun[]): void {
    const frames = this.#framesOf(entries, runs)
    let at = entries.first
    for (const frame of frames) this.#write(at++, frame)
  }

  #framesOf(entries: EntryBytes, runs: readonly TermRun[]): Entry[] {
    const frames: Entry[] = []
    let index = entries.first
    for (const bytes of entries.bytes) {
      const numbers = new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8)
      for (let at = 0; at < numbers.length; at += 4) {
        const [frameIndex, term = -1, value = 0] = numbers.subarray(at, at + 3)
        const run = runs.find((each) => each.first <= index && index <= each.last)
        if (frameIndex !== index || run?.term !== term) {
          throw this.#bad(`frame (${frameIndex}, ${term}) where (${index}, ${run?.term}) belongs`)
        }
        frames.push({ term, value })
        index++
      }
    }
    if (index !== entries.last + 1) throw this.#bad(`frames end at ${index - 1}, not at ${entries.last}`)
    return frames
  }

  #bad(why: string): Error {
    const error = raftErrors.create('RAFT_BAD_ENTRIES', why)
    this.#need.refused(error)
    return error
  }

  truncateAfter(index: Index): boolean {
    this.#change((image) => {
      image.entries.length = index - image.start.index
    })
    this.#cuts.push({ change: this.#changes, index })
    return true
  }

  stable(): Promise<void> {
    const upTo = this.#changes
    // A truncation is durable in every mode.
    if (this.#isSyncAsked || this.#cuts.length > 0) return this.#sync('sync', () => this.#syncTo(upTo))
    return new Promise((resolve) => {
      const { random, later } = this.#need
      const written = (): void => {
        this.#writeTo(upTo)
        this.#flushLater()
        resolve()
      }
      later(random.next() * WRITE_MS, written, 'write')
    })
  }

  /** That it answers for what is only written is taken to be on the disk at once. */
  setDurable(durable: boolean): void {
    this.#isSyncAsked = durable
    if (!durable) this.#disk.isUnsynced = true
  }

  /** Not what is about to be cut off. */
  durableIndex(): Index {
    return Math.min(this.#disk.lastDurableIndex, ...this.#cuts.map(({ index }) => index))
  }

  read(first: Index, last: Index, maxBytes: number): EntryBytes | undefined | Promise<EntryBytes | undefined> {
    const { slowReadRate, slowReadMs } = this.#faults()
    if (this.#need.random.next() >= slowReadRate) return this.#read(first, last, maxBytes)
    // The bytes are those of now, whatever happens to the log until they arrive.
    const entries = this.#read(first, last, maxBytes)
    return new Promise((resolve) => {
      this.#need.later(this.#need.random.next() * slowReadMs, () => resolve(entries), 'read')
    })
  }

  byteLength(first: Index, last: Index): number {
    return (last - first + 1) * FRAME_BYTES
  }

  /** Retention: entries up to `index`, which are committed, are dropped. */
  dropUpTo(index: Index): void {
    this.#change((image) => {
      const dropped = index - image.start.index
      const last = image.entries[dropped - 1]
      if (dropped <= 0 || last === undefined) return
      for (let at = 0; at < dropped; at++) {
        const membership = this.#need.memberships[-(image.entries[at]?.value ?? 0) - 1]
        if (membership !== undefined) image.base = { index: image.start.index + 1 + at, membership }
      }
      image.entries.splice(0, dropped)
      image.start = { index, term: last.term }
    })
  }

  openReset(): Promise<ResetSource> {
    const { start, base } = this.#image
    if (base === undefined) throw new Error('a log that starts after its beginning stands on a membership')
    const state = new Float64Array(64).fill(this.#need.digestAt(start.index))
    const bytes = new Uint8Array(state.buffer)
    const meta: ResetMeta = { start, membership: base, byteLength: bytes.byteLength }
    return Promise.resolve({
      meta,
      read: (position: number, length: number) =>
        new Promise<Uint8Array>((resolve) => {
          this.#need.later(this.#need.random.next(), () => resolve(bytes.slice(position, position + length)), 'sync')
        }),
      close() {},
    })
  }

  #writeTo(upTo: number): void {
    if (upTo <= this.#written) return
    this.#disk.writeFirst(upTo - this.#written)
    this.#written = upTo
  }

  #syncTo(upTo: number): void {
    if (upTo > this.#synced) this.#disk.syncFirst(upTo - this.#synced)
    this.#synced = Math.max(this.#synced, upTo)
    this.#written = Math.max(this.#written, upTo)
    this.#cuts = this.#cuts.filter(({ change }) => change > this.#synced)
    if (this.#isSyncAsked && this.#synced === this.#changes) this.#disk.isUnsynced = false
  }

  /** In async flush: what is written becomes durable in the background. */
  #flushLater(): void {
    if (this.#isFlushing || this.#written === this.#synced) return
    this.#isFlushing = true
    const { random, later } = this.#need
    const upTo = this.#written
    const flushed = (): void => {
      this.#isFlushing = false
      this.#syncTo(upTo)
      this.#flushLater()
    }
    later(random.next() * FLUSH_MS, flushed, 'sync')
  }

  async applyReset(meta: ResetMeta, chunks: AsyncIterable<Uint8Array>): Promise<LogState> {
    if (this.#resetUnderWay) throw new Error('one reset at a time')
    this.#resetUnderWay = true
    try {
      const parts: Uint8Array[] = []
      for await (const chunk of chunks) parts.push(chunk)
      const bytes = new Uint8Array(meta.byteLength)
      let at = 0
      for (const part of parts) {
        bytes.set(part, at)
        at += part.byteLength
      }
      const digests = new Float64Array(bytes.buffer)
      const expected = this.#need.digestAt(meta.start.index)
      if (at !== meta.byteLength || digests.some((digest) => digest !== expected)) {
        throw new Error(`a reset to ${meta.start.index} brought another state`)
      }
      await this.#sync('sync', () => {
        this.#image.start = meta.start
        this.#image.base = meta.membership
        this.#image.entries = []
        this.#disk.replace(this.#image)
        this.#synced = this.#changes
        this.#written = this.#changes
        this.#cuts = []
      })
      return this.state()
    } finally {
      this.#resetUnderWay = false
    }
  }

  #read(first: Index, last: Index, maxBytes: number): EntryBytes | undefined {
    if (first <= this.#image.start.index || last > this.lastIndex) return undefined
    const count = Math.min(last - first + 1, Math.max(1, Math.floor(maxBytes / FRAME_BYTES)))
    const numbers = new Float64Array(count * 4)
    for (let at = 0; at < count; at++) {
      const entry = this.entryAt(first + at)
      if (entry === undefined) return undefined
      numbers[at * 4] = first + at
      numbers[at * 4 + 1] = entry.term
      numbers[at * 4 + 2] = entry.value
    }
    return { first, last: first + count - 1, bytes: [new Uint8Array(numbers.buffer)] }
  }

  #write(index: Index, entry: Entry): void {
    if (index !== this.lastIndex + 1) throw new Error(`entry ${index} is written after ${this.lastIndex}`)
    const prevTerm = this.#image.entries.at(-1)?.term ?? this.#image.start.term
    this.#need.wrote(index, entry, prevTerm)
    this.#change((image) => image.entries.push(entry))
  }

  #change(change: Change): void {
    change(this.#image)
    this.#changes++
    this.#disk.change(change)
  }

  #sync(work: DiskWork, done: () => void): Promise<void> {
    const { maxSyncMs, slowSyncRate, slowSyncMs } = this.#faults()
    const { random, later } = this.#need
    const slow = random.next() < slowSyncRate
    const drawnMs = random.next() * (slow ? slowSyncMs : maxSyncMs)
    const delayMs = work === 'sync' ? (this.#disk.nextSyncMs ?? drawnMs) : drawnMs
    if (work === 'sync') this.#disk.nextSyncMs = undefined
    const fails = this.#disk.failNextSync
    this.#disk.failNextSync = false
    return new Promise((resolve, reject) => {
      later(
        delayMs,
        () => {
          if (fails) return reject(new Error('injected: the sync failed'))
          done()
          resolve()
        },
        work,
      )
    })
  }
}
