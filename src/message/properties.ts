/**
 * A record's properties: `name 0x01 value 0x02` over and over, in UTF-8 (RocketMQ MessageDecoder). The last separator
 * may be missing; a pair with an empty name or value is none; of equal names the last one counts.
 */
import { messageErrors } from './errors.ts'
import { readInt32 } from './int64.ts'
import { PROPERTIES_BYTES_MAX } from './record.ts'

export type Properties = ReadonlyMap<string, string>

/** Well-known names (RocketMQ MessageConst). */
export const PropertyName = {
  KEYS: 'KEYS',
  TAGS: 'TAGS',
  WAIT: 'WAIT',
  DELAY: 'DELAY',
  RETRY_TOPIC: 'RETRY_TOPIC',
  REAL_TOPIC: 'REAL_TOPIC',
  REAL_QID: 'REAL_QID',
  TRAN_MSG: 'TRAN_MSG',
  PGROUP: 'PGROUP',
  MIN_OFFSET: 'MIN_OFFSET',
  MAX_OFFSET: 'MAX_OFFSET',
  BUYER_ID: 'BUYER_ID',
  ORIGIN_MESSAGE_ID: 'ORIGIN_MESSAGE_ID',
  TRANSFER_FLAG: 'TRANSFER_FLAG',
  CORRECTION_FLAG: 'CORRECTION_FLAG',
  MQ2_FLAG: 'MQ2_FLAG',
  RECONSUME_TIME: 'RECONSUME_TIME',
  MSG_REGION: 'MSG_REGION',
  TRACE_ON: 'TRACE_ON',
  UNIQ_KEY: 'UNIQ_KEY',
  EXTEND_UNIQ_INFO: 'EXTEND_UNIQ_INFO',
  MAX_RECONSUME_TIMES: 'MAX_RECONSUME_TIMES',
  CONSUME_START_TIME: 'CONSUME_START_TIME',
  INNER_NUM: 'INNER_NUM',
  INNER_BASE: 'INNER_BASE',
  DUP_INFO: 'DUP_INFO',
  CHECK_IMMUNITY_TIME_IN_SECONDS: 'CHECK_IMMUNITY_TIME_IN_SECONDS',
  TRAN_PREPARED_QUEUE_OFFSET: 'TRAN_PREPARED_QUEUE_OFFSET',
  TRANSACTION_ID: '__transactionId__',
  TRANSACTION_CHECK_TIMES: 'TRANSACTION_CHECK_TIMES',
  INSTANCE_ID: 'INSTANCE_ID',
  CORRELATION_ID: 'CORRELATION_ID',
  REPLY_TO_CLIENT: 'REPLY_TO_CLIENT',
  TTL: 'TTL',
  ARRIVE_TIME: 'ARRIVE_TIME',
  PUSH_REPLY_TIME: 'PUSH_REPLY_TIME',
  CLUSTER: 'CLUSTER',
  MSG_TYPE: 'MSG_TYPE',
  POP_CK: 'POP_CK',
  POP_CK_OFFSET: 'POP_CK_OFFSET',
  FIRST_POP_TIME: '1ST_POP_TIME',
  SHARDING_KEY: '__SHARDINGKEY',
  FORWARD_QUEUE_ID: 'PROPERTY_FORWARD_QUEUE_ID',
  REDIRECT: 'REDIRECT',
  INNER_MULTI_DISPATCH: 'INNER_MULTI_DISPATCH',
  INNER_MULTI_QUEUE_OFFSET: 'INNER_MULTI_QUEUE_OFFSET',
  TRACE_CONTEXT: 'TRACE_CONTEXT',
  TIMER_DELAY_SEC: 'TIMER_DELAY_SEC',
  TIMER_DELAY_MS: 'TIMER_DELAY_MS',
  TIMER_DELIVER_MS: 'TIMER_DELIVER_MS',
  TIMER_ENQUEUE_MS: 'TIMER_ENQUEUE_MS',
  TIMER_DEQUEUE_MS: 'TIMER_DEQUEUE_MS',
  TIMER_ROLL_TIMES: 'TIMER_ROLL_TIMES',
  TIMER_OUT_MS: 'TIMER_OUT_MS',
  TIMER_DEL_UNIQKEY: 'TIMER_DEL_UNIQKEY',
  TIMER_DELAY_LEVEL: 'TIMER_DELAY_LEVEL',
  BORN_HOST: '__BORNHOST',
  BORN_TIMESTAMP: 'BORN_TIMESTAMP',
  DLQ_ORIGIN_TOPIC: 'DLQ_ORIGIN_TOPIC',
  DLQ_ORIGIN_MESSAGE_ID: 'DLQ_ORIGIN_MESSAGE_ID',
  CRC32: '__CRC32#',
} as const

