/** Finds stored messages: by id, by key, by place (RocketMQ MQAdminImpl: viewMessage, queryMessage, queryMessageByUniqKey). */
import { knownKeys } from '../../lib/known-keys.ts'
import { decodeOffsetMessageId } from '../../message/message-id.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { maxOffset, minOffset, pull, refusal, searchOffset, succeeded } from '../core/broker-api.ts'
import { checkQueue, checkText, checkWithin } from '../core/call-options.ts'
import { clientErrors } from '../core/errors.ts'
import { compareQueues } from '../core/message-queue.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import { checkKeys } from '../core/options.ts'
import { receivedMessages } from '../core/received-message.ts'
import type { ReceivedMessage } from '../core/received-message.ts'
import { subscriptionOf } from '../core/subscription.ts'
import type { BrokerGroup } from '../core/topic-route.ts'
import { readAddress } from './connection.ts'
import type { AdminConnection } from './connection.ts'

export interface KeyQuery {
  readonly topic: string
  readonly key: string
  /** Stored from this time on, and before that one. Default: at any time. */
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
  /** Most messages of one broker group. Default 64. */
  readonly max?: number | undefined
}

export interface RangeQuery {
  readonly topic: string
  /** Default: all queues of the topic. */
  readonly queue?: MessageQueue | undefined
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
}

const keyQueryKeys = knownKeys<KeyQuery>({ topic: true, key: true, fromMs: true, toMs: true, max: true })
const rangeKeys = knownKeys<RangeQuery>({ topic: true, queue: true, fromMs: true, toMs: true })

/** The group whose name RocketMQ's tools read under; every broker knows it. */
const TOOLS_GROUP = 'TOOLS_CONSUMER'
const READ_BATCH = 32
const LATEST_MS = Number.MAX_SAFE_INTEGER
const MAX_DEFAULT = 64

export class Messages {
  readonly #at: AdminConnection

  constructor(at: AdminConnection) {
    this.#at = at
  }

  /**
   * The message of an offset id (store host and CommitLog offset), or with `topic` of the id that its producer gave it.
   * Undefined: there is none.
   */
  async byId(id: string, topic?: string): Promise<ReceivedMessage | undefined> {
    checkText('id', id)
    if (topic !== undefined) {
      const [first] = await this.#query({ topic, key: id, max: 1 }, true)
      if (first !== undefined) return first
    }
    const place = placeOf(id)
    const group = place === undefined ? undefined : await this.#groupAt(place.address)
    // Without a node of that address it is the id of a producer, or of another cluster.
    if (place === undefined || group === undefined) return undefined
    const header = { topic, offset: place.offset }
    const answer = await this.#at.invoke(place.address, { code: RequestCode.VIEW_MESSAGE_BY_ID, header })
    if (answer.code === ResponseCode.SYSTEM_ERROR) return undefined
    return receivedMessages(succeeded(answer).body, group.brokerName, true)[0]
  }

  /** The messages with this key, oldest first. Errors: `CLIENT_NO_ROUTE`. */
  async byKey(query: KeyQuery): Promise<ReceivedMessage[]> {
    checkKeys(query, 'byKey', keyQueryKeys)
    checkText('key', query.key)
    checkTimes(query)
    checkWithin('max', query.max ?? MAX_DEFAULT, { low: 1, high: LATEST_MS })
    return this.#query(query, false)
  }

