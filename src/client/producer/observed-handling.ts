/** Those who look at what a consumer handles: RocketMQ's message trace, OpenTelemetry. */
import { isPromiseLike } from '../../lib/promise-like.ts'
import { clientErrors } from '../core/errors.ts'
import type { ResolvedClientOptions } from '../core/options.ts'
import type { ReceivedMessage } from '../core/received-message.ts'
import { loadTelemetry } from '../core/telemetry.ts'
import type { OpenTelemetry, ProcessSpan, Telemetry } from '../core/telemetry.ts'
import { HandlerTrace } from './handler-trace.ts'

export type ObservedOptions = ResolvedClientOptions & {
  readonly group: string
  readonly trace: boolean
  readonly openTelemetry?: OpenTelemetry | false
}

type Handler<Context> = (message: ReceivedMessage, context: Context) => unknown

interface UnderWay {
  readonly span: ProcessSpan | undefined
  readonly traced: ((isSuccess: boolean) => void) | undefined
}

export class ObservedHandling {
  readonly #options: ObservedOptions
  readonly #trace: HandlerTrace | undefined
  /** Messages that a program took, until it is done with them. */
  readonly #underWay = new Map<ReceivedMessage, UnderWay>()
  #telemetry: Telemetry | undefined
  #started: Promise<void> | undefined

  constructor(options: ObservedOptions) {
    this.#options = options
    this.#trace = options.trace ? new HandlerTrace(options) : undefined
  }

  /** Before the first message; again: nothing more. Errors: those of a producer's start. */
  start(): Promise<void> {
    this.#started ??= this.#start()
    return this.#started
  }

  /** What a program still has in hand will come again: it counts as given back. Sends what of the trace waits, then closes. */
  async close(): Promise<void> {
    if (this.#started === undefined) return
    await this.#started.catch(() => undefined)
    for (const message of Array.from(this.#underWay.keys())) this.givenBack(message)
    await this.#trace?.close()
  }

  /** The handler, looked at: its span is active while it runs. */
  of<Context extends { readonly deliveries: number }>(handler: Handler<Context>): Handler<Context> {
    if (this.#isBlind) return handler
    return (message, context) => {
      const begun = this.#begin(message, context.deliveries)
      const failed = (error: unknown): never => {
        end(begun, error)
        throw error
      }
      const run = (): unknown => handler(message, context)
      let result: unknown
      try {
        result = begun.span === undefined ? run() : begun.span.within(run)
      } catch (error) {
        return failed(error)
      }
      if (!isPromiseLike(result)) return end(begun)
      return result.then(() => end(begun), failed)
    }
  }

  /** A program took the message, and handles it where nobody sees. */
  taken(message: ReceivedMessage, deliveries: number): void {
    if (!this.#isBlind) this.#underWay.set(message, this.#begin(message, deliveries))
  }

  /** The program is done with a message it took. */
  done(message: ReceivedMessage): void {
    this.#ended(message)
  }

  /** The program did not go past a message it took: it does not count as handled. */
  givenBack(message: ReceivedMessage): void {
    this.#ended(message, clientErrors.create('CLIENT_ABORTED', 'the message was given back'))
  }

  /** Runs something with the span of a message that was taken, where it has one. */
  within<T>(message: ReceivedMessage, run: () => T): T {
    const span = this.#underWay.get(message)?.span
    return span === undefined ? run() : span.within(run)
  }

  get #isBlind(): boolean {
    return this.#trace === undefined && this.#telemetry === undefined
  }

  async #start(): Promise<void> {
    this.#telemetry = await loadTelemetry(this.#options.openTelemetry)
    await this.#trace?.start()
  }

  #ended(message: ReceivedMessage, error?: Error): void {
    const begun = this.#underWay.get(message)
    if (begun === undefined) return
    this.#underWay.delete(message)
    end(begun, error)
  }

  #begin(message: ReceivedMessage, deliveries: number): UnderWay {
    const span = this.#telemetry?.handling(message, this.#options.group)
    return { span, traced: this.#trace?.begin(message, deliveries) }
  }
}

function end({ span, traced }: UnderWay, error?: unknown): void {
  traced?.(error === undefined)
  span?.end(error)
}
