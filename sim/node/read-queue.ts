/** A queue from its beginning to its end, as one node serves it to whoever asks that very node. */
import { pull, type PullAnswer } from '../../src/client/core/broker-api.ts'
import { receivedMessages, type ReceivedMessage } from '../../src/client/core/received-message.ts'
import { subscriptionOf } from '../../src/client/core/subscription.ts'
import { errorCode } from '../../src/lib/errors.ts'
import { Violation } from '../world/violation.ts'
import type { ClientHost } from './client-host.ts'
import { addressOf, BROKER, type Machine } from './machine.ts'

export interface Queue {
  readonly topic: string
  readonly queueId: number
}

/** Damage is being repaired, or the connection was to a process that is gone. */
const mayPass: ReadonlySet<string> = new Set([
  'CLIENT_REFUSED',
  'REMOTING_CONNECTION_CLOSED',
  'REMOTING_CONNECT_FAILED',
  'REMOTING_TIMEOUT',
])
/** Damage that a read finds is being repaired then: whoever asks again gets it. */
const REPAIR_MS = 200

/** What a node holds of a queue. */
export interface HeldQueue {
  /** Lowest queueOffset: what is before it retention has dropped. */
  readonly minimum: number
  readonly messages: readonly ReceivedMessage[]
}

/** Throws where the queue has a hole, or what lies before its beginning is not answered by its beginning. */
export async function readQueue(host: ClientHost, machine: Machine, queue: Queue): Promise<HeldQueue> {
  const messages: ReceivedMessage[] = []
  let minimum = 0
  const where = `${machine.id} and ${queue.topic}/${queue.queueId}`
  for (let isMore = true; isMore; ) {
    const next = minimum + messages.length
    const answer = await pullFrom(host, machine, queue, next)
    if (answer === undefined) {
      await host.pause(REPAIR_MS)
      continue
    }
    if (answer.status === 'offsetMoved') {
      const { minOffset, nextOffset } = answer
      if (next > 0 || minOffset <= 0 || nextOffset !== minOffset) {
        throw new Violation('queue', `${where}: ${next} is moved to ${nextOffset}, and ${minOffset} is the first`)
      }
      minimum = minOffset
    }
    const found = answer.status === 'found' ? receivedMessages(answer.body, BROKER, true) : []
    for (const message of found) {
      const place = minimum + messages.length
      if (message.queueOffset !== place) {
        throw new Violation('queue', `${where}: ${message.queueOffset} is served where ${place} belongs`)
      }
      messages.push(message)
    }
    isMore = minimum + messages.length < answer.maxOffset
  }
  return { minimum, messages }
}

/** Undefined when the node cannot answer now. */
async function pullFrom(
  host: ClientHost,
  machine: Machine,
  { topic, queueId }: Queue,
  queueOffset: number,
): Promise<PullAnswer | undefined> {
  const request = {
    group: 'auditors',
    queue: { topic, brokerName: BROKER, queueId },
    queueOffset,
    maxMessages: 64,
    suspendTimeoutMs: 50,
    subscription: subscriptionOf(topic, '*', 0),
  }
  try {
    return await pull(host.invoke, addressOf(machine), request, { timeoutMs: 3000 })
  } catch (error) {
    if (mayPass.has(errorCode(error) ?? '')) return undefined
    throw error
  }
}
