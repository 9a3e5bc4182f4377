/**
 * What the queues should be, made from the bytes of a log alone, as docs/store.md and RocketMQ's MessageDecoder describe
 * them: every record of every committed entry is the next one of its queue, from the first that retention left. Shares no
 * code with what it judges.
 */
import { Violation } from '../world/violation.ts'
import type { Disk } from './disk.ts'

export interface NaiveUnit {
  /** Of the record in the log. */
  readonly offset: number
  readonly bytes: number
}

export interface NaiveQueue {
  readonly topic: string
  readonly queueId: number
  /** The queueOffset of the first that the log has. */
  readonly first: number
  /** From there on. */
  readonly units: NaiveUnit[]
}

export const SEGMENT = /\/commitlog\/\d{20}$/
const FRAME_MAGIC = 'RMQ1'
const FRAME_HEAD_BYTES = 56
const DATA = 2
const V2_MAGIC = 0xdaa320ab
const BORN_V6 = 1 << 4
const STORE_V6 = 1 << 5
/** MessageSysFlag: a half, or one that was rolled back, is in no queue. */
const TRANSACTION_TYPE = 3 << 2
const COMMIT_TYPE = 2 << 2

export function queueKey({ topic, queueId }: Pick<NaiveQueue, 'topic' | 'queueId'>): string {
  return `${topic}/${queueId}`
}

/** A record as it lies in a log. */
export interface NaiveRecord extends NaiveUnit {
  readonly topic: string
  readonly queueId: number
  readonly queueOffset: number
  readonly body: Buffer
  /** A half, or one that was rolled back: in no queue. */
  readonly isHidden: boolean
}

/** By `queueKey`, of the log on `disk` up to the entry `lastIndex`. Throws where a record is not the next one of its queue. */
export function naiveQueues(disk: Disk, lastIndex: number): ReadonlyMap<string, NaiveQueue> {
  const queues = new Map<string, NaiveQueue>()
  for (const bytes of segmentsOf(disk)) {
    for (const record of naiveRecords(bytes, lastIndex)) if (!record.isHidden) add(queues, record)
  }
  return queues
}

/** The records of a segment up to the entry `lastIndex`. */
export function* naiveRecords(bytes: Buffer, lastIndex: number): Generator<NaiveRecord> {
  for (let at = 0; at + FRAME_HEAD_BYTES <= bytes.length && bytes.toString('latin1', at, at + 4) === FRAME_MAGIC; ) {
    const end = at + bytes.readUInt32BE(at + 8)
    if (Number(bytes.readBigUInt64BE(at + 16)) > lastIndex) return
    if ((bytes.readUInt8(at + 12) & 0x7f) === DATA) {
      let record = at + FRAME_HEAD_BYTES + bytes.readUInt32BE(at + 52)
      for (; record < end; record += bytes.readUInt32BE(record)) yield recordAt(bytes, record)
    }
    at = end
  }
}

/** In the order of the log. */
function segmentsOf(disk: Disk): readonly Buffer[] {
  return [...disk.names]
    .filter(([path]) => SEGMENT.test(path))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { bytes }]) => bytes)
}

function add(queues: Map<string, NaiveQueue>, { topic, queueId, queueOffset, offset, bytes }: NaiveRecord): void {
  const key = queueKey({ topic, queueId })
  const queue = queues.get(key) ?? { topic, queueId, first: queueOffset, units: [] }
  queues.set(key, queue)
  const next = queue.first + queue.units.length
  if (queueOffset !== next) throw new Violation('queue', `the log has ${queueOffset} of ${key} where ${next} belongs`)
  queue.units.push({ offset, bytes })
}

function recordAt(bytes: Buffer, at: number): NaiveRecord {
  const sysFlag = bytes.readUInt32BE(at + 36)
  const bornBytes = (sysFlag & BORN_V6) === 0 ? 8 : 20
  const storeBytes = (sysFlag & STORE_V6) === 0 ? 8 : 20
  const body = at + 68 + bornBytes + storeBytes
  const topic = body + 4 + bytes.readUInt32BE(body)
  const isLong = bytes.readUInt32BE(at + 4) === V2_MAGIC
  const length = isLong ? bytes.readUInt16BE(topic) : bytes.readUInt8(topic)
  const start = topic + (isLong ? 2 : 1)
  const transactionType = sysFlag & TRANSACTION_TYPE
  return {
    topic: bytes.toString('utf8', start, start + length),
    queueId: bytes.readUInt32BE(at + 12),
    queueOffset: Number(bytes.readBigUInt64BE(at + 20)),
    body: bytes.subarray(body + 4, topic),
    isHidden: transactionType !== 0 && transactionType !== COMMIT_TYPE,
    offset: Number(bytes.readBigUInt64BE(at + 28)),
    bytes: bytes.readUInt32BE(at),
  }
}
