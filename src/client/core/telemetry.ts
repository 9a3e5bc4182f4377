/**
 * OpenTelemetry, if the program has it: the trace context travels in the properties of messages (W3C `traceparent`,
 * `tracestate`, `baggage`, as the propagator says that the program registered), and sends and handlers are spans. The
 * package `@opentelemetry/api` is an optional peer: without it nothing of this happens.
 */
import { errorMessage } from '../../lib/errors.ts'
import { clientErrors } from './errors.ts'
import type { ReceivedMessage } from './received-message.ts'

/** What is used of `@opentelemetry/api`. */
export interface OpenTelemetry {
  readonly context: { active(): unknown; with<T>(context: unknown, run: () => T): T }
  readonly propagation: {
    inject(context: unknown, carrier: Record<string, string>): void
    extract(context: unknown, carrier: Record<string, string>): unknown
  }
  readonly trace: {
    getTracer(name: string): { startSpan(name: string, options: object, context: unknown): TelemetrySpan }
    setSpan(context: unknown, span: TelemetrySpan): unknown
  }
  readonly SpanKind: { readonly PRODUCER: number; readonly CONSUMER: number; readonly CLIENT: number }
  readonly SpanStatusCode: { readonly ERROR: number }
}

export interface TelemetrySpan {
  setAttribute(name: string, value: string | number): unknown
  setStatus(status: { readonly code: number; readonly message?: string }): unknown
  recordException(error: Error): unknown
  end(): void
}

export interface SpanOf {
  readonly topic: string
  readonly group: string
  readonly bodyBytes: number
}

/** What a broker is told of a message that it has. */
export type Settlement = 'commit' | 'rollback' | 'recall'

/** A send under way: what its message carries, and how it ends. */
export interface SendSpan {
  readonly properties: Readonly<Record<string, string>>
  end(error: Error | undefined, messageId: string | undefined): void
}

/** A message that is being handled. */
export interface ProcessSpan {
  /** Runs something with this span as the active one. */
  within<T>(run: () => T): T
  /** `error`: why it was not handled; whatever was thrown. */
  end(error: unknown): void
}

const PACKAGE = '@opentelemetry/api'
const NAME = 'raftmq'
/** Properties that propagators may have written. */
const CARRIED = [
  'traceparent',
  'tracestate',
  'baggage',
  'b3',
  'uber-trace-id',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-sampled',
]

/** Errors: `CLIENT_OPTION` for what is no `@opentelemetry/api`. */
export function checkTelemetry(given: OpenTelemetry | false | undefined): void {
  if (given === undefined || given === false || isOpenTelemetry(given)) return
  throw clientErrors.create('CLIENT_OPTION', `openTelemetry: that is not ${PACKAGE}`)
}

/** `given`: the program's own, or false for none; undefined: the installed one, if there is one. Never rejects. */
export async function loadTelemetry(given: OpenTelemetry | false | undefined): Promise<Telemetry | undefined> {
  if (given === false) return undefined
  const api: unknown = given ?? (await import(PACKAGE).catch(() => undefined))
  return isOpenTelemetry(api) ? new Telemetry(api) : undefined
}

export class Telemetry {
  readonly #api: OpenTelemetry

  constructor(api: OpenTelemetry) {
    this.#api = api
  }

  /** Begins the span of a send, as a child of what is active now. */
  sending(of: SpanOf): SendSpan {
    const { context, propagation, trace, SpanKind } = this.#api
    const span = this.#span('send', 'send', of, SpanKind.PRODUCER, context.active())
    const properties: Record<string, string> = {}
    propagation.inject(trace.setSpan(context.active(), span), properties)
    return {
      properties,
      end: (error, messageId) => {
        if (messageId !== undefined) span.setAttribute('messaging.message.id', messageId)
        this.#end(span, error)
      },
    }
  }

  /** Begins the span of a message that is handled, which follows the one that sent it. */
  handling(message: ReceivedMessage, group: string): ProcessSpan {
    const { context, propagation, trace, SpanKind } = this.#api
    const sent = propagation.extract(context.active(), carrierOf(message))
    const of = { topic: message.topic, group, bodyBytes: message.storedBodyBytes }
    const span = this.#span('process', 'process', of, SpanKind.CONSUMER, sent)
    span.setAttribute('messaging.message.id', message.messageId)
    const inside = trace.setSpan(sent, span)
    return { within: (run) => context.with(inside, run), end: (error) => this.#end(span, error) }
  }

  /** Tells a broker inside a span that is a child of what is active now. */
  async settling(what: Settlement, of: Omit<SpanOf, 'bodyBytes'>, tell: () => Promise<void>): Promise<void> {
    const { context, SpanKind } = this.#api
    const span = this.#span(what, 'settle', of, SpanKind.CLIENT, context.active())
    try {
      await tell()
    } catch (error) {
      this.#end(span, error)
      throw error
    }
    this.#end(span, undefined)
  }

  /** Names and attributes of OpenTelemetry's semantic conventions for messaging. */
  #span(
    what: 'send' | 'process' | Settlement,
    type: 'send' | 'process' | 'settle',
    of: Omit<SpanOf, 'bodyBytes'> & Partial<SpanOf>,
    kind: number,
    parent: unknown,
  ): TelemetrySpan {
    const attributes = {
      'messaging.system': 'rocketmq',
      'messaging.operation.name': what,
      'messaging.operation.type': type,
      'messaging.destination.name': of.topic,
      'messaging.consumer.group.name': of.group,
      ...(of.bodyBytes !== undefined && { 'messaging.message.body.size': of.bodyBytes }),
    }
    return this.#api.trace.getTracer(NAME).startSpan(`${what} ${of.topic}`, { kind, attributes }, parent)
  }

  #end(span: TelemetrySpan, error: unknown): void {
    if (error !== undefined) {
      const thrown = error instanceof Error ? error : new Error(errorMessage(error))
      span.recordException(thrown)
      span.setStatus({ code: this.#api.SpanStatusCode.ERROR, message: thrown.message })
    }
    span.end()
  }
}

function carrierOf(message: ReceivedMessage): Record<string, string> {
  const carrier: Record<string, string> = {}
  for (const name of CARRIED) {
    const value = message.property(name)
    if (value !== undefined) carrier[name] = value
  }
  return carrier
}

function isOpenTelemetry(value: unknown): value is OpenTelemetry {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['context', 'propagation', 'trace', 'SpanKind', 'SpanStatusCode'].every((name) => name in value)
  )
}
