/**
 * Opening a log: what is on disk is compared with what must be there, row by row of `recovery-table.ts`. What comes out
 * is durable, whatever came before: the part that no mark vouches for is written and synced again.
 */
import { assert, present } from '../lib/assert.ts'
import {
  FRAME_HEADER_BYTES,
  FrameKind,
  frameCommand,
  frameEndsSegment,
  frameIndex,
  frameKind,
  frameOffset,
  framePreviousCrc,
  frameTerm,
  headFault,
} from '../message/entry-frame.ts'
import { type BadRange, BadRanges } from './bad-ranges.ts'
import type { DescriptorPool } from './descriptor-pool.ts'
import { storeErrors } from './errors.ts'
import { type FileSystem, type OpenFile, readExactly } from './file-system.ts'
import { SCAN_CHUNK_BYTES, findFrame, scanFrames } from './frame-scan.ts'
import { beginSegment, syncFile } from './log-files.ts'
import { LogOutline, type TermRun } from './log-outline.ts'
import type { LogPosition } from './log-position.ts'
import type { LogStart } from './log-start.ts'
import { FRAME_CASES, SEGMENT_CASES, decide } from './recovery-table.ts'
import type { SegmentIndex } from './segment-index.ts'
import type { SegmentIndexes } from './segment-indexes.ts'
import { SegmentList } from './segment-list.ts'
import { Segment, segmentName } from './segment.ts'
import type { MarkContent } from './sync-mark.ts'
import { tailDamage, type TailDamage } from './tail-damage.ts'

export interface RecoveryNeeds {
  readonly fileSystem: FileSystem
  /** The folder of the segments. */
  readonly folder: string
  readonly descriptors: DescriptorPool
  readonly indexes: SegmentIndexes
  readonly start: LogStart
  readonly mark: MarkContent
  /** The log was closed in order: nothing stands above the mark that was not synced. */
  readonly isClean: boolean
  /** A tail is about to be cut off that a process which died while it wrote did not leave. */
  readonly onDamagedTail: (damage: TailDamage) => Promise<void>
}

export interface RecoveredLog {
  readonly outline: LogOutline
  readonly segments: SegmentList
  readonly bad: BadRanges
  /** The last segment, open for writing. */
  readonly file: OpenFile
  /** Up to here index files cover the log. */
  readonly indexedOffset: number
  readonly report: RecoveryReport
}

export interface RecoveryReport {
  readonly segmentCount: number
  /** Bytes that were read to learn what the index files did not tell. */
  readonly scannedBytes: number
  /** Bytes above the mark, written and synced again. */
  readonly rewrittenBytes: number
  /** Bytes of a torn tail, cut off. */
  readonly cutBytes: number
}

/** Opens the segments at `offsets`, which begin at the log start. */
export async function recoverLog(need: RecoveryNeeds, offsets: readonly number[]): Promise<RecoveredLog> {
  const recovery = new Recovery(need, offsets)
  return recovery.run()
}

class Recovery {
  readonly #need: RecoveryNeeds
  readonly #offsets: readonly number[]
  readonly #outline: LogOutline
  readonly #bad = new BadRanges()
  readonly #segments: Segment[] = []
  #scannedBytes = 0
  #rewrittenBytes = 0
  #cutBytes = 0
  #indexedOffset: number | undefined

