/**
 * A processor is a row: code, header, handler. The router finds the row, decodes, calls, and turns what is returned or
 * thrown into one reply.
 */
import { assert } from '../lib/assert.ts'
import { errorCode, errorMessage } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { requestCodeName, ResponseCode } from './codes.ts'
import type { RemotingCommand } from './command.ts'
import type { OnResponse } from './invocations.ts'
import type { Request } from './connection.ts'
import type { Fields, HeaderRecord } from './fields.ts'
import type { Body } from './frame-writer.ts'
import type { HeaderSchema } from './header.ts'

export interface Reply {
  /** A ResponseCode. */
  readonly code: number
  readonly header?: HeaderRecord | undefined
  readonly remark?: string | undefined
  /** Not copied when large: its bytes must not change until they left. */
  readonly body?: Body | undefined
}

/** Whose request it is: a `Connection` here, or a client that another node speaks for. */
export interface Origin {
  /** `host:port` of the client. */
  readonly remoteAddress: string
  readonly remoteHost: string
  readonly remotePort: number
  /** `host:port` at which the client reaches this side. */
  readonly localAddress: string
  readonly closed: boolean
  /** Calls `listener` once when the client is gone; at once when it is gone already. */
  onClose(listener: () => void): void
  invoke(request: Request, timeoutMs: number): Promise<RemotingCommand>
  invokeCallback(request: Request, timeoutMs: number, done: OnResponse): void
  invokeOneway(request: Request): boolean
}

/** One request that wants to be handled. */
export interface Call {
  readonly code: number
  readonly opaque: number
  readonly version: number
  readonly language: number
  readonly fields: Fields
  /** A view of the bytes received. */
  readonly body: Buffer
  readonly oneway: boolean
  readonly connection: Origin
  /** The request as it came, to send it on elsewhere. */
  readonly command: RemotingCommand
  /**
   * Called by a handler that takes time over a one-way request and answers it when it is done: until then the request
   * counts, and a peer with too many such bytes is not read on. Nothing for other requests, which count anyway.
   */
  hold(): void
  /** Answers; exactly once, at any time. Dropped when the request was one-way or its connection is gone. */
  respond(reply: Reply): void
}

export interface Route<Header> {
  /** A RequestCode; each has one route at most. */
  readonly code: number
  readonly request: HeaderSchema<Header>
  /** The ResponseCode where the header cannot be read: a field is missing, or is not of its kind. Default SYSTEM_ERROR. */
  readonly illegal?: number
  /**
   * Returns the reply, now or later; undefined: the handler keeps `call` and answers by `call.respond`, or the request
   * is one-way and has no answer. What it throws becomes a reply by the router's table of errors.
   */
  handle(header: Header, call: Call): Reply | Promise<Reply> | undefined
}

/** Ties the header's type to the handler's. */
export function route<Header>(row: Route<Header>): Route<unknown> {
  return row
}

export interface ErrorReply {
  readonly code: number
  /** The remark; without it, the message of the error. */
  readonly remark?: (message: string) => string
}

/** Error code → reply. */
export type ErrorReplies = Readonly<Record<string, ErrorReply>>

export interface RouterNeeds {
  readonly routes: readonly Route<unknown>[]
  readonly errors?: ErrorReplies
  readonly log: Log
  /** Asked before every request. True: it took the call over and answers it. */
  readonly intercept?: (call: Call) => boolean
  /** Why a code without a route is refused, for the remark. */
  readonly refusedBecause?: (code: number) => string | undefined
  /** Asked when a handler failed. True: it took the call over and answers it. */
  readonly recover?: (error: unknown, call: Call) => boolean
}

export class Router {
  readonly #routes = new Map<number, Route<unknown>>()
  readonly #errors: ReadonlyMap<string, ErrorReply>
  readonly #log: Log
  readonly #intercept: ((call: Call) => boolean) | undefined
  readonly #recover: ((error: unknown, call: Call) => boolean) | undefined
  readonly #refusedBecause: (code: number) => string | undefined

  constructor(need: RouterNeeds) {
    for (const row of need.routes) {
      assert(!this.#routes.has(row.code), `two routes for ${requestCodeName(row.code)}`)
      this.#routes.set(row.code, row)
    }
    this.#errors = new Map(Object.entries(need.errors ?? {}))
    this.#log = need.log
    this.#intercept = need.intercept
    this.#recover = need.recover
    this.#refusedBecause = need.refusedBecause ?? (() => undefined)
  }

  /** Handles one request. Never throws, except for our own broken invariants. */
  dispatch(call: Call): void {
    try {
      if (this.#intercept?.(call) === true) return
      const row = this.#routes.get(call.code)
      if (row === undefined) {
        const why = this.#refusedBecause(call.code)
        const remark = ` request type ${call.code} not supported${why === undefined ? '' : `: ${why}`}`
        return call.respond({ code: ResponseCode.REQUEST_CODE_NOT_SUPPORTED, remark })
      }
      const result = row.handle(row.request.decode(call.fields), call)
      if (result === undefined) return
      if (result instanceof Promise) this.#answerLater(call, result)
      else call.respond(result)
    } catch (error) {
      this.#failed(error, call)
    }
  }

  #failed(error: unknown, call: Call): void {
    if (this.#recover?.(error, call) === true) return
    call.respond(this.replyTo(error, call))
  }

  /** The reply that stands for what a handler threw. Rethrows broken invariants: those end the node. */
  replyTo(error: unknown, call: Call): Reply {
    const code = errorCode(error)
    if (code === 'RMQ_ASSERTION') throw error
    const message = errorMessage(error)
    if (code === 'REMOTING_HEADER_INVALID') {
      return { code: this.#routes.get(call.code)?.illegal ?? ResponseCode.SYSTEM_ERROR, remark: message }
    }
    const row = code === undefined ? undefined : this.#errors.get(code)
    if (row !== undefined) return { code: row.code, remark: row.remark?.(message) ?? message }
    if (code === undefined) {
      this.#log.error(
        { error: error instanceof Error ? error.stack : message, request: requestCodeName(call.code) },
        'a request failed in a way that nobody foresaw',
      )
    }
    return { code: ResponseCode.SYSTEM_ERROR, remark: message }
  }

  #answerLater(call: Call, result: Promise<Reply>): void {
    result.then(
      (reply) => call.respond(reply),
      (error: unknown) => this.#failed(error, call),
    )
  }
}
