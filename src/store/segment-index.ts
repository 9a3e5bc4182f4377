/**
 * The index file beside a segment (`….index`): what opening needs to know of the segment without reading it. Derived:
 * damaged or missing, it is made again by a scan. Written only for frames that are durable, removed before the log is cut
 * below what it covers. Big-endian.
 *
 *     at     bytes  field
 *     0      4      magic 'RMQX'
 *     4      4      CRC-32 of everything behind it
 *     8      4      version: 1
 *     12     4      length j of the head
 *     16     4      number p of points
 *     20     j      head, JSON: {"start":[…],"end":[…],"full":bool,"runs":[[term,first,last],…],
 *                   "memberships":[[index,base64],…]}; a position is [offset, index, term, crc, timestampMs]
 *     20+j   16·p   points: index (8), offset (8)
 */
import { crc32 } from 'node:zlib'
import { readInt64, writeInt32, writeInt64 } from '../message/int64.ts'
import { EntryPoints } from './entry-points.ts'
import { type LogPosition, asPosition, positionFields } from './log-position.ts'
import type { MembershipBytes, TermRun } from './log-outline.ts'

const MAGIC = 0x524d5158
const VERSION = 1
const FIXED_BYTES = 20
const POINT_BYTES = 16

export interface SegmentIndex {
  readonly start: LogPosition
  /** Behind the last frame covered. */
  readonly end: LogPosition
  /** The frame before `end` is the last one of its segment. */
  readonly isFull: boolean
  readonly runs: readonly TermRun[]
  readonly memberships: readonly MembershipBytes[]
  readonly points: EntryPoints
}

export function encodeSegmentIndex(index: SegmentIndex): Buffer {
  const head = Buffer.from(
    JSON.stringify({
      start: positionFields(index.start),
      end: positionFields(index.end),
      full: index.isFull,
      ...outlineFields(index),
    }),
  )
  const bytes = Buffer.alloc(FIXED_BYTES + head.length + index.points.count * POINT_BYTES)
  writeInt32(bytes, 0, MAGIC)
  writeInt32(bytes, 8, VERSION)
  writeInt32(bytes, 12, head.length)
  writeInt32(bytes, 16, index.points.count)
  bytes.set(head, FIXED_BYTES)
  let at = FIXED_BYTES + head.length
  for (const point of index.points) {
    writeInt64(bytes, at, point.index)
    writeInt64(bytes, at + 8, point.offset)
    at += POINT_BYTES
  }
  writeInt32(bytes, 4, crc32(bytes.subarray(8)))
  return bytes
}

/** Undefined for anything but a whole, sound index. */
export function decodeSegmentIndex(bytes: Buffer): SegmentIndex | undefined {
  if (bytes.length < FIXED_BYTES || bytes.readUInt32BE(0) !== MAGIC || bytes.readUInt32BE(8) !== VERSION)
    return undefined
  if (crc32(bytes.subarray(8)) !== bytes.readUInt32BE(4)) return undefined
  const headLength = bytes.readUInt32BE(12)
  const count = bytes.readUInt32BE(16)
  if (FIXED_BYTES + headLength + count * POINT_BYTES !== bytes.length) return undefined
  const head: unknown = JSON.parse(bytes.toString('utf8', FIXED_BYTES, FIXED_BYTES + headLength))
  if (typeof head !== 'object' || head === null || !('start' in head) || !('end' in head)) return undefined
  const start = asPosition(head.start)
  const end = asPosition(head.end)
  const outline = asOutline(head)
  if (start === undefined || end === undefined || outline === undefined) return undefined
  if (!('full' in head) || typeof head.full !== 'boolean') return undefined
  const points = new EntryPoints()
  for (let at = FIXED_BYTES + headLength; at < bytes.length; at += POINT_BYTES) {
    points.addAlways(readInt64(bytes, at), readInt64(bytes, at + 8))
  }
  return { start, end, isFull: head.full, ...outline, points }
}

/** Runs and memberships as they are kept in JSON. */
export function outlineFields(outline: { runs: readonly TermRun[]; memberships: readonly MembershipBytes[] }): object {
  return {
    runs: outline.runs.map((run) => [run.term, run.first, run.last]),
    memberships: outline.memberships.map((membership) => [membership.index, membership.bytes.toString('base64')]),
  }
}

/** The inverse of `outlineFields`, for content whose checksum was right; undefined when it is of another shape. */
export function asOutline(value: object): { runs: TermRun[]; memberships: MembershipBytes[] } | undefined {
  if (!('runs' in value) || !('memberships' in value)) return undefined
  if (!Array.isArray(value.runs) || !Array.isArray(value.memberships)) return undefined
  const runs: TermRun[] = []
  for (const row of value.runs as unknown[]) {
    if (!Array.isArray(row)) return undefined
    const [term, first, last] = row as unknown[]
    if (typeof term !== 'number' || typeof first !== 'number' || typeof last !== 'number') return undefined
    runs.push({ term, first, last })
  }
  const memberships: MembershipBytes[] = []
  for (const row of value.memberships as unknown[]) {
    if (!Array.isArray(row)) return undefined
    const [index, bytes] = row as unknown[]
    if (typeof index !== 'number' || typeof bytes !== 'string') return undefined
    memberships.push({ index, bytes: Buffer.from(bytes, 'base64') })
  }
  return { runs, memberships }
}