  constructor(need: RecoveryNeeds, offsets: readonly number[]) {
    this.#need = need
    this.#offsets = offsets
    const { position, membership } = need.start
    this.#outline = new LogOutline({
      start: position,
      end: position,
      runs: [],
      memberships: membership === undefined ? [] : [membership],
    })
  }

  async run(): Promise<RecoveredLog> {
    const { fileSystem, folder } = this.#need
    assert(this.#offsets[0] === this.#outline.start.offset, 'the first segment begins at the log start')
    for (const [at, offset] of this.#offsets.entries()) {
      const next = this.#offsets[at + 1]
      if (next !== undefined) await this.#inner(offset, next)
    }
    const lastOffset = present(this.#offsets.at(-1), 'last segment')
    let file = await fileSystem.open(`${folder}/${segmentName(lastOffset)}`, 'write')
    try {
      const segment = await this.#last(lastOffset, file)
      if (segment.isFull) {
        // The frame that ends the segment was the last thing written.
        await file.close()
        file = await beginSegment(this.#need, segment.end.offset)
        this.#segments.push(new Segment(segment.end))
      }
    } catch (error) {
      await file.close()
      throw error
    }
    return {
      outline: this.#outline,
      segments: new SegmentList(this.#segments),
      bad: this.#bad,
      file,
      indexedOffset: this.#indexedOffset ?? lastOffset,
      report: {
        segmentCount: this.#segments.length,
        scannedBytes: this.#scannedBytes,
        rewrittenBytes: this.#rewrittenBytes,
        cutBytes: this.#cutBytes,
      },
    }
  }

  /** A segment that another one follows: all of it was durable. */
  async #inner(offset: number, next: number): Promise<void> {
    const { fileSystem, folder, indexes, descriptors } = this.#need
    const path = `${folder}/${segmentName(offset)}`
    const size = (await fileSystem.stat(path))?.size ?? 0
    const index = await this.#indexOf(offset)
    const segment = this.#begin(offset)
    const action = decide(SEGMENT_CASES, {
      place: 'inner',
      length: size < next - offset ? 'shorter' : size > next - offset ? 'longer' : 'right',
      index: index === undefined || index.end.offset > next ? 'none' : index.end.offset === next ? 'all' : 'part',
    })
    if (action === 'refuseLength') throw lengthError(path, size, next - offset, index)
    if (index !== undefined && action !== 'scan') this.#trust(segment, index)
    if (action !== 'trustIndex') {
      this.#indexedOffset ??= offset
      await descriptors.use(offset, (file) => this.#scan(segment, file, next, next))
      if (this.#outline.end.offset !== next) throw lengthError(path, this.#outline.end.offset - offset, next - offset)
    }
    // The points of cold segments stay on disk; those that were scanned are there when they are saved.
    if (action === 'trustIndex') indexes.keep(segment)
  }

  async #last(offset: number, file: OpenFile): Promise<Segment> {
    const { mark, isClean, folder, onDamagedTail } = this.#need
    const size = await file.size()
    // That this segment exists proves the one before to be durable, even when the mark lags behind.
    const durableEnd = Math.max(mark.position.offset, offset)
    const index = await this.#indexOf(offset)
    const segment = this.#begin(offset)
    const path = `${folder}/${segmentName(offset)}`
    const action = decide(SEGMENT_CASES, {
      place: 'last',
      length: offset + size < durableEnd ? 'shorter' : offset + size > durableEnd ? 'longer' : 'right',
      index:
        index === undefined || index.end.offset > durableEnd
          ? 'none'
          : index.end.offset === durableEnd
            ? 'all'
            : 'part',
    })
    if (action === 'refuseLength') throw lengthError(path, size, durableEnd - offset, index)
    if (index !== undefined && action !== 'scan') this.#trust(segment, index)
    if (action !== 'trustIndex') await this.#scan(segment, file, offset + size, durableEnd)
    const end = segment.end.offset
    if (end < offset + size) {
      this.#cutBytes = offset + size - end
      const damage = await tailDamage({ file, base: offset, from: end, until: offset + size })
      if (damage !== undefined) await onDamagedTail(damage)
      await file.truncate(end - offset)
      await syncFile(file)
    }
    if (!isClean && end > durableEnd) await this.#rewrite(file, offset, durableEnd, end)
    return segment
  }

  #begin(offset: number): Segment {
    assert(offset === this.#outline.end.offset, 'segments follow each other')
    const segment = new Segment(this.#outline.end)
    this.#segments.push(segment)
    return segment
  }

  /** The segment's index file, if it is of exactly these bytes. */
  async #indexOf(offset: number): Promise<SegmentIndex | undefined> {
    const index = await this.#need.indexes.read(offset)
    if (index === undefined) return undefined
    const before = this.#outline.end
    // Behind damage the frame before is known only by what its successor says of it.
    const isNext = index.start.offset === offset && index.start.index === before.index && index.start.crc === before.crc
    return isNext ? index : undefined
  }

  #trust(segment: Segment, index: SegmentIndex): void {
    segment.load(index.end, index.isFull, index.points)
    this.#outline.addRuns(index.end, index.runs, index.memberships)
  }

  async #scan(segment: Segment, file: OpenFile, until: number, durableEnd: number): Promise<void> {
    const base = segment.start.offset
    const from = segment.end.offset
    for (;;) {
      const end = await scanFrames({
        file,
        base,
        from: { position: segment.end, isChained: true },
        until,
        onFrame: (frame, position) => {
          segment.add(position, frameEndsSegment(frame, 0))
          this.#outline.add(position, membershipOf(frame))
          return !segment.isFull
        },
      })
      if (end.fault === undefined) break
      const at = segment.end.offset
      const action = decide(FRAME_CASES, { zone: at < durableEnd ? 'durable' : 'open', frame: 'bad' })
      if (action === 'end') break
      await this.#skipRot(segment, file, durableEnd)
    }
    this.#scannedBytes += segment.end.offset - from
  }

  /** Goes on behind damaged frames that were durable, remembering them. */
  async #skipRot(segment: Segment, file: OpenFile, durableEnd: number): Promise<void> {
    const base = segment.start.offset
    const before = segment.end
    const sound = await findFrame(file, base, before.offset + 1, durableEnd)
    const end =
      sound === undefined
        ? await this.#endOfRot(before, durableEnd)
        : placeBefore(present(await readExactly(file, sound.offset - base, FRAME_HEADER_BYTES), 'head'), before)
    const range: BadRange = { offset: before.offset, end: end.offset, first: before.index + 1, last: end.index }
    if (range.first > range.last) throw unreadable(range, 'its neighbours leave no room for an entry')
    const runs = this.#runsOf(range, before.term, end.term)
    const memberships = this.#need.mark.memberships.filter(({ index }) => index >= range.first && index <= range.last)
    segment.skip(end, sound === undefined && durableEnd !== this.#need.mark.position.offset)
    this.#outline.addRuns({ ...end, term: runs.at(-1)?.term ?? end.term }, runs, memberships)
    this.#bad.add(range)
  }

  /** All is damaged up to the mark, or to where the next segment begins. */
  async #endOfRot(before: LogPosition, durableEnd: number): Promise<LogPosition> {
    const { mark, indexes, fileSystem, folder } = this.#need
    if (mark.position.offset === durableEnd) return mark.position
    const index = await indexes.read(durableEnd)
    if (index !== undefined) return index.start
    const head = Buffer.alloc(FRAME_HEADER_BYTES)
    const got = fileSystem.readSync(`${folder}/${segmentName(durableEnd)}`, head, 0)
    if (got === head.length && headFault(head, 0, got) === undefined) return placeBefore(head, before)
    throw unreadable({ offset: before.offset, end: durableEnd }, 'nothing tells which entry its last one is')
  }

  /** Whose terms damaged entries are of: told by the mark, or by equal terms on both sides. */
  #runsOf(range: BadRange, termBefore: number, termBehind: number): TermRun[] {
    if (termBefore === termBehind) return [{ term: termBefore, first: range.first, last: range.last }]
    const runs: TermRun[] = []
    for (let next = range.first; next <= range.last; ) {
      const run = this.#need.mark.runs.find((one) => next >= one.first && next <= one.last)
      if (run === undefined) break
      const last = Math.min(run.last, range.last)
      runs.push({ term: run.term, first: next, last })
      next = last + 1
    }
    if (runs.at(-1)?.last === range.last) return runs
    throw unreadable(range, 'nothing tells the terms of its entries')
  }

  /**
   * Writes the bytes `from..to` of the last segment again. They may stand in the page cache marked as clean though a sync
   * of them failed: only a new write makes the next sync mean something.
   */
  async #rewrite(file: OpenFile, base: number, from: number, to: number): Promise<void> {
    for (let at = from; at < to; at += SCAN_CHUNK_BYTES) {
      const length = Math.min(SCAN_CHUNK_BYTES, to - at)
      const bytes = await readExactly(file, at - base, length)
      if (bytes === undefined) throw lengthError(segmentName(base), at - base, to - base)
      await file.writev([bytes], at - base)
    }
    await syncFile(file)
    this.#rewrittenBytes = to - from
  }
}

