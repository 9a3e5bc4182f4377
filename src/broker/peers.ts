/**
 * All connections between this node and its peers: a raft lane (one way, at most once) and a service lane (requests and
 * answers: forwarding, client registry, repair) to each, and an acceptor for theirs.
 */
import type { Clock, Timer } from '../lib/clock.ts'
import { errorMessage } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Envelope } from '../raft/ports.ts'
import type { Message } from '../raft/message.ts'
import { helloOf, readHello, refusalOf, type Identity, type Lane } from './peer-handshake.ts'
import { PeerLink, type PeerAddress, type PeerLinkOptions, type ServiceAnswer } from './peer-link.ts'
import { peerErrors } from './peer-errors.ts'
import type { PeerListener, PeerNetwork, PeerSocket } from './peer-socket.ts'
import { fromPeer, PeerFrameKind, type PeerFrame } from './peer-wire.ts'

/** Answers one service request of a peer. A rejection reaches the peer as `PEER_FAILED` with its message. */
export type ServiceHandler = (
  from: string,
  meta: unknown,
  payload: Buffer,
) => Promise<{ readonly meta: unknown; readonly payload?: readonly Uint8Array[] }>

/** The Raft driver, as the peers see it. Attached once recovery is done; before that, raft frames are dropped. */
export interface RaftEnd {
  receive(from: string, envelope: Envelope): void
  peerStarted(peer: string, incarnation: string): void
}

export interface PeersNeeds {
  readonly identity: () => Identity
  readonly addresses: ReadonlyMap<string, PeerAddress>
  /** Undefined in a group of one, which has no peers to listen for. */
  readonly listen: PeerAddress | undefined
  readonly network: PeerNetwork
  readonly clock: Clock
  readonly log: Log
  readonly link: PeerLinkOptions
}

const SWEEP_PERIOD_MS = 50

export class Peers {
  readonly #need: PeersNeeds
  readonly #raftLinks = new Map<string, PeerLink>()
  readonly #serviceLinks = new Map<string, PeerLink>()
  readonly #handlers = new Map<string, ServiceHandler>()
  /** The newest incoming raft connection of each peer: an older one may belong to a process that is gone. */
  readonly #incomingRaft = new Map<string, PeerSocket>()
  readonly #incoming = new Set<PeerSocket>()
  readonly #incarnations = new Map<string, string>()
  readonly #commandVersions = new Map<string, number>()
  readonly #members: ReadonlySet<string>
  readonly #openedListeners: ((peer: string) => void)[] = []
  readonly #lostListeners: ((peer: string) => void)[] = []
  #raft: RaftEnd | undefined
  #listener: PeerListener | undefined
  #sweep: Timer | undefined

  constructor(need: PeersNeeds) {
    this.#need = need
    this.#members = new Set(need.addresses.keys())
    for (const [peer, address] of need.addresses) {
      if (peer === need.identity().id) continue
      this.#raftLinks.set(peer, this.#link(peer, address, 'raft'))
      this.#serviceLinks.set(peer, this.#link(peer, address, 'service'))
    }
  }

