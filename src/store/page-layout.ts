/**
 * A page of the page store: 4 KiB, one queue's units.
 *
 *     at  bytes  field
 *     0   4      magic 'RMQP'
 *     4   4      number of the queue it belongs to
 *     8   4      which page of the queue: it holds the queueOffsets [254·n, 254·(n+1))
 *     12  4      CRC-32 of the 12 bytes before and the 12 bytes after
 *     16  8      store timestamp of the first unit
 *     24  2      place of the first unit: above 0 only in the first page of a queue that does not begin at 254·n
 *     26  2      0
 *     28  4      0
 *     32  4,064  254 units (`consume-queue-unit.ts`)
 *
 * The header is written once, with the first units of the page. How many units count is said by the checkpoint.
 */
import { crc32 } from 'node:zlib'
import { readInt64, writeInt32, writeInt64 } from '../message/int64.ts'
import { UNIT_BYTES } from './consume-queue-unit.ts'

export const PAGE_BYTES = 4096
export const PAGE_HEADER_BYTES = 32
export const UNITS_PER_PAGE = 254

const PAGE_MAGIC = 0x524d5150

export interface PageHeader {
  readonly queueNumber: number
  readonly pageIndex: number
  readonly firstTimestampMs: number
  readonly firstUnit: number
}

/** Which page of its queue holds `queueOffset`. */
export function pageIndexOf(queueOffset: number): number {
  return Math.floor(queueOffset / UNITS_PER_PAGE)
}

/** Where the unit of `queueOffset` begins in its page. */
export function unitAt(queueOffset: number): number {
  return PAGE_HEADER_BYTES + (queueOffset % UNITS_PER_PAGE) * UNIT_BYTES
}

export function writePageHeader(page: Buffer, at: number, header: PageHeader): void {
  writeInt32(page, at, PAGE_MAGIC)
  writeInt32(page, at + 4, header.queueNumber)
  writeInt32(page, at + 8, header.pageIndex)
  writeInt64(page, at + 16, header.firstTimestampMs)
  writeInt32(page, at + 24, header.firstUnit << 16)
  writeInt32(page, at + 28, 0)
  writeInt32(page, at + 12, headerCrc(page, at))
}

/** The header, or undefined when these bytes are no page of this queue. */
export function readPageHeader(page: Buffer, queueNumber: number, pageIndex: number): PageHeader | undefined {
  if (page.length < PAGE_HEADER_BYTES || page.readUInt32BE(0) !== PAGE_MAGIC) return undefined
  if (page.readUInt32BE(4) !== queueNumber || page.readUInt32BE(8) !== pageIndex) return undefined
  if (page.readInt32BE(12) !== (headerCrc(page, 0) | 0)) return undefined
  const firstTimestampMs = readInt64(page, 16)
  if (Number.isNaN(firstTimestampMs)) return undefined
  return { queueNumber, pageIndex, firstTimestampMs, firstUnit: page.readUInt16BE(24) }
}

function headerCrc(page: Buffer, at: number): number {
  return crc32(page.subarray(at + 16, at + 28), crc32(page.subarray(at, at + 12)))
}
