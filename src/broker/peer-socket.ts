/**
 * One socket between two nodes: frames in, frames out. The only file of the broker room that touches node:net; the
 * simulator hands in a `PeerNetwork` of its own.
 */
import { createServer, connect, type Server, type Socket } from 'node:net'
import { encodePeerFrame, PeerFrameSplitter, type PeerFrame, type PeerFrameKind } from './peer-wire.ts'

export interface PeerSocketEvents {
  frame(frame: PeerFrame): void
  /** Once, whatever the reason. `error` is undefined for an orderly end. */
  closed(error: Error | undefined): void
}

export interface PeerSocket {
  /** Sends now or never: false, and nothing sent, when closed or when more than the limit waits to leave. */
  send(kind: PeerFrameKind, meta: unknown, payload: readonly Uint8Array[]): boolean
  listen(events: PeerSocketEvents): void
  close(): void
}

export interface PeerListener {
  readonly port: number
  close(): Promise<void>
}

export interface PeerNetwork {
  dial(host: string, port: number, timeoutMs: number): Promise<PeerSocket>
  listen(host: string, port: number, accept: (socket: PeerSocket) => void): Promise<PeerListener>
}

/** Limits of one socket, in bytes. */
export interface PeerSocketLimits {
  readonly maxFrameBytes: number
  /** What may wait to leave; more is dropped, and Raft repeats what matters. */
  readonly maxOutgoingBytes: number
}

export function tcpPeerNetwork(limits: PeerSocketLimits): PeerNetwork {
  return {
    dial(host, port, timeoutMs) {
      return new Promise((resolve, reject) => {
        const socket = connect({ host, port, noDelay: true, keepAlive: true })
        socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no connection to ${host}:${port}`)))
        socket.once('error', reject)
        socket.once('connect', () => {
          socket.setTimeout(0)
          socket.off('error', reject)
          resolve(wrap(socket, limits))
        })
      })
    },
    listen(host, port, accept) {
      return new Promise((resolve, reject) => {
        const sockets = new Set<Socket>()
        const server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
          sockets.add(socket)
          socket.once('close', () => sockets.delete(socket))
          accept(wrap(socket, limits))
        })
        server.once('error', reject)
        server.listen({ host, port }, () => {
          server.off('error', reject)
          server.on('error', () => {})
          resolve({ port: boundPort(server), close: () => closeServer(server, sockets) })
        })
      })
    },
  }
}

function boundPort(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function closeServer(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    for (const socket of sockets) socket.destroy()
  })
}

function wrap(socket: Socket, limits: PeerSocketLimits): PeerSocket {
  const splitter = new PeerFrameSplitter(limits.maxFrameBytes)
  let corked = false
  let failure: Error | undefined
  socket.on('error', (error) => {
    failure = error
  })
  return {
    send(kind, meta, payload) {
      if (socket.destroyed || socket.writableLength > limits.maxOutgoingBytes) return false
      // All frames of a turn leave in one writev.
      if (!corked) {
        corked = true
        socket.cork()
        process.nextTick(() => {
          corked = false
          socket.uncork()
        })
      }
      for (const part of encodePeerFrame(kind, meta, payload)) socket.write(part)
      return true
    },
    listen(events) {
      socket.on('data', (chunk) => {
        try {
          for (const frame of splitter.push(chunk)) events.frame(frame)
        } catch (error) {
          socket.destroy(error instanceof Error ? error : new Error(String(error)))
        }
      })
      socket.once('close', () => events.closed(failure))
    },
    close() {
      socket.destroy()
    },
  }
}
