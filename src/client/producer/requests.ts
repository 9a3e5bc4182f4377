/**
 * Requests and replies over messages (RocketMQ DefaultMQProducerImpl.request, MessageUtil, RequestFutureHolder). A request
 * is a message that names its sender; the reply comes back over the connection that the sender keeps to the brokers.
 */
import type { Clock, Timer } from '../../lib/clock.ts'
import { knownKeys } from '../../lib/known-keys.ts'
import { restoreBody } from '../../message/compression.ts'
import { parseProperties, PropertyName } from '../../message/properties.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { ReplyMessageRequestHeader } from '../../remoting/headers/send.ts'
import { type Call, type Route, route } from '../../remoting/route.ts'
import { checkWithin } from '../core/call-options.ts'
import { clientErrors } from '../core/errors.ts'
import { checkKeys } from '../core/options.ts'
import type { ReceivedMessage } from '../core/received-message.ts'

export interface RequestOptions {
  /** How long to wait for the reply, the sending included. Default 3,000. */
  readonly timeoutMs?: number
}

const keys = knownKeys<RequestOptions>({ timeoutMs: true })
const REPLY_TIMEOUT_MS = 3_000
const REPLY_TIMEOUT = { low: 1, high: 3_600_000 }

/** Errors: `CLIENT_OPTION`. */
export function replyTimeoutOf(options: RequestOptions): number {
  checkKeys(options, 'request', keys)
  const { timeoutMs = REPLY_TIMEOUT_MS } = options
  checkWithin('timeoutMs', timeoutMs, REPLY_TIMEOUT)
  return timeoutMs
}

/** What came back. */
export interface ReplyMessage {
  readonly body: Buffer
  readonly properties: ReadonlyMap<string, string>
  /** The replier's own int32. */
  readonly flag: number
  readonly bornTimestampMs: number
}

interface Pending {
  readonly resolve: (reply: ReplyMessage) => void
  readonly reject: (error: Error) => void
  readonly timer: Timer
}

const RESTORED_BYTES_MAX = 64 * 1024 * 1024

export class PendingRequests {
  readonly #clock: Clock
  readonly #max: number
  readonly #pending = new Map<string, Pending>()

  /** At most `max` requests wait for their reply at once. */
  constructor({ clock, max }: { readonly clock: Clock; readonly max: number }) {
    this.#clock = clock
    this.#max = max
  }

  /** Resolves with the reply to `correlationId`. Errors: `CLIENT_NO_REPLY`, `CLIENT_OVERLOADED`. */
  wait(correlationId: string, timeoutMs: number): Promise<ReplyMessage> {
    return new Promise((resolve, reject) => {
      if (this.#pending.size >= this.#max) {
        return reject(clientErrors.create('CLIENT_OVERLOADED', `${this.#pending.size} requests wait for a reply`))
      }
      const timer = this.#clock.after(timeoutMs, () => {
        const error = clientErrors.create('CLIENT_NO_REPLY', `no reply within ${timeoutMs} ms`)
        this.fail(correlationId, error)
      })
      this.#pending.set(correlationId, { resolve, reject, timer })
    })
  }

  fail(correlationId: string, error: Error): void {
    this.#take(correlationId)?.reject(error)
  }

  close(): void {
    for (const id of Array.from(this.#pending.keys())) {
      this.fail(id, clientErrors.create('CLIENT_CLOSED', 'the producer was closed before the reply came'))
    }
  }

  /** 326: what the broker pushes. A reply that nobody waits for any more is passed over. */
  routes(): Route<unknown>[] {
    return [
      route({
        code: RequestCode.PUSH_REPLY_MESSAGE_TO_CLIENT,
        request: ReplyMessageRequestHeader,
        handle: (header, call) => {
          this.#arrived(header, call)
          return { code: ResponseCode.SUCCESS }
        },
      }),
    ]
  }

  #arrived(header: ReplyMessageRequestHeader, call: Call): void {
    const properties = parseProperties(header.properties ?? '')
    const pending = this.#take(properties.get(PropertyName.CORRELATION_ID) ?? '')
    if (pending === undefined) return
    try {
      const body = restoreBody(Buffer.from(call.body), header.sysFlag, RESTORED_BYTES_MAX)
      pending.resolve({ body, properties, flag: header.flag, bornTimestampMs: header.bornTimestamp })
    } catch (error) {
      pending.reject(clientErrors.create('CLIENT_PROTOCOL', 'the reply cannot be decompressed', error))
    }
  }

  #take(correlationId: string): Pending | undefined {
    const pending = this.#pending.get(correlationId)
    this.#pending.delete(correlationId)
    pending?.timer.cancel()
    return pending
  }
}

/** The properties that make a message a request. */
export function requestProperties(given: {
  readonly correlationId: string
  readonly clientId: string
  readonly timeoutMs: number
}): Readonly<Record<string, string>> {
  return {
    [PropertyName.CORRELATION_ID]: given.correlationId,
    [PropertyName.REPLY_TO_CLIENT]: given.clientId,
    [PropertyName.TTL]: String(given.timeoutMs),
  }
}

/** Where the reply to `request` goes, and what makes it one. Errors: `CLIENT_MESSAGE_ILLEGAL` for what is no request. */
export function replyEnvelope(request: ReceivedMessage): {
  readonly topic: string
  readonly properties: Readonly<Record<string, string>>
} {
  if (typeof request?.property !== 'function') {
    throw clientErrors.create('CLIENT_MESSAGE_ILLEGAL', 'what is replied to is no message that a consumer took')
  }
  const names = [
    PropertyName.CLUSTER,
    PropertyName.CORRELATION_ID,
    PropertyName.REPLY_TO_CLIENT,
    PropertyName.TTL,
  ] as const
  const [cluster, correlationId, clientId, ttl] = names.map((name) => request.property(name))
  if (cluster === undefined || correlationId === undefined || clientId === undefined) {
    throw clientErrors.create('CLIENT_MESSAGE_ILLEGAL', `${request.messageId} is no request: nobody waits for a reply`)
  }
  const properties = {
    [PropertyName.MSG_TYPE]: 'reply',
    [PropertyName.CORRELATION_ID]: correlationId,
    [PropertyName.REPLY_TO_CLIENT]: clientId,
    ...(ttl === undefined ? {} : { [PropertyName.TTL]: ttl }),
  }
  return { topic: `${cluster}_REPLY_TOPIC`, properties }
}
