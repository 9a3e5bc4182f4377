/**
 * What happens to a client's request before a processor sees it: while the node recovers everything goes to the leader;
 * after that, what only a leader may answer goes to the leader unless this node is it. A request that fails here because
 * leadership has just moved is forwarded like the others: nothing of it was done.
 */
import { errorCode } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { Router, type Call, type Route } from '../../remoting/route.ts'
import { encodeForwardAnswer, readForward } from './forward-codec.ts'
import { FORWARD_METHOD, type Forwarding } from './forwarding.ts'
import { ForwardedOrigin } from './forwarded-origin.ts'
import type { LeaderLocator } from './leader-locator.ts'
import type { ServiceHandler } from '../peers/peers.ts'
import { isAnsweredAlone, whereHandled } from '../processors/where.ts'
import { refusedBecause } from '../refused-codes.ts'
import { errorReplies } from '../response-codes.ts'

export interface FrontDoorNeeds {
  readonly ownId: string
  readonly leadership: { readonly isReady: boolean; readonly isAlone: boolean }
  readonly locator: LeaderLocator
  readonly peers: { handle(method: string, handler: ServiceHandler): void }
  readonly log: Log
  /** How long a forwarded request may wait for this node to become a ready leader. */
  readonly withinMs: number
}

/** Heartbeats and the like that arrive during recovery wait here; more are dropped and come again. */
const WAITING_MAX = 4096

export class FrontDoor {
  /** For the server: every request enters here. */
  readonly router: Router
  readonly #need: FrontDoorNeeds
  #inner: Router | undefined
  #forwarding: Forwarding | undefined
  #waiting: Call[] = []
  #closed = false

  constructor(need: FrontDoorNeeds) {
    this.#need = need
    this.router = new Router({
      routes: [],
      log: need.log,
      intercept: (call) => {
        this.#enter(call)
        return true
      },
    })
    need.peers.handle(FORWARD_METHOD, (_from, meta, payload) => this.#forwarded(meta, payload))
  }

  /** Who carries requests to the leader; set once, before the port opens. */
  attachForwarding(forwarding: Forwarding): void {
    this.#forwarding = forwarding
  }

  /** Recovery is over: from now on requests reach the processors. */
  open(routes: readonly Route<unknown>[]): void {
    this.#inner = new Router({
      routes,
      errors: errorReplies,
      refusedBecause,
      log: this.#need.log,
      intercept: (call) => this.#divert(call),
      recover: (error, call) => this.recover(error, call),
    })
    const waiting = this.#waiting
    this.#waiting = []
    for (const call of waiting) this.handleHere(call)
  }

  close(): void {
    this.#closed = true
    for (const call of this.#waiting) call.respond(stopping)
    this.#waiting = []
  }

  /** Handles the call on this node; what needs the leader may still be forwarded if this node is none any more. */
  readonly handleHere = (call: Call): void => {
    if (this.#inner !== undefined) this.#inner.dispatch(call)
    else this.#enter(call)
  }

  /** Forwards a call that failed here for want of leadership. False: it failed for another reason. */
  readonly recover = (error: unknown, call: Call): boolean => {
    if (errorCode(error) !== 'BROKER_NOT_LEADER' || call.connection instanceof ForwardedOrigin) return false
    if (whereHandled(call.code) !== 'leader' || this.#forwarding === undefined || this.#closed) return false
    // This node may still take itself for the leader while it stops: it would only fail here again.
    const { locator, ownId } = this.#need
    const place = locator.current()
    this.#forwarding.forward(call, place?.id === ownId ? place : undefined)
    return true
  }

  #enter(call: Call): void {
    if (this.#closed) return call.respond(stopping)
    if (this.#inner !== undefined) return this.#inner.dispatch(call)
    // What a node knows of itself and its clients cannot be forwarded; it waits for the end of recovery.
    const where = whereHandled(call.code)
    const isPull = call.code === RequestCode.PULL_MESSAGE || call.code === RequestCode.LITE_PULL_MESSAGE
    if (where === 'leader' || isPull) this.#forwarding?.forward(call)
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push(call)
    else call.respond({ code: ResponseCode.SYSTEM_BUSY, remark: 'this node is starting' })
  }

  #divert(call: Call): boolean {
    const { leadership } = this.#need
    if (leadership.isReady || whereHandled(call.code) !== 'leader') return false
    if (leadership.isAlone && isAnsweredAlone(call.code)) return false
    if (call.connection instanceof ForwardedOrigin || this.#forwarding === undefined) {
      // Forwarded once is enough: the forwarder looks for the leader again.
      call.respond({ code: ResponseCode.SERVICE_NOT_AVAILABLE, remark: 'this node does not lead' })
    } else this.#forwarding.forward(call)
    return true
  }

  /** A peer sent a client's request. A leader that is not ready yet lets it wait. */
  #forwarded(meta: unknown, payload: Buffer): ReturnType<ServiceHandler> {
    const { head, command } = readForward(meta, payload)
    return new Promise((resolve) => {
      const call: Call = {
        code: head.code,
        opaque: 0,
        version: head.version,
        language: head.language,
        fields: command.fields,
        body: payload,
        oneway: head.oneway,
        connection: new ForwardedOrigin(head.remoteHost, head.remotePort),
        command,
        hold: () => undefined,
        respond: (reply) => resolve(encodeForwardAnswer(reply)),
      }
      const { locator, ownId, withinMs } = this.#need
      const placed = locator.current()
      if (this.#inner === undefined || (placed !== undefined && placed.id !== ownId)) {
        return call.respond({ code: ResponseCode.SERVICE_NOT_AVAILABLE, remark: 'this node does not lead' })
      }
      locator.locate(withinMs, undefined, (place) => {
        if (place?.id === ownId) this.handleHere(call)
        else call.respond({ code: ResponseCode.SERVICE_NOT_AVAILABLE, remark: 'this node does not lead' })
      })
      // A one-way request has no answer to wait for.
      if (head.oneway) resolve(encodeForwardAnswer({ code: ResponseCode.SUCCESS }))
    })
  }
}

const stopping = { code: ResponseCode.SERVICE_NOT_AVAILABLE, remark: 'this node is stopping' } as const