/** What separates the keys in `KEYS`. */
export const KEY_SEPARATOR = ' '
/** Properties whose name begins so are for one hop and never stored. */
export const TRANSIENT_PROPERTY_PREFIX = '__RMQ.TRANSIENT.'

const NAME_END = 1
const VALUE_END = 2
const EMPTY = Buffer.alloc(0)

/** Encodes properties in the order given. Throws `MESSAGE_BAD_PROPERTIES`. */
export function encodeProperties(properties: Iterable<readonly [name: string, value: string]>): Buffer {
  let text = ''
  for (const [name, value] of properties) text += pair(name, value)
  return checkPropertiesLength(Buffer.from(text))
}

/** Decodes properties as RocketMQ does: what is no pair is passed over, of equal names the last one counts. */
export function decodeProperties(bytes: Buffer): Map<string, string> {
  return parseProperties(bytes.toString())
}

/** As `decodeProperties`, for the string that a send header carries. */
export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>()
  let at = 0
  while (at < text.length) {
    let end = text.indexOf('\u0002', at)
    if (end < 0) end = text.length
    const nameEnd = text.indexOf('\u0001', at)
    if (nameEnd > at && nameEnd < end - 1) properties.set(text.slice(at, nameEnd), text.slice(nameEnd + 1, end))
    at = end + 1
  }
  return properties
}

/**
 * Calls `visit` with the place of every pair in `bytes[start, end)`, without decoding any: name `[name, nameEnd)`, value
 * `[nameEnd + 1, valueEnd)`. One pass, no allocation.
 */
export function eachProperty(
  bytes: Uint8Array,
  start: number,
  end: number,
  visit: (name: number, nameEnd: number, valueEnd: number) => void,
): void {
  let name = start
  let nameEnd = -1
  for (let i = start; i <= end; i++) {
    const byte = i < end ? bytes[i] : VALUE_END
    if (byte === NAME_END) {
      if (nameEnd < 0) nameEnd = i
    } else if (byte === VALUE_END) {
      if (nameEnd > name && nameEnd < i - 1) visit(name, nameEnd, i)
      name = i + 1
      nameEnd = -1
    }
  }
}

/** Where the values lie that queues and indexes are made from; -1 for what is not there. */
export interface IndexedPlaces {
  tags: number
  tagsEnd: number
  keys: number
  keysEnd: number
  uniqueKey: number
  uniqueKeyEnd: number
}

const TAGS_WORD = 0x54414753
const KEYS_WORD = 0x4b455953
const UNIQ_WORD = 0x554e4951
const DASH_KEY_WORD = 0x5f4b4559

/** Finds TAGS, KEYS and UNIQ_KEY in `bytes[start, end)` in one pass, for every record that is dispatched. */
export function locateIndexed(bytes: Buffer, start: number, end: number, places: IndexedPlaces): void {
  places.tags = places.keys = places.uniqueKey = -1
  let name = start
  let nameEnd = -1
  for (let i = start; i <= end; i++) {
    const byte = i < end ? bytes[i] : VALUE_END
    if (byte === NAME_END) {
      if (nameEnd < 0) nameEnd = i
    } else if (byte === VALUE_END) {
      const length = nameEnd - name
      if (nameEnd < i - 1 && (length === 4 || length === 8)) {
        const word = readInt32(bytes, name)
        if (length === 4 && word === TAGS_WORD) {
          places.tags = nameEnd + 1
          places.tagsEnd = i
        } else if (length === 4 && word === KEYS_WORD) {
          places.keys = nameEnd + 1
          places.keysEnd = i
        } else if (length === 8 && word === UNIQ_WORD && readInt32(bytes, name + 4) === DASH_KEY_WORD) {
          places.uniqueKey = nameEnd + 1
          places.uniqueKeyEnd = i
        }
      }
      name = i + 1
      nameEnd = -1
    }
  }
}

