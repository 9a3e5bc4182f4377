/**
 * The log: entries in memory and on disk. What changes it takes effect in memory at once and is queued for the disk in
 * the same order; `stable` tells when the disk has it.
 *
 * Invariants: `flushedOffset <= writtenOffset <= endOffset`, unless a truncation is queued. What is not written yet is in
 * the tail cache. Frames follow each other without gaps, in offset, index and checksum chain.
 */
import { assert } from '../lib/assert.ts'
import type { Clock } from '../lib/clock.ts'
import {
  type EntryDraft,
  FRAME_HEADER_BYTES,
  FrameKind,
  type FramePlace,
  entryLength,
  frameEndsSegment,
  frameOffset,
  writeEntry,
  writePlainEntry,
} from '../message/entry-frame.ts'
import { Arena } from './arena.ts'
import type { BadRange, BadRanges } from './bad-ranges.ts'
import { framesOf } from './frames-of.ts'
import type { FlushMode, GroupCommit } from './group-commit.ts'
import type { EntryId, LogOutline, MembershipBytes, TermRun } from './log-outline.ts'
import { type LogPosition, positionAfter } from './log-position.ts'
import type { EntryBytes, LogReader, RecordPlace } from './log-reader.ts'
import type { LogRepair } from './log-repair.ts'
import type { LogReset, ResetTo } from './log-reset.ts'
import type { LogUpkeep } from './log-upkeep.ts'
import type { PositionLookup } from './position-lookup.ts'
import { type RecoveryReport, membershipOf } from './recovery.ts'
import type { SegmentList } from './segment-list.ts'
import type { TailCache } from './tail-cache.ts'

/** What the broker answers a send with. */
export interface Appended {
  /** Offset of each record in the CommitLog. */
  readonly offsets: readonly number[]
  readonly timestampMs: number
}

export interface CommitLogState {
  /** The entry before the first one kept. */
  readonly start: EntryId
  /** Of all entries kept, ascending, without gaps, from `start.index + 1`. */
  readonly runs: readonly TermRun[]
  /** Ascending; the first may be the one that the log start stands on. Bytes as `appendMembership` was given them. */
  readonly memberships: readonly MembershipBytes[]
}

/** One file of the log, for retention and status. */
export interface SegmentInfo {
  readonly startOffset: number
  readonly endOffset: number
  readonly lastIndex: number
  /** Store time of its last entry. */
  readonly lastTimestampMs: number
}

/** The parts, as `open-log.ts` puts them together. */
export interface CommitLogParts {
  readonly clock: Clock
  readonly outline: LogOutline
  readonly segments: SegmentList
  readonly tail: TailCache
  readonly bad: BadRanges
  readonly reader: LogReader
  readonly commit: GroupCommit
  readonly upkeep: LogUpkeep
  readonly repair: LogRepair
  readonly reset: LogReset
  readonly positions: PositionLookup
  readonly segmentBytes: number
  readonly report: RecoveryReport
  /** Closes the files; `end` is given when all is durable. */
  readonly close: (end: LogPosition | undefined) => Promise<void>
}

export class CommitLog {
  readonly #parts: CommitLogParts
  readonly #arena = new Arena()

  constructor(parts: CommitLogParts) {
    this.#parts = parts
  }

  /* What there is. */

  state(): CommitLogState {
    const { outline } = this.#parts
    const { index, term } = outline.start
    return { start: { index, term }, runs: [...outline.runs], memberships: [...outline.memberships] }
  }

  /** The place before the first entry kept. */
  get start(): LogPosition {
    return this.#parts.outline.start
  }

  /** The place behind the last entry, in memory. */
  get end(): LogPosition {
    return this.#parts.outline.end
  }

  /** Up to here everything is durable. */
  get flushed(): LogPosition {
    return this.#parts.commit.flushed
  }

  /** Bytes that wait for the disk: who admits more looks here. */
  get pendingBytes(): number {
    return this.#parts.commit.pendingBytes
  }

  get isDiskFull(): boolean {
    return this.#parts.commit.isDiskFull
  }