  /** The message at a place of a queue; undefined when there is none. */
  async at(queue: MessageQueue, queueOffset: number): Promise<ReceivedMessage | undefined> {
    checkQueue(queue)
    checkWithin('queueOffset', queueOffset, { low: 0, high: LATEST_MS })
    const address = readAddress(await this.#at.brokerOf(queue.brokerName))
    const [message] = await this.#pull(address, queue, queueOffset, 1)
    return message?.queueOffset === queueOffset ? message : undefined
  }

  /** The messages of a topic as far as they were stored when this was asked, queue by queue. Errors: `CLIENT_NO_ROUTE`. */
  async *range(query: RangeQuery): AsyncGenerator<ReceivedMessage, undefined> {
    checkKeys(query, 'range', rangeKeys)
    const { topic, queue, fromMs, toMs } = query
    if (queue !== undefined) checkQueue(queue)
    checkTimes(query)
    const route = await this.#at.existing(topic)
    const queues = queue === undefined ? [...route.readQueues].sort(compareQueues) : [queue]
    for (const one of queues) {
      const group = route.brokers.get(one.brokerName)
      if (group === undefined) {
        throw clientErrors.create('CLIENT_OPTION', `${topic} has no queue at ${one.brokerName}`)
      }
      yield* this.#queueRange(group, one, { fromMs, toMs })
    }
    return undefined
  }

  async *#queueRange(
    group: BrokerGroup,
    queue: MessageQueue,
    { fromMs, toMs = LATEST_MS }: Pick<RangeQuery, 'fromMs' | 'toMs'>,
  ): AsyncGenerator<ReceivedMessage, undefined> {
    const address = readAddress(group)
    const { invoke } = this.#at
    const end = await maxOffset(invoke, address, queue)
    let next =
      fromMs === undefined
        ? await minOffset(invoke, address, queue)
        : await searchOffset(invoke, address, { queue, timestampMs: fromMs })
    while (next < end) {
      const messages = await this.#pull(address, queue, next, READ_BATCH)
      const last = messages.at(-1)
      if (last === undefined) return undefined
      for (const message of messages) {
        if (message.queueOffset >= end || message.storeTimestampMs >= toMs) return undefined
        if (message.queueOffset >= next) yield message
      }
      next = last.queueOffset + 1
    }
    return undefined
  }

  async #groupAt(address: string): Promise<BrokerGroup | undefined> {
    return (await this.#at.brokers()).find(({ addresses }) => [...addresses.values()].includes(address))
  }

  async #pull(address: string, queue: MessageQueue, from: number, max: number): Promise<ReceivedMessage[]> {
    const request = {
      group: TOOLS_GROUP,
      queue,
      queueOffset: from,
      maxMessages: max,
      suspendTimeoutMs: 0,
      subscription: subscriptionOf(queue.topic, '*', 0),
    }
    const answer = await pull(this.#at.invoke, address, request)
    if (answer.status === 'offsetMoved' && answer.nextOffset > from) {
      return this.#pull(address, queue, answer.nextOffset, max)
    }
    return answer.status === 'found' ? receivedMessages(answer.body, queue.brokerName, true) : []
  }

  async #query(query: KeyQuery, isUnique: boolean): Promise<ReceivedMessage[]> {
    const { topic, key, fromMs = 0, toMs = LATEST_MS, max = MAX_DEFAULT } = query
    const route = await this.#at.existing(topic)
    const header = { topic, key, maxNum: max, beginTimestamp: fromMs, endTimestamp: toMs }
    const request = {
      code: RequestCode.QUERY_MESSAGE,
      header: isUnique ? { ...header, _UNIQUE_KEY_QUERY: 'true' } : header,
    }
    const found = await Promise.all(
      [...route.brokers.values()].map(async (group) => {
        const answer = await this.#at.invoke(readAddress(group), request)
        if (answer.code === ResponseCode.QUERY_NOT_FOUND) return []
        if (answer.code !== ResponseCode.SUCCESS) throw refusal(answer)
        return receivedMessages(answer.body, group.brokerName, true)
      }),
    )
    // The index knows hashes: what else has this one is not it.
    const isIt = (message: ReceivedMessage): boolean =>
      isUnique ? message.messageId === key : message.keys.includes(key)
    return found
      .flat()
      .filter((message) => message.storedTopic === topic && isIt(message))
      .sort((a, b) => a.storeTimestampMs - b.storeTimestampMs || a.queueOffset - b.queueOffset)
  }
}

function checkTimes({ fromMs = 0, toMs = LATEST_MS }: Pick<RangeQuery, 'fromMs' | 'toMs'>): void {
  checkWithin('fromMs', fromMs, { low: 0, high: LATEST_MS })
  checkWithin('toMs', toMs, { low: 0, high: LATEST_MS })
}

/** What an offset id names; undefined for what is none. */
function placeOf(id: string): { readonly address: string; readonly offset: number } | undefined {
  try {
    const { storeHost, offset } = decodeOffsetMessageId(id)
    if (storeHost.ip.length !== 4) return undefined
    return { address: `${storeHost.ip.join('.')}:${storeHost.port}`, offset }
  } catch {
    return undefined
  }
}
