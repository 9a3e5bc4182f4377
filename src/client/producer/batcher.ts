/**
 * Gathers what one turn of the event loop sends to one destination into one batch request: a request costs client and
 * broker more than a message does. Nobody waits for company: a message that is alone leaves as the plain send it is, at
 * the end of the same turn (RocketMQ DefaultMQProducer `autoBatch`, ProduceAccumulator, which wait by a timer).
 *
 * Towards the caller each message stays a send of its own: it has its own place and offset id, and a batch that the
 * broker refuses is sent again message by message, so that one illegal message does not speak for its neighbours.
 */
import type { Clock } from '../../lib/clock.ts'
import { errorCode } from '../../lib/errors.ts'
import { PropertyName } from '../../message/properties.ts'
import { isRetryTopic } from '../../message/topic-name.ts'
import { queueKey } from '../core/message-queue.ts'
import type { BatchOptions } from './producer-options.ts'
import { isDelayed } from './outgoing-message.ts'
import type { OutgoingMessage, PreparedMessage } from './outgoing-message.ts'

export interface BatcherNeeds<Result> {
  readonly clock: Clock
  readonly limits: Required<BatchOptions>
  /** Sends two members or more; they share the first one's destination. */
  sendBatch(
    first: OutgoingMessage,
    members: readonly PreparedMessage[],
    done: (error: Error | undefined, results: readonly Result[] | undefined) => void,
  ): void
  /** Sends one message to the destination of `first`; returns a function that gives it up. */
  sendAlone(first: OutgoingMessage, prepared: PreparedMessage, done: Done<Result>): (error: Error) => void
  /** What a turn gathered was sent. */
  flushed(): void
}

type Done<Result> = (error: Error | undefined, result: Result | undefined) => void

interface Member<Result> {
  readonly prepared: PreparedMessage
  /** Undefined once it is answered or given up. */
  done: Done<Result> | undefined
  /** Gives it up where it is on its way by itself. */
  giveUpAlone: ((error: Error) => void) | undefined
}

interface Gathering<Result> {
  readonly first: OutgoingMessage
  readonly members: Member<Result>[]
  bytes: number
  isSent: boolean
}

/** What a member adds to its own body and properties in the batch's encoding. */
const MEMBER_OVERHEAD_BYTES = 22

/** Properties with which a message is more than a message to store (RocketMQ DefaultMQProducer.canBatch, and WAIT). */
const NOT_IN_BATCHES: readonly string[] = [
  PropertyName.WAIT,
  PropertyName.DELAY,
  PropertyName.TRAN_MSG,
  PropertyName.PGROUP,
  // Who replies needs the cluster's name, which a broker adds to single messages only.
  PropertyName.REPLY_TO_CLIENT,
  PropertyName.TIMER_DELAY_SEC,
  PropertyName.TIMER_DELAY_MS,
  PropertyName.TIMER_DELIVER_MS,
]

export class Batcher<Result> {
  readonly #needs: BatcherNeeds<Result>
  readonly #gatherings = new Map<string, Gathering<Result>>()
  #isFlushAsked = false
  #messages = 0
  #bytes = 0

  constructor(needs: BatcherNeeds<Result>) {
    this.#needs = needs
  }

  /** Messages that wait for the end of the turn. */
  get messages(): number {
    return this.#messages
  }

  /** Bytes of their bodies and properties. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether the message may ride in a batch: nothing but a message, not compressed, not too large. */
  takes(message: OutgoingMessage, prepared: PreparedMessage): boolean {
    if (isDelayed(message) || prepared.sysFlag !== 0 || isRetryTopic(message.topic)) return false
    const { properties } = message
    if (properties !== undefined && NOT_IN_BATCHES.some((name) => Object.hasOwn(properties, name))) return false
    return weight(prepared) <= this.#needs.limits.maxBytes
  }

