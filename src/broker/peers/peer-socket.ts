/** One socket between two nodes: frames in, frames out. */
import type { Clock } from '../../lib/clock.ts'
import type { Sockets, StreamSocket } from '../../remoting/sockets.ts'
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

export interface PeerNetworkNeeds {
  readonly sockets: Sockets
  readonly clock: Clock
  readonly limits: PeerSocketLimits
}

export function streamPeerNetwork({ sockets, clock, limits }: PeerNetworkNeeds): PeerNetwork {
  return {
    dial(host, port, timeoutMs) {
      return new Promise((resolve, reject) => {
        const socket = sockets.connect({ host, port })
        const timeout = clock.after(timeoutMs, () => socket.destroy(new Error(`no connection to ${host}:${port}`)))
        socket.once('error', reject)
        socket.once('close', () => timeout.cancel())
        socket.once('connect', () => {
          timeout.cancel()
          socket.off('error', reject)
          resolve(wrap(socket, limits))
        })
      })
    },
    async listen(host, port, accept) {
      const open = new Set<StreamSocket>()
      const listener = await sockets.listen({
        host,
        port,
        accept(socket) {
          open.add(socket)
          socket.once('close', () => open.delete(socket))
          accept(wrap(socket, limits))
        },
        failed() {},
      })
      return {
        port: listener.port,
        close() {
          const closed = listener.close()
          for (const socket of open) socket.destroy()
          return closed
        },
      }
    },
  }
}

function wrap(socket: StreamSocket, limits: PeerSocketLimits): PeerSocket {
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
