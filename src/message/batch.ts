/**
 * The body of a batch send (request code 320; RocketMQ MessageDecoder.encodeMessages): messages back to back, each
 *
 *     4  size of all that follows and itself
 *     4  magic, 0    4  body CRC, 0    4  flag
 *     4 + n  body    2 + n  properties
 *
 * The broker stores each as a record of its own.
 */
import { messageErrors } from './errors.ts'
import { readInt32, readUInt16, writeInt32 } from './int64.ts'
import { PROPERTIES_BYTES_MAX } from './record.ts'
import { checkPropertiesBytes } from './properties.ts'

/** One message of a batch. Decoded, `body` and `properties` are views of the batch. */
export interface BatchMessage {
  readonly flag: number
  readonly body: Buffer
  /** Encoded properties (`properties.ts`). */
  readonly properties: Buffer
}

/** A message on its way into a batch. */
export interface BatchMember {
  readonly flag: number
  readonly body: Uint8Array
  /** `name 0x01 value 0x02 …`: written as UTF-8 where the batch wants it, without a buffer of its own. */
  readonly properties: string
}

const FIXED_BYTES = 22

/** Throws `MESSAGE_BAD_PROPERTIES`. */
export function encodeBatch(messages: readonly BatchMember[]): Buffer {
  let length = 0
  for (const message of messages) length += batchMemberLength(message)
  const bytes = Buffer.allocUnsafe(length)
  let at = 0
  for (const message of messages) at = writeBatchMember(message, bytes, at)
  return bytes
}

/** Bytes that `writeBatchMember` takes. Throws `MESSAGE_BAD_PROPERTIES`. */
export function batchMemberLength({ body, properties }: BatchMember): number {
  return FIXED_BYTES + body.length + checkPropertiesBytes(Buffer.byteLength(properties))
}

/** Writes one message of a batch at `at`, and returns where it ends. */
export function writeBatchMember({ flag, body, properties }: BatchMember, bytes: Buffer, at: number): number {
  writeInt32(bytes, at + 4, 0)
  writeInt32(bytes, at + 8, 0)
  writeInt32(bytes, at + 12, flag)
  writeInt32(bytes, at + 16, body.length)
  bytes.set(body, at + 20)
  const propertiesAt = at + FIXED_BYTES + body.length
  const propertiesBytes = bytes.write(properties, propertiesAt)
  bytes[propertiesAt - 2] = propertiesBytes >>> 8
  bytes[propertiesAt - 1] = propertiesBytes
  writeInt32(bytes, at, FIXED_BYTES + body.length + propertiesBytes)
  return propertiesAt + propertiesBytes
}

/** Where in its bytes a batch lies. */
export interface BatchPlace {
  readonly start: number
  readonly end: number
}

/** Decodes at least one and at most `maxMessages` messages; without a place, of all the bytes. Throws `MESSAGE_BAD_BATCH`. */
export function decodeBatch(bytes: Buffer, place?: BatchPlace, maxMessages = 65_536): BatchMessage[] {
  const { start, end } = place ?? { start: 0, end: bytes.length }
  const firstEnd = memberEnd(bytes, start, end)
  const messages = [member(bytes, start, firstEnd)]
  for (let at = firstEnd; at < end; ) {
    if (messages.length === maxMessages) throw badBatch(`more than ${maxMessages} messages`)
    const next = memberEnd(bytes, at, end)
    messages.push(member(bytes, at, next))
    at = next
  }
  return messages
}

/** Where the message at `at` of a batch that goes to `end` ends. */
function memberEnd(bytes: Buffer, at: number, end: number): number {
  if (at === end) throw badBatch('it is empty')
  if (end - at < FIXED_BYTES) throw badBatch(`${end - at} bytes at its end are no message`)
  const size = readInt32(bytes, at)
  if (size < FIXED_BYTES || size > end - at) throw badBatch(`size ${size} of the message at byte ${at}`)
  return at + size
}

function member(bytes: Buffer, at: number, end: number): BatchMessage {
  const bodyLength = readInt32(bytes, at + 16)
  const bodyEnd = at + 20 + bodyLength
  if (bodyLength < 0 || bodyEnd + 2 > end) throw badBatch(`body length ${bodyLength} of the message at byte ${at}`)
  const propertiesLength = readUInt16(bytes, bodyEnd)
  if (propertiesLength > PROPERTIES_BYTES_MAX || bodyEnd + 2 + propertiesLength !== end) {
    throw badBatch(`properties length ${propertiesLength} of the message at byte ${at}`)
  }
  return {
    flag: readInt32(bytes, at + 12),
    body: bytes.subarray(at + 20, bodyEnd),
    properties: bytes.subarray(bodyEnd + 2, end),
  }
}

function badBatch(why: string): Error {
  return messageErrors.create('MESSAGE_BAD_BATCH', `the batch cannot be decoded: ${why}`)
}
