/** Peer sockets in memory, for tests: frames cross in the same turn, and a test may cut or refuse what it likes. */
import type { PeerListener, PeerNetwork, PeerSocket, PeerSocketEvents } from '../../../src/broker/peers/peer-socket.ts'
import { encodePeerFrame, PeerFrameSplitter } from '../../../src/broker/peers/peer-wire.ts'

class MemorySocket implements PeerSocket {
  other: MemorySocket | undefined
  #events: PeerSocketEvents | undefined
  #early: Buffer[] = []
  #open = true
  readonly #splitter = new PeerFrameSplitter(1 << 20)

  send: PeerSocket['send'] = (kind, meta, payload) => {
    if (!this.#open) return false
    this.other?.arrive(Buffer.concat(encodePeerFrame(kind, meta, payload)))
    return true
  }

  listen(events: PeerSocketEvents): void {
    this.#events = events
    const early = this.#early
    this.#early = []
    for (const bytes of early) this.arrive(bytes)
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#events?.closed(undefined)
    this.other?.close()
  }

  /** Its machine loses power: the other end is not told. */
  vanish(): void {
    this.#open = false
    if (this.other !== undefined) this.other.other = undefined
  }

  arrive(bytes: Buffer): void {
    if (!this.#open) return
    if (this.#events === undefined) this.#early.push(bytes)
    else for (const frame of this.#splitter.push(bytes)) this.#events.frame(frame)
  }
}

export class MemoryPeerNetwork implements PeerNetwork {
  readonly #accepts = new Map<number, (socket: PeerSocket) => void>()
  readonly #accepted = new Map<number, MemorySocket[]>()

  dial(_host: string, port: number): Promise<PeerSocket> {
    const accept = this.#accepts.get(port)
    if (accept === undefined) return Promise.reject(new Error(`nobody listens on ${port}`))
    const near = new MemorySocket()
    const far = new MemorySocket()
    near.other = far
    far.other = near
    this.#accepted.set(port, [...(this.#accepted.get(port) ?? []), far])
    accept(far)
    return Promise.resolve(near)
  }

  /** Who listens on `port` loses power: whoever is connected to it learns nothing. */
  vanish(port: number): void {
    this.#accepts.delete(port)
    for (const socket of this.#accepted.get(port) ?? []) socket.vanish()
  }

  listen(_host: string, port: number, accept: (socket: PeerSocket) => void): Promise<PeerListener> {
    if (this.#accepts.has(port)) return Promise.reject(new Error(`port ${port} is in use`))
    this.#accepts.set(port, accept)
    return Promise.resolve({
      port,
      close: () => {
        this.#accepts.delete(port)
        return Promise.resolve()
      },
    })
  }
}
