/**
 * A Raft entry as it lies in the CommitLog, on the wire between peers, and in memory: one frame. Big-endian.
 *
 *     at   bytes  field
 *     0    4      magic 'RMQ1'
 *     4    4      CRC-32 of everything behind it, bytes 8…length
 *     8    4      length of the whole frame
 *     12   1      kind: 1 empty, 2 data, 3 membership; top bit: the last frame of its segment
 *     13   1      version of the frame format: 1
 *     14   2      number of records
 *     16   8      index
 *     24   8      term
 *     32   8      offset of this frame in the CommitLog (finds misdirected writes)
 *     40   8      store time in ms; never smaller than that of the frame before
 *     48   4      CRC-32 of the frame before (chain); 0 for the first frame of a log
 *     52   4      length of the command
 *     56   c      command: a table command or a membership, opaque here
 *     56+c …      stored-message records (`record.ts`) back to back, as they go out on a pull
 */
import { crc32 } from 'node:zlib'
import { assert, present } from '../lib/assert.ts'
import { readInt64, readUInt16, readUInt32, writeInt32, writeInt64 } from './int64.ts'
import { type RecordDraft, recordLength, writeRecord } from './record.ts'

export const FRAME_MAGIC = 0x524d5131
export const FRAME_VERSION = 1
export const FRAME_HEADER_BYTES = 56
/** Longest frame: what a reader believes of a length field before it allocates. */
export const FRAME_BYTES_MAX = 64 * 1024 * 1024
/** The number of records is 16 bits. */
export const FRAME_RECORDS_MAX = 65_535

export const FrameKind = { empty: 1, data: 2, membership: 3 } as const
export type FrameKind = (typeof FrameKind)[keyof typeof FrameKind]

const ENDS_SEGMENT = 0x80
const CHECKED_FROM = 8

/** What an entry of records or of a table command is made of. */
export interface EntryDraft {
  readonly records: readonly RecordDraft[]
  /** The queueOffset of each record: same length as `records`. */
  readonly queueOffsets: readonly number[]
  readonly command: Buffer | undefined
}

/** What the log knows of a frame before it writes it. */
export interface FramePlace {
  readonly index: number
  readonly term: number
  readonly offset: number
  readonly timestampMs: number
  readonly previousCrc: number
  /** The frame after this one begins a new segment. */
  readonly endsSegment: boolean
}

/** Bytes of the frame that `writeEntry` makes of `draft`. */
export function entryLength(draft: EntryDraft): number {
  let length = FRAME_HEADER_BYTES + (draft.command?.length ?? 0)
  for (const record of draft.records) length += recordLength(record)
  return length
}

/**
 * Encodes `draft` into `target[at, at + length)`, where `length` is `entryLength(draft)`. Returns the offset of each
 * record in the CommitLog.
 */
export function writeEntry(draft: EntryDraft, target: Buffer, at: number, length: number, place: FramePlace): number[] {
  const { records, queueOffsets, command } = draft
  assert(records.length === queueOffsets.length, 'every record has its queueOffset')
  assert(records.length <= FRAME_RECORDS_MAX, 'too many records for one entry')
  let end = writeHead(target, at, FrameKind.data, command, place)
  const stamp = { queueOffset: 0, offset: 0, storeTimestampMs: place.timestampMs }
  const offsets: number[] = []
  for (let i = 0; i < records.length; i++) {
    stamp.queueOffset = present(queueOffsets[i], 'queueOffset of a record')
    stamp.offset = place.offset + (end - at)
    offsets.push(stamp.offset)
    end += writeRecord(present(records[i], 'record'), target, end, stamp)
  }
  assert(end - at === length, 'an entry is as long as was reckoned')
  seal(target, at, length, records.length)
  return offsets
}

/** Encodes an entry without records: `command` is the membership, or undefined for the empty entry of a term. */
export function writePlainEntry(
  kind: FrameKind,
  command: Uint8Array | undefined,
  target: Buffer,
  at: number,
  place: FramePlace,
): void {
  const end = writeHead(target, at, kind, command, place)
  seal(target, at, end - at, 0)
}

function writeHead(
  target: Buffer,
  at: number,
  kind: FrameKind,
  command: Uint8Array | undefined,
  place: FramePlace,
): number {
  writeInt32(target, at, FRAME_MAGIC)
  target[at + 12] = place.endsSegment ? kind | ENDS_SEGMENT : kind
  target[at + 13] = FRAME_VERSION
  writeInt64(target, at + 16, place.index)
  writeInt64(target, at + 24, place.term)
  writeInt64(target, at + 32, place.offset)
  writeInt64(target, at + 40, place.timestampMs)
  writeInt32(target, at + 48, place.previousCrc)
  writeInt32(target, at + 52, command?.length ?? 0)
  if (command !== undefined) target.set(command, at + FRAME_HEADER_BYTES)
  return at + FRAME_HEADER_BYTES + (command?.length ?? 0)
}

