/**
 * Places of entries, at once: from memory, else by walking frames on disk from the nearest point. Where that way
 * is damaged, the frame behind the entry tells: it carries its own place and the checksum of the one before.
 */
import { assert } from '../lib/assert.ts'
import { errorCode } from '../lib/errors.ts'
import {
  FRAME_HEADER_BYTES,
  frameFault,
  frameIndex,
  frameLength,
  frameOffset,
  framePreviousCrc,
  frameTimestampMs,
  headFault,
} from '../message/entry-frame.ts'
import type { FileSystem } from './file-system.ts'
import { SCAN_CHUNK_BYTES, likelyFrames } from './frame-scan.ts'
import type { LogOutline } from './log-outline.ts'
import { type LogPosition, positionAfter } from './log-position.ts'
import { segmentName } from './segment.ts'
import type { LogReader } from './log-reader.ts'
import type { SegmentList } from './segment-list.ts'
import type { TailCache } from './tail-cache.ts'
import type { VerifiedChunks } from './verified-chunks.ts'

export interface PositionLookupNeeds {
  readonly fileSystem: FileSystem
  readonly folder: string
  readonly outline: LogOutline
  readonly segments: SegmentList
  readonly tail: TailCache
  readonly chunks: VerifiedChunks
  readonly reader: Pick<LogReader, 'read'>
}

/** Bytes of one segment from `offset` on; how many there were. */
type Read = (target: Uint8Array, offset: number) => number

export class PositionLookup {
  readonly #need: PositionLookupNeeds
  #isExamining = false

  constructor(need: PositionLookupNeeds) {
    this.#need = need
  }

  /**
   * Behind entry `index`, which is kept. Undefined when the disk does not tell, because the way there is damaged: it is
   * then read beside everything else, so that what is damaged there is remembered, and can be repaired.
   */
  behind(index: number): LogPosition | undefined {
    const found = known(this.#need, index) ?? readPosition(this.#need, index)
    if (found === undefined) this.#examine(index)
    return found
  }

  /** Where the frame of entry `index` begins: an estimate where the disk would have to tell. */
  offsetAbout(index: number): number {
    const { outline, segments, tail } = this.#need
    if (index > outline.end.index) return outline.end.offset
    const frame = tail.frame(index)
    if (frame !== undefined) return frameOffset(frame, 0)
    const segment = segments.atIndex(index)
    if (segment === undefined) return outline.start.offset
    const point = segment.points?.atIndex(index)
    if (point?.index === index) return point.offset
    // Between two known places entries are taken to be of one size.
    const share = (index - segment.start.index - 1) / (segment.end.index - segment.start.index)
    return Math.floor(segment.start.offset + share * (segment.end.offset - segment.start.offset))
  }

  #examine(index: number): void {
    if (this.#isExamining) return
    this.#isExamining = true
    void Promise.resolve(this.#need.reader.read(index, index, 1))
      // Damage is what it looks for. Who asked asks again, whatever else kept it from reading.
      .catch(() => undefined)
      .then(() => {
        this.#isExamining = false
      })
  }
}

/** What memory knows. */
function known({ outline, segments, tail, chunks }: PositionLookupNeeds, index: number): LogPosition | undefined {
  assert(index >= outline.start.index && index <= outline.end.index, 'the entry is kept')
  if (index === outline.end.index) return outline.end
  if (index === outline.start.index) return outline.start
  const chunk = chunks.holdingIndex(index)
  const frame = tail.frame(index) ?? chunk?.frames[index - chunk.first]
  if (frame !== undefined) return positionAfter(frame, 0)
  return segments.all.find((segment) => segment.start.index === index)?.start
}

function readPosition(
  { fileSystem, folder, outline, segments, tail }: PositionLookupNeeds,
  index: number,
): LogPosition | undefined {
  const segment = segments.atIndex(index)
  assert(segment !== undefined, 'a segment holds every entry kept')
  const path = `${folder}/${segmentName(segment.start.offset)}`
  const base = segment.start.offset
  const read: Read = (target, offset) => {
    try {
      return fileSystem.readSync(path, target, offset - base)
    } catch (error) {
      // A place that the medium does not give back tells as little as one that rotted.
      if (errorCode(error) !== 'EIO') throw error
      return 0
    }
  }
  const from = segment.points?.atIndex(index) ?? { offset: base, index: segment.start.index + 1 }
  const walked = walk(read, from, index)
  if (walked !== undefined) return walked
  // A length that rotted may have led past it: from where the way began.
  const next = tail.frame(index + 1) ?? search(read, index + 1, { offset: from.offset, end: segment.end.offset })
  if (next === undefined) return undefined
  const term = outline.termAt(index)
  assert(term !== undefined, 'the term of an entry kept')
  return {
    offset: frameOffset(next, 0),
    index,
    term,
    crc: framePreviousCrc(next, 0),
    // What is appended here may be no older than the entry before it; that one was no younger than the one behind it.
    timestampMs: frameTimestampMs(next, 0),
  }
}

/** Frame by frame to entry `index`: the place behind it, if the way leads there. */
function walk(
  read: Read,
  from: { readonly offset: number; readonly index: number },
  index: number,
): LogPosition | undefined {
  const head = Buffer.alloc(FRAME_HEADER_BYTES)
  let at = from.offset
  for (let next = from.index; next < index; next++) {
    if (headFault(head, 0, read(head, at)) !== undefined || frameOffset(head, 0) !== at) return undefined
    at += frameLength(head, 0)
  }
  const frame = frameAt(read, at)
  if (frame === undefined) return undefined
  const position = positionAfter(frame, 0)
  return position.index === index ? position : undefined
}

/** The sound frame of entry `index` in a range of bytes where frames before it are damaged. */
function search(
  read: Read,
  index: number,
  range: { readonly offset: number; readonly end: number },
): Buffer | undefined {
  const chunk = Buffer.alloc(SCAN_CHUNK_BYTES)
  // A head that lies across two chunks is whole in the second one.
  for (let start = range.offset; start < range.end; start += chunk.length - FRAME_HEADER_BYTES) {
    const length = read(chunk, start)
    for (const at of likelyFrames(chunk.subarray(0, length), start)) {
      const frame = frameIndex(chunk, at) === index ? frameAt(read, start + at) : undefined
      if (frame !== undefined) return frame
    }
  }
  return undefined
}

/** The frame at `offset`, if a whole and sound one that belongs there begins there. */
function frameAt(read: Read, offset: number): Buffer | undefined {
  const head = Buffer.alloc(FRAME_HEADER_BYTES)
  if (headFault(head, 0, read(head, offset)) !== undefined || frameOffset(head, 0) !== offset) return undefined
  const frame = Buffer.alloc(frameLength(head, 0))
  return frameFault(frame, 0, read(frame, offset)) === undefined ? frame : undefined
}
