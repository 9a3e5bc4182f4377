/** What a send is asked with, and what it ends with. */
import { SystemTopic } from '../../message/topic-name.ts'
import { LanguageCode, RequestCode, SerializeType } from '../../remoting/codes.ts'
import type { HeaderRecord } from '../../remoting/fields.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import type { OutgoingMessage, PreparedMessage } from './outgoing-message.ts'
import type { SendStatus } from './send-retry.ts'

/** How a send's queue is chosen. Undefined: in turn. */
export type QueueChoice = MessageQueue | string | undefined

/** A message that is stored. */
export interface SendResult {
  readonly status: SendStatus
  /** The id this producer gave it; consumers see the same one. */
  readonly messageId: string
  /** The id the broker gave it: where it lies. */
  readonly offsetMessageId: string
  readonly queue: MessageQueue
  readonly queueOffset: number
  /** An answer was lost and the message was sent again: it may be stored twice. */
  readonly mayBeTwice: boolean
  /** Of a message with `delayMs` or `deliverAt`: what `recall` takes it back by. */
  readonly recallHandle?: string | undefined
}

export type SendDone = (error: Error | undefined, result: SendResult | undefined) => void

export interface SendRequest {
  readonly topic: string
  /** Of a batch: its first message's. */
  readonly messageId: string
  /** How many it carries: 1, or those of a batch. */
  readonly messages: number
  readonly body: Buffer
  readonly properties: string
  readonly sysFlag: number
  readonly flag: number
  readonly isBatch: boolean
  /** It asks for nothing but storing, and may leave as a part of a request that holds others. */
  readonly isGathered: boolean
  /** A chosen queue, or a sharding key. */
  readonly choice: QueueChoice
  readonly bornMs: number
}

/** One message as a request. */
export function messageRequest(
  { topic, queue, shardingKey }: OutgoingMessage,
  { messageId, body, properties, sysFlag, flag }: PreparedMessage,
  { bornMs, isGathered }: Pick<SendRequest, 'bornMs' | 'isGathered'>,
): SendRequest {
  const choice = queue ?? shardingKey
  return {
    topic,
    messageId,
    messages: 1,
    body,
    properties,
    sysFlag,
    flag,
    isBatch: false,
    isGathered,
    choice,
    bornMs,
  }
}

/** A send as a frame. Named, for compilers to which `Buffer` is not generic read the types of the package. */
export interface SendCommand {
  readonly code: number
  readonly form: SerializeType
  readonly language: number
  readonly header: HeaderRecord
  readonly body: Buffer
}

/** The request that asks a broker for it. */
export function sendCommand(
  request: SendRequest,
  queue: MessageQueue,
  { group, autoCreateQueues }: { readonly group: string; readonly autoCreateQueues: number },
): SendCommand {
  return {
    code: request.isBatch ? RequestCode.SEND_BATCH_MESSAGE : RequestCode.SEND_MESSAGE_V2,
    form: SerializeType.ROCKETMQ,
    language: LanguageCode.OTHER,
    // SendMessageRequestHeaderV2: the letters of SEND_MESSAGE_V2 in their order.
    header: {
      a: group,
      b: request.topic,
      c: SystemTopic.autoCreate,
      d: autoCreateQueues,
      e: queue.queueId,
      f: request.sysFlag,
      g: request.bornMs,
      h: request.flag,
      i: request.properties,
      j: 0,
      k: false,
      m: request.isBatch,
      n: queue.brokerName,
    },
    body: request.body,
  }
}
