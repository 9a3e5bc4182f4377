/**
 * A stored message: the bytes that lie in the CommitLog are the bytes that go out on a pull (RocketMQ
 * MessageExtEncoder, MessageDecoder). Big-endian. `b` and `s` are 8 for an IPv4 host and 20 for an IPv6 one.
 *
 *     at            bytes  field
 *     0             4      size of the whole record
 *     4             4      magic: V1 0xdaa320a7, V2 0xdaa320ab (topic over 127 bytes)
 *     8             4      CRC-32 of the body, top bit cleared
 *     12            4      queueId
 *     16            4      flag, the user's
 *     20            8      queueOffset
 *     28            8      offset of this record in the CommitLog
 *     36            4      sysFlag
 *     40            8      born timestamp
 *     48            b      born host: IP, port (4)
 *     48+b          8      store timestamp
 *     56+b          s      store host
 *     56+b+s        4      reconsume times
 *     60+b+s        8      offset of the prepared half of a transaction
 *     68+b+s        4+n    body
 *     …             1+n    topic (V2: 2+n)
 *     …             2+n    properties
 */
import { crc32 } from 'node:zlib'
import { assert } from '../lib/assert.ts'
import { messageErrors } from './errors.ts'
import { readInt32, readInt64, readUInt16, readUInt32, writeInt32, writeInt64 } from './int64.ts'
import { SysFlag } from './sys-flag.ts'

export const RECORD_MAGIC_V1 = 0xdaa320a7
export const RECORD_MAGIC_V2 = 0xdaa320ab
/** Longest topic of a V1 record: Java reads its length as a signed byte. */
export const V1_TOPIC_BYTES_MAX = 127
/** Longest properties of a record: Java reads their length as a signed short. */
export const PROPERTIES_BYTES_MAX = 32_767
/** Size of a record with two IPv4 hosts and empty body, topic and properties: nothing smaller is a record. */
export const RECORD_BYTES_MIN = 91

/** A socket address as it is stored. */
export interface Host {
  /** 4 or 16 bytes. */
  readonly ip: Uint8Array
  readonly port: number
}

/** A message on its way into the log: everything but what the log stamps. */
export interface RecordDraft {
  readonly topic: string
  readonly queueId: number
  /** The user's own int32. */
  readonly flag: number
  /** See `SysFlag`; the two IPv6 bits are set from the hosts by the encoder. */
  readonly sysFlag: number
  readonly bornTimestampMs: number
  readonly bornHost: Host
  readonly storeHost: Host
  readonly reconsumeTimes: number
  readonly preparedTransactionOffset: number
  readonly body: Buffer
  /** Encoded properties (`properties.ts`), at most 32,767 bytes. */
  readonly properties: Buffer
}

/** What the log adds: place in the queue, place in the log, time. */
export interface RecordStamp {
  readonly queueOffset: number
  readonly offset: number
  readonly storeTimestampMs: number
}

/** A decoded record. `body` and `properties` are views of the bytes it was decoded from. */
export interface StoredMessage extends RecordDraft, RecordStamp {
  readonly size: number
  readonly bodyCrc: number
}

/** Bytes that `writeRecord` takes for `draft`. */
export function recordLength(draft: RecordDraft): number {
  const topicBytes = Buffer.byteLength(draft.topic)
  const lengths = topicBytes > V1_TOPIC_BYTES_MAX ? 8 : 7
  return (
    68 +
    hostLength(draft.bornHost) +
    hostLength(draft.storeHost) +
    lengths +
    draft.body.length +
    topicBytes +
    draft.properties.length
  )
}

/**
 * Writes the record into `target[at, at + recordLength(draft))` and returns its length. The caller has validated the
 * draft (limits of topic and properties): a breach here is our bug.
 */
export function writeRecord(draft: RecordDraft, target: Buffer, at: number, stamp: RecordStamp): number {
  const { bornHost, storeHost, body, properties, topic } = draft
  const topicBytes = Buffer.byteLength(topic)
  const isV2 = topicBytes > V1_TOPIC_BYTES_MAX
  assert(topicBytes <= 32_767, 'topic of a record is over 32,767 bytes')
  assert(properties.length <= PROPERTIES_BYTES_MAX, 'properties of a record are over 32,767 bytes')
  let sysFlag = draft.sysFlag & ~(SysFlag.bornHostV6 | SysFlag.storeHostV6)
  if (bornHost.ip.length === 16) sysFlag |= SysFlag.bornHostV6
  if (storeHost.ip.length === 16) sysFlag |= SysFlag.storeHostV6

  writeInt32(target, at + 4, isV2 ? RECORD_MAGIC_V2 : RECORD_MAGIC_V1)
  writeInt32(target, at + 8, bodyCrc(body))
  writeInt32(target, at + 12, draft.queueId)
  writeInt32(target, at + 16, draft.flag)
  writeInt64(target, at + 20, stamp.queueOffset)
  writeInt64(target, at + 28, stamp.offset)
  writeInt32(target, at + 36, sysFlag)
  writeInt64(target, at + 40, draft.bornTimestampMs)
  let end = writeHost(target, at + 48, bornHost)
  writeInt64(target, end, stamp.storeTimestampMs)
  end = writeHost(target, end + 8, storeHost)
  writeInt32(target, end, draft.reconsumeTimes)
  writeInt64(target, end + 4, draft.preparedTransactionOffset)
  writeInt32(target, end + 12, body.length)
  end += 16
  target.set(body, end)
  end += body.length
  if (isV2) target[end++] = topicBytes >>> 8
  target[end++] = topicBytes
  end += target.write(topic, end)
  target[end] = properties.length >>> 8
  target[end + 1] = properties.length
  end += 2
  target.set(properties, end)
  end += properties.length
  assert(end <= target.length, 'a record was written beyond its buffer')
  writeInt32(target, at, end - at)
  return end - at
}

