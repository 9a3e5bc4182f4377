/** A topic whose messages have one type of payload. */
import type { MessageContext, MessageHandler } from '../consumer/message-context.ts'
import type { OutgoingMessage } from '../producer/outgoing-message.ts'
import { payloadError } from './codec.ts'
import type { Codec } from './codec.ts'
import { clientErrors } from './errors.ts'
import { checkTopicName } from './names.ts'
import type { ReceivedMessage } from './received-message.ts'

const CONTENT_TYPE = 'content-type'

/**
 * ```ts
 * const orders = new TypedTopic('Orders', json((value) => Order.parse(value)))
 * await producer.send(orders.message({ id: 7, amount: 120 }, { tag: 'new' }))
 * await consumer.subscribe(orders.name).run(orders.handler(async (order) => { await bill(order.amount) }))
 * ```
 */
export class TypedTopic<Value> {
  readonly name: string
  readonly #codec: Codec<Value>

  /** Errors: `CLIENT_MESSAGE_ILLEGAL` for an impossible name. */
  constructor(name: string, codec: Codec<Value>) {
    checkTopicName(name)
    this.name = name
    this.#codec = codec
  }

  /** What a producer sends. */
  message(value: Value, more: Omit<OutgoingMessage, 'topic' | 'body'> = {}): OutgoingMessage {
    const properties = { ...more.properties, [CONTENT_TYPE]: this.#codec.contentType }
    return { ...more, topic: this.name, body: this.#codec.encode(value), properties }
  }

  /**
   * The payload of a message. One without a content type, as foreign producers send it, is read as this codec's. Errors:
   * `CLIENT_PAYLOAD`.
   */
  valueOf(message: ReceivedMessage): Value {
    const { contentType } = this.#codec
    const given = message.property(CONTENT_TYPE)
    if (given !== undefined && given !== contentType) {
      throw clientErrors.create('CLIENT_PAYLOAD', `message ${message.messageId} is ${given}, not ${contentType}`)
    }
    try {
      return this.#codec.decode(message.body)
    } catch (error) {
      throw payloadError(`message ${message.messageId} is no ${contentType} of ${this.name}`, error)
    }
  }

  /** For `run`. A message that cannot be read goes to the dead letters at once: later it is no better. */
  handler(handle: (value: Value, message: ReceivedMessage, context: MessageContext) => unknown): MessageHandler {
    return (message, context) => {
      let value: Value
      try {
        value = this.valueOf(message)
      } catch (error) {
        context.delayLevel = -1
        throw error
      }
      return handle(value, message, context)
    }
  }
}
