/** Walks frames in a file, believing nothing: every frame is checked before it is told. */
import {
  FRAME_HEADER_BYTES,
  FRAME_MAGIC,
  frameFault,
  frameIndex,
  frameLength,
  frameOffset,
  headFault,
  placeFault,
} from '../message/entry-frame.ts'
import type { EntryPoint } from './entry-points.ts'
import type { OpenFile } from './file-system.ts'
import { type LogPosition, positionAfter } from './log-position.ts'

export const SCAN_CHUNK_BYTES = 1024 * 1024

export interface ScanStart {
  readonly position: LogPosition
  /** False when the frame before is not known: its checksum and term are then not compared. */
  readonly isChained: boolean
}

export interface Scan {
  readonly file: OpenFile
  /** Offset in the log of the file's first byte. */
  readonly base: number
  readonly from: ScanStart
  /** Offset in the log to stop at. */
  readonly until: number
  readonly chunkBytes?: number
  /** A sound frame, as a view that may be kept. Returning false ends the walk behind it. */
  readonly onFrame: (frame: Buffer, end: LogPosition) => boolean
}

export interface ScanEnd {
  /** Behind the last sound frame. */
  readonly position: LogPosition
  /** Why what follows is no frame; undefined when the walk reached `until` or was ended. */
  readonly fault: string | undefined
}

/** Tells all sound frames from `from` on until `until` or the first fault. */
export async function scanFrames(scan: Scan): Promise<ScanEnd> {
  const { file, base, until, onFrame } = scan
  const chunkBytes = scan.chunkBytes ?? SCAN_CHUNK_BYTES
  let { position, isChained } = scan.from
  let wanted = chunkBytes
  while (position.offset < until) {
    const length = Math.min(wanted, until - position.offset)
    const chunk = Buffer.allocUnsafeSlow(length)
    const got = await file.pread(chunk, position.offset - base)
    const isAll = got < length || position.offset + got >= until
    let at = 0
    for (;;) {
      const missing = missingBytes(chunk, at, got)
      if (missing > 0 && !isAll) {
        wanted = Math.max(chunkBytes, got - at + missing)
        break
      }
      if (at === got && got === length) return { position, fault: undefined }
      const fault =
        frameFault(chunk, at, got) ??
        placeFault(chunk, at, {
          index: position.index + 1,
          offset: position.offset,
          previousCrc: isChained ? position.crc : undefined,
          minTerm: isChained ? position.term : 0,
        })
      if (fault !== undefined) return { position, fault }
      const end = at + frameLength(chunk, at)
      position = positionAfter(chunk, at)
      isChained = true
      if (!onFrame(chunk.subarray(at, end), position)) return { position, fault: undefined }
      at = end
    }
  }
  return { position, fault: undefined }
}

/** How many bytes beyond `got` must be read before the frame at `at` can be judged; 0 when it can be. */
function missingBytes(chunk: Buffer, at: number, got: number): number {
  if (got - at < FRAME_HEADER_BYTES) return FRAME_HEADER_BYTES - (got - at)
  if (headFault(chunk, at, got) !== undefined) return 0
  return Math.max(0, frameLength(chunk, at) - (got - at))
}

const MAGIC_BYTES = Buffer.from([
  FRAME_MAGIC >>> 24,
  (FRAME_MAGIC >>> 16) & 0xff,
  (FRAME_MAGIC >>> 8) & 0xff,
  FRAME_MAGIC & 0xff,
])

/**
 * The first sound frame in `from..until`, found without trusting any length: a frame names its own place.
 * Undefined when there is none.
 */
export async function findFrame(
  file: OpenFile,
  base: number,
  from: number,
  until: number,
): Promise<EntryPoint | undefined> {
  let start = from
  while (start + FRAME_HEADER_BYTES <= until) {
    const length = Math.min(SCAN_CHUNK_BYTES, until - start)
    const chunk = Buffer.allocUnsafeSlow(length)
    const got = await file.pread(chunk, start - base)
    for (const at of likelyFrames(chunk.subarray(0, got), start)) {
      const offset = start + at
      if (await isSound(file, base, offset, until)) return { offset, index: frameIndex(chunk, at) }
    }
    if (got < length || start + got >= until) return undefined
    start += got - FRAME_HEADER_BYTES
  }
  return undefined
}

/** Where in `chunk`, which begins at `start` in the log, heads lie that name their own place. Whole heads alone. */
export function* likelyFrames(chunk: Buffer, start: number): Generator<number> {
  let at = chunk.indexOf(MAGIC_BYTES)
  while (at !== -1 && at + FRAME_HEADER_BYTES <= chunk.length) {
    if (frameOffset(chunk, at) === start + at) yield at
    at = chunk.indexOf(MAGIC_BYTES, at + 1)
  }
}

async function isSound(file: OpenFile, base: number, offset: number, until: number): Promise<boolean> {
  const head = Buffer.allocUnsafe(FRAME_HEADER_BYTES)
  await file.pread(head, offset - base)
  if (headFault(head, 0, head.length) !== undefined) return false
  const length = frameLength(head, 0)
  if (offset + length > until) return false
  const frame = Buffer.allocUnsafeSlow(length)
  const got = await file.pread(frame, offset - base)
  return got === length && frameFault(frame, 0, length) === undefined
}
