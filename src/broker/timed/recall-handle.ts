/** What a producer takes a waiting message back by (RocketMQ RecallMessageHandle): `v1 topic broker time uniqueKey`. */
import { refusal } from '../errors.ts'

export interface RecallHandle {
  readonly topic: string
  readonly brokerName: string
  /** One above the time at which the message is due, as RocketMQ writes it. */
  readonly timestampMs: number
  readonly uniqueKey: string
}

const VERSION = 'v1'

/** URL-safe base64 with padding, as Java's encoder writes it. */
export function encodeRecallHandle({ topic, brokerName, timestampMs, uniqueKey }: RecallHandle): string {
  const text = Buffer.from([VERSION, topic, brokerName, timestampMs, uniqueKey].join(' ')).toString('base64url')
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=')
}

/** Throws BROKER_ILLEGAL_OPERATION in RocketMQ's words. */
export function decodeRecallHandle(handle: string): RecallHandle {
  const isBase64 = handle.length > 0 && /^[A-Za-z0-9_-]*={0,2}$/.test(handle)
  const [version, topic, brokerName, timestamp, uniqueKey] = isBase64
    ? Buffer.from(handle, 'base64url').toString().split(' ')
    : []
  if (version !== VERSION || topic === undefined || brokerName === undefined || uniqueKey === undefined) {
    throw refusal('BROKER_ILLEGAL_OPERATION', 'recall handle is invalid')
  }
  const timestampMs = /^\d{1,15}$/.test(timestamp ?? '') ? Number(timestamp) : -1
  return { topic, brokerName, timestampMs, uniqueKey }
}
