/**
 * Gathers messages with the same destination into one batch request. Only for producers that ask for it: the messages of
 * a batch are acknowledged, refused and repeated together.
 */
import type { Clock } from '../lib/clock.ts'
import { queueKey } from './message-queue.ts'
import type { BatchOptions } from './options.ts'
import type { OutgoingMessage, PreparedMessage } from './outgoing-message.ts'

export interface BatcherNeeds<Result> {
  readonly clock: Clock
  readonly limits: Required<BatchOptions>
  /** Sends members that share the first one's destination. */
  send(
    first: OutgoingMessage,
    members: readonly PreparedMessage[],
    done: (error: Error | undefined, results: readonly Result[] | undefined) => void,
  ): void
}

type Done<Result> = (error: Error | undefined, result: Result | undefined) => void

interface Gathering<Result> {
  readonly first: OutgoingMessage
  readonly members: { readonly prepared: PreparedMessage; done: Done<Result> | undefined }[]
  bytes: number
}

/** What a member adds to its own body and properties in the batch's encoding. */
const MEMBER_OVERHEAD_BYTES = 22

export class Batcher<Result> {
  readonly #needs: BatcherNeeds<Result>
  readonly #gatherings = new Map<string, Gathering<Result>>()
  #isFlushAsked = false

  constructor(needs: BatcherNeeds<Result>) {
    this.#needs = needs
  }

  /** Whether the message may ride in a batch: not with a delay, not compressed, not too large. */
  takes(message: OutgoingMessage, prepared: PreparedMessage): boolean {
    if (message.delayLevel !== undefined || prepared.sysFlag !== 0) return false
    return weight(prepared) <= this.#needs.limits.maxBytes
  }

  /** Returns a function that gives this one message up. */
  add(message: OutgoingMessage, prepared: PreparedMessage, done: Done<Result>): (error: Error) => void {
    const { limits } = this.#needs
    const key = destination(message)
    const bytes = weight(prepared)
    const before = this.#gatherings.get(key)
    if (before !== undefined && before.bytes + bytes > limits.maxBytes) this.#send(key)
    const gathering = this.#gatherings.get(key) ?? { first: message, members: [], bytes: 0 }
    this.#gatherings.set(key, gathering)
    const member: { readonly prepared: PreparedMessage; done: Done<Result> | undefined } = { prepared, done }
    gathering.members.push(member)
    gathering.bytes += bytes
    if (gathering.members.length >= limits.maxMessages) this.#send(key)
    else this.#askFlush()
    return (error) => {
      const end = member.done
      member.done = undefined
      end?.(error, undefined)
    }
  }

  /** Sends whatever was gathered. */
  flush(): void {
    for (const key of Array.from(this.#gatherings.keys())) this.#send(key)
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

  #send(key: string): void {
    const gathering = this.#gatherings.get(key)
    if (gathering === undefined) return
    this.#gatherings.delete(key)
    const members = gathering.members.filter((member) => member.done !== undefined)
    if (members.length === 0) return
    const prepared = members.map((member) => member.prepared)
    this.#needs.send(gathering.first, prepared, (error, results) => {
      for (const [n, member] of members.entries()) {
        const end = member.done
        member.done = undefined
        end?.(error, results?.[n])
      }
    })
  }
}

function destination({ topic, queue, shardingKey }: OutgoingMessage): string {
  if (queue !== undefined) return `${topic} queue ${queueKey(queue)}`
  return shardingKey === undefined ? topic : `${topic} key ${shardingKey}`
}

function weight(prepared: PreparedMessage): number {
  return prepared.body.length + prepared.properties.length + MEMBER_OVERHEAD_BYTES
}
