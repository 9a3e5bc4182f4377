/** Numbers for the connections of clients, by which other nodes name them. */
import type { Request } from '../remoting/connection.ts'
import { refusal } from './errors.ts'
import type { Place } from './clients.ts'

/** A client's answer to a request of ours. */
export interface ClientAnswer {
  /** A ResponseCode. */
  readonly code: number
  readonly remark: string | undefined
  readonly body: Buffer
}

/** Requests to clients, wherever their connection is. */
export interface ToClients {
  /** Best effort. */
  oneway(place: Place, request: Request): void
  /** Rejects with BROKER_CONSUMER_OFFLINE, BROKER_CLIENT_TIMEOUT or a remoting error. */
  invoke(place: Place, request: Request, timeoutMs: number): Promise<ClientAnswer>
}

/** What is needed of `remoting/connection.ts`. */
export interface ClientConnection {
  readonly remoteAddress: string
  readonly closed: boolean
  onClose(listener: () => void): void
  invokeOneway(request: Request): boolean
  invoke(request: Request, timeoutMs: number): Promise<ClientAnswer>
}

export class ClientConnections implements ToClients {
  readonly #numbers = new WeakMap<ClientConnection, number>()
  readonly #connections = new Map<number, ClientConnection>()
  readonly #closeListeners: ((connectionId: number) => void)[] = []
  #last = 0

  /** Calls `listener` when a connection that has a number closed. */
  onClosed(listener: (connectionId: number) => void): void {
    this.#closeListeners.push(listener)
  }

  /** The connection's number, given to it with the first question. */
  numberOf(connection: ClientConnection): number {
    const known = this.#numbers.get(connection)
    if (known !== undefined) return known
    const number = ++this.#last
    this.#numbers.set(connection, number)
    this.#connections.set(number, connection)
    connection.onClose(() => {
      this.#connections.delete(number)
      for (const listener of this.#closeListeners) listener(number)
    })
    return number
  }

  /** For connections of this node; `place.node` is not looked at. */
  oneway(place: Place, request: Request): void {
    this.#connections.get(place.connectionId)?.invokeOneway(request)
  }

  async invoke(place: Place, request: Request, timeoutMs: number): Promise<ClientAnswer> {
    const connection = this.#connections.get(place.connectionId)
    if (connection === undefined) throw refusal('BROKER_CONSUMER_OFFLINE', 'the client is not connected any more')
    return connection.invoke(request, timeoutMs)
  }
}
