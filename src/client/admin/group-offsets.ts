/** Where consumer groups are in their queues, and how they are moved (RocketMQ ResetOffsetByTimeCommand and its like). */
import { isDate } from 'node:util/types'
import { knownKeys } from '../../lib/known-keys.ts'
import { ConsumerOffsetSerializeWrapper, ResetOffsetBody } from '../../remoting/bodies/queue.ts'
import { RequestCode } from '../../remoting/codes.ts'
import { queryOffset, updateOffset } from '../core/broker-api.ts'
import { checkQueue, checkWithin } from '../core/call-options.ts'
import { clientErrors } from '../core/errors.ts'
import { checkGroupName, checkTopicName } from '../core/names.ts'
import { checkKeys } from '../core/options.ts'
import { compareQueues } from '../core/message-queue.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import { leaderAddress } from './connection.ts'
import type { AdminConnection } from './connection.ts'

export type ResetTo = 'first' | 'last' | Date | number

export interface GroupReset {
  readonly group: string
  readonly topic: string
  /** The first or behind the last message, the first one stored at that time or later, or this queueOffset of `queue`. */
  readonly to: ResetTo
  /** Default: all queues; needed for a queueOffset. */
  readonly queue?: { readonly brokerName: string; readonly queueId: number } | undefined
}

const resetKeys = knownKeys<GroupReset>({ group: true, topic: true, to: true, queue: true })

export interface QueuePlace {
  readonly queue: MessageQueue
  readonly queueOffset: number
}

const placeKeys = knownKeys<QueuePlace>({ queue: true, queueOffset: true })

/** Before any message, and behind all of them, as timestamps of a reset. */
const FIRST_MS = 0
const LAST_MS = -1

export class GroupOffsets {
  readonly #at: AdminConnection

  constructor(at: AdminConnection) {
    this.#at = at
  }

  /**
   * Moves the group, whether its members are connected or not; those that are go on there. Resolves with the new places,
   * sorted. Errors: `CLIENT_OPTION`, `CLIENT_NO_ROUTE`; `CLIENT_REFUSED` for a group that does not exist, or an offset
   * outside its queue.
   */
  async reset(reset: GroupReset): Promise<QueuePlace[]> {
    checkKeys(reset, 'reset', resetKeys)
    const { group, topic, to, queue } = reset
    checkGroupName(group)
    if (typeof to === 'number' && queue === undefined) {
      throw clientErrors.create('CLIENT_OPTION', 'a queueOffset is a place of one queue: name broker and queue')
    }
    const route = await this.#at.existing(topic)
    const groups = [...route.brokers.values()].filter(
      ({ brokerName }) => queue === undefined || brokerName === queue.brokerName,
    )
    if (groups.length === 0) {
      throw clientErrors.create('CLIENT_OPTION', `${topic} has no queue at ${queue?.brokerName ?? 'any broker'}`)
    }
    const header = {
      topic,
      group,
      timestamp: timestampOf(to),
      isForce: true,
      queueId: queue?.queueId ?? -1,
      offset: typeof to === 'number' ? to : -1,
    }
    const request = { code: RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, header }
    const answers = await Promise.all(groups.map((one) => this.#at.leader(one, request)))
    return answers
      .flatMap(({ body }) => ResetOffsetBody.decode(body).offsetTable)
      .map(([place, queueOffset]) => ({ queue: place, queueOffset }))
      .sort((a, b) => compareQueues(a.queue, b.queue))
  }

  /** Puts `to` where `from` is, of one topic or of all that `from` consumes. Errors: `CLIENT_REFUSED`. */
  async clone(from: string, to: string, topic?: string): Promise<void> {
    checkGroupName(from)
    checkGroupName(to)
    if (topic !== undefined) checkTopicName(topic)
    const header = { srcGroup: from, destGroup: to, topic: topic ?? '', offline: true }
    for (const broker of await this.#at.brokers()) {
      await this.#at.leader(broker, { code: RequestCode.CLONE_GROUP_OFFSET, header })
    }
  }

  /** The committed queueOffset; undefined when there is none. */
  async committed(group: string, queue: MessageQueue): Promise<number | undefined> {
    checkGroupName(group)
    checkQueue(queue)
    const address = leaderAddress(await this.#at.brokerOf(queue.brokerName))
    return queryOffset(this.#at.invoke, address, { group, queue })
  }

  async commit(group: string, place: QueuePlace): Promise<void> {
    checkGroupName(group)
    checkKeys(place, 'commit', placeKeys)
    const { queue, queueOffset } = place
    checkQueue(queue)
    checkWithin('queueOffset', queueOffset, { low: 0, high: Number.MAX_SAFE_INTEGER })
    const address = leaderAddress(await this.#at.brokerOf(queue.brokerName))
    await updateOffset(this.#at.invoke, address, { group, queue, queueOffset })
  }

  /** All that a broker group keeps, as RocketMQ's file has it: `topic@group` → queue id → queueOffset. */
  async table(broker: string): Promise<ReadonlyMap<string, ReadonlyMap<number, number>>> {
    const request = { code: RequestCode.GET_ALL_CONSUMER_OFFSET }
    const answer = await this.#at.leader(await this.#at.brokerOf(broker), request)
    return ConsumerOffsetSerializeWrapper.decode(answer.body).offsetTable
  }
}

function timestampOf(to: ResetTo): number {
  if (to === 'first') return FIRST_MS
  if (to === 'last' || Number.isInteger(to)) return LAST_MS
  if (!isDate(to))
    throw clientErrors.create('CLIENT_OPTION', `to: ${String(to)} is not first, last, a Date or a queueOffset`)
  const timestampMs = to.getTime()
  if (Number.isNaN(timestampMs)) throw clientErrors.create('CLIENT_OPTION', 'to: the date is no date')
  return timestampMs
}
