/** Putting a peer's bytes in the place of rotted ones. */
import { errorMessage } from '../lib/errors.ts'
import { frameIndex, framePreviousCrc, frameTerm } from '../message/entry-frame.ts'
import type { BadRange, BadRanges } from './bad-ranges.ts'
import { storeErrors } from './errors.ts'
import { type FileSystem, readExactly } from './file-system.ts'
import { framesOf, splitFrames } from './frames-of.ts'
import type { LogOutline } from './log-outline.ts'
import { positionAfter } from './log-position.ts'
import type { EntryBytes, LogReader } from './log-reader.ts'
import { segmentName } from './segment.ts'
import type { SegmentList } from './segment-list.ts'

export interface LogRepairNeeds {
  readonly fileSystem: FileSystem
  readonly folder: string
  readonly outline: LogOutline
  readonly segments: SegmentList
  readonly bad: BadRanges
  readonly reader: LogReader
}

export class LogRepair {
  readonly #need: LogRepairNeeds
  #isRunning = false

  constructor(need: LogRepairNeeds) {
    this.#need = need
  }

  async run(entries: EntryBytes): Promise<void> {
    const { bad, outline, segments, fileSystem, folder } = this.#need
    const range = bad.all.find((one) => one.first === entries.first)
    if (range === undefined || entries.last > range.last) {
      throw refused(`entries ${entries.first} to ${entries.last} are not damaged here`)
    }
    if (this.#isRunning) throw refused('a repair is under way')
    this.#isRunning = true
    try {
      // What is damaged says nothing of the frame before it: its own offset, index and term must do, and the chain at its end.
      const before = { ...outline.start, offset: range.offset, index: range.first - 1, term: 0 }
      const { first, last: shared, bytes } = this.#sharedPart(entries)
      const frames = framesOf({ first, last: shared, bytes }, outline.runsBetween(first, shared), before, false)
      const last = frames.at(-1)
      if (last === undefined) throw refused('no entries')
      const end = positionAfter(last, 0)
      await this.#checkEnds(range, frames[0] ?? last, end)
      const segment = segments.atOffset(range.offset)
      if (segment === undefined) throw refused('the segment is gone')
      const file = await fileSystem.open(`${folder}/${segmentName(segment.start.offset)}`, 'write')
      try {
        await file.writev(frames, range.offset - segment.start.offset)
        await file.fdatasync()
        const written = await readExactly(file, range.offset - segment.start.offset, end.offset - range.offset)
        if (written === undefined || !written.equals(Buffer.concat(frames))) {
          throw storeErrors.create(
            'STORE_ROT',
            `bytes ${range.offset} to ${end.offset} do not hold what is written to them`,
          )
        }
      } catch (error) {
        throw storeErrors.create('STORE_ROT', `the disk did not take the repair: ${errorMessage(error)}`, error)
      } finally {
        await file.close()
      }
      if (bad.all.includes(range)) bad.repaired(range, end.index + 1, end.offset)
    } finally {
      this.#isRunning = false
    }
  }

  /**
   * The entries up to where the peer's log parts from this one, by their terms (Log Matching): it may be the very log that
   * this one is to be cut for.
   */
  #sharedPart({ first, bytes }: EntryBytes): EntryBytes {
    const { outline } = this.#need
    const frames = splitFrames(bytes)
    const parting = frames.findIndex((frame) => outline.termAt(frameIndex(frame, 0)) !== frameTerm(frame, 0))
    const shared = parting < 0 ? frames : frames.slice(0, parting)
    if (shared.length === 0) throw refused(`entry ${first} of the peer is another one`)
    return { first, last: first + shared.length - 1, bytes: shared }
  }

  /** The bytes fit between their neighbours, in length and in the chain of checksums. */
  async #checkEnds(range: BadRange, first: Buffer, end: { offset: number; index: number; crc: number }): Promise<void> {
    const { reader, outline } = this.#need
    if (range.offset > outline.start.offset) {
      const before = await this.#sound(() => reader.frameAt(range.offset - 1))
      if (before !== undefined && framePreviousCrc(first, 0) !== positionAfter(before, 0).crc) {
        throw refused('the first frame does not follow the one before it')
      }
    }
    if (end.index < range.last) {
      if (end.offset >= range.end) throw refused('the frames are too long')
      return
    }
    if (end.offset !== range.end) throw refused(`the frames end at ${end.offset} in place of ${range.end}`)
    if (range.end < outline.end.offset) {
      const behind = await this.#sound(() => reader.frameAt(range.end))
      if (behind !== undefined && framePreviousCrc(behind, 0) !== end.crc) {
        throw refused('the frame behind does not follow the last one')
      }
    } else if (outline.end.crc !== end.crc) {
      throw refused('the last frame is not the one that the log ended with')
    }
  }

  /** A neighbour may be damaged itself: then it says nothing. */
  async #sound(read: () => Promise<Buffer | undefined>): Promise<Buffer | undefined> {
    try {
      return await read()
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'STORE_ROT') return undefined
      throw error
    }
  }
}

function refused(message: string): Error {
  return storeErrors.create('RAFT_BAD_ENTRIES', message)
}
