/** The requests this client makes, one function each: header fields and bodies as RocketMQ names them. */
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import type { RemotingCommand } from '../../remoting/command.ts'
import type { HeaderRecord } from '../../remoting/fields.ts'
import { clientErrors } from './errors.ts'
import type { BrokerAnswer, ClientError } from './errors.ts'
import { field, integerOf, listOf, parseBody, textOf } from './java-json.ts'
import type { MessageQueue } from './message-queue.ts'
import type { SubscriptionData } from './subscription.ts'
import { parseTopicRoute } from './topic-route.ts'
import type { TopicRoute } from './topic-route.ts'

export interface Request {
  readonly code: number
  readonly header?: HeaderRecord
  readonly body?: Buffer
}

export interface InvokeOptions {
  /** Default: the client's `requestTimeoutMs`. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

/** Sends one request to one address. Rejects with `CLIENT_*` errors; a response of any code is an answer. */
export type Invoke = (address: string, request: Request, options?: InvokeOptions) => Promise<RemotingCommand>

export interface HeartbeatData {
  readonly clientID: string
  readonly producerDataSet: readonly { readonly groupName: string }[]
  readonly consumerDataSet: readonly ConsumerData[]
}

export interface ConsumerData {
  readonly groupName: string
  readonly consumeType: 'CONSUME_PASSIVELY' | 'CONSUME_ACTIVELY' | 'CONSUME_POP'
  readonly messageModel: 'CLUSTERING' | 'BROADCASTING'
  readonly consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET' | 'CONSUME_FROM_FIRST_OFFSET' | 'CONSUME_FROM_TIMESTAMP'
  readonly subscriptionDataSet: readonly SubscriptionData[]
  readonly unitMode: false
}

export type PullStatus = 'found' | 'nothingNew' | 'noneMatched' | 'offsetMoved'

export interface PullAnswer {
  readonly status: PullStatus
  readonly nextOffset: number
  readonly minOffset: number
  readonly maxOffset: number
  /** Stored records, back to back. */
  readonly body: Buffer
}

export interface PullRequest {
  readonly group: string
  readonly queue: MessageQueue
  readonly queueOffset: number
  readonly maxMessages: number
  readonly suspendTimeoutMs: number
  readonly subscription: SubscriptionData
}

const pullStatuses: ReadonlyMap<number, PullStatus> = new Map([
  [ResponseCode.SUCCESS, 'found'],
  [ResponseCode.PULL_NOT_FOUND, 'nothingNew'],
  [ResponseCode.PULL_RETRY_IMMEDIATELY, 'noneMatched'],
  [ResponseCode.PULL_OFFSET_MOVED, 'offsetMoved'],
])

/** PullSysFlag: the broker may hold the pull; the subscription is in the header. */
const PULL_SUSPEND = 2
const PULL_SUBSCRIPTION = 4

/** The route of a topic, or undefined when it does not exist. */
export async function queryRoute(
  invoke: Invoke,
  address: string,
  topic: string,
  options?: InvokeOptions,
): Promise<TopicRoute | undefined> {
  const header = { topic, acceptStandardJsonOnly: true }
  const answer = await invoke(address, { code: RequestCode.GET_ROUTEINFO_BY_TOPIC, header }, options)
  if (answer.code === ResponseCode.TOPIC_NOT_EXIST) return undefined
  return parseTopicRoute(topic, succeeded(answer).body)
}

/**
 * Resolves with a digest of who is in the groups of `data`, where the broker gives one: it is the same as long as the
 * members are. Stock brokers and followers give none.
 */
export async function heartbeat(invoke: Invoke, address: string, data: HeartbeatData): Promise<string | undefined> {
  const body = Buffer.from(JSON.stringify(data))
  return textOf(succeeded(await invoke(address, { code: RequestCode.HEART_BEAT, body })).fields.get('groupMembers'))
}

export interface Unregistration {
  readonly clientId: string
  readonly producerGroup?: string | undefined
  readonly consumerGroup?: string | undefined
}

export async function unregister(invoke: Invoke, address: string, who: Unregistration): Promise<void> {
  const { clientId, producerGroup, consumerGroup } = who
  const header = { clientID: clientId, producerGroup, consumerGroup }
  succeeded(await invoke(address, { code: RequestCode.UNREGISTER_CLIENT, header }))
}

/** The ids of the group's clients, as this broker sees them. */
export async function consumerIds(
  invoke: Invoke,
  address: string,
  group: string,
  options?: InvokeOptions,
): Promise<string[]> {
  const header = { consumerGroup: group }
  const answer = succeeded(await invoke(address, { code: RequestCode.GET_CONSUMER_LIST_BY_GROUP, header }, options))
  const list = listOf(field(parseBody(answer.body), 'consumerIdList'))
  return list.flatMap((id) => (typeof id === 'string' ? [id] : []))
}

export interface GroupQueue {
  readonly group: string
  readonly queue: MessageQueue
}

/**
 * The group's committed offset, or undefined when it never committed one. Without `setZeroIfNotFound: false` RocketMQ
 * answers 0 for a young queue (ConsumerManageProcessor.queryConsumerOffset), and where a new group begins would not be
 * this client's choice.
 */
export async function queryOffset(
  invoke: Invoke,
  address: string,
  { group, queue }: GroupQueue,
  options?: InvokeOptions,
): Promise<number | undefined> {
  const header = {
    consumerGroup: group,
    topic: queue.topic,
    queueId: queue.queueId,
    setZeroIfNotFound: false,
    bname: queue.brokerName,
  }
  const answer = await invoke(address, { code: RequestCode.QUERY_CONSUMER_OFFSET, header }, options)
  if (answer.code === ResponseCode.QUERY_NOT_FOUND) return undefined
  return offsetOf(succeeded(answer))
}

/** Commits, and waits until the broker has it: used where the one-way form would hide a loss (close, rebalance). */
export async function updateOffset(
  invoke: Invoke,
  address: string,
  { group, queue, queueOffset }: GroupQueue & { readonly queueOffset: number },
  options?: InvokeOptions,
): Promise<void> {
  const header = {
    consumerGroup: group,
    topic: queue.topic,
    queueId: queue.queueId,
    commitOffset: queueOffset,
    bname: queue.brokerName,
  }
  succeeded(await invoke(address, { code: RequestCode.UPDATE_CONSUMER_OFFSET, header }, options))
}

export async function maxOffset(
  invoke: Invoke,
  address: string,
  queue: MessageQueue,
  options?: InvokeOptions,
): Promise<number> {
  const header = { topic: queue.topic, queueId: queue.queueId, bname: queue.brokerName }
  return offsetOf(succeeded(await invoke(address, { code: RequestCode.GET_MAX_OFFSET, header }, options)))
}

export async function minOffset(
  invoke: Invoke,
  address: string,
  queue: MessageQueue,
  options?: InvokeOptions,
): Promise<number> {
  const header = { topic: queue.topic, queueId: queue.queueId, bname: queue.brokerName }
  return offsetOf(succeeded(await invoke(address, { code: RequestCode.GET_MIN_OFFSET, header }, options)))
}

/** The first queueOffset stored at or after `timestampMs`. */
export async function searchOffset(
  invoke: Invoke,
  address: string,
  { queue, timestampMs }: { readonly queue: MessageQueue; readonly timestampMs: number },
  options?: InvokeOptions,
): Promise<number> {
  const header = { topic: queue.topic, queueId: queue.queueId, timestamp: timestampMs, bname: queue.brokerName }
  return offsetOf(succeeded(await invoke(address, { code: RequestCode.SEARCH_OFFSET_BY_TIMESTAMP, header }, options)))
}

/** Long polling: answered at once when there is something, else after `suspendTimeoutMs` at the latest. */
export async function pull(
  invoke: Invoke,
  address: string,
  request: PullRequest,
  options?: InvokeOptions,
): Promise<PullAnswer> {
  const { group, queue, subscription } = request
  const header = {
    consumerGroup: group,
    topic: queue.topic,
    queueId: queue.queueId,
    queueOffset: request.queueOffset,
    maxMsgNums: request.maxMessages,
    sysFlag: PULL_SUSPEND | PULL_SUBSCRIPTION,
    commitOffset: 0,
    suspendTimeoutMillis: request.suspendTimeoutMs,
    subscription: subscription.subString,
    subVersion: subscription.subVersion,
    expressionType: subscription.expressionType,
    bname: queue.brokerName,
  }
  const answer = await invoke(address, { code: RequestCode.PULL_MESSAGE, header }, options)
  const status = pullStatuses.get(answer.code)
  if (status === undefined) throw refusal(answer)
  return {
    status,
    nextOffset: numberField(answer, 'nextBeginOffset'),
    minOffset: numberField(answer, 'minOffset'),
    maxOffset: numberField(answer, 'maxOffset'),
    body: answer.body,
  }
}

export interface SendBack {
  readonly group: string
  readonly brokerName: string
  /** The message's offset in the CommitLog. */
  readonly offset: number
  readonly originMessageId: string
  readonly originTopic: string
  /** 0: the broker chooses by the number of redeliveries; below 0: to the dead-letter topic at once. */
  readonly delayLevel: number
  readonly maxReconsumeTimes: number
}

/** Asks the broker to deliver a message again later. */
export async function sendBack(
  invoke: Invoke,
  address: string,
  back: SendBack,
  options?: InvokeOptions,
): Promise<void> {
  const header = {
    group: back.group,
    offset: back.offset,
    delayLevel: back.delayLevel,
    originMsgId: back.originMessageId,
    originTopic: back.originTopic,
    unitMode: false,
    maxReconsumeTimes: back.maxReconsumeTimes,
    bname: back.brokerName,
  }
  succeeded(await invoke(address, { code: RequestCode.CONSUMER_SEND_MSG_BACK, header }, options))
}

/** The answer, when its code is SUCCESS. Errors: `CLIENT_REFUSED`. */
export function succeeded(answer: RemotingCommand): RemotingCommand {
  if (answer.code === ResponseCode.SUCCESS) return answer
  throw refusal(answer)
}

/** A response that is no success, as an error with the answer as its cause. */
export function refusal(answer: { readonly code: number; readonly remark: string | undefined }): ClientError {
  const remark = answer.remark ?? ''
  const cause: BrokerAnswer = { responseCode: answer.code, remark }
  return clientErrors.create(
    'CLIENT_REFUSED',
    `refused with code ${answer.code}${remark === '' ? '' : `: ${remark}`}`,
    cause,
  )
}

/** An integer of the response's header. Errors: `CLIENT_PROTOCOL`. */
export function numberField(answer: RemotingCommand, name: string): number {
  const value = integerOf(answer.fields.get(name))
  if (value === undefined) {
    throw clientErrors.create(
      'CLIENT_PROTOCOL',
      `the answer has no integer ${name}: ${textOf(answer.fields.get(name)) ?? 'nothing'}`,
    )
  }
  return value
}

function offsetOf(answer: RemotingCommand): number {
  return numberField(answer, 'offset')
}
