/**
 * Messages that can be told apart, and a record of what became of each: what the checkers judge by. A body is
 *
 *     <run>/<producer>/<sequence>/ followed by filling up to the wanted size
 */
import { queueKey } from '../client/core/message-queue.ts'
import type { MessageQueue } from '../client/core/message-queue.ts'
import type { OutgoingMessage } from '../client/producer/outgoing-message.ts'
import type { SendResult } from '../client/producer/send-request.ts'
import { mayBeStored } from '../client/core/errors.ts'
import type { ReceivedMessage } from '../client/core/received-message.ts'
import type { Clock } from '../lib/clock.ts'
import { errorCode } from '../lib/errors.ts'
import type { HistoryEvent } from './history.ts'

export interface WorkloadNeeds {
  readonly clock: Clock
  /** Sets this run's messages apart from those of earlier ones in the same topic. */
  readonly run: string
  readonly topic: string
  readonly bodyBytes: number
  readonly history: { append(event: HistoryEvent): void }
  /** The producer sends to this queue alone, one message after the other: its order can then be judged. */
  queueOf?(producer: number): MessageQueue | undefined
}

export interface MessageName {
  readonly producer: number
  readonly sequence: number
}

export class Workload {
  readonly #needs: WorkloadNeeds

  constructor(needs: WorkloadNeeds) {
    this.#needs = needs
  }

  /** The next message of a producer, recorded as sent. For `SendLoad`. */
  message(producer: number, sequence: number): OutgoingMessage {
    const { run, topic, bodyBytes, history, clock } = this.#needs
    history.append({ type: 'sent', atMs: clock.monotonicMs(), producer, sequence })
    const body = workloadBody(run, { producer, sequence }, bodyBytes)
    const message = { topic, body, keys: `${run}-${producer}-${sequence}` }
    const queue = this.#needs.queueOf?.(producer)
    return queue === undefined ? message : { ...message, queue }
  }

  /** Records how a send ended. For `SendLoad`. */
  outcome(producer: number, sequence: number, error: Error | undefined, result: SendResult | undefined): void {
    const { clock, history } = this.#needs
    const named = { atMs: clock.monotonicMs(), producer, sequence }
    if (result === undefined) {
      const code = errorCode(error) ?? 'UNKNOWN'
      history.append({ type: mayBeStored(error) ? 'undecided' : 'failed', code, ...named })
      return
    }
    const { queueOffset, mayBeTwice } = result
    history.append({ type: 'acknowledged', queue: queueKey(result.queue), queueOffset, mayBeTwice, ...named })
  }

  /** Records a delivery; false for a message of another run. `reader`: each is judged on its own. */
  received(reader: string, message: ReceivedMessage): boolean {
    const { run, clock, history } = this.#needs
    const name = parseWorkloadBody(run, message.body)
    if (name === undefined) return false
    const { brokerName, queueId, queueOffset } = message
    const queue = queueKey({ topic: message.storedTopic, brokerName, queueId })
    history.append({ type: 'received', atMs: clock.monotonicMs(), reader, queue, queueOffset, ...name })
    return true
  }
}

export function workloadBody(run: string, { producer, sequence }: MessageName, bytes: number): Buffer {
  const name = `${run}/${producer}/${sequence}/`
  const body = Buffer.alloc(Math.max(bytes, name.length), 0x2e)
  body.write(name)
  return body
}

/** Undefined for a body of another run, or of nobody we know. */
export function parseWorkloadBody(run: string, body: Buffer): MessageName | undefined {
  const text = body.toString('latin1', 0, run.length + 40)
  if (!text.startsWith(`${run}/`)) return undefined
  const match = /^(\d+)\/(\d+)\//.exec(text.slice(run.length + 1))
  const producer = Number(match?.[1])
  const sequence = Number(match?.[2])
  return Number.isSafeInteger(producer) && Number.isSafeInteger(sequence) ? { producer, sequence } : undefined
}
