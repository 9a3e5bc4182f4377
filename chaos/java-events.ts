/**
 * What `java/RecordedLoad.java` says, one event a line, its parts apart by spaces: the time in µs of the program's
 * monotonic clock, a kind, and what that kind has.
 *
 *     T sent PRODUCER SEQUENCE
 *     T acknowledged PRODUCER SEQUENCE BROKER QUEUE_ID QUEUE_OFFSET ATTEMPTS
 *     T failed PRODUCER SEQUENCE CODE           it never left the client
 *     T undecided PRODUCER SEQUENCE CODE
 *     T received PRODUCER SEQUENCE BROKER QUEUE_ID QUEUE_OFFSET
 *     T ready                                   sends begin
 *     T stopped                                 no send is in flight any more
 */
import { queueKey } from '../src/client/core/message-queue.ts'
import type { HistoryEvent } from '../src/load/history.ts'
import { LIVE_READER } from './traffic.ts'

export type JavaEvent =
  | HistoryEvent
  | { readonly type: 'ready'; readonly atMs: number }
  | { readonly type: 'stopped'; readonly atMs: number }

/** Undefined for a line that is none of these: what a library printed. Times are those of the program's clock. */
export function parseJavaEvent(line: string, topic: string): JavaEvent | undefined {
  const [time = '', type, producerText, sequenceText, fifth = '', sixth, seventh, eighth] = line.split(' ')
  if (!/^\d+$/.test(time)) return undefined
  const atMs = Number(time) / 1_000
  if (type === 'ready' || type === 'stopped') return { type, atMs }
  const named = { atMs, producer: Number(producerText), sequence: Number(sequenceText) }
  if (type === 'sent') return { type, ...named }
  if (type === 'failed' || type === 'undecided') return { type, code: fifth, ...named }
  if (type !== 'acknowledged' && type !== 'received') return undefined
  const queue = queueKey({ topic, brokerName: fifth, queueId: Number(sixth) })
  const placed = { queue, queueOffset: Number(seventh), ...named }
  if (type === 'received') return { type, reader: LIVE_READER, ...placed }
  // The client tells nobody how an attempt before the last one ended.
  return { type, mayBeTwice: Number(eighth) > 1, ...placed }
}