/** The checksum that a record carries of its body (RocketMQ UtilAll.crc32). */
export function bodyCrc(body: Uint8Array): number {
  return crc32(body) & 0x7fffffff
}

/**
 * Why `buffer[at, end)` does not begin with a whole record, or undefined when it does. Checks every length and the magic
 * code; the body's checksum only when asked. After it said undefined, the field readers below may be trusted.
 */
export function recordFault(buffer: Buffer, at: number, end: number, checkCrc = false): string | undefined {
  if (end - at < RECORD_BYTES_MIN) return `${end - at} bytes are less than a record`
  const size = readInt32(buffer, at)
  if (size < RECORD_BYTES_MIN || size > end - at) return `size ${size} of a record in ${end - at} bytes`
  const magic = readUInt32(buffer, at + 4)
  if (magic !== RECORD_MAGIC_V1 && magic !== RECORD_MAGIC_V2) return `magic code ${magic.toString(16)}`
  const bodyStart = recordBodyStart(buffer, at)
  const recordEnd = at + size
  if (bodyStart > recordEnd) return 'size ends before the body'
  const bodyLength = readInt32(buffer, bodyStart - 4)
  const topicLengthAt = bodyStart + bodyLength
  if (bodyLength < 0 || topicLengthAt + 2 > recordEnd) return `body length ${bodyLength}`
  const topicStart = topicLengthAt + (isV2(buffer, at) ? 2 : 1)
  const topicEnd = topicStart + topicLengthBefore(buffer, at, topicStart)
  if (topicEnd + 2 > recordEnd) return 'topic reaches beyond the record'
  const propertiesLength = readUInt16(buffer, topicEnd)
  if (propertiesLength > PROPERTIES_BYTES_MAX || topicEnd + 2 + propertiesLength !== recordEnd) {
    return `properties length ${propertiesLength} does not end at the size`
  }
  if (checkCrc && bodyCrc(buffer.subarray(bodyStart, topicLengthAt)) !== recordBodyCrc(buffer, at))
    return 'body checksum'
  if (Number.isNaN(recordQueueOffset(buffer, at))) return 'queueOffset is no safe integer'
  if (Number.isNaN(recordOffset(buffer, at))) return 'offset is no safe integer'
  return undefined
}

/** Decodes the record at `at`, its body checksum included. Throws `MESSAGE_BAD_RECORD`. */
export function decodeRecord(buffer: Buffer, at: number): StoredMessage {
  const fault = recordFault(buffer, at, buffer.length, true)
  if (fault !== undefined) throw badRecord(at, fault)
  const storeHostAt = storeTimestampAt(buffer, at) + 8
  const storeHostEnd = storeHostAt + storeHostLength(buffer, at)
  const message = {
    size: recordSize(buffer, at),
    bodyCrc: recordBodyCrc(buffer, at),
    queueId: recordQueueId(buffer, at),
    flag: recordFlag(buffer, at),
    queueOffset: recordQueueOffset(buffer, at),
    offset: recordOffset(buffer, at),
    sysFlag: recordSysFlag(buffer, at),
    bornTimestampMs: recordBornTimestampMs(buffer, at),
    bornHost: readHost(buffer, at + 48, storeHostAt - 8),
    storeTimestampMs: recordStoreTimestampMs(buffer, at),
    storeHost: readHost(buffer, storeHostAt, storeHostEnd),
    reconsumeTimes: readInt32(buffer, storeHostEnd),
    preparedTransactionOffset: readInt64(buffer, storeHostEnd + 4),
    body: recordBody(buffer, at),
    topic: recordTopic(buffer, at),
    properties: recordProperties(buffer, at),
  }
  if (Number.isNaN(message.bornTimestampMs)) throw badRecord(at, 'born timestamp is no safe integer')
  if (Number.isNaN(message.storeTimestampMs)) throw badRecord(at, 'store timestamp is no safe integer')
  if (Number.isNaN(message.preparedTransactionOffset)) throw badRecord(at, 'prepared offset is no safe integer')
  return message
}

