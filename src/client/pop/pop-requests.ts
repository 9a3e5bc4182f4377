/** The requests of POP consumers: 200050, 200051, 200053 (RocketMQ MQClientAPIImpl.popMessageAsync, ExtraInfoUtil). */
import { isRetryTopic } from '../../message/topic-name.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { refusal, succeeded } from '../core/broker-api.ts'
import type { Invoke, InvokeOptions } from '../core/broker-api.ts'
import { integerOf } from '../core/java-json.ts'
import { receivedMessages } from '../core/received-message.ts'
import type { ReceivedMessage } from '../core/received-message.ts'
import type { SubscriptionData } from '../core/subscription.ts'

export interface PopRequest {
  readonly group: string
  readonly topic: string
  readonly brokerName: string
  readonly subscription: SubscriptionData
  readonly maxMessages: number
  readonly invisibleMs: number
  readonly pollMs: number
  readonly isFromFirst: boolean
  readonly ordered: boolean
  readonly bornMs: number
}

/** A popped message, and how the broker knows it. */
export interface Popped {
  readonly message: ReceivedMessage
  readonly receipt: string
  readonly popTimeMs: number
  /** Times it was delivered before. */
  readonly deliveries: number
}

/** What the broker gives at once or within `pollMs`; none when there is nothing. */
export async function pop(
  invoke: Invoke,
  address: string,
  request: PopRequest,
  options?: InvokeOptions,
): Promise<Popped[]> {
  const { subscription } = request
  const header = {
    consumerGroup: request.group,
    topic: request.topic,
    queueId: -1,
    maxMsgNums: request.maxMessages,
    invisibleTime: request.invisibleMs,
    pollTime: request.pollMs,
    bornTime: request.bornMs,
    initMode: request.isFromFirst ? 0 : 1,
    expType: subscription.expressionType,
    exp: subscription.subString,
    order: request.ordered,
    bname: request.brokerName,
  }
  const answer = await invoke(address, { code: RequestCode.POP_MESSAGE, header }, options)
  if (nothingCodes.has(answer.code)) return []
  if (answer.code !== ResponseCode.SUCCESS) throw refusal(answer)
  const field = (name: string): string => answer.fields.get(name) ?? ''
  const starts = pairsOf(field('startOffsetInfo'))
  const counts = pairsOf(field('orderCountInfo'))
  const head = `${field('popTime')} ${field('invisibleTime')} ${field('reviveQid')}`
  return receivedMessages(answer.body, request.brokerName, true).map((message) => {
    const flag = retryFlag(message.storedTopic)
    const { queueId, queueOffset } = message
    const start = starts.get(`${flag} ${queueId}`) ?? String(queueOffset)
    const count = integerOf(counts.get(`${flag} qo${queueId}%${queueOffset}`)) ?? 0
    return {
      message,
      receipt: `${start} ${head} ${flag} ${request.brokerName} ${queueId} ${queueOffset}`,
      popTimeMs: integerOf(field('popTime')) ?? 0,
      deliveries: message.reconsumeTimes + count,
    }
  })
}

/** The message is done. */
export async function acknowledge(invoke: Invoke, address: string, group: string, popped: Popped): Promise<void> {
  succeeded(await invoke(address, { code: RequestCode.ACK_MESSAGE, header: headerOf(group, popped) }))
}

/** The message comes again after `invisibleMs` from now, unless it is acknowledged by the receipt that is returned. */
export async function changeInvisible(
  invoke: Invoke,
  address: string,
  { group, popped, invisibleMs }: { readonly group: string; readonly popped: Popped; readonly invisibleMs: number },
): Promise<Popped> {
  const header = { ...headerOf(group, popped), invisibleTime: invisibleMs }
  const answer = succeeded(await invoke(address, { code: RequestCode.CHANGE_MESSAGE_INVISIBLETIME, header }))
  const [start, , , reviveQid, flag, ...rest] = popped.receipt.split(' ')
  const isOrdered = reviveQid === ORDER_REVIVE_QID
  const at = isOrdered ? start : String(popped.message.queueOffset)
  const time = `${answer.fields.get('popTime') ?? ''} ${answer.fields.get('invisibleTime') ?? ''}`
  return { ...popped, receipt: [at, time, reviveQid, flag, ...rest].join(' ') }
}

const ORDER_REVIVE_QID = '999'
const nothingCodes: ReadonlySet<number> = new Set([
  ResponseCode.PULL_NOT_FOUND,
  ResponseCode.POLLING_FULL,
  ResponseCode.POLLING_TIMEOUT,
])

function headerOf(group: string, { message, receipt }: Popped) {
  return {
    consumerGroup: group,
    topic: message.storedTopic,
    queueId: message.queueId,
    offset: message.queueOffset,
    extraInfo: receipt,
    bname: message.brokerName,
  }
}

/** `a b value;…` as a map of `a b`. */
function pairsOf(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split(';').map((part) => {
      const [flag = '', queue = '', value = ''] = part.split(' ')
      return [`${flag} ${queue}`, value]
    }),
  )
}

function retryFlag(topic: string): '0' | '1' | '2' {
  if (!isRetryTopic(topic)) return '0'
  return topic.includes('+') ? '2' : '1'
}
