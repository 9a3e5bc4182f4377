/**
 * The dead letters of a group: messages that it failed at too often. They are read from `%DLQ%group`, and sent again to
 * the group alone, through its retry topic, or to all groups of the topic they came from.
 */
import { knownKeys } from '../../lib/known-keys.ts'
import { PropertyName } from '../../message/properties.ts'
import { dlqTopic, retryTopic } from '../../message/topic-name.ts'
import { clientErrors } from '../core/errors.ts'
import { checkGroupName } from '../core/names.ts'
import { checkFunction, checkKeys } from '../core/options.ts'
import { queueKey } from '../core/message-queue.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import type { ReceivedMessage } from '../core/received-message.ts'
import { Admin } from './admin.ts'
import type { AdminConnection } from './connection.ts'
import { GroupOffsets } from './group-offsets.ts'
import { Messages } from './messages.ts'

export interface DeadLetter {
  readonly message: ReceivedMessage
  /** The topic it came from. */
  readonly topic: string
  readonly isResent: boolean
}

/** What is sent again. */
export interface Resent {
  readonly topic: string
  readonly body: Buffer
  readonly flag: number
  readonly properties: Readonly<Record<string, string>>
}

export interface ResendOptions {
  /** Only these ids; those that were sent again before, too. Default: all that were not. */
  readonly ids?: readonly string[]
  /** True: to the topic they came from, for all its groups. Default: to this group alone. */
  readonly toTopic?: boolean
}

const resendKeys = knownKeys<ResendOptions>({ ids: true, toTopic: true })

/** How far dead letters were sent again is the offset of this group in their queues. */
const RESENDERS = 'raftmq_dlq'

/** Properties that belong to the way so far: of the next one nobody knows yet. */
const travelled: ReadonlySet<string> = new Set([
  PropertyName.DELAY,
  PropertyName.REAL_TOPIC,
  PropertyName.REAL_QID,
  PropertyName.RETRY_TOPIC,
  PropertyName.RECONSUME_TIME,
  PropertyName.MAX_RECONSUME_TIMES,
  PropertyName.CONSUME_START_TIME,
  PropertyName.MIN_OFFSET,
  PropertyName.MAX_OFFSET,
  PropertyName.WAIT,
  PropertyName.MSG_REGION,
  PropertyName.TRACE_ON,
  PropertyName.CLUSTER,
  PropertyName.TRAN_MSG,
  PropertyName.POP_CK,
  PropertyName.FIRST_POP_TIME,
  PropertyName.DLQ_ORIGIN_TOPIC,
  PropertyName.DLQ_ORIGIN_MESSAGE_ID,
  PropertyName.TIMER_DELAY_SEC,
  PropertyName.TIMER_DELAY_MS,
  PropertyName.TIMER_DELIVER_MS,
  PropertyName.TIMER_OUT_MS,
])

export class DeadLetters {
  readonly #at: AdminConnection
  readonly #group: string
  readonly #offsets: GroupOffsets

  /** Errors: `CLIENT_OPTION` for an impossible name of a group. */
  constructor(at: AdminConnection, group: string) {
    checkGroupName(group)
    this.#at = at
    this.#group = group
    this.#offsets = new GroupOffsets(at)
  }

  /** Oldest first in each queue; none when the group never had any. */
  async *list(): AsyncGenerator<DeadLetter, undefined> {
    const topic = dlqTopic(this.#group)
    if ((await this.#at.route(topic)) === undefined) return undefined
    const resentTo = new Map<string, number>()
    for await (const message of new Messages(this.#at).range({ topic })) {
      const queue = queueOf(message)
      const key = queueKey(queue)
      const upTo = resentTo.get(key) ?? (await this.#offsets.committed(RESENDERS, queue)) ?? 0
      resentTo.set(key, upTo)
      yield { message, topic: topicOf(message), isResent: message.queueOffset < upTo }
    }
    return undefined
  }

  /**
   * Sends them again by `send`, one after the other, and remembers how far. Resolves with how many. What was sent when
   * `send` rejects stays sent. Errors: `CLIENT_OPTION` for an id that is not among them, and those of `send`.
   */
  async resend(send: (message: Resent) => Promise<unknown>, options: ResendOptions = {}): Promise<number> {
    checkFunction('send', send)
    checkKeys(options, 'resend', resendKeys)
    const { ids, toTopic = false } = options
    const wanted = ids === undefined ? undefined : new Set(ids)
    if (wanted === undefined) await new Admin(this.#at).createGroup(RESENDERS)
    let count = 0
    for await (const letter of this.list()) {
      const { message } = letter
      if (wanted === undefined ? letter.isResent : !wanted.delete(message.messageId)) continue
      await send(this.#again(letter, toTopic))
      count += 1
      // One by one: whoever is interrupted here sends one message twice, and none never.
      const place = { queue: queueOf(message), queueOffset: message.queueOffset + 1 }
      if (wanted === undefined) await this.#offsets.commit(RESENDERS, place)
    }
    const [missing] = wanted ?? []
    if (missing === undefined) return count
    throw clientErrors.create('CLIENT_OPTION', `${missing} is not among the dead letters of ${this.#group}`)
  }

  /** Its own id stays, so that consumers can tell it. */
  #again({ message, topic }: DeadLetter, toTopic: boolean): Resent {
    const own = [...message.properties].filter(([name]) => !travelled.has(name))
    const properties = Object.fromEntries(own)
    const { body, flag } = message
    if (toTopic) return { topic, body, flag, properties }
    const retry = { ...properties, [PropertyName.RETRY_TOPIC]: topic }
    return { topic: retryTopic(this.#group), body, flag, properties: retry }
  }
}

function topicOf(message: ReceivedMessage): string {
  return (
    message.property(PropertyName.DLQ_ORIGIN_TOPIC) ?? message.property(PropertyName.RETRY_TOPIC) ?? message.storedTopic
  )
}

function queueOf({ storedTopic: topic, brokerName, queueId }: ReceivedMessage): MessageQueue {
  return { topic, brokerName, queueId }
}
