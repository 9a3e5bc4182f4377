/**
 * What the end of a log looks like that is no sound frame, and so what may have happened to it. A file of the log only
 * grows, so a sector that was never written reads as zeros or lies beyond the end (docs/store.md, Assumptions about media).
 *
 *     undefined    the beginning of one frame: what a process leaves that dies while it writes
 *     unwritten    a sector of it is missing: only a loss of power leaves that, of a write that never returned
 *     rot          every sector of it is there, and it is no frame: it was whole once, and may be acknowledged
 */
import { FRAME_HEADER_BYTES, frameFault, frameLength, headFault, withLength } from '../message/entry-frame.ts'
import { type OpenFile, readExactly } from './file-system.ts'
import { findFrame } from './frame-scan.ts'

export type TailDamage = 'unwritten' | 'rot'

/** A disk writes no less at once, and a loss of power tears a write nowhere else. */
const SECTOR_BYTES = 512

export interface Tail {
  readonly file: OpenFile
  /** Offset in the log of the file's first byte. */
  readonly base: number
  /** Offset behind the last sound frame. */
  readonly from: number
  /** Offset of the end of the file. */
  readonly until: number
}

/** Judges the bytes behind the last sound frame; there are some. */
export async function tailDamage({ file, base, from, until }: Tail): Promise<TailDamage | undefined> {
  const head = await readExactly(file, from - base, FRAME_HEADER_BYTES)
  if (head === undefined || until - from < FRAME_HEADER_BYTES) return undefined
  const isHead = headFault(head, 0, head.length) === undefined
  const sound = await findFrame(file, base, from + 1, until)
  const end = from + (isHead ? frameLength(head, 0) : FRAME_HEADER_BYTES)
  if (end > until && sound === undefined) {
    // A length that rotted looks like a write that was cut short, but for the rest being a whole frame.
    const frame = await readExactly(file, from - base, until - from)
    return frame !== undefined && frameFault(withLength(frame, frame.length), 0, frame.length) === undefined
      ? 'rot'
      : undefined
  }
  const checked = Math.min(end, sound?.offset ?? until)
  const bytes = await readExactly(file, from - base, Math.min(roundUp(checked - base), until - base) - (from - base))
  return bytes !== undefined && lacksSector(bytes, from - base, checked - from) ? 'unwritten' : 'rot'
}

/** Whether any sector that begins within `length` bytes is all zeros, as far as it is in `bytes`, which lie at `position`. */
function lacksSector(bytes: Buffer, position: number, length: number): boolean {
  for (let at = 0; at < length; ) {
    const next = roundUp(position + at + 1) - position
    if (bytes.subarray(at, next).every((byte) => byte === 0)) return true
    at = next
  }
  return false
}

const roundUp = (position: number): number => Math.ceil(position / SECTOR_BYTES) * SECTOR_BYTES
