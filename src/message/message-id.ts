/**
 * Two kinds of message id. The *offset id* names a place: store host and CommitLog offset (RocketMQ
 * MessageDecoder.createMessageId). The *unique id* is made by the producer before it sends and travels as the property
 * UNIQ_KEY (RocketMQ MessageClientIDSetter).
 */
import { assert } from '../lib/assert.ts'
import type { Clock } from '../lib/clock.ts'
import type { Random } from '../lib/prng.ts'
import { messageErrors } from './errors.ts'
import { readInt64, writeInt32, writeInt64 } from './int64.ts'
import type { Host } from './record.ts'

/** Upper-case hex of IP (4 or 16 bytes), port (4), offset (8): 32 or 56 digits. */
export function encodeOffsetMessageId(storeHost: Host, offset: number): string {
  const { ip, port } = storeHost
  const bytes = Buffer.allocUnsafe(ip.length + 12)
  bytes.set(ip)
  writeInt32(bytes, ip.length, port)
  writeInt64(bytes, ip.length + 4, offset)
  return bytes.toString('hex').toUpperCase()
}

/** Throws `MESSAGE_BAD_ID`. */
export function decodeOffsetMessageId(id: string): { readonly storeHost: Host; readonly offset: number } {
  if (!/^(?:[0-9a-fA-F]{32}|[0-9a-fA-F]{56})$/.test(id)) throw badId(id)
  const bytes = Buffer.from(id, 'hex')
  const ipLength = bytes.length - 12
  const offset = readInt64(bytes, ipLength + 4)
  if (!(offset >= 0)) throw badId(id)
  return { storeHost: { ip: bytes.subarray(0, ipLength), port: bytes.readInt32BE(ipLength) }, offset }
}

export interface UniqueIdNeeds {
  readonly clock: Clock
  readonly random: Random
  /** The producer's own address: 4 or 16 bytes. */
  readonly ip: Uint8Array
  /** The producer's process; its low 16 bits are used. */
  readonly pid: number
}

/**
 * A maker of unique ids: hex of IP, pid (2), a number of this maker (4, drawn at random), milliseconds since the start of
 * the month (4), a counter (2). Two makers of one process differ by the drawn number, two ids of one millisecond by the
 * counter.
 */
export function uniqueIds(needs: UniqueIdNeeds): () => string {
  const { clock, random, ip, pid } = needs
  assert(ip.length === 4 || ip.length === 16, `an address of ${ip.length} bytes`)
  const bytes = Buffer.alloc(ip.length + 12)
  bytes.set(ip)
  bytes.writeUInt16BE(pid & 0xffff, ip.length)
  writeInt32(bytes, ip.length + 2, random.integer(0, 0xffffffff))
  const prefix = bytes.toString('hex', 0, ip.length + 6).toUpperCase()
  let monthStartMs = 0
  let monthEndMs = 0
  let counter = 0
  /** Prefix and time of the last id: many are made in one millisecond. */
  let lastMs = Number.NaN
  let beginning = ''
  return () => {
    const nowMs = clock.nowMs()
    if (nowMs !== lastMs) {
      lastMs = nowMs
      if (nowMs >= monthEndMs) {
        const now = new Date(nowMs)
        monthStartMs = new Date(now.getFullYear(), now.getMonth(), 1).getTime()
        monthEndMs = new Date(now.getFullYear(), now.getMonth() + 1, 1).getTime()
      }
      beginning = prefix + hex(Math.max(0, nowMs - monthStartMs) >>> 0, 8)
    }
    counter = (counter + 1) & 0xffff
    return beginning + hexOfByte(counter >>> 8) + hexOfByte(counter & 0xff)
  }
}

const hexBytes: readonly string[] = Array.from({ length: 256 }, (_, byte) => hex(byte, 2))

/** Two upper-case digits: ids that differ in their last bytes are put together from a beginning and these. */
export function hexOfByte(byte: number): string {
  return hexBytes[byte] ?? ''
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0')
}

function badId(id: string): Error {
  return messageErrors.create('MESSAGE_BAD_ID', `no message id: ${JSON.stringify(id.slice(0, 64))}`)
}
