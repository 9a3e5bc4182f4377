/** What a send is asked with, and what it ends with. */
import type { MessageQueue } from './message-queue.ts'
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
  /** A chosen queue, or a sharding key. */
  readonly choice: QueueChoice
  readonly bornMs: number
}
