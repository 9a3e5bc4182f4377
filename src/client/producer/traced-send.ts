/**
 * Has in RocketMQ's message trace what a producer does: sends that were stored, ends of transactions, recalls
 * (SendMessageTraceHookImpl, EndTransactionTraceHookImpl, DefaultRecallMessageTraceHook).
 */
import { KEY_SEPARATOR } from '../../message/properties.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import { SystemTopic } from '../../message/topic-name.ts'
import { MessageTrace } from '../core/message-trace.ts'
import type { Published, TraceMessage } from '../core/message-trace.ts'
import { isDelayed } from './outgoing-message.ts'
import type { OutgoingMessage } from './outgoing-message.ts'
import type { SendDone } from './send-request.ts'

export interface TracedSendNeeds {
  readonly clock: Clock
  readonly log: Log
  readonly group: string
  /** Sends one message of trace rows, also while the producer closes. */
  send(message: TraceMessage): Promise<unknown>
  /** `host:port` of the node that leads the group now. */
  readonly leader: (brokerName: string) => string | undefined
}

/** The message of a transaction, where it was stored. */
export interface EndedMessage {
  readonly topic: string
  readonly brokerName: string
  readonly messageId: string
  readonly tag: string | undefined
  readonly keys: readonly string[]
}

export class TracedSend {
  readonly #needs: TracedSendNeeds
  readonly #trace: MessageTrace

  constructor(needs: TracedSendNeeds) {
    this.#needs = needs
    this.#trace = new MessageTrace(needs)
  }

  /** `done`, with the row of the trace written before it. */
  of(message: OutgoingMessage, done: SendDone): SendDone {
    if (message.topic === SystemTopic.trace) return done
    const { clock, group, leader } = this.#needs
    const startMs = Math.round(clock.nowMs())
    const beganMs = clock.monotonicMs()
    return (error, result) => {
      if (result !== undefined) {
        const { topic, tag, body } = message
        this.#trace.published({
          group,
          topic,
          messageId: result.messageId,
          keys: keysOf(message),
          tag,
          storeHost: leader(result.queue.brokerName) ?? '',
          bodyBytes: typeof body === 'string' ? Buffer.byteLength(body) : body.length,
          startMs,
          costMs: clock.monotonicMs() - beganMs,
          kind: kindOf(message),
          offsetMessageId: result.offsetMessageId,
          isSuccess: result.status === 'SEND_OK',
        })
      }
      done(error, result)
    }
  }

  /** The broker is told what became of a transaction. */
  ended(message: EndedMessage, state: 'commit' | 'rollback', isFromCheck: boolean): void {
    const { clock, group, leader } = this.#needs
    const { topic, brokerName, messageId, tag, keys } = message
    const storeHost = leader(brokerName) ?? ''
    const atMs = Math.round(clock.nowMs())
    this.#trace.ended({ group, topic, messageId, tag, keys, storeHost, atMs, state, isFromCheck })
  }

  /** A broker answered whether it takes a message back. */
  recalled({ topic, messageId }: { readonly topic: string; readonly messageId: string }, isSuccess: boolean): void {
    const { clock, group } = this.#needs
    this.#trace.recalled({ group, topic, messageId, keys: [], atMs: Math.round(clock.nowMs()), isSuccess })
  }

  /** Resolves when all rows are sent, or could not be. */
  flush(): Promise<void> {
    return this.#trace.flush()
  }
}

export function keysOf({ keys = [] }: Pick<OutgoingMessage, 'keys'>): readonly string[] {
  return typeof keys === 'string' ? keys.split(KEY_SEPARATOR).filter((key) => key !== '') : keys
}

function kindOf(message: OutgoingMessage): Published['kind'] {
  if (isDelayed(message)) return 'delay'
  return message.properties?.['TRAN_MSG'] === 'true' ? 'half' : 'normal'
}
