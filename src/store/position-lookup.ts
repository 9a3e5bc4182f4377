/**
 * The place behind an entry, at once: from memory, else by walking frames on disk from the nearest point. Where that way
 * is damaged, the frame behind the entry tells: it carries its own place and the checksum of the one before.
 */
import { assert } from '../lib/assert.ts'
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
import { storeErrors } from './errors.ts'
import type { FileSystem } from './file-system.ts'
import { SCAN_CHUNK_BYTES, likelyFrames } from './frame-scan.ts'
import type { LogOutline } from './log-outline.ts'
import { type LogPosition, positionAfter } from './log-position.ts'
import { segmentName } from './segment.ts'
import type { SegmentList } from './segment-list.ts'
import type { TailCache } from './tail-cache.ts'

export interface PositionLookup {
  readonly fileSystem: FileSystem
  readonly folder: string
  readonly outline: LogOutline
  readonly segments: SegmentList
  readonly tail: TailCache
}

/** Bytes of one segment from `offset` on; how many there were. */
type Read = (target: Uint8Array, offset: number) => number

/** Behind entry `index`, which is kept. Throws `STORE_ROT` when the disk does not tell. */
export function positionBehind(need: PositionLookup, index: number): LogPosition {
  const { outline, segments, tail } = need
  assert(index >= outline.start.index && index <= outline.end.index, 'the entry is kept')
  if (index === outline.end.index) return outline.end
  if (index === outline.start.index) return outline.start
  const frame = tail.frame(index)
  if (frame !== undefined) return positionAfter(frame, 0)
  const boundary = segments.all.find((segment) => segment.start.index === index)
  return boundary?.start ?? readPosition(need, index)
}

function readPosition({ fileSystem, folder, outline, segments, tail }: PositionLookup, index: number): LogPosition {
  const segment = segments.atIndex(index)
  assert(segment !== undefined, 'a segment holds every entry kept')
  const path = `${folder}/${segmentName(segment.start.offset)}`
  const base = segment.start.offset
  const read: Read = (target, offset) => fileSystem.readSync(path, target, offset - base)
  const from = segment.points?.atIndex(index) ?? { offset: base, index: segment.start.index + 1 }
  const walked = walk(read, from, index)
  if (typeof walked !== 'number') return walked
  // A length that rotted may have led past it: from where the way began.
  const next = tail.frame(index + 1) ?? search(read, index + 1, { offset: from.offset, end: segment.end.offset })
  if (next === undefined)
    throw storeErrors.create('STORE_ROT', `the way to entry ${index} is damaged at byte ${walked} of the CommitLog`)
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

/** Frame by frame to entry `index`: the place behind it, or where it did not go on. */
function walk(
  read: Read,
  from: { readonly offset: number; readonly index: number },
  index: number,
): LogPosition | number {
  const head = Buffer.alloc(FRAME_HEADER_BYTES)
  let at = from.offset
  for (let next = from.index; next < index; next++) {
    if (headFault(head, 0, read(head, at)) !== undefined || frameOffset(head, 0) !== at) return at
    at += frameLength(head, 0)
  }
  const frame = frameAt(read, at)
  if (frame === undefined) return at
  const position = positionAfter(frame, 0)
  return position.index === index ? position : at
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
