/**
 * The bodies of a request that sends to many queues at once (700_021, RaftMQ's own) and of its answer. Big-endian.
 *
 *     part      4      size of all that follows and itself
 *               4      queueId
 *               8      born timestamp
 *               2 + n  topic
 *               rest   one message or more, as in the body of a batch send (`batch.ts`)
 *
 *     answer    4      code, as a batch send of its own would have been answered
 *               4      n
 *     stored    4      queueId
 *               8      queueOffset of the first message
 *               n × 8  offset of each message in the CommitLog
 *     or not    n      remark
 *
 * Parts stand back to back, and their answers in the same order.
 */
import { batchMemberLength, type BatchPlace, writeBatchMember } from './batch.ts'
import { messageErrors } from './errors.ts'
import { readInt32, readInt64, readUInt16, writeInt32, writeInt64 } from './int64.ts'

/** A part on its way out. */
export interface OutgoingPart {
  readonly queue: { readonly queueId: number }
  readonly request: {
    readonly topic: string
    readonly bornMs: number
    /** Whether `body` is a batch already; otherwise it is that of one message, with `flag` and `properties`. */
    readonly isBatch: boolean
    readonly flag: number
    readonly body: Buffer
    readonly properties: string
  }
}

/** A part that came, and where in the request its batch lies. */
export interface SendPart extends BatchPlace {
  readonly topic: string
  readonly queueId: number
  readonly bornMs: number
}

/** What became of a part: its messages were stored, or `remark` says why not. */
export type PartAnswer = StoredPart | RefusedPart

export interface StoredPart {
  readonly code: number
  readonly queueId: number
  readonly queueOffset: number
  /** In the CommitLog, of each message. */
  readonly offsets: readonly number[]
}

export interface RefusedPart {
  readonly code: number
  readonly remark: string
}

const PART_FIXED_BYTES = 18
const ANSWER_FIXED_BYTES = 8
const PLACE_BYTES = 12
const OFFSET_BYTES = 8
/** Codes of a send that was stored: success, and those of a SYNC_MASTER whose slaves do not hold it yet. */
const storedCodes: ReadonlySet<number> = new Set([0, 10, 11, 12])

/** Bytes of the part in a request. Throws `MESSAGE_BAD_PROPERTIES`. */
export function sendPartLength({ request }: OutgoingPart): number {
  const { topic, isBatch, body } = request
  return PART_FIXED_BYTES + Buffer.byteLength(topic) + (isBatch ? body.length : batchMemberLength(request))
}

/** The body of a request; `length` is the sum of its parts'. */
export function encodeSendParts(parts: readonly OutgoingPart[], length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  let at = 0
  for (const part of parts) at = writePart(part, bytes, at)
  return bytes
}

function writePart({ queue, request }: OutgoingPart, bytes: Buffer, at: number): number {
  writeInt32(bytes, at + 4, queue.queueId)
  writeInt64(bytes, at + 8, request.bornMs)
  const topicBytes = bytes.write(request.topic, at + PART_FIXED_BYTES)
  bytes[at + 16] = topicBytes >>> 8
  bytes[at + 17] = topicBytes
  const batchAt = at + PART_FIXED_BYTES + topicBytes
  let end = batchAt + request.body.length
  if (request.isBatch) bytes.set(request.body, batchAt)
  else end = writeBatchMember(request, bytes, batchAt)
  writeInt32(bytes, at, end - at)
  return end
}

