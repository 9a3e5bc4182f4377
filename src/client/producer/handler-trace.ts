/**
 * Has what a consumer handles, pulled or popped, in RocketMQ's message trace (ConsumeMessageTraceHookImpl), sent by a
 * producer of its own.
 */
import { uniqueIds } from '../../message/message-id.ts'
import { PropertyName } from '../../message/properties.ts'
import { MessageTrace } from '../core/message-trace.ts'
import type { Handled } from '../core/message-trace.ts'
import { given } from '../core/options.ts'
import type { ClientOptions, ResolvedClientOptions } from '../core/options.ts'
import type { ReceivedMessage } from '../core/received-message.ts'
import { Producer } from './producer.ts'

/** The group under which RocketMQ's own clients send their traces. */
const GROUP = '_INNER_TRACE_PRODUCER'

export class HandlerTrace {
  readonly #options: ResolvedClientOptions & { readonly group: string }
  readonly #producer: Producer
  readonly #trace: MessageTrace
  readonly #newRequestId: () => string

  constructor(options: ResolvedClientOptions & { readonly group: string }) {
    this.#options = options
    const { clock, log, random, identity, group } = options
    this.#producer = new Producer({ ...clientOptionsOf(options), group: `${GROUP}-${group}` })
    this.#trace = new MessageTrace({ clock, log, send: (message) => this.#producer.send(message) })
    this.#newRequestId = uniqueIds({ clock, random, ...identity })
  }

  start(): Promise<void> {
    return this.#producer.start()
  }

  /** Sends what waits, then closes. */
  async close(): Promise<void> {
    await this.#trace.flush()
    await this.#producer.close()
  }

  /** A message goes to who handles it; what is returned is called with how that ended. */
  begin(message: ReceivedMessage, deliveries: number): ((isSuccess: boolean) => void) | undefined {
    if (message.property(PropertyName.TRACE_ON) === 'false') return undefined
    const { clock, group } = this.#options
    const row: Handled = {
      group,
      messageId: message.messageId,
      keys: message.keys,
      requestId: this.#newRequestId(),
      startMs: Math.round(clock.nowMs()),
      reconsumeTimes: deliveries,
    }
    this.#trace.handling(row)
    const beganMs = clock.monotonicMs()
    return (isSuccess) => this.#trace.handled({ ...row, costMs: clock.monotonicMs() - beganMs, isSuccess })
  }
}

/** What of a consumer's options is a producer's, too. */
function clientOptionsOf(options: ClientOptions): ClientOptions {
  const { namesrv, log, clock, random, sockets, identity } = options
  const world = { log, clock, random, sockets, identity }
  // What tells of handlers is nothing that a program sends.
  return { namesrv, ...given(world), openTelemetry: false }
}