  /** Listens, then dials. Rejects when the port cannot be had. */
  async start(): Promise<void> {
    const { network, listen, clock } = this.#need
    if (listen !== undefined) {
      this.#listener = await network.listen(listen.host, listen.port, (socket) => this.#accept(socket))
    }
    for (const link of [...this.#raftLinks.values(), ...this.#serviceLinks.values()]) link.start()
    this.#sweep = clock.every(SWEEP_PERIOD_MS, () => {
      for (const link of this.#serviceLinks.values()) link.sweep(clock.monotonicMs())
    })
  }

  get ids(): readonly string[] {
    return [...this.#raftLinks.keys()]
  }

  /** Declares who answers `method`. */
  handle(method: string, handler: ServiceHandler): void {
    this.#handlers.set(method, handler)
  }

  /** Called whenever a service link to a peer opens. */
  onOpened(listener: (peer: string) => void): void {
    this.#openedListeners.push(listener)
  }

  /** Called whenever the connection ends over which a peer asks this node for services. */
  onLost(listener: (peer: string) => void): void {
    this.#lostListeners.push(listener)
  }

  /** From now on raft frames go to `raft`; it hears of every incarnation known so far first. */
  attachRaft(raft: RaftEnd): void {
    this.#raft = raft
    for (const [peer, incarnation] of this.#incarnations) raft.peerStarted(peer, incarnation)
  }

  /** `PeerTransport.send` of the Raft driver: at most once, never blocking. */
  send(to: string, envelope: Envelope): void {
    this.#raftLinks.get(to)?.send(PeerFrameKind.raft, envelope.message, envelope.payload)
  }

  isReachable(peer: string): boolean {
    return this.#serviceLinks.get(peer)?.isOpen ?? false
  }

  /** One request to `peer`; `done` is called exactly once, with an answer or a `PEER_*` error. */
  request(
    peer: string,
    method: string,
    meta: unknown,
    payload: readonly Uint8Array[],
    timeoutMs: number,
    done: (error: Error | undefined, answer: ServiceAnswer | undefined) => void,
  ): void {
    const link = this.#serviceLinks.get(peer)
    if (link === undefined) return done(peerErrors.create('PEER_UNREACHABLE', `no peer ${peer}`), undefined)
    link.request(method, meta, payload, timeoutMs, done)
  }

  ask(
    peer: string,
    method: string,
    meta: unknown,
    payload: readonly Uint8Array[],
    timeoutMs: number,
  ): Promise<ServiceAnswer> {
    return new Promise((resolve, reject) => {
      this.request(peer, method, meta, payload, timeoutMs, (error, answer) => {
        if (answer === undefined) reject(error ?? peerErrors.create('PEER_FAILED', 'no answer'))
        else resolve(answer)
      })
    })
  }

  /** Sends and forgets: lost if there is no connection. */
  tell(peer: string, method: string, meta: unknown, payload: readonly Uint8Array[] = []): void {
    this.#serviceLinks.get(peer)?.send(PeerFrameKind.oneway, { method, meta }, payload)
  }

  /** The lowest command version that every one of `voters` understands; peers never met count as `own`. */
  commandVersionOf(voters: readonly string[], own: number): number {
    return Math.min(own, ...voters.map((voter) => this.#commandVersions.get(voter) ?? own))
  }

  async close(): Promise<void> {
    this.#sweep?.cancel()
    for (const link of [...this.#raftLinks.values(), ...this.#serviceLinks.values()]) link.close()
    for (const socket of this.#incoming) socket.close()
    await this.#listener?.close()
  }

  #link(peer: string, address: PeerAddress, lane: Lane): PeerLink {
    const { identity, network, clock, log, link } = this.#need
    return new PeerLink({
      peer,
      lane,
      address,
      identity,
      network,
      clock,
      log,
      options: link,
      greeted: (incarnation, commandVersion) => this.#met(peer, incarnation, commandVersion),
      opened: () => {
        if (lane === 'service') for (const listener of this.#openedListeners) listener(peer)
      },
    })
  }

  #met(peer: string, incarnation: string, commandVersion: number): void {
    this.#commandVersions.set(peer, commandVersion)
    if (this.#incarnations.get(peer) === incarnation) return
    this.#incarnations.set(peer, incarnation)
    this.#raft?.peerStarted(peer, incarnation)
  }

  #accept(socket: PeerSocket): void {
    let from: string | undefined
    let lane: Lane | undefined
    this.#incoming.add(socket)
    socket.listen({
      frame: (frame) => {
        if (from === undefined || lane === undefined) {
          const hello = this.#greet(socket, frame)
          from = hello?.from
          lane = hello?.lane
          return
        }
        if (lane === 'raft') this.#raftFrame(socket, from, frame)
        else void this.#serviceFrame(socket, from, frame)
      },
      closed: () => {
        this.#incoming.delete(socket)
        if (from === undefined) return
        if (this.#incomingRaft.get(from) === socket) this.#incomingRaft.delete(from)
        if (lane === 'service') for (const listener of this.#lostListeners) listener(from)
      },
    })
  }

  #greet(socket: PeerSocket, frame: PeerFrame): { from: string; lane: Lane } | undefined {
    const hello = frame.kind === PeerFrameKind.hello ? readHello(frame.meta) : undefined
    if (hello === undefined) {
      socket.close()
      return undefined
    }
    const own = this.#need.identity()
    const refusal = refusalOf(own, hello, this.#members)
    if (refusal !== undefined) {
      socket.send(PeerFrameKind.refusal, refusal, [])
      return undefined
    }
    if (hello.lane === 'raft') {
      this.#incomingRaft.get(hello.from)?.close()
      this.#incomingRaft.set(hello.from, socket)
    }
    this.#met(hello.from, hello.incarnation, hello.commandVersion)
    socket.send(PeerFrameKind.welcome, helloOf(own, hello.from, hello.lane), [])
    return { from: hello.from, lane: hello.lane }
  }

  #raftFrame(socket: PeerSocket, from: string, frame: PeerFrame): void {
    if (frame.kind !== PeerFrameKind.raft || this.#incomingRaft.get(from) !== socket) return
    // Nodes of one format version send what `raft/message.ts` declares; the core validates terms, the store the bytes.
    const message = fromPeer<Message>(frame.meta)
    if (message.from !== from) return
    this.#raft?.receive(from, { message, payload: frame.payload.byteLength === 0 ? [] : [frame.payload] })
  }

  async #serviceFrame(socket: PeerSocket, from: string, frame: PeerFrame): Promise<void> {
    const asked = fromPeer<{ id?: unknown; method?: unknown; meta?: unknown } | null>(frame.meta)
    const method = typeof asked?.method === 'string' ? asked.method : ''
    const handler = this.#handlers.get(method)
    if (frame.kind === PeerFrameKind.oneway) {
      // A one-way has nobody to tell of its failure; what it carried is repeated or was optional.
      await handler?.(from, asked?.meta, frame.payload).catch(() => undefined)
      return
    }
    const id = asked?.id
    if (frame.kind !== PeerFrameKind.request || typeof id !== 'number') return socket.close()
    try {
      if (handler === undefined) throw peerErrors.create('PEER_FAILED', `this node does not answer ${method}`)
      const answer = await handler(from, asked?.meta, frame.payload)
      socket.send(PeerFrameKind.response, { id, meta: answer.meta }, answer.payload ?? [])
    } catch (error) {
      socket.send(PeerFrameKind.response, { id, error: errorMessage(error) }, [])
    }
  }
}
