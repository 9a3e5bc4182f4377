/**
 * One unit of a consume queue: where a message of the queue lies and what its tags hash to. 16 bytes, big-endian:
 *
 *     at  bytes  field
 *     0   2      check: a hash of the other fields, the queue's number and the queueOffset
 *     2   6      offset of the record in the CommitLog
 *     8   4      size of the record
 *     12  4      tags code
 *
 * The check makes a unit vouch for itself: a flipped bit, or the unit of another queue in a page that was used again, is
 * found (but one in 65,536) even where the tags code alone decides and the record is never read.
 */
import { readInt32, readUInt16, readUInt32, writeInt32 } from '../message/int64.ts'

export const UNIT_BYTES = 16
/** Offsets are 48 bits in a unit: 256 TiB of log. */
export const UNIT_OFFSET_MAX = 2 ** 48 - 1

const TWO_32 = 4294967296

/** Writes a unit. `salt` is `unitSalt` of its queue and place. */
export function writeUnit(
  target: Uint8Array,
  at: number,
  offset: number,
  size: number,
  tagsCode: number,
  salt: number,
): void {
  const high = Math.floor(offset / TWO_32)
  writeInt32(target, at, (checkOf(high, offset | 0, size, tagsCode, salt) << 16) | high)
  writeInt32(target, at + 4, offset)
  writeInt32(target, at + 8, size)
  writeInt32(target, at + 12, tagsCode)
}

/** What ties a unit to its place. */
export function unitSalt(queueNumber: number, queueOffset: number): number {
  return Math.imul(queueNumber, 0x2c1b3c6d) ^ Math.imul(queueOffset | 0, 0x297a2d39)
}

export function isUnitSound(bytes: Buffer, at: number, salt: number): boolean {
  const first = readInt32(bytes, at)
  const check = checkOf(
    first & 0xffff,
    readInt32(bytes, at + 4),
    readInt32(bytes, at + 8),
    unitTagsCode(bytes, at),
    salt,
  )
  return check === first >>> 16
}

export function unitOffset(bytes: Buffer, at: number): number {
  return readUInt16(bytes, at + 2) * TWO_32 + readUInt32(bytes, at + 4)
}

export function unitSize(bytes: Buffer, at: number): number {
  return readInt32(bytes, at + 8)
}

export function unitTagsCode(bytes: Buffer, at: number): number {
  return readInt32(bytes, at + 12)
}

/** Each field is multiplied by an odd constant (a bijection), so a change of one field always changes the sum mixed. */
function checkOf(high: number, low: number, size: number, tagsCode: number, salt: number): number {
  let hash =
    Math.imul(low, 0x85ebca6b) ^
    Math.imul(size, 0xc2b2ae35) ^
    Math.imul(tagsCode, 0x27d4eb2f) ^
    Math.imul(high, 0x165667b1)
  hash = Math.imul(hash ^ salt ^ 0x5bd1e995, 0x9e3779b1)
  hash ^= hash >>> 15
  return Math.imul(hash, 0x85ebca77) >>> 16
}
