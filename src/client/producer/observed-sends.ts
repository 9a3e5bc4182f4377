/** Those who look at a producer's sends: RocketMQ's message trace, OpenTelemetry. */
import { loadTelemetry } from '../core/telemetry.ts'
import type { OpenTelemetry, Settlement, Telemetry } from '../core/telemetry.ts'
import type { OutgoingMessage } from './outgoing-message.ts'
import type { SendDone, SendResult } from './send-request.ts'
import type { TracedSend } from './traced-send.ts'

export interface ObservedSendsNeeds {
  readonly group: string
  readonly traced: TracedSend | undefined
  readonly telemetry: Telemetry | undefined
}

/** Undefined: nobody looks. */
export async function observedSends(
  { group, openTelemetry }: { readonly group: string; readonly openTelemetry?: OpenTelemetry | false },
  traced: TracedSend | undefined,
): Promise<ObservedSends | undefined> {
  const telemetry = await loadTelemetry(openTelemetry)
  return (traced ?? telemetry) === undefined ? undefined : new ObservedSends({ group, traced, telemetry })
}

export class ObservedSends {
  readonly #needs: ObservedSendsNeeds

  constructor(needs: ObservedSendsNeeds) {
    this.#needs = needs
  }

  /** The message with what it carries besides, and `done` with the ends of what looks on. */
  begin(message: OutgoingMessage, done: SendDone): { readonly message: OutgoingMessage; readonly done: SendDone } {
    const { group, traced, telemetry } = this.#needs
    const told = traced?.of(message, done) ?? done
    if (telemetry === undefined) return { message, done: told }
    const { topic, body, properties } = message
    const span = telemetry.sending({ topic, group, bodyBytes: body.length })
    return {
      message: { ...message, properties: { ...properties, ...span.properties } },
      done: (error, result) => {
        span.end(error, result?.messageId)
        told(error, result)
      },
    }
  }

  /** The same of a batch. */
  beginBatch(messages: readonly OutgoingMessage[]): {
    readonly messages: readonly OutgoingMessage[]
    readonly done: (error: Error | undefined, results: readonly SendResult[] | undefined) => void
  } {
    const begun = messages.map((message) => this.begin(message, () => undefined))
    return {
      messages: begun.map(({ message }) => message),
      done: (error, results) => begun.forEach(({ done }, at) => done(error, results?.[at])),
    }
  }

  /** Tells a broker of a message that it has, in a span where there are spans. */
  settle(what: Settlement, topic: string, tell: () => Promise<void>): Promise<void> {
    const { group, telemetry } = this.#needs
    return telemetry === undefined ? tell() : telemetry.settling(what, { topic, group }, tell)
  }
}