function seal(target: Buffer, at: number, length: number, recordCount: number): void {
  assert(length <= FRAME_BYTES_MAX, 'an entry is over the longest frame')
  writeInt32(target, at + 8, length)
  target[at + 14] = recordCount >>> 8
  target[at + 15] = recordCount
  writeInt32(target, at + 4, crc32(target.subarray(at + CHECKED_FROM, at + length)))
}

/**
 * Why `buffer[at, end)` does not begin with a whole, sound frame; undefined when it does. After it said undefined the
 * field readers below may be trusted. Says nothing of the frame's place: see `placeFault`.
 */
export function frameFault(buffer: Buffer, at: number, end: number): string | undefined {
  const fault = headFault(buffer, at, end)
  if (fault !== undefined) return fault
  const length = frameLength(buffer, at)
  if (length > end - at) return `length ${length} reaches beyond ${end - at} bytes`
  if (crc32(buffer.subarray(at + CHECKED_FROM, at + length)) !== frameCrc(buffer, at)) return 'checksum'
  // What passed the checksum and still makes no sense was written so: by a newer version, or not by us.
  const kind = frameKind(buffer, at)
  if (kind < FrameKind.empty || kind > FrameKind.membership) return `kind ${kind}`
  if (readUInt32(buffer, at + 52) > length - FRAME_HEADER_BYTES) return 'command reaches beyond the frame'
  for (let field = 16; field < 48; field += 8) {
    const value = readInt64(buffer, at + field)
    if (!(value >= 0)) return 'a field is no safe integer'
  }
  return undefined
}

/** As `frameFault`, by the first bytes alone: magic, version and whether the length can be one. */
export function headFault(buffer: Buffer, at: number, end: number): string | undefined {
  if (end - at < FRAME_HEADER_BYTES) return `${end - at} bytes are less than a frame`
  if (readUInt32(buffer, at) !== FRAME_MAGIC) return 'magic'
  const length = frameLength(buffer, at)
  if (length < FRAME_HEADER_BYTES || length > FRAME_BYTES_MAX) return `length ${length}`
  if (buffer[at + 13] !== FRAME_VERSION) return `version ${buffer[at + 13]}`
  return undefined
}

/** A copy of the frame at the front of `buffer` that says it is `length` bytes long, as its checksum may know better. */
export function withLength(buffer: Buffer, length: number): Buffer {
  const copy = Buffer.from(buffer)
  writeInt32(copy, 8, length)
  return copy
}

/** The frame that must come next. */
export interface ExpectedFrame {
  readonly index: number
  readonly offset: number
  /** Undefined when the frame before is not known. */
  readonly previousCrc: number | undefined
  /** Terms never go back along a log. */
  readonly minTerm: number
}

/** Why the sound frame at `at` is not the one expected; undefined when it is. */
export function placeFault(buffer: Buffer, at: number, expected: ExpectedFrame): string | undefined {
  if (frameOffset(buffer, at) !== expected.offset) {
    return `offset ${frameOffset(buffer, at)} in place of ${expected.offset}`
  }
  if (frameIndex(buffer, at) !== expected.index) return `index ${frameIndex(buffer, at)} in place of ${expected.index}`
  if (frameTerm(buffer, at) < expected.minTerm) return `term ${frameTerm(buffer, at)} after ${expected.minTerm}`
  if (expected.previousCrc !== undefined && framePreviousCrc(buffer, at) !== expected.previousCrc) return 'chain'
  return undefined
}

/* Fields of a frame that `frameFault` found sound, read in place. */

export function frameCrc(buffer: Buffer, at: number): number {
  return readUInt32(buffer, at + 4)
}
export function frameLength(buffer: Buffer, at: number): number {
  return readUInt32(buffer, at + 8)
}
export function frameKind(buffer: Buffer, at: number): number {
  return buffer.readUInt8(at + 12) & ~ENDS_SEGMENT
}
export function frameEndsSegment(buffer: Buffer, at: number): boolean {
  return (buffer.readUInt8(at + 12) & ENDS_SEGMENT) !== 0
}
export function frameRecordCount(buffer: Buffer, at: number): number {
  return readUInt16(buffer, at + 14)
}
export function frameIndex(buffer: Buffer, at: number): number {
  return readInt64(buffer, at + 16)
}
export function frameTerm(buffer: Buffer, at: number): number {
  return readInt64(buffer, at + 24)
}
export function frameOffset(buffer: Buffer, at: number): number {
  return readInt64(buffer, at + 32)
}
export function frameTimestampMs(buffer: Buffer, at: number): number {
  return readInt64(buffer, at + 40)
}
export function framePreviousCrc(buffer: Buffer, at: number): number {
  return readUInt32(buffer, at + 48)
}
/** The command or membership as a view; undefined when the entry has none. */
export function frameCommand(buffer: Buffer, at: number): Buffer | undefined {
  const length = readUInt32(buffer, at + 52)
  return length === 0 ? undefined : buffer.subarray(at + FRAME_HEADER_BYTES, at + FRAME_HEADER_BYTES + length)
}
/** Where the first record begins; the last one ends with the frame. */
export function frameRecordsStart(buffer: Buffer, at: number): number {
  return at + FRAME_HEADER_BYTES + readUInt32(buffer, at + 52)
}
