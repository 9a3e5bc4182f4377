/** Whether what a caller sends is a message, before anything else looks at it. */
import { isDate } from 'node:util/types'
import { knownKeys, unknownKeyFault } from '../../lib/known-keys.ts'
import { clientErrors } from '../core/errors.ts'
import type { OutgoingMessage } from './outgoing-message.ts'

const keys = knownKeys<OutgoingMessage>({
  topic: true,
  body: true,
  tag: true,
  keys: true,
  properties: true,
  flag: true,
  delayLevel: true,
  delayMs: true,
  deliverAt: true,
  shardingKey: true,
  queue: true,
})

/**
 * Errors: `CLIENT_MESSAGE_ILLEGAL` for what is no object, has a key that nobody reads, or a value of another type than the
 * message has. Names, sizes and ranges are looked at where they are used.
 */
export function checkMessage(message: OutgoingMessage): void {
  if (typeof message !== 'object' || message === null) throw illegal(`a message is an object, not ${String(message)}`)
  for (const name in message) {
    // Every send comes by here, and a look into the table takes three times as long.
    switch (name) {
      case 'topic':
      case 'body':
      case 'tag':
      case 'keys':
      case 'properties':
      case 'shardingKey':
        break
      default:
        if (!keys.has(name)) throw illegal(unknownKeyFault(name, 'a message', keys))
    }
  }
  const { topic, body } = message
  if (typeof topic !== 'string') throw illegal(`topic: ${String(topic)} is no text`)
  if (typeof body !== 'string' && !ArrayBuffer.isView(body)) throw illegal('the body is neither text nor bytes')
  checkRare(message)
}

/** What most messages do not have. */
function checkRare({ keys, properties, deliverAt, queue }: OutgoingMessage): void {
  if (keys !== undefined && typeof keys !== 'string' && !isListOfTexts(keys)) {
    throw illegal('keys is neither text nor a list of texts')
  }
  if (properties !== undefined && (typeof properties !== 'object' || properties === null)) {
    throw illegal('properties is no object of texts')
  }
  if (deliverAt !== undefined && !isDate(deliverAt)) throw illegal(`deliverAt is no Date: ${String(deliverAt)}`)
  if (queue !== undefined && (typeof queue?.brokerName !== 'string' || !Number.isInteger(queue.queueId))) {
    throw illegal('queue is none: it has a topic, a brokerName and a queueId')
  }
}

function isListOfTexts(list: readonly string[]): boolean {
  return Array.isArray(list) && list.every((one) => typeof one === 'string')
}

function illegal(why: string): Error {
  return clientErrors.create('CLIENT_MESSAGE_ILLEGAL', why)
}