/** The value of one property, or undefined; decodes nothing else. */
export function findProperty(bytes: Buffer, name: string): string | undefined {
  const wanted = Buffer.from(name)
  let valueStart = -1
  let valueStop = -1
  eachProperty(bytes, 0, bytes.length, (start, nameEnd, valueEnd) => {
    if (!sameBytes(bytes, start, nameEnd, wanted)) return
    valueStart = nameEnd + 1
    valueStop = valueEnd
  })
  return valueStart < 0 ? undefined : bytes.toString('utf8', valueStart, valueStop)
}

/** `bytes` with one pair more at its end. Throws `MESSAGE_BAD_PROPERTIES`. */
export function appendProperty(bytes: Buffer, name: string, value: string): Buffer {
  const added = Buffer.from(pair(name, value))
  const isClosed = bytes.length === 0 || bytes[bytes.length - 1] === VALUE_END
  const parts = isClosed ? [bytes, added] : [bytes, Buffer.of(VALUE_END), added]
  return checkPropertiesLength(Buffer.concat(parts))
}

/** `bytes` without any pair of this name; `bytes` itself when there is none. */
export function removeProperty(bytes: Buffer, name: string): Buffer {
  const wanted = Buffer.from(name)
  const kept: Buffer[] = []
  let isFound = false
  eachProperty(bytes, 0, bytes.length, (start, nameEnd, valueEnd) => {
    if (sameBytes(bytes, start, nameEnd, wanted)) isFound = true
    else kept.push(bytes.subarray(start, valueEnd), SEPARATOR)
  })
  if (!isFound) return bytes
  return kept.length === 0 ? EMPTY : Buffer.concat(kept)
}

/** `bytes` with the one value for `name`. Throws `MESSAGE_BAD_PROPERTIES`. */
export function replaceProperty(bytes: Buffer, name: string, value: string): Buffer {
  return appendProperty(removeProperty(bytes, name), name, value)
}

/** `bytes`, which fit into a record. Throws `MESSAGE_BAD_PROPERTIES` above 32,767 bytes. */
export function checkPropertiesLength(bytes: Buffer): Buffer {
  checkPropertiesBytes(bytes.length)
  return bytes
}

/** As `checkPropertiesLength`, of a number of bytes; returns it. */
export function checkPropertiesBytes(bytes: number): number {
  if (bytes <= PROPERTIES_BYTES_MAX) return bytes
  throw messageErrors.create('MESSAGE_BAD_PROPERTIES', `properties of ${bytes} bytes are over ${PROPERTIES_BYTES_MAX}`)
}

const SEPARATOR = Buffer.of(VALUE_END)

function pair(name: string, value: string): string {
  if (name.length === 0 || hasSeparator(name)) {
    throw messageErrors.create('MESSAGE_BAD_PROPERTIES', `property name ${JSON.stringify(name)}`)
  }
  if (value.length === 0 || value.includes('\u0002')) {
    throw messageErrors.create('MESSAGE_BAD_PROPERTIES', `value of property ${name}: ${JSON.stringify(value)}`)
  }
  return `${name}\u0001${value}\u0002`
}

function hasSeparator(text: string): boolean {
  return text.includes('\u0001') || text.includes('\u0002')
}

function sameBytes(bytes: Uint8Array, start: number, end: number, wanted: Uint8Array): boolean {
  if (end - start !== wanted.length) return false
  for (let i = 0; i < wanted.length; i++) if (bytes[start + i] !== wanted[i]) return false
  return true
}
