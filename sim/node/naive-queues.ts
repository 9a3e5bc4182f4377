/**
 * What the queues should be, made from the bytes of a log alone, as docs/store.md and RocketMQ's MessageDecoder describe
 * them: every record of every committed entry is the next one of its queue. Shares no code with what it judges.
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
  /** By queueOffset. */
  readonly units: NaiveUnit[]
}

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

/** By `queueKey`, of the log on `disk` up to the entry `lastIndex`. Throws where a record is not the next one of its queue. */
export function naiveQueues(disk: Disk, lastIndex: number): ReadonlyMap<string, NaiveQueue> {
  const queues = new Map<string, NaiveQueue>()
  for (const bytes of segmentsOf(disk)) {
    for (let at = 0; at + FRAME_HEAD_BYTES <= bytes.length && bytes.toString('latin1', at, at + 4) === FRAME_MAGIC; ) {
      const end = at + bytes.readUInt32BE(at + 8)
      if (Number(bytes.readBigUInt64BE(at + 16)) > lastIndex) return queues
      if ((bytes.readUInt8(at + 12) & 0x7f) === DATA) {
        let record = at + FRAME_HEAD_BYTES + bytes.readUInt32BE(at + 52)
        for (; record < end; record += bytes.readUInt32BE(record)) add(queues, bytes, record)
      }
      at = end
    }
  }
  return queues
}

/** In the order of the log. */
function segmentsOf(disk: Disk): readonly Buffer[] {
  return [...disk.names]
    .filter(([path]) => /\/commitlog\/\d{20}$/.test(path))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { bytes }]) => bytes)
}

function add(queues: Map<string, NaiveQueue>, bytes: Buffer, at: number): void {
  const sysFlag = bytes.readUInt32BE(at + 36)
  const transactionType = sysFlag & TRANSACTION_TYPE
  if (transactionType !== 0 && transactionType !== COMMIT_TYPE) return
  const queueId = bytes.readUInt32BE(at + 12)
  const queueOffset = Number(bytes.readBigUInt64BE(at + 20))
  const topic = topicOf(bytes, at, sysFlag)
  const key = queueKey({ topic, queueId })
  const queue = queues.get(key) ?? { topic, queueId, units: [] }
  queues.set(key, queue)
  if (queueOffset !== queue.units.length) {
    throw new Violation('queue', `the log has ${queueOffset} of ${key} where ${queue.units.length} belongs`)
  }
  queue.units.push({ offset: Number(bytes.readBigUInt64BE(at + 28)), bytes: bytes.readUInt32BE(at) })
}

function topicOf(bytes: Buffer, at: number, sysFlag: number): string {
  const bornBytes = (sysFlag & BORN_V6) === 0 ? 8 : 20
  const storeBytes = (sysFlag & STORE_V6) === 0 ? 8 : 20
  const body = at + 68 + bornBytes + storeBytes
  const topic = body + 4 + bytes.readUInt32BE(body)
  const isLong = bytes.readUInt32BE(at + 4) === V2_MAGIC
  const length = isLong ? bytes.readUInt16BE(topic) : bytes.readUInt8(topic)
  const start = topic + (isLong ? 2 : 1)
  return bytes.toString('utf8', start, start + length)
}