export function membershipOf(frame: Buffer): Buffer | undefined {
  if (frameKind(frame, 0) !== FrameKind.membership) return undefined
  const bytes = frameCommand(frame, 0)
  // A copy: a view would keep the whole chunk that it was read in.
  return Buffer.from(bytes ?? [])
}

function lengthError(path: string, size: number, expected: number, index?: SegmentIndex): Error {
  if (index?.isFull === true && index.end.offset - index.start.offset === size) {
    return storeErrors.create('STORE_SEGMENT_MISSING', `the segment behind ${path} is gone`)
  }
  return storeErrors.create('STORE_SEGMENT_LENGTH', `${path} has ${size} bytes in place of ${expected}`)
}

/** The place before the frame with this head. Its term is that of the frame itself: the one before is of no later one. */
function placeBefore(head: Buffer, before: LogPosition): LogPosition {
  return {
    offset: frameOffset(head, 0),
    index: frameIndex(head, 0) - 1,
    term: frameTerm(head, 0),
    crc: framePreviousCrc(head, 0),
    timestampMs: before.timestampMs,
  }
}

function unreadable(range: Pick<BadRange, 'offset' | 'end'>, why: string): Error {
  return storeErrors.create(
    'STORE_UNREADABLE',
    `bytes ${range.offset} to ${range.end} of the CommitLog are damaged: ${why}`,
  )
}
