/** A message on its way out: what a user gives, and what goes into the frame. */
import { compressBody, compressionSysFlag } from '../../message/compression.ts'
import type { CompressionType } from '../../message/compression.ts'
import { KEY_SEPARATOR, PropertyName } from '../../message/properties.ts'
import { PROPERTIES_BYTES_MAX } from '../../message/record.ts'
import { clientErrors } from '../core/errors.ts'
import type { MessageQueue } from '../core/message-queue.ts'

export interface OutgoingMessage {
  readonly topic: string
  /** Text is sent as UTF-8. Bytes are not copied until they are written: leave them alone until the send is done. */
  readonly body: Uint8Array | string
  /** What consumers filter by. */
  readonly tag?: string
  /** What the message can be found by later. */
  readonly keys?: string | readonly string[]
  /** The user's own properties. Names that RocketMQ uses itself go through as they are. */
  readonly properties?: Readonly<Record<string, string>>
  /** The user's own int32. */
  readonly flag?: number
  /** RocketMQ's delay level, from 1. At most one of this and the next two. */
  readonly delayLevel?: number
  /** The message is delivered so many milliseconds after it was stored. */
  readonly delayMs?: number
  /** The message is delivered at this time, at once if it is over. */
  readonly deliverAt?: Date
  /** Messages with equal keys go to the same queue, and stay in order there. */
  readonly shardingKey?: string
  /** The queue to send to, chosen by the caller. */
  readonly queue?: MessageQueue
}

/** What stays the same for every attempt. */
export interface PreparedMessage {
  readonly messageId: string
  readonly body: Buffer
  /** `name 0x01 value 0x02 …` */
  readonly properties: string
  readonly sysFlag: number
  readonly flag: number
}

export interface PrepareOptions {
  readonly maxBodyBytes: number
  readonly compressOverBytes: number
  readonly compression: CompressionType
  readonly compressionLevel: number
}

/** Checks and encodes. Errors: `CLIENT_MESSAGE_ILLEGAL`. */
export function prepareMessage(message: OutgoingMessage, messageId: string, options: PrepareOptions): PreparedMessage {
  const plain = bodyBytes(message.body)
  if (plain.length === 0) throw illegal('the body is empty')
  if (plain.length > options.maxBodyBytes) {
    throw illegal(`the body has ${plain.length} bytes, over ${options.maxBodyBytes} (maxBodyBytes)`)
  }
  const { flag = 0 } = message
  if ((flag | 0) !== flag) throw illegal(`flag ${flag} is no 32-bit integer`)
  const properties = propertiesText(message, messageId)
  if (plain.length <= options.compressOverBytes) return { messageId, body: plain, properties, sysFlag: 0, flag }
  const body = compressBody(plain, options.compression, options.compressionLevel)
  return { messageId, body, properties, sysFlag: compressionSysFlag(options.compression), flag }
}

export function propertiesText(message: OutgoingMessage, messageId: string): string {
  let text = `${PropertyName.UNIQ_KEY}\u0001${messageId}\u0002`
  const { tag, keys, shardingKey, properties } = message
  if (keys !== undefined) text += pair(PropertyName.KEYS, keysText(keys))
  if (tag !== undefined) text += pair(PropertyName.TAGS, tag)
  if (isDelayed(message)) text += delayText(message)
  if (shardingKey !== undefined) text += pair(PropertyName.SHARDING_KEY, shardingKey)
  if (properties !== undefined) {
    for (const name of Object.keys(properties)) text += pair(name, properties[name] ?? '')
  }
  if (text.length * 3 > PROPERTIES_BYTES_MAX && Buffer.byteLength(text) > PROPERTIES_BYTES_MAX) {
    throw illegal(`the properties have over ${PROPERTIES_BYTES_MAX} bytes`)
  }
  return text
}

function keysText(keys: string | readonly string[]): string {
  const list = typeof keys === 'string' ? [keys] : keys
  for (const key of list) if (key.trim() === '') throw illegal('a key is empty')
  return list.join(KEY_SEPARATOR)
}

/** Whether the message waits at the broker before it is delivered. */
export function isDelayed({ delayLevel, delayMs, deliverAt }: OutgoingMessage): boolean {
  return delayLevel !== undefined || delayMs !== undefined || deliverAt !== undefined
}

function delayText({ delayLevel, delayMs, deliverAt }: OutgoingMessage): string {
  if ([delayLevel, delayMs, deliverAt].filter((given) => given !== undefined).length > 1) {
    throw illegal('only one of delayLevel, delayMs and deliverAt may be given')
  }
  if (delayLevel !== undefined) {
    if (!Number.isInteger(delayLevel) || delayLevel < 1) {
      throw illegal(`delay level ${delayLevel} is no integer from 1 on`)
    }
    return pair(PropertyName.DELAY, String(delayLevel))
  }
  if (delayMs !== undefined) {
    if (!Number.isSafeInteger(delayMs) || delayMs < 0) throw illegal(`delayMs ${delayMs} is no integer from 0 on`)
    return pair(PropertyName.TIMER_DELAY_MS, String(delayMs))
  }
  const deliverMs = deliverAt?.getTime() ?? Number.NaN
  if (Number.isNaN(deliverMs)) throw illegal('deliverAt is no valid date')
  return pair(PropertyName.TIMER_DELIVER_MS, String(deliverMs))
}

function pair(name: string, value: string): string {
  if (name === '' || name.includes('\u0001') || name.includes('\u0002')) {
    throw illegal(`the property name ${JSON.stringify(name)} is empty or holds a separator`)
  }
  if (typeof value !== 'string') throw illegal(`the value of property ${name} is no text`)
  if (value === '' || value.includes('\u0001') || value.includes('\u0002')) {
    throw illegal(`the value of property ${name} is empty or holds a separator`)
  }
  return `${name}\u0001${value}\u0002`
}

function bodyBytes(body: Uint8Array | string): Buffer {
  if (typeof body === 'string') return Buffer.from(body)
  return Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength)
}

function illegal(why: string): Error {
  return clientErrors.create('CLIENT_MESSAGE_ILLEGAL', why)
}
