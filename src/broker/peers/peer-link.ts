/**
 * This node's connection to one peer on one lane: dials, greets, dials again. What cannot leave now is dropped (raft)
 * or refused (service); nothing queues here.
 */
import { Alarm } from '../../lib/alarm.ts'
import { assert } from '../../lib/assert.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import { helloOf, readHello, readRefusal, type Identity, type Lane } from './peer-handshake.ts'
import type { PeerNetwork, PeerSocket } from './peer-socket.ts'
import { peerErrors } from './peer-errors.ts'
import { fromPeer, PeerFrameKind, type PeerFrame } from './peer-wire.ts'

export interface PeerAddress {
  readonly host: string
  readonly port: number
}

export interface ServiceAnswer {
  readonly meta: unknown
  readonly payload: Buffer
}

export interface PeerLinkNeeds {
  readonly peer: string
  readonly lane: Lane
  readonly address: PeerAddress
  readonly identity: () => Identity
  readonly network: PeerNetwork
  readonly clock: Clock
  readonly log: Log
  readonly options: PeerLinkOptions
  /** The peer said who it is; called before `opened`. */
  readonly greeted: (incarnation: string, commandVersion: number, clusterId: string | undefined) => void
  readonly opened: () => void
  /** The peer says that this node was removed from the group. */
  readonly removed: () => void
}

export interface PeerLinkOptions {
  /** For the connection, and once more for the greeting. */
  readonly dialTimeoutMs: number
  readonly redialMinMs: number
  readonly redialMaxMs: number
  /** Requests in flight on this link; more are refused with `PEER_BUSY`. */
  readonly maxInFlight: number
}

interface Waiting {
  readonly deadlineMs: number
  readonly done: (error: Error | undefined, answer: ServiceAnswer | undefined) => void
}

/** Requests that are late are looked for no more often than this, however many there are. */
const SWEEP_PERIOD_MS = 50

export class PeerLink {
  readonly #need: PeerLinkNeeds
  /** Rings when a request that waits may be late. */
  readonly #late: Alarm
  readonly #waiting = new Map<number, Waiting>()
  #socket: PeerSocket | undefined
  #open = false
  /** Of the process that welcomed this link. */
  #incarnation = ''
  #closed = false
  #redialMs: number
  #redial: Timer | undefined
  /** A peer whose machine is gone answers nothing, and its system does not say so. */
  #greeting: Timer | undefined
  #nextRequest = 1
  #lastRefusal = ''

  constructor(need: PeerLinkNeeds) {
    this.#need = need
    this.#redialMs = need.options.redialMinMs
    this.#late = new Alarm(need.clock, () => this.#sweep())
  }

  get isOpen(): boolean {
    return this.#open
  }

  start(): void {
    void this.#dial()
  }

  /** Sends without an answer; false if it could not leave now. */
  send(kind: PeerFrameKind, meta: unknown, payload: readonly Uint8Array[]): boolean {
    return this.#open && this.#socket !== undefined && this.#socket.send(kind, meta, payload)
  }

  /** Sends a request; `done` is called exactly once. */
  request(
    method: string,
    meta: unknown,
    payload: readonly Uint8Array[],
    timeoutMs: number,
    done: (error: Error | undefined, answer: ServiceAnswer | undefined) => void,
  ): void {
    if (this.#waiting.size >= this.#need.options.maxInFlight) {
      return done(
        peerErrors.create('PEER_BUSY', `${this.#waiting.size} requests to ${this.#need.peer} in flight`),
        undefined,
      )
    }
    const id = this.#nextRequest++
    const deadlineMs = this.#need.clock.monotonicMs() + timeoutMs
    this.#waiting.set(id, { deadlineMs, done })
    if (this.send(PeerFrameKind.request, { id, method, meta }, payload)) return this.#late.before(deadlineMs)
    this.#waiting.delete(id)
    done(peerErrors.create('PEER_UNREACHABLE', `no connection to ${this.#need.peer}`), undefined)
  }

