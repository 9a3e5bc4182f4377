/** Entries from a peer: bytes to frames, each verified, or nothing at all. */
import {
  FRAME_HEADER_BYTES,
  type ExpectedFrame,
  frameFault,
  frameLength,
  frameTerm,
  headFault,
  placeFault,
} from '../message/entry-frame.ts'
import { storeErrors } from './errors.ts'
import type { TermRun } from './log-outline.ts'
import { type LogPosition, positionAfter } from './log-position.ts'

export interface ReceivedEntries {
  readonly first: number
  readonly last: number
  readonly bytes: readonly Uint8Array[]
}

/**
 * The frames of `entries`, which must be whole, sound, of the indexes `first..last` and the terms of `runs`, and follow
 * `after`. Throws `RAFT_BAD_ENTRIES`. A frame that lies in one buffer is a view of it, others are copies.
 */
export function framesOf(
  entries: ReceivedEntries,
  runs: readonly TermRun[],
  after: LogPosition,
  isChained = true,
): Buffer[] {
  const frames = splitFrames(entries.bytes)
  if (frames.length !== entries.last - entries.first + 1) {
    throw bad(`${frames.length} frames for entries ${entries.first} to ${entries.last}`)
  }
  let position = after
  let chained = isChained
  let run = 0
  for (const frame of frames) {
    const expected: ExpectedFrame = {
      index: position.index + 1,
      offset: position.offset,
      previousCrc: chained ? position.crc : undefined,
      minTerm: chained ? position.term : 0,
    }
    const fault = frameFault(frame, 0, frame.length) ?? placeFault(frame, 0, expected)
    if (fault !== undefined) throw bad(`entry ${expected.index}: ${fault}`)
    while ((runs[run]?.last ?? Infinity) < expected.index) run++
    const announced = runs[run]
    if (announced === undefined || expected.index < announced.first || frameTerm(frame, 0) !== announced.term) {
      throw bad(`entry ${expected.index} has term ${frameTerm(frame, 0)}, not the one announced`)
    }
    position = positionAfter(frame, 0)
    chained = true
  }
  return frames
}

/** The frames that lie back to back over `bytes`, not verified yet. Throws `RAFT_BAD_ENTRIES` where none begins or ends. */
export function splitFrames(bytes: readonly Uint8Array[]): Buffer[] {
  const frames: Buffer[] = []
  let rest: Buffer = Buffer.alloc(0)
  for (const part of bytes) {
    const view = Buffer.from(part.buffer, part.byteOffset, part.byteLength)
    const buffer: Buffer = rest.length === 0 ? view : Buffer.concat([rest, view])
    let at = 0
    while (buffer.length - at >= FRAME_HEADER_BYTES) {
      const fault = headFault(buffer, at, buffer.length)
      if (fault !== undefined) throw bad(`no frame: ${fault}`)
      const end = at + frameLength(buffer, at)
      if (end > buffer.length) break
      frames.push(buffer.subarray(at, end))
      at = end
    }
    rest = buffer.subarray(at)
  }
  if (rest.length > 0) throw bad(`${rest.length} bytes behind the last frame`)
  return frames
}

function bad(message: string): Error {
  return storeErrors.create('RAFT_BAD_ENTRIES', message)
}
