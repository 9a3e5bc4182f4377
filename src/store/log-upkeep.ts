/**
 * What follows the flushes at a distance: the sync mark, the index files, the log's start. None of it is on the way of an
 * acknowledgement.
 */
import { errorCode } from '../lib/errors.ts'
import type { BadRanges } from './bad-ranges.ts'
import type { DescriptorPool } from './descriptor-pool.ts'
import { EntryPoints } from './entry-points.ts'
import type { FileSystem } from './file-system.ts'
import type { GroupCommit } from './group-commit.ts'
import { LACK_OF_ROOM } from './lack-of-room.ts'
import type { LogFiles } from './log-files.ts'
import type { LogOutline } from './log-outline.ts'
import type { LogPosition } from './log-position.ts'
import type { LogStartFile } from './log-start.ts'
import { removeSegment } from './segment-files.ts'
import type { SegmentIndex } from './segment-index.ts'
import type { SegmentIndexes } from './segment-indexes.ts'
import type { SegmentList } from './segment-list.ts'
import type { Segment } from './segment.ts'
import type { SyncMark } from './sync-mark.ts'

export interface LogUpkeepNeeds {
  readonly fileSystem: FileSystem
  /** The folder of the segments. */
  readonly folder: string
  readonly outline: LogOutline
  readonly segments: SegmentList
  readonly bad: BadRanges
  readonly commit: GroupCommit
  readonly files: LogFiles
  readonly indexes: SegmentIndexes
  readonly descriptors: DescriptorPool
  readonly mark: SyncMark
  readonly startFile: LogStartFile
  readonly indexEveryBytes: number
  readonly onFailed: (error: Error) => void
}

export class LogUpkeep {
  readonly #need: LogUpkeepNeeds
  /** Up to here index files cover the log; lowered by a truncation. */
  #indexedOffset: number
  #isIndexing = false
  #dropping: Promise<void> = Promise.resolve()

  constructor(need: LogUpkeepNeeds, indexedOffset: number) {
    this.#need = need
    this.#indexedOffset = indexedOffset
  }

  /** More is durable, or less after a truncation. */
  flushed(position: LogPosition): void {
    const { mark, segments, indexEveryBytes } = this.#need
    mark.advanced()
    const isSegmentDone =
      position.offset >= segments.last.start.offset && this.#indexedOffset < segments.last.start.offset
    if (!isSegmentDone && position.offset - this.#indexedOffset < indexEveryBytes) return
    if (this.#isIndexing) return
    this.#isIndexing = true
    this.#saveIndexes().then(
      () => {
        this.#isIndexing = false
      },
      (error: unknown) => {
        this.#isIndexing = false
        this.#need.onFailed(error instanceof Error ? error : new Error(String(error)))
      },
    )
  }

  /** Before the log is cut behind `to`: index files of `cut` segments go. Resolves when that is durable. */
  async truncating(to: LogPosition, cut: readonly number[]): Promise<void> {
    this.#indexedOffset = Math.min(this.#indexedOffset, cut[0] ?? to.offset)
    await this.#need.indexes.remove(cut)
  }

  /** Everything was replaced by an empty log that begins at `offset`. */
  reset(offset: number): void {
    this.#indexedOffset = offset
  }

  /**
   * Drops whole segments below `offset` from the front: at once in memory, durable when it resolves. The last segment and
   * what is not flushed stay.
   */
  dropBefore(offset: number): Promise<void> {
    const { segments, outline, bad, commit } = this.#need
    const dropped = segments.dropBefore(Math.min(offset, commit.flushed.offset))
    if (dropped.length === 0) return this.#dropping
    const start = segments.first.start
    outline.dropBefore(start)
    bad.dropBefore(start.offset)
    const membership = outline.membershipAt(start.index)
    const work = this.#dropping.then(async () => {
      const { fileSystem, folder, startFile, descriptors, files } = this.#need
      // First what the next start believes, then the files: a crash between leaves files that it removes.
      await startFile.save({ position: start, membership, isResetting: false })
      files.dropped(start.offset)
      for (const segment of dropped) {
        descriptors.forget(segment.start.offset)
        await removeSegment(fileSystem, folder, segment.start.offset)
      }
      await fileSystem.fsyncFolder(folder)
    })
    this.#dropping = work.catch(() => undefined)
    return work
  }

  /** Everything that a start wants to find, as of now. */
  async settle(): Promise<void> {
    await this.#dropping
    await this.#need.indexes.idle()
    await this.#need.mark.flush()
    await this.#saveIndexes()
  }

  async #saveIndexes(): Promise<void> {
    const { segments, commit } = this.#need
    try {
      for (const segment of segments.all) {
        if (segment.end.offset <= this.#indexedOffset && segment !== segments.last) continue
        if (!segment.isEmpty && segment.start.offset < commit.flushed.offset) await this.#saveIndex(segment)
      }
    } catch (error) {
      // Derived: without room for it the next start reads the log instead.
      if (!LACK_OF_ROOM.has(errorCode(error) ?? '')) throw error
    }
  }

  async #saveIndex(segment: Segment): Promise<void> {
    const { mark, indexes } = this.#need
    // An index is believed up to the mark only.
    await mark.flush()
    if (segment.points === undefined) await indexes.loadPoints(segment)
    await indexes.save(() => this.#indexOf(segment))
  }

  /** What is durable of the segment; undefined while that is in doubt. */
  #indexOf(segment: Segment): SegmentIndex | undefined {
    const { commit, outline, mark, segments, indexes } = this.#need
    if (commit.isTruncating || !segments.all.includes(segment) || segment.points === undefined) return undefined
    const flushed = commit.flushed
    const end = flushed.offset >= segment.end.offset ? segment.end : flushed
    if (end.offset <= segment.start.offset || end.offset > mark.offset) return undefined
    const points = new EntryPoints()
    for (const point of segment.points) if (point.index <= end.index) points.addAlways(point.index, point.offset)
    const first = segment.start.index + 1
    this.#indexedOffset = Math.max(this.#indexedOffset, end.offset)
    if (segment !== segments.last) indexes.keep(segment)
    return {
      start: segment.start,
      end,
      isFull: segment.isFull && end === segment.end,
      runs: outline.runsBetween(first, end.index),
      memberships: outline.memberships.filter(({ index }) => index >= first && index <= end.index),
      points,
    }
  }
}
