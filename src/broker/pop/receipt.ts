/**
 * What POP clients parse and give back (RocketMQ ExtraInfoUtil, KeyBuilder): the receipt of a message, and the three
 * texts of a pop's answer that clients make receipts from.
 *
 *     receipt    ckOffset popTime invisibleTime reviveQid retryFlag brokerName queueId [queueOffset]
 *     start      retryFlag queueId startOffset;…
 *     messages   retryFlag queueId offset,offset,…;…
 *     counts     retryFlag qo<queueId>%<offset> count;…
 */
import { RETRY_TOPIC_PREFIX } from '../../message/topic-name.ts'
import { refusal } from '../errors.ts'

/** The reviveQid that marks an ordered pop (RocketMQ KeyBuilder.POP_ORDER_REVIVE_QUEUE). */
export const ORDER_REVIVE_QID = 999

export interface Receipt {
  /** First queueOffset of the checkpoint. */
  readonly start: number
  readonly popTimeMs: number
  readonly invisibleMs: number
  readonly reviveQid: number
}

/** Throws BROKER_REFUSED, which RocketMQ answers too, for what is no receipt. */
export function parseReceipt(text: string): Receipt {
  const [start, popTimeMs, invisibleMs, reviveQid] = text.split(' ', 4).map((part) => integerOf(part))
  if (start === undefined || popTimeMs === undefined || invisibleMs === undefined || reviveQid === undefined) {
    throw refusal('BROKER_REFUSED', `the receipt handle is none: ${JSON.stringify(text.slice(0, 100))}`)
  }
  return { start, popTimeMs, invisibleMs, reviveQid }
}

function integerOf(text: string): number | undefined {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(value) ? value : undefined
}

/** Where the messages of a group come again, one for each topic. V2 names cannot be mistaken for a group's own. */
export function popRetryTopic(topic: string, group: string, isV2: boolean): string {
  return `${RETRY_TOPIC_PREFIX}${group}${isV2 ? '+' : '_'}${topic}`
}

/** RocketMQ ExtraInfoUtil.getRetry. */
export function retryFlag(topic: string): '0' | '1' | '2' {
  if (!topic.startsWith(RETRY_TOPIC_PREFIX)) return '0'
  return topic.includes('+') ? '2' : '1'
}

/** The topic that a flag stands for. Throws BROKER_REFUSED. */
export function topicOfFlag(flag: string, topic: string, group: string): string {
  if (flag === '0') return topic
  if (flag === '1' || flag === '2') return popRetryTopic(topic, group, flag === '2')
  throw refusal('BROKER_REFUSED', `${JSON.stringify(flag.slice(0, 20))} is no retry flag`)
}

/** One queue's part of an answer. */
export interface PoppedQueue {
  readonly topic: string
  readonly queueId: number
  readonly start: number
  readonly offsets: readonly number[]
  /** How often each was delivered before; of an ordered pop. */
  readonly counts?: readonly number[] | undefined
}

export function startOffsetInfo(queues: readonly PoppedQueue[]): string {
  return queues.map(({ topic, queueId, start }) => `${retryFlag(topic)} ${queueId} ${start}`).join(';')
}

export function messageOffsetInfo(queues: readonly PoppedQueue[]): string {
  return queues.map(({ topic, queueId, offsets }) => `${retryFlag(topic)} ${queueId} ${offsets.join(',')}`).join(';')
}

export function orderCountInfo(queues: readonly PoppedQueue[]): string | undefined {
  const counts = queues.flatMap(({ topic, queueId, offsets, counts: delivered = [] }) =>
    offsets.flatMap((offset, at) => {
      const count = delivered[at] ?? 0
      return count > 0 ? [`${retryFlag(topic)} qo${queueId}%${offset} ${count}`] : []
    }),
  )
  return counts.length === 0 ? undefined : counts.join(';')
}

/** Whether bit `index` of a Java BitSet's bytes is set. */
export function hasBit(bytes: Uint8Array, index: number): boolean {
  return ((bytes[index >> 3] ?? 0) & (1 << (index & 7))) !== 0
}
