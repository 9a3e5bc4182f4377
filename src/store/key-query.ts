/** Messages by key (RocketMQ DefaultMessageStore.queryMessage): candidates of the key index, each looked at itself. */
import { findProperty, KEY_SEPARATOR, PropertyName } from '../message/properties.ts'
import { recordProperties, recordStoreTimestampMs, recordTopic } from '../message/record.ts'
import { javaHashCode } from '../message/tags-code.ts'
import type { KeyIndex } from './key-index.ts'

export interface KeyQuery {
  readonly topic: string
  /** One of a message's KEYS, or its unique id. */
  readonly key: string
  readonly maxCount: number
  /** Store times, both included. */
  readonly beginMs: number
  readonly endMs: number
}

export interface KeyResult {
  /** In the order of the log. */
  readonly records: readonly Buffer[]
  readonly bytes: number
  /** How far the index reaches: the newest entry of all. */
  readonly lastUpdateTimestampMs: number
  readonly lastUpdateOffset: number
}

/** Candidates looked at for one query: a key that millions share must not read the whole log. */
const CANDIDATES_MAX = 16_384
/** As RocketMQ's maxMsgsNumBatch. */
const RECORDS_MAX = 64
const BYTES_MAX = 16 * 1024 * 1024

export async function findByKey(
  query: KeyQuery,
  index: KeyIndex,
  recordAt: (offset: number) => Promise<Buffer | undefined>,
): Promise<KeyResult> {
  const { topic, key, beginMs, endMs } = query
  const maxCount = Math.min(query.maxCount, RECORDS_MAX)
  const last = index.last
  const records: Buffer[] = []
  let bytes = 0
  let candidates = 0
  let previous = -1
  for await (const offset of index.find(javaHashCode(`${topic}#${key}`), beginMs, endMs)) {
    if (records.length >= maxCount || bytes >= BYTES_MAX || ++candidates > CANDIDATES_MAX) break
    // A message whose key is its unique id too has two entries, one behind the other.
    if (offset === previous) continue
    previous = offset
    const record = await recordAt(offset)
    if (record === undefined || !hasKey(record, topic, key)) continue
    const storedMs = recordStoreTimestampMs(record, 0)
    if (storedMs < beginMs || storedMs > endMs) continue
    records.push(record)
    bytes += record.length
  }
  records.reverse()
  return { records, bytes, lastUpdateTimestampMs: last.timestampMs, lastUpdateOffset: last.offset }
}

function hasKey(record: Buffer, topic: string, key: string): boolean {
  if (recordTopic(record, 0) !== topic) return false
  const properties = recordProperties(record, 0)
  if (findProperty(properties, PropertyName.UNIQ_KEY) === key) return true
  return findProperty(properties, PropertyName.KEYS)?.split(KEY_SEPARATOR).includes(key) === true
}
