/** The place behind an entry, at once: from memory, else by walking frames on disk from the nearest point. */
import { assert } from '../lib/assert.ts'
import { FRAME_HEADER_BYTES, frameFault, frameLength, frameOffset, headFault } from '../message/entry-frame.ts'
import { storeErrors } from './errors.ts'
import type { FileSystem } from './file-system.ts'
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

function readPosition({ fileSystem, folder, segments }: PositionLookup, index: number): LogPosition {
  const segment = segments.atIndex(index)
  assert(segment !== undefined, 'a segment holds every entry kept')
  const path = `${folder}/${segmentName(segment.start.offset)}`
  const base = segment.start.offset
  const point = segment.points?.atIndex(index) ?? { offset: base, index: segment.start.index + 1 }
  const head = Buffer.alloc(FRAME_HEADER_BYTES)
  let at = point.offset
  for (let next = point.index; next < index; next++) {
    const got = fileSystem.readSync(path, head, at - base)
    if (headFault(head, 0, got) !== undefined || frameOffset(head, 0) !== at) throw rot(index, at)
    at += frameLength(head, 0)
  }
  const got = fileSystem.readSync(path, head, at - base)
  if (headFault(head, 0, got) !== undefined) throw rot(index, at)
  const frame = Buffer.alloc(frameLength(head, 0))
  const length = fileSystem.readSync(path, frame, at - base)
  if (frameFault(frame, 0, length) !== undefined || frameOffset(frame, 0) !== at) throw rot(index, at)
  const position = positionAfter(frame, 0)
  assert(position.index === index, 'frames follow each other')
  return position
}

function rot(index: number, offset: number): Error {
  return storeErrors.create('STORE_ROT', `the way to entry ${index} is damaged at byte ${offset} of the CommitLog`)
}