  /** Returns a function that gives this one message up. */
  add(message: OutgoingMessage, prepared: PreparedMessage, done: Done<Result>): (error: Error) => void {
    const { limits } = this.#needs
    const key = destination(message)
    const bytes = weight(prepared)
    let gathering = this.#gatherings.get(key)
    if (gathering !== undefined && gathering.bytes + bytes > limits.maxBytes) {
      this.#gatherings.delete(key)
      this.#send(gathering)
      gathering = undefined
    }
    const member: Member<Result> = { prepared, done, giveUpAlone: undefined }
    if (gathering === undefined) {
      gathering = { first: message, members: [member], bytes, isSent: false }
      this.#gatherings.set(key, gathering)
    } else {
      gathering.members.push(member)
      gathering.bytes += bytes
    }
    this.#messages += 1
    this.#bytes += bytes
    if (gathering.members.length >= limits.maxMessages) {
      this.#gatherings.delete(key)
      this.#send(gathering)
    } else this.#askFlush()
    const into = gathering
    return (error) => {
      if (!into.isSent && member.done !== undefined) this.#left(prepared)
      member.giveUpAlone?.(error)
      settle(member, error, undefined)
    }
  }

  /** Sends what was gathered for the destination of `message`, which is about to leave by itself: order is kept. */
  flushBefore(message: OutgoingMessage): void {
    if (this.#gatherings.size === 0) return
    const key = destination(message)
    const gathering = this.#gatherings.get(key)
    if (gathering === undefined) return
    this.#gatherings.delete(key)
    this.#send(gathering)
  }

  /** Sends whatever was gathered. */
  flush(): void {
    const gathered = [...this.#gatherings.values()]
    // Who is answered at once may send again at once: that is for the next flush.
    this.#gatherings.clear()
    for (const gathering of gathered) this.#send(gathering)
    this.#needs.flushed()
  }

  #askFlush(): void {
    if (this.#isFlushAsked) return
    this.#isFlushAsked = true
    const flush = (): void => {
      this.#isFlushAsked = false
      this.flush()
    }
    const { clock, limits } = this.#needs
    if (limits.lingerMs === 0) clock.endOfTurn(flush)
    else clock.after(limits.lingerMs, flush)
  }

  #send(gathering: Gathering<Result>): void {
    const { first } = gathering
    gathering.isSent = true
    if (gathering.members.length === 1) return this.#sendOnly(gathering)
    const members = gathering.members.filter((member) => member.done !== undefined)
    const prepared = members.map((member) => member.prepared)
    for (const one of prepared) this.#left(one)
    if (members.length < 2) return this.#sendEach(first, members)
    this.#needs.sendBatch(first, prepared, (error, results) => {
      const code = errorCode(error)
      if (code === 'CLIENT_REFUSED' || code === 'CLIENT_MESSAGE_ILLEGAL') this.#sendEach(first, members)
      else for (let n = 0; n < members.length; n++) settle(members[n], error, results?.[n])
    })
  }

  /** Of many topics, most have one message in a turn. */
  #sendOnly({ first, members }: Gathering<Result>): void {
    for (const { done, prepared } of members) if (done !== undefined) this.#left(prepared)
    this.#sendEach(first, members)
  }

  /** A message waits no more. */
  #left(prepared: PreparedMessage): void {
    this.#messages -= 1
    this.#bytes -= weight(prepared)
  }

  #sendEach(first: OutgoingMessage, members: readonly Member<Result>[]): void {
    for (const member of members) {
      if (member.done === undefined) continue
      const { prepared } = member
      member.giveUpAlone = this.#needs.sendAlone(first, prepared, (error, result) => settle(member, error, result))
    }
  }
}

function settle<Result>(
  member: Member<Result> | undefined,
  error: Error | undefined,
  result: Result | undefined,
): void {
  const done = member?.done
  if (member === undefined || done === undefined) return
  member.done = undefined
  done(error, result)
}

function destination({ topic, queue, shardingKey }: OutgoingMessage): string {
  if (queue !== undefined) return `${topic} queue ${queueKey(queue)}`
  return shardingKey === undefined ? topic : `${topic} key ${shardingKey}`
}

function weight(prepared: PreparedMessage): number {
  return prepared.body.length + prepared.properties.length + MEMBER_OVERHEAD_BYTES
}