  /** What opening found and did. */
  get recovery(): RecoveryReport {
    return this.#parts.report
  }

  /** Term of an entry kept, or of the one that the log starts after. */
  termAt(index: number): number | undefined {
    return this.#parts.outline.termAt(index)
  }

  /** Ascending; the last one grows. */
  segments(): SegmentInfo[] {
    return this.#parts.segments.all.map((segment) => ({
      startOffset: segment.start.offset,
      endOffset: segment.end.offset,
      lastIndex: segment.end.index,
      lastTimestampMs: segment.end.timestampMs,
    }))
  }

  /* Changes. */

  /** Leader: encodes `draft` once as entry `id`; the same memory goes to disk, cache and peers. */
  append(id: EntryId, draft: EntryDraft): Appended {
    const length = entryLength(draft)
    const place = this.#place(id, length)
    const frame = this.#arena.take(length)
    const offsets = writeEntry(draft, frame, 0, length, place)
    this.#add(frame)
    return { offsets, timestampMs: place.timestampMs }
  }

  /** Leader: the empty entry of a new term (Raft §8). */
  appendEmpty(id: EntryId): void {
    this.#appendPlain(FrameKind.empty, id, undefined)
  }

  /** Leader: a membership, as bytes that only the caller understands. */
  appendMembership(id: EntryId, membership: Uint8Array): void {
    this.#appendPlain(FrameKind.membership, id, membership)
  }

  /**
   * Follower: frames as they came, all or none. Throws `RAFT_BAD_ENTRIES` unless each is whole and sound, follows the one
   * before, and has its index of `first..last` and its term of `runs`.
   */
  appendFrames(
    entries: { readonly first: number; readonly last: number; readonly bytes: readonly Uint8Array[] },
    runs: readonly TermRun[],
  ): void {
    assert(entries.first === this.end.index + 1, `entries ${entries.first} to ${entries.last} follow ${this.end.index}`)
    for (const frame of framesOf(entries, runs, this.end)) this.#add(frame)
  }

  /**
   * Drops every entry after `index`, which is kept or is the log's start: nothing of them is ever read again. Or, while
   * the way there is damaged, nothing, and returns false: `badRanges` comes to name what has to be repaired first.
   */
  truncateAfter(index: number): boolean {
    const { outline, segments, tail, bad, reader, commit, positions } = this.#parts
    if (index === outline.end.index) return true
    const to = positions.behind(index)
    if (to === undefined) return false
    outline.truncateAfter(to)
    segments.truncateAfter(to)
    tail.truncateAfter(index)
    bad.truncateAfter(index, to.offset)
    reader.truncateAfter(to.offset)
    commit.truncate(to)
    return true
  }

  /**
   * Resolves when everything appended and truncated before is stable: with sync flush after fdatasync, with async flush
   * once written (and within its bounds). A rejection means that the disk can no longer be believed: the node ends.
   */
  stable(): Promise<void> {
    return this.#parts.commit.stable()
  }

  /** Resolves when everything appended before is on the disk, whatever the mode. */
  flush(): Promise<void> {
    return this.#parts.commit.flush()
  }

  /** Everything up to this entry is durable. */
  get durableIndex(): number {
    return this.#parts.commit.durableIndex
  }

  setFlushMode(mode: FlushMode): void {
    this.#parts.commit.setMode(mode)
  }

  /**
   * Drops whole segments whose bytes all lie below `offset`: at once in memory, durable when it resolves. The segment that
   * grows always stays.
   */
  dropBefore(offset: number): Promise<void> {
    return this.#parts.upkeep.dropBefore(offset)
  }

  /**
   * Replaces the log by an empty one that starts at `to.start`. No other change may be under way. Durable when it
   * resolves; a crash leaves either the old log or the new one.
   */
  reset(to: ResetTo): Promise<void> {
    return this.#parts.reset.run(to)
  }

  /** Writes what is left, saves what makes the next start fast, and closes the files. */
  async close(): Promise<void> {
    const { commit, upkeep, close } = this.#parts
    let end: LogPosition | undefined
    try {
      await commit.flush()
      await upkeep.settle()
      end = commit.flushed
    } finally {
      commit.close()
      await close(end)
    }
  }

  /** Closes the files as they are: for a node that ends because its disk failed. */
  async abandon(): Promise<void> {
    this.#parts.commit.close()
    await this.#parts.close(undefined)
  }

  /* Reading. */

  /**
   * Entries from `first`, at most up to `last` and about `maxBytes`, at least one. Undefined when any of `first..last` is
   * not kept (any more, or yet). At once when memory holds them. Rejects with `STORE_ROT` when the first is damaged.
   */
  read(first: number, last: number, maxBytes: number): EntryBytes | undefined | Promise<EntryBytes | undefined> {
    return this.#parts.reader.read(first, last, maxBytes)
  }

  /** Bytes of the frames `first..last`; an estimate where the disk would have to tell. */
  byteLength(first: number, last: number): number {
    if (last < first) return 0
    const { positions } = this.#parts
    return Math.max(0, positions.offsetAbout(last + 1) - positions.offsetAbout(first))
  }

  /**
   * Records by their places, in order, as views. A place that is not kept gives undefined. At once when memory holds them.
   * Rejects with `STORE_ROT` when a record's frame is damaged.
   */
  readRecords(places: readonly RecordPlace[]): (Buffer | undefined)[] | Promise<(Buffer | undefined)[]> {
    return this.#parts.reader.readRecords(places)
  }

  /** The frame that holds byte `offset`, if it is in memory. Called for every message that is pulled. */
  frameInMemory(offset: number): Buffer | undefined {
    return this.#parts.reader.frameInMemory(offset)
  }

  /** The verified frame that holds byte `offset`; undefined when it is not kept. Rejects with `STORE_ROT`. */
  frameAt(offset: number): Promise<Buffer | undefined> {
    return this.#parts.reader.frameAt(offset)
  }

  /* Damage. */

  /** What is known to have rotted, ascending. */
  badRanges(): readonly BadRange[] {
    return this.#parts.bad.all
  }

  /**
   * Puts a peer's bytes in the place of damaged ones: entries from the first one of a bad range, at most to its last, up to
   * where both logs are the same. Durable when it resolves. Throws `RAFT_BAD_ENTRIES` when they do not fit there.
   */
  repairEntries(entries: EntryBytes): Promise<void> {
    return this.#parts.repair.run(entries)
  }

  #place(id: EntryId, length: number): FramePlace {
    const { outline, segments, clock, segmentBytes } = this.#parts
    const { end } = outline
    assert(id.index === end.index + 1, `entry ${id.index} follows ${end.index}`)
    return {
      index: id.index,
      term: id.term,
      offset: end.offset,
      // Store time never goes back, across leaders too.
      timestampMs: Math.max(end.timestampMs, Math.floor(clock.nowMs())),
      previousCrc: end.crc,
      endsSegment: end.offset + length - segments.last.start.offset >= segmentBytes,
    }
  }

  #appendPlain(kind: FrameKind, id: EntryId, command: Uint8Array | undefined): void {
    const length = FRAME_HEADER_BYTES + (command?.length ?? 0)
    const frame = this.#arena.take(length)
    writePlainEntry(kind, command, frame, 0, this.#place(id, length))
    this.#add(frame)
  }

  /** Adds the next frame, sound and in its place, everywhere. */
  #add(frame: Buffer): void {
    const { outline, segments, tail, commit } = this.#parts
    const end = positionAfter(frame, 0)
    assert(frameOffset(frame, 0) === outline.end.offset, 'frames follow each other')
    const isLast = frameEndsSegment(frame, 0)
    outline.add(end, membershipOf(frame))
    segments.last.add(end, isLast)
    tail.push(frame)
    commit.write(frame, end)
    if (isLast) {
      segments.roll(end)
      commit.roll(end)
    }
    tail.evict(commit.written.offset)
  }
}