  /**
   * The peer runs as `incarnation`: what was connected to a process before it is gone, whoever still believes in it. Where
   * its machine lost power, the system hears so only when it sends again what was never taken, by then up to minutes later.
   */
  restarted(incarnation: string): void {
    if (this.#open && this.#incarnation !== incarnation) this.#socket?.close()
  }

  close(): void {
    this.#closed = true
    this.#redial?.cancel()
    this.#greeting?.cancel()
    this.#late.cancel()
    this.#socket?.close()
  }

  /** Fails requests whose time is over. */
  #sweep(): void {
    const nowMs = this.#need.clock.monotonicMs()
    let nextMs = Number.POSITIVE_INFINITY
    for (const [id, { deadlineMs, done }] of this.#waiting) {
      if (deadlineMs > nowMs) nextMs = Math.min(nextMs, deadlineMs)
      else {
        this.#waiting.delete(id)
        done(peerErrors.create('PEER_TIMEOUT', `${this.#need.peer} did not answer in time`), undefined)
      }
    }
    this.#late.before(Math.max(nextMs, nowMs + SWEEP_PERIOD_MS))
  }

  async #dial(): Promise<void> {
    const { address, network, options } = this.#need
    let socket: PeerSocket
    try {
      socket = await network.dial(address.host, address.port, options.dialTimeoutMs)
    } catch {
      return this.#later()
    }
    if (this.#closed) return socket.close()
    assert(this.#socket === undefined, 'one socket a link')
    this.#socket = socket
    socket.listen({ frame: (frame) => this.#frame(frame), closed: () => this.#lost() })
    const { identity, peer, lane, clock } = this.#need
    this.#greeting = clock.after(options.dialTimeoutMs, () => socket.close())
    socket.send(PeerFrameKind.hello, helloOf(identity(), peer, lane), [])
  }

  #later(): void {
    if (this.#closed) return
    this.#redial = this.#need.clock.after(this.#redialMs, () => void this.#dial())
    this.#redialMs = Math.min(this.#redialMs * 2, this.#need.options.redialMaxMs)
  }

  #frame(frame: PeerFrame): void {
    if (frame.kind === PeerFrameKind.welcome) return this.#welcomed(frame)
    if (frame.kind === PeerFrameKind.refusal) return this.#refused(frame)
    if (frame.kind === PeerFrameKind.response) return this.#answered(frame)
    this.#socket?.close()
  }

  #welcomed(frame: PeerFrame): void {
    const welcome = readHello(frame.meta)
    if (welcome === undefined || welcome.from !== this.#need.peer) {
      this.#socket?.close()
      return
    }
    this.#redialMs = this.#need.options.redialMinMs
    this.#lastRefusal = ''
    this.#greeting?.cancel()
    this.#incarnation = welcome.incarnation
    this.#need.greeted(welcome.incarnation, welcome.commandVersion, welcome.clusterId)
    this.#open = true
    this.#need.opened()
  }

  #refused(frame: PeerFrame): void {
    const { reason, isRemoved } = readRefusal(frame.meta)
    // One line for each new reason, however often it is dialled again.
    if (reason !== this.#lastRefusal) this.#need.log.warn({ peer: this.#need.peer, reason }, 'a peer refuses this node')
    this.#lastRefusal = reason
    this.#redialMs = this.#need.options.redialMaxMs
    if (isRemoved) this.#need.removed()
    // What was asked over a link that was open is still answered.
    if (!this.#open) this.#socket?.close()
  }

  #answered(frame: PeerFrame): void {
    const answer = fromPeer<{ id?: unknown; error?: unknown; meta?: unknown } | null>(frame.meta)
    const id = typeof answer?.id === 'number' ? answer.id : -1
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return
    this.#waiting.delete(id)
    if (typeof answer?.error === 'string') waiting.done(peerErrors.create('PEER_FAILED', answer.error), undefined)
    else waiting.done(undefined, { meta: answer?.meta, payload: frame.payload })
  }

  #lost(): void {
    this.#socket = undefined
    this.#open = false
    this.#greeting?.cancel()
    for (const [id, waiting] of this.#waiting) {
      this.#waiting.delete(id)
      waiting.done(peerErrors.create('PEER_TIMEOUT', `the connection to ${this.#need.peer} was lost`), undefined)
    }
    this.#later()
  }
}
