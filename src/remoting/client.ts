/** Dials; one connection per address, shared by all who ask for it, dialled again on demand. */
import { Alarm } from '../lib/alarm.ts'
import type { Clock } from '../lib/clock.ts'
import { errorMessage } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { RemotingCommand } from './command.ts'
import { Connection, type Request } from './connection.ts'
import type { Admission } from './requests-in-flight.ts'
import { remotingErrors } from './errors.ts'
import type { OnResponse } from './invocations.ts'
import { type ConnectionLimits, defaultConnectionLimits, SWEEP_MS } from './limits.ts'
import { Router } from './route.ts'
import { nodeSockets, type Sockets, type StreamSocket } from './sockets.ts'

export interface ClientNeeds {
  readonly clock: Clock
  readonly log: Log
  /** Answers requests of servers (RocketMQ sends some to its clients); without it they get code 3. */
  readonly router?: Router
  /** The machine's network where none is handed in. */
  readonly sockets?: Sockets
  readonly limits?: Partial<ConnectionLimits>
  readonly connectTimeoutMs?: number
  readonly onConnection?: (connection: Connection, address: string) => void
}

interface Dialling {
  readonly waiting: OnConnected[]
  abort(): void
}

type OnConnected = (error: Error | undefined, connection: Connection | undefined) => void

const CONNECT_TIMEOUT_MS = 3000
/** How often a connection is looked at that nothing is due on: whether it is idle, whether its peer reads. */
const LOOK_MS = 1_000

/**
 * What waits here to leave is requests: to read answers does not add to it. A client that stopped reading until the server
 * took more would wait for ever for a server that stopped reading until the client did.
 */
const clientLimits: ConnectionLimits = {
  ...defaultConnectionLimits,
  outgoingBytesSoftMax: defaultConnectionLimits.outgoingBytesHardMax,
}

export class RemotingClient {
  readonly #need: ClientNeeds
  readonly #router: Router
  readonly #limits: ConnectionLimits
  readonly #admission: Admission = { bytesMax: 67_108_864, bytes: 0 }
  readonly #open = new Map<string, Connection>()
  readonly #dialling = new Map<string, Dialling>()
  readonly #alarm: Alarm
  #closed = false

  constructor(need: ClientNeeds) {
    this.#need = need
    this.#router = need.router ?? new Router({ routes: [], log: need.log })
    this.#limits = { ...clientLimits, ...need.limits }
    this.#alarm = new Alarm(need.clock, () => this.#sweepAll())
  }

  /** The open connection to `address` (`host:port`), if there is one. */
  existing(address: string): Connection | undefined {
    return this.#open.get(address)
  }

