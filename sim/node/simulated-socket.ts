/** One end of a simulated connection: a Node stream, so that it behaves as a socket does. */
import { Duplex } from 'node:stream'
import type { StreamSocket } from '../../src/remoting/sockets.ts'
import type { Endpoint, StreamNetwork } from './stream-network.ts'

export interface Link {
  readonly from: string
  readonly to: string
  readonly localPort: number
  readonly remotePort: number
}

export interface SimulatedSocketNeeds {
  readonly network: StreamNetwork
  readonly endpoint: Endpoint
  readonly link: Link
}

/** What the system takes from a sender before the other side has read it. */
const WINDOW_BYTES = 256 * 1024

export class SimulatedSocket extends Duplex implements StreamSocket {
  readonly endpoint: Endpoint
  readonly link: Link
  /** Names the direction, to keep its order. */
  readonly flow: string
  readonly remoteAddress: string
  readonly remotePort: number
  readonly localAddress: string
  readonly localPort: number
  readonly #network: StreamNetwork
  /** The other end; undefined until it is connected. */
  peer: SimulatedSocket | undefined
  /** The process that used it is gone, or it is closed: nothing is told any more. */
  #isLeft = false
  #isEnding = false
  #incoming: (Buffer | null)[] = []
  #isWanted = false
  #unreadBytes = 0
  #waiting: (() => void)[] = []
  #early: (() => void)[] = []

  constructor({ network, endpoint, link }: SimulatedSocketNeeds) {
    super({ allowHalfOpen: false, emitClose: true })
    this.#network = network
    this.endpoint = endpoint
    this.link = link
    this.flow = `${link.from}:${link.localPort}>${link.to}:${link.remotePort}`
    this.remoteAddress = link.to
    this.remotePort = link.remotePort
    this.localAddress = link.from
    this.localPort = link.localPort
  }

  setNoDelay(): this {
    return this
  }

  /* Called by the network. */

  connected(peer: SimulatedSocket): void {
    this.#tell(() => {
      if (this.destroyed) {
        // Whoever dialled gave up meanwhile.
        peer.peerEndedIt()
        return
      }
      this.peer = peer
      const early = this.#early
      this.#early = []
      for (const write of early) write()
      this.emit('connect')
    })
  }

  broken(code: string): void {
    this.#tell(() => this.destroy(Object.assign(new Error(code), { code })))
  }

  /** The process or its system closes this end: the other one is told. */
  peerEnds(): void {
    const { peer } = this
    if (peer !== undefined) this.#network.carry(this, () => peer.#arrived(null))
  }

  /** The end of the stream came. */
  peerEndedIt(): void {
    this.#arrived(null)
  }

  /** Nothing that happens here matters any more. */
  leave(): void {
    this.#isLeft = true
  }

  /* The stream. */

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#send([chunk], done)
  }

  override _writev(chunks: { readonly chunk: Buffer }[], done: () => void): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      done,
    )
  }

  override _final(done: () => void): void {
    this.#end()
    done()
  }

  override _read(): void {
    this.#isWanted = true
    this.#deliver()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#end()
    this.#isLeft = true
    this.#network.gone(this)
    done(error)
  }

  #end(): void {
    if (this.#isEnding || this.#isLeft) return
    this.#isEnding = true
    this.peerEnds()
  }

  #send(chunks: readonly Buffer[], done: () => void): void {
    if (this.#isLeft) return
    const { peer } = this
    if (peer === undefined) {
      this.#early.push(() => this.#send(chunks, done))
      return
    }
    const bytes = Buffer.concat(chunks)
    this.#network.wrote(bytes)
    for (const piece of this.#slices(bytes)) this.#network.carry(this, () => peer.#arrived(piece))
    peer.#unreadBytes += bytes.length
    this.#network.unread(this.link, peer.#unreadBytes)
    if (peer.#unreadBytes < WINDOW_BYTES) done()
    else peer.#waiting.push(() => this.#tell(done))
  }

  #slices(bytes: Buffer): readonly Buffer[] {
    const { random, sliceRate } = this.#network
    if (bytes.length < 2 || sliceRate === 0 || random.next() >= sliceRate) return [bytes]
    const at = random.integer(1, bytes.length - 1)
    return [bytes.subarray(0, at), bytes.subarray(at)]
  }

  #arrived(piece: Buffer | null): void {
    if (this.#isLeft) {
      // A system that knows of no such connection says so; one without power says nothing.
      if (piece !== null && this.#network.isUp(this.link.from)) this.peer?.broken('ECONNRESET')
      return
    }
    this.#tell(() => {
      this.#incoming.push(piece)
      this.#deliver()
    })
  }

  #deliver(): void {
    while (this.#isWanted && this.#incoming.length > 0) {
      const piece = this.#incoming.shift() ?? null
      this.#unreadBytes -= piece?.length ?? 0
      this.#isWanted = this.push(piece)
    }
    if (this.#unreadBytes >= WINDOW_BYTES || this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const done of waiting) done()
  }

  /** In the time of the process that uses this end. */
  #tell(work: () => void): void {
    if (this.#isLeft) return
    this.endpoint.clock.input(() => {
      if (!this.#isLeft) work()
    })
  }
}