/** Decodes records that lie back to back, as in the body of a pull response. Throws `MESSAGE_BAD_RECORD`. */
export function decodeRecords(buffer: Buffer): StoredMessage[] {
  const messages: StoredMessage[] = []
  let at = 0
  while (at < buffer.length) {
    const message = decodeRecord(buffer, at)
    messages.push(message)
    at += message.size
  }
  return messages
}

/* Fields of a record that `recordFault` found whole, read in place. Numbers are NaN where a 64-bit field is not safe. */

export function recordSize(buffer: Buffer, at: number): number {
  return readInt32(buffer, at)
}
export function recordBodyCrc(buffer: Buffer, at: number): number {
  return readInt32(buffer, at + 8)
}
export function recordQueueId(buffer: Buffer, at: number): number {
  return readInt32(buffer, at + 12)
}
export function recordFlag(buffer: Buffer, at: number): number {
  return readInt32(buffer, at + 16)
}
export function recordQueueOffset(buffer: Buffer, at: number): number {
  return readInt64(buffer, at + 20)
}
export function recordOffset(buffer: Buffer, at: number): number {
  return readInt64(buffer, at + 28)
}
export function recordSysFlag(buffer: Buffer, at: number): number {
  return readInt32(buffer, at + 36)
}
export function recordBornTimestampMs(buffer: Buffer, at: number): number {
  return readInt64(buffer, at + 40)
}
export function recordStoreTimestampMs(buffer: Buffer, at: number): number {
  return readInt64(buffer, storeTimestampAt(buffer, at))
}
export function recordReconsumeTimes(buffer: Buffer, at: number): number {
  return readInt32(buffer, recordBodyStart(buffer, at) - 16)
}
export function recordPreparedTransactionOffset(buffer: Buffer, at: number): number {
  return readInt64(buffer, recordBodyStart(buffer, at) - 12)
}

/** Where the body's bytes begin; its length is `recordBodyLength`. */
export function recordBodyStart(buffer: Buffer, at: number): number {
  return storeTimestampAt(buffer, at) + 8 + storeHostLength(buffer, at) + 16
}
export function recordBodyLength(buffer: Buffer, at: number): number {
  return readInt32(buffer, recordBodyStart(buffer, at) - 4)
}
/** The body, as a view. */
export function recordBody(buffer: Buffer, at: number): Buffer {
  const start = recordBodyStart(buffer, at)
  return buffer.subarray(start, start + readInt32(buffer, start - 4))
}

/** Where the topic's bytes begin; their number is `recordTopicLength`. */
export function recordTopicStart(buffer: Buffer, at: number): number {
  const bodyStart = recordBodyStart(buffer, at)
  return bodyStart + readInt32(buffer, bodyStart - 4) + (isV2(buffer, at) ? 2 : 1)
}
export function recordTopicLength(buffer: Buffer, at: number): number {
  return topicLengthBefore(buffer, at, recordTopicStart(buffer, at))
}
/** As `recordTopicLength`, for who knows where the topic begins. */
export function topicLengthBefore(buffer: Buffer, at: number, topicStart: number): number {
  return isV2(buffer, at) ? readUInt16(buffer, topicStart - 2) : (buffer[topicStart - 1] ?? 0)
}
export function recordTopic(buffer: Buffer, at: number): string {
  const start = recordTopicStart(buffer, at)
  return buffer.toString('utf8', start, start + recordTopicLength(buffer, at))
}

/** Where the properties' bytes begin; they end with the record. */
export function recordPropertiesStart(buffer: Buffer, at: number): number {
  const topicStart = recordTopicStart(buffer, at)
  return topicStart + topicLengthBefore(buffer, at, topicStart) + 2
}
/** The encoded properties, as a view. */
export function recordProperties(buffer: Buffer, at: number): Buffer {
  return buffer.subarray(recordPropertiesStart(buffer, at), at + recordSize(buffer, at))
}

function isV2(buffer: Buffer, at: number): boolean {
  return buffer[at + 7] === (RECORD_MAGIC_V2 & 0xff)
}

function storeTimestampAt(buffer: Buffer, at: number): number {
  return at + (((buffer[at + 39] ?? 0) & SysFlag.bornHostV6) === 0 ? 56 : 68)
}

function storeHostLength(buffer: Buffer, at: number): number {
  return ((buffer[at + 39] ?? 0) & SysFlag.storeHostV6) === 0 ? 8 : 20
}

function hostLength(host: Host): number {
  return host.ip.length + 4
}

function writeHost(target: Buffer, at: number, host: Host): number {
  const { ip } = host
  assert(ip.length === 4 || ip.length === 16, `an address of ${ip.length} bytes`)
  for (let i = 0; i < ip.length; i++) target[at + i] = ip[i] ?? 0
  writeInt32(target, at + ip.length, host.port)
  return at + ip.length + 4
}

function readHost(buffer: Buffer, start: number, end: number): Host {
  return { ip: buffer.subarray(start, end - 4), port: readInt32(buffer, end - 4) }
}

function badRecord(at: number, fault: string): Error {
  return messageErrors.create('MESSAGE_BAD_RECORD', `no record at byte ${at}: ${fault}`)
}