  /** The connection to `address`, dialled if need be. Rejects with REMOTING_CONNECT_FAILED or REMOTING_CLIENT_CLOSED. */
  connect(address: string): Promise<Connection> {
    return new Promise((resolve, reject) => {
      this.#connected(address, (error, connection) => {
        if (connection === undefined) reject(error ?? this.#closedError())
        else resolve(connection)
      })
    })
  }

  /** As `Connection.invoke`, over the connection to `address`. Dialling counts into `timeoutMs`. */
  invoke(address: string, request: Request, timeoutMs: number): Promise<RemotingCommand> {
    return new Promise((resolve, reject) => {
      this.invokeCallback(address, request, timeoutMs, (error, response) => {
        if (response === undefined) reject(error ?? this.#closedError())
        else resolve(response)
      })
    })
  }

  invokeCallback(address: string, request: Request, timeoutMs: number, done: OnResponse): void {
    const open = this.#open.get(address)
    if (open !== undefined) return open.invokeCallback(request, timeoutMs, done)
    const startMs = this.#need.clock.monotonicMs()
    this.#connected(address, (error, connection) => {
      if (connection === undefined) return done(error, undefined)
      const leftMs = timeoutMs - (this.#need.clock.monotonicMs() - startMs)
      if (leftMs <= 0) {
        const late = remotingErrors.create(
          'REMOTING_CONNECT_FAILED',
          `connecting to ${address} took all the time there was`,
        )
        return done(late, undefined)
      }
      connection.invokeCallback(request, leftMs, done)
    })
  }

  /** Sends a request without an answer, once the connection is there. Rejects when it cannot be sent. */
  async invokeOneway(address: string, request: Request): Promise<void> {
    const connection = this.#open.get(address) ?? (await this.connect(address))
    if (!connection.invokeOneway(request)) {
      throw remotingErrors.create('REMOTING_TOO_MANY_REQUESTS', `${address} takes no more for now`)
    }
  }

  /** Cuts the connection to `address`, if there is one; the next request dials again. `reason`: see `Connection.close`. */
  disconnect(address: string, reason: string): void {
    this.#open.get(address)?.close(reason)
  }

  /** Cuts everything. What waits fails with REMOTING_CONNECTION_CLOSED or REMOTING_CLIENT_CLOSED. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#alarm.cancel()
    for (const dialling of this.#dialling.values()) dialling.abort()
    for (const connection of this.#open.values()) connection.close('the client closes')
  }

  #connected(address: string, done: OnConnected): void {
    if (this.#closed) return done(this.#closedError(), undefined)
    const open = this.#open.get(address)
    if (open !== undefined) return done(undefined, open)
    const dialling = this.#dialling.get(address)
    if (dialling === undefined) this.#dial(address, done)
    else if (dialling.waiting.length < this.#limits.invocationsMax) dialling.waiting.push(done)
    else
      done(
        remotingErrors.create('REMOTING_TOO_MANY_REQUESTS', `too many wait for the connection to ${address}`),
        undefined,
      )
  }

  #dial(address: string, first: OnConnected): void {
    const place = parseAddress(address)
    if (place === undefined) return first(failed(address, 'it is not host:port'), undefined)
    const socket = (this.#need.sockets ?? nodeSockets).connect(place)
    let over = false
    const end = (error: Error | undefined): void => {
      if (over) return
      over = true
      timeout.cancel()
      socket.off('error', end)
      if (error === undefined) return this.#dialled(address, undefined, this.#connectionOf(socket, address))
      socket.on('error', () => undefined)
      socket.destroy()
      this.#dialled(address, this.#closed ? this.#closedError() : failed(address, errorMessage(error)), undefined)
    }
    const timeoutMs = this.#need.connectTimeoutMs ?? CONNECT_TIMEOUT_MS
    const timeout = this.#need.clock.after(timeoutMs, () => end(new Error(`no answer in ${timeoutMs} ms`)))
    socket.once('error', end)
    socket.once('connect', () => end(undefined))
    this.#dialling.set(address, { waiting: [first], abort: () => end(this.#closedError()) })
  }

  #connectionOf(socket: StreamSocket, peer: string): Connection {
    const { clock, log } = this.#need
    return new Connection({
      socket,
      peer,
      router: this.#router,
      limits: this.#limits,
      admission: this.#admission,
      clock,
      log,
      onDeadline: this.#onDeadline,
    })
  }

  #dialled(address: string, error: Error | undefined, connection: Connection | undefined): void {
    const waiting = this.#dialling.get(address)?.waiting ?? []
    this.#dialling.delete(address)
    if (connection !== undefined) {
      this.#open.set(address, connection)
      connection.onClose(() => this.#open.delete(address))
      this.#onDeadline(this.#need.clock.monotonicMs() + LOOK_MS)
      this.#need.onConnection?.(connection, address)
    }
    for (const done of waiting) done(error, connection)
  }

  #sweepAll(): void {
    const nowMs = this.#need.clock.monotonicMs()
    for (const connection of this.#open.values()) connection.sweep(nowMs)
    if (this.#open.size > 0) this.#onDeadline(nowMs + LOOK_MS)
  }

  readonly #onDeadline = (deadlineMs: number): void => {
    // Deadlines that are close to each other are looked at together.
    if (!this.#closed) this.#alarm.before(Math.max(deadlineMs, this.#need.clock.monotonicMs() + SWEEP_MS))
  }

  #closedError(): Error {
    return remotingErrors.create('REMOTING_CLIENT_CLOSED', 'the remoting client is closed')
  }
}

function failed(address: string, why: string): Error {
  return remotingErrors.create('REMOTING_CONNECT_FAILED', `cannot connect to ${address}: ${why}`)
}

/** `host:port`, an IPv6 host in brackets or not. */
function parseAddress(address: string): { readonly host: string; readonly port: number } | undefined {
  const colon = address.lastIndexOf(':')
  const port = Number(address.slice(colon + 1))
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1')
  if (colon <= 0 || host === '' || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined
  return { host, port }
}
