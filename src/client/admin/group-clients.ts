/** What the clients of a group say of themselves: the broker asks them over its own connections (307; RocketMQ ConsumerStatusSubCommand). */
import { ConsumerRunningInfo } from '../../remoting/bodies/client.ts'
import { RequestCode } from '../../remoting/codes.ts'
import { errorMessage } from '../../lib/errors.ts'
import { knownKeys } from '../../lib/known-keys.ts'
import { clientErrors } from '../core/errors.ts'
import { compareQueues, compareText } from '../core/message-queue.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import { checkKeys } from '../core/options.ts'
import type { BrokerGroup } from '../core/topic-route.ts'
import type { AdminConnection } from './connection.ts'
import { groupMembers } from './group-members.ts'
import type { GroupMember } from './group-members.ts'

/** A queue that a client holds. Times are milliseconds since 1970; 0: not yet. */
export interface HeldQueue {
  readonly queue: MessageQueue
  /** Where it commits next. */
  readonly commitOffset: number
  /** Messages that wait in the client; of a queue that is popped, those not acknowledged yet. */
  readonly waiting: number
  readonly isLocked: boolean
  readonly isPopped: boolean
  readonly lastPullMs: number
  readonly lastConsumeMs: number
}

/** How a topic goes at a client, over its last minute; times in milliseconds. */
export interface TopicPace {
  readonly topic: string
  readonly pulledPerSecond: number
  readonly pullMs: number
  readonly consumedPerSecond: number
  readonly failedPerSecond: number
  readonly consumeMs: number
  /** Over the last hour. */
  readonly failed: number
}

export interface ClientState {
  readonly member: GroupMember
  /** What the client says of itself: version, order, start time and more, by RocketMQ's names (PROP_…). */
  readonly properties: ReadonlyMap<string, string>
  readonly subscriptions: readonly { readonly topic: string; readonly expression: string }[]
  readonly queues: readonly HeldQueue[]
  readonly paces: readonly TopicPace[]
  /** The stacks of its threads, where it was asked for them and has any. */
  readonly stacks: string | undefined
  /** Why it did not answer; all the rest is then empty. */
  readonly error: string | undefined
}

export interface ClientQuestion {
  readonly group: string
  /** Default: every client of the group. */
  readonly clientId?: string | undefined
  readonly withStacks?: boolean
}

const keys = knownKeys<ClientQuestion>({ group: true, clientId: true, withStacks: true })

/** Sorted by client id. Errors: `CLIENT_OPTION` for a client that is not in the group. */
export async function groupClients(at: AdminConnection, question: ClientQuestion): Promise<ClientState[]> {
  checkKeys(question, 'groupClients', keys)
  const { group, clientId, withStacks = false } = question
  const members = await groupMembers(at, group)
  const wanted = members.filter((member) => clientId === undefined || member.clientId === clientId)
  if (clientId !== undefined && wanted.length === 0) {
    throw clientErrors.create('CLIENT_OPTION', `${clientId} is not connected as ${group}`)
  }
  const brokers = await at.brokers()
  return Promise.all(wanted.map((member) => ask(at, brokers, { group, member, withStacks })))
}

/** Whether all clients subscribe to the same: RocketMQ spreads queues over a group as if they did. */
export function subscribeAlike(clients: readonly ClientState[]): boolean {
  const texts = clients
    .filter(({ error }) => error === undefined)
    .map(({ subscriptions }) => JSON.stringify(subscriptions))
  return new Set(texts).size <= 1
}

interface Asked {
  readonly group: string
  readonly member: GroupMember
  readonly withStacks: boolean
}

/** Any leader that the client is connected to can ask it. */
async function ask(at: AdminConnection, brokers: readonly BrokerGroup[], asked: Asked): Promise<ClientState> {
  const { group, member, withStacks } = asked
  const header = { consumerGroup: group, clientId: member.clientId, jstackEnable: withStacks }
  const request = { code: RequestCode.GET_CONSUMER_RUNNING_INFO, header }
  let error = 'no broker group is registered'
  for (const broker of brokers) {
    try {
      const answer = await at.leader(broker, request)
      return stateOf(member, ConsumerRunningInfo.decode(answer.body))
    } catch (failure) {
      error = errorMessage(failure)
    }
  }
  return { member, properties: new Map(), subscriptions: [], queues: [], paces: [], stacks: undefined, error }
}

function stateOf(member: GroupMember, info: ConsumerRunningInfo): ClientState {
  const pulled = info.mqTable.map(
    ([queue, row]): HeldQueue => ({
      queue,
      commitOffset: row.commitOffset,
      waiting: row.cachedMsgCount,
      isLocked: row.locked,
      isPopped: false,
      lastPullMs: row.lastPullTimestamp,
      lastConsumeMs: row.lastConsumeTimestamp,
    }),
  )
  const popped = info.mqPopTable.map(
    ([queue, row]): HeldQueue => ({
      queue,
      commitOffset: 0,
      waiting: row.waitAckCount,
      isLocked: false,
      isPopped: true,
      lastPullMs: row.lastPopTimestamp,
      lastConsumeMs: 0,
    }),
  )
  return {
    member,
    properties: info.properties,
    subscriptions: info.subscriptionSet
      .map(({ topic, subString }) => ({ topic, expression: subString }))
      .sort((a, b) => compareText(a.topic, b.topic)),
    queues: [...pulled, ...popped].sort((a, b) => compareQueues(a.queue, b.queue)),
    paces: [...info.statusTable]
      .map(([topic, row]) => ({
        topic,
        pulledPerSecond: row.pullTPS,
        pullMs: row.pullRT,
        consumedPerSecond: row.consumeOKTPS,
        failedPerSecond: row.consumeFailedTPS,
        consumeMs: row.consumeRT,
        failed: row.consumeFailedMsgs,
      }))
      .sort((a, b) => compareText(a.topic, b.topic)),
    stacks: info.jstack,
    error: undefined,
  }
}
