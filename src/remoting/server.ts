/** Listens, keeps the set of connections, and sweeps their deadlines. */
import type { Clock, Timer } from '../lib/clock.ts'
import { errorMessage } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { Connection } from './connection.ts'
import type { Admission } from './requests-in-flight.ts'
import { remotingErrors } from './errors.ts'
import { type ConnectionLimits, defaultConnectionLimits, SWEEP_MS } from './limits.ts'
import type { Router } from './route.ts'
import { type Listener, nodeSockets, type Sockets, type StreamSocket } from './sockets.ts'

export interface ServerNeeds {
  readonly host: string
  /** 0: the operating system chooses; see `RemotingServer.port`. */
  readonly port: number
  readonly router: Router
  readonly clock: Clock
  readonly log: Log
  /** The machine's network where none is handed in. */
  readonly sockets?: Sockets
  readonly limits?: Partial<ConnectionLimits>
  /** More peers than this are turned away. */
  readonly connectionsMax?: number
  /** Bytes of unanswered requests over all connections; above, requests are answered SYSTEM_BUSY. */
  readonly requestBytesInFlightMax?: number
  readonly onConnection?: (connection: Connection) => void
}

const CONNECTIONS_MAX = 10_000
const REQUEST_BYTES_IN_FLIGHT_MAX = 67_108_864

export class RemotingServer {
  readonly #need: ServerNeeds
  readonly #limits: ConnectionLimits
  readonly #admission: Admission
  readonly #connections = new Set<Connection>()
  #listener: Listener | undefined
  #sweep: Timer | undefined
  #closing = false

  constructor(need: ServerNeeds) {
    this.#need = need
    this.#limits = { ...defaultConnectionLimits, ...need.limits }
    this.#admission = { bytesMax: need.requestBytesInFlightMax ?? REQUEST_BYTES_IN_FLIGHT_MAX, bytes: 0 }
  }

  /** Resolves when the port is open. Rejects with REMOTING_LISTEN_FAILED. */
  async listen(): Promise<void> {
    const { host, port, clock, log, sockets = nodeSockets } = this.#need
    try {
      this.#listener = await sockets.listen({
        host,
        port,
        accept: (socket) => this.#accept(socket),
        failed: (error) => log.error({ error: errorMessage(error) }, 'the listener failed'),
      })
    } catch (error) {
      const message = `cannot listen on ${host}:${port}: ${errorMessage(error)}`
      throw remotingErrors.create('REMOTING_LISTEN_FAILED', message, error)
    }
    this.#sweep = clock.every(SWEEP_MS, () => this.#sweepAll())
  }

  /** The port listened on. */
  get port(): number {
    return this.#listener?.port ?? 0
  }

  get connections(): ReadonlySet<Connection> {
    return this.#connections
  }

  /**
   * Stops listening, lets requests in flight be answered for up to `graceMs`, then cuts what is left. Resolves when
   * every connection is gone.
   */
  async close(graceMs = 0): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    const stopped = this.#listener?.close()
    const connections = [...this.#connections]
    if (graceMs > 0) for (const connection of connections) connection.drain()
    else this.#cutAll()
    const grace = this.#need.clock.after(graceMs, () => this.#cutAll())
    await Promise.all(connections.map((connection) => new Promise<void>((gone) => connection.onClose(() => gone()))))
    await stopped
    grace.cancel()
    this.#sweep?.cancel()
  }

  #accept(socket: StreamSocket): void {
    const { router, clock, log, onConnection } = this.#need
    if (this.#closing || this.#connections.size >= (this.#need.connectionsMax ?? CONNECTIONS_MAX)) {
      if (!this.#closing)
        log.warn({ peer: socket.remoteAddress, connections: this.#connections.size }, 'connection refused: too many')
      socket.on('error', () => undefined)
      socket.destroy()
      return
    }
    const connection = new Connection({ socket, router, limits: this.#limits, admission: this.#admission, clock, log })
    this.#connections.add(connection)
    connection.onClose(() => this.#connections.delete(connection))
    onConnection?.(connection)
  }

  #sweepAll(): void {
    const nowMs = this.#need.clock.monotonicMs()
    for (const connection of this.#connections) connection.sweep(nowMs)
  }

  #cutAll(): void {
    for (const connection of this.#connections) connection.close('the server stops')
  }
}
