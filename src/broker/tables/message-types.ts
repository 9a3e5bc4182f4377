/**
 * What a topic says that its messages are: the attribute `message.type` (RocketMQ TopicMessageType). RocketMQ's proxy
 * holds clients to it (DefaultTopicMessageTypeValidator); its broker alone does not.
 */
import { parseProperties, PropertyName } from '../../message/properties.ts'
import { refusal } from '../errors.ts'
import type { TopicConfig } from './topics.ts'

export const MESSAGE_TYPE = 'message.type'

type Type = 'NORMAL' | 'FIFO' | 'DELAY' | 'TRANSACTION'

const DELAYS = [
  PropertyName.DELAY,
  PropertyName.TIMER_DELIVER_MS,
  PropertyName.TIMER_DELAY_SEC,
  PropertyName.TIMER_DELAY_MS,
]

/**
 * What a topic takes. Clients of the remoting protocol keep an order by the queue they choose: to a FIFO topic they may
 * send without a sharding key. A type that is not here takes everything.
 */
const taken: Readonly<Record<string, readonly Type[]>> = {
  NORMAL: ['NORMAL'],
  FIFO: ['FIFO', 'NORMAL'],
  DELAY: ['DELAY'],
  TRANSACTION: ['TRANSACTION'],
}

/** Throws BROKER_MESSAGE_ILLEGAL for a message, by its encoded properties, that its topic does not take. */
export function checkMessageType(topic: TopicConfig, properties: string): void {
  const expected = topic.attributes[MESSAGE_TYPE] ?? ''
  const types = Object.hasOwn(taken, expected) ? taken[expected] : undefined
  if (types === undefined) return
  const actual = typeOf(parseProperties(properties))
  if (types.includes(actual)) return
  throw refusal(
    'BROKER_MESSAGE_ILLEGAL',
    `TopicMessageType validate failed, the expected type is ${expected}, but actual type is ${actual}`,
  )
}

function typeOf(properties: ReadonlyMap<string, string>): Type {
  if (properties.get(PropertyName.TRAN_MSG) === 'true') return 'TRANSACTION'
  if (DELAYS.some((name) => properties.has(name))) return 'DELAY'
  return properties.has(PropertyName.SHARDING_KEY) ? 'FIFO' : 'NORMAL'
}