/** Reads at most `maxParts` parts, none where there are none. Throws `MESSAGE_BAD_BATCH`. */
export function decodeSendParts(bytes: Buffer, maxParts = 65_536): SendPart[] {
  const parts: SendPart[] = []
  for (let at = 0; at < bytes.length; ) {
    if (parts.length === maxParts) throw malformed(`more than ${maxParts} parts`)
    if (bytes.length - at < PART_FIXED_BYTES) throw malformed(`${bytes.length - at} bytes at its end are no part`)
    const size = readInt32(bytes, at)
    if (size < PART_FIXED_BYTES || size > bytes.length - at) throw malformed(`size ${size} of the part at byte ${at}`)
    const topicAt = at + PART_FIXED_BYTES
    const batchAt = topicAt + readUInt16(bytes, topicAt - 2)
    if (batchAt > at + size) throw malformed(`length of the topic at byte ${topicAt}`)
    const bornMs = readInt64(bytes, at + 8)
    if (Number.isNaN(bornMs)) throw malformed(`born timestamp at byte ${at + 8}`)
    parts.push({
      topic: bytes.toString('utf8', topicAt, batchAt),
      queueId: readInt32(bytes, at + 4),
      bornMs,
      start: batchAt,
      end: at + size,
    })
    at += size
  }
  return parts
}

/** The body of an answer. */
export function encodePartAnswers(answers: readonly PartAnswer[]): Buffer {
  let length = 0
  for (const answer of answers) length += answerLength(answer)
  const bytes = Buffer.allocUnsafe(length)
  let at = 0
  for (const answer of answers) at = writeAnswer(answer, bytes, at)
  return bytes
}

function answerLength(answer: PartAnswer): number {
  if ('remark' in answer) return ANSWER_FIXED_BYTES + Buffer.byteLength(answer.remark)
  return ANSWER_FIXED_BYTES + PLACE_BYTES + answer.offsets.length * OFFSET_BYTES
}

function writeAnswer(answer: PartAnswer, bytes: Buffer, at: number): number {
  writeInt32(bytes, at, answer.code)
  const restAt = at + ANSWER_FIXED_BYTES
  if ('remark' in answer) {
    const remarkBytes = bytes.write(answer.remark, restAt)
    writeInt32(bytes, at + 4, remarkBytes)
    return restAt + remarkBytes
  }
  writeInt32(bytes, at + 4, answer.offsets.length)
  writeInt32(bytes, restAt, answer.queueId)
  writeInt64(bytes, restAt + 4, answer.queueOffset)
  let end = restAt + PLACE_BYTES
  for (const offset of answer.offsets) {
    writeInt64(bytes, end, offset)
    end += OFFSET_BYTES
  }
  return end
}

/** Reads the answers to `count` parts. Throws `MESSAGE_BAD_BATCH` for bytes that say more, less or something else. */
export function decodePartAnswers(bytes: Buffer, count: number): PartAnswer[] {
  const answers: PartAnswer[] = []
  let at = 0
  while (at < bytes.length && answers.length < count) {
    if (bytes.length - at < ANSWER_FIXED_BYTES) throw malformed(`${bytes.length - at} bytes at its end are no answer`)
    const code = readInt32(bytes, at)
    const n = readInt32(bytes, at + 4)
    const restAt = at + ANSWER_FIXED_BYTES
    const isStored = storedCodes.has(code)
    const end = restAt + (isStored ? PLACE_BYTES + n * OFFSET_BYTES : n)
    if (n < 0 || end > bytes.length) throw malformed(`length ${n} of the answer at byte ${at}`)
    answers.push(isStored ? readPlace(code, bytes, restAt, n) : { code, remark: bytes.toString('utf8', restAt, end) })
    at = end
  }
  if (answers.length !== count || at !== bytes.length) throw malformed(`${count} parts have other answers`)
  return answers
}

function readPlace(code: number, bytes: Buffer, at: number, n: number): StoredPart {
  const offsets: number[] = []
  for (let k = 0; k < n; k++) offsets.push(readInt64(bytes, at + PLACE_BYTES + k * OFFSET_BYTES))
  return { code, queueId: readInt32(bytes, at), queueOffset: readInt64(bytes, at + 4), offsets }
}

function malformed(why: string): Error {
  return messageErrors.create('MESSAGE_BAD_BATCH', `the parts of a send cannot be decoded: ${why}`)
}
