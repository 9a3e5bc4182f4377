/** Reads RocketMQ's message trace: what became of a message, as producers and consumers told it (TraceDataEncoder). */
import { SystemTopic } from '../../message/topic-name.ts'
import type { AdminConnection } from './connection.ts'
import { Messages } from './messages.ts'

export interface TraceEvent {
  readonly what: 'sent' | 'handler began' | 'handler ended' | 'committed' | 'rolled back' | 'taken back'
  readonly atMs: number
  /** The producer's or the consumer's. */
  readonly group: string
  readonly isSuccess: boolean | undefined
  readonly costMs: number | undefined
  /** Of a handler: how often the message had come before. */
  readonly redeliveries: number | undefined
  /** Links the beginning of a handler to its end. */
  readonly requestId: string | undefined
  /** Of a send, and of the end of a transaction: the address of the node that took it. */
  readonly storeHost: string | undefined
}

type Reader = (fields: readonly string[]) => { readonly id: string; readonly event: TraceEvent }

const nothing = {
  isSuccess: undefined,
  costMs: undefined,
  redeliveries: undefined,
  requestId: undefined,
  storeHost: undefined,
}

const readers: Readonly<Record<string, Reader>> = {
  Pub: (fields) => ({
    id: fields[5] ?? '',
    event: {
      ...nothing,
      what: 'sent',
      atMs: Number(fields[1]),
      group: fields[3] ?? '',
      storeHost: fields[8] ?? '',
      costMs: Number(fields[10]),
      // Older clients leave out the offset id.
      isSuccess: (fields[13] ?? fields[12]) === 'true',
    },
  }),
  SubBefore: (fields) => ({
    id: fields[5] ?? '',
    event: {
      ...nothing,
      what: 'handler began',
      atMs: Number(fields[1]),
      group: fields[3] ?? '',
      requestId: fields[4] ?? '',
      redeliveries: Number(fields[6]),
    },
  }),
  SubAfter: (fields) => ({
    id: fields[2] ?? '',
    event: {
      ...nothing,
      what: 'handler ended',
      atMs: Number(fields[7]),
      group: fields[8] ?? '',
      requestId: fields[1] ?? '',
      costMs: Number(fields[3]),
      isSuccess: fields[4] === 'true',
    },
  }),
  EndTransaction: (fields) => ({
    id: fields[5] ?? '',
    event: {
      ...nothing,
      what: fields[11] === 'COMMIT_MESSAGE' ? 'committed' : 'rolled back',
      atMs: Number(fields[1]),
      group: fields[3] ?? '',
      storeHost: fields[8] ?? '',
    },
  }),
  Recall: (fields) => ({
    id: fields[5] ?? '',
    event: {
      ...nothing,
      what: 'taken back',
      atMs: Number(fields[1]),
      group: fields[3] ?? '',
      isSuccess: fields[6] === 'true',
    },
  }),
}

/** What is told of the message, in time; rows of other kinds are passed over. */
export async function traceOf(at: AdminConnection, messageId: string): Promise<TraceEvent[]> {
  // The topic is there once a client traces anything.
  if ((await at.route(SystemTopic.trace)) === undefined) return []
  const messages = await new Messages(at).byKey({ topic: SystemTopic.trace, key: messageId })
  return messages
    .flatMap(({ body }) => readTrace(body.toString()))
    .filter(({ id }) => id === messageId)
    .map(({ event }) => event)
    .sort((a, b) => a.atMs - b.atMs)
}

/** The rows of one message of the trace. */
export function readTrace(body: string): { readonly id: string; readonly event: TraceEvent }[] {
  return body.split('\u0002').flatMap((row) => {
    const fields = row.split('\u0001')
    const read = readers[fields[0] ?? '']
    return read === undefined ? [] : [read(fields)]
  })
}
