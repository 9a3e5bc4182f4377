/**
 * The machine's network as a port: streams of bytes to be dialled and to be accepted. Only this file imports
 * `node:net`; the simulator hands in a network of its own.
 */
import { connect, createServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** A connected stream, as Node's sockets are. */
export type StreamSocket = Duplex &
  Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'> & { setNoDelay(on: boolean): unknown }

export interface Place {
  readonly host: string
  readonly port: number
}

export interface Listener {
  /** The port listened on, also where 0 was asked for. */
  readonly port: number
  /** Stops listening; resolves when every socket that it accepted is gone. */
  close(): Promise<void>
}

export interface ListenNeeds extends Place {
  readonly accept: (socket: StreamSocket) => void
  /** The listener failed after it was opened. */
  readonly failed: (error: Error) => void
}

export interface Sockets {
  /** Emits `connect` once it is connected, `error` when it cannot be. */
  connect(place: Place): StreamSocket
  /** Resolves when the port is open; rejects with what the system says. */
  listen(need: ListenNeeds): Promise<Listener>
}

export const nodeSockets: Sockets = {
  connect: (place) => connect({ ...place, noDelay: true, keepAlive: true }),
  listen({ host, port, accept, failed }) {
    const server = createServer({ noDelay: true, keepAlive: true }, accept)
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port }, () => {
        server.off('error', reject)
        server.on('error', failed)
        const address = server.address()
        resolve({
          port: typeof address === 'object' && address !== null ? address.port : 0,
          close: () => new Promise((closed) => server.close(() => closed())),
        })
      })
    })
  },
}

/** IPv4 addresses without the IPv6 dress that dual-stack sockets give them. */
export function plainHost(host: string | undefined): string {
  if (host === undefined) return ''
  return host.startsWith('::ffff:') ? host.slice(7) : host
}
