/**
 * All connections between this node and its peers: a raft lane (one way, at most once) and a service lane (requests and
 * answers: forwarding, client registry, repair) to each, and an acceptor for theirs.
 */
import type { Clock } from '../../lib/clock.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { Envelope } from '../../raft/ports.ts'
import type { Message } from '../../raft/message.ts'
import {
  helloOf,
  readHello,
  refusalOf,
  type Hello,
  type Identity,
  type KnownMembers,
  type Lane,
} from './peer-handshake.ts'
import { parseAddress } from '../options/options-values.ts'
import { PeerLink, type PeerAddress, type PeerLinkOptions, type ServiceAnswer } from './peer-link.ts'
import { PeerLinks } from './peer-links.ts'
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
  /** The members until the log says who they are, this node included. */
  readonly addresses: ReadonlyMap<string, PeerAddress>
  readonly listen: PeerAddress
  readonly network: PeerNetwork
  readonly clock: Clock
  readonly log: Log
  readonly link: PeerLinkOptions
}

/** Everybody who takes part by the log, at the addresses to dial, and who is out for good. */
export interface PeerMembers {
  readonly addresses: ReadonlyMap<string, PeerAddress>
  readonly removed: ReadonlySet<string>
}

interface Incoming {
  readonly from: string
  readonly lane: Lane
}

const nobody: ReadonlySet<string> = new Set()

/** What one part of a node asks the same part of the others. */
export type PeerServices = Pick<Peers, 'handle' | 'ask'>

export class Peers {
  readonly #need: PeersNeeds
  readonly #links: PeerLinks
  readonly #handlers = new Map<string, ServiceHandler>()
  /** The newest incoming raft connection of each peer: an older one may belong to a process that is gone. */
  readonly #incomingRaft = new Map<string, PeerSocket>()
  /** Undefined until the peer said who it is. */
  readonly #incoming = new Map<PeerSocket, Incoming | undefined>()
  readonly #incarnations = new Map<string, string>()
  readonly #commandVersions = new Map<string, number>()
  readonly #removedListeners: (() => void)[] = []
  readonly #openedListeners: ((peer: string) => void)[] = []
  readonly #lostListeners: ((peer: string) => void)[] = []
  #members: KnownMembers
  #raft: RaftEnd | undefined
  #listener: PeerListener | undefined

  constructor(need: PeersNeeds) {
    this.#need = need
    this.#members = { ids: new Set(need.addresses.keys()), removed: nobody }
    this.#links = new PeerLinks({
      ownId: need.identity().id,
      clock: need.clock,
      link: (peer, address, lane) => this.#link(peer, address, lane),
    })
    this.#links.keep(need.addresses, nobody, () => false)
  }

  /** Listens, then dials. Rejects when the port cannot be had. */
  async start(): Promise<void> {
    const { network, listen } = this.#need
    this.#listener = await network.listen(listen.host, listen.port, (socket) => this.#accept(socket))
    this.#links.start()
  }

  get ids(): readonly string[] {
    return this.#links.ids
  }

  /**
   * The log says who takes part. Links to who is new are made, links to who left end: raft at once, services once what
   * is in flight has had its time. Who was removed is told.
   */
  setMembers({ addresses, removed }: PeerMembers): void {
    this.#members = { ids: new Set(addresses.keys()), removed }
    this.#links.keep(addresses, removed, (peer) => this.#isConnected(peer))
    for (const [socket, incoming] of this.#incoming) {
      if (incoming === undefined || !removed.has(incoming.from)) continue
      const { from, lane } = incoming
      this.#incarnations.delete(from)
      const reason = `node ${from} was removed from ${this.#need.identity().group}`
      socket.send(PeerFrameKind.refusal, { reason, isRemoved: true }, [])
      // It ends the others itself, once its clients have their answers.
      if (lane === 'raft') this.#incomingRaft.delete(from)
    }
  }

  /** Calls `listener` when a peer says that this node was removed from the group. */
  onRemoved(listener: () => void): void {
    this.#removedListeners.push(listener)
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
    this.#links.raft(to)?.send(PeerFrameKind.raft, envelope.message, envelope.payload)
  }

  isReachable(peer: string): boolean {
    return this.#links.service(peer)?.isOpen ?? false
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
    const link = this.#links.service(peer)
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
    this.#links.service(peer)?.send(PeerFrameKind.oneway, { method, meta }, payload)
  }

  /** The lowest command version that every one of `members` understands; peers never met count as `own`. */
  commandVersionOf(members: readonly string[], own: number): number {
    return Math.min(own, ...members.map((member) => this.#commandVersions.get(member) ?? own))
  }

  async close(): Promise<void> {
    this.#links.close()
    for (const socket of this.#incoming.keys()) socket.close()
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
      removed: () => {
        for (const listener of this.#removedListeners) listener()
      },
    })
  }

  #met(peer: string, incarnation: string, commandVersion: number): void {
    this.#commandVersions.set(peer, commandVersion)
    if (this.#incarnations.get(peer) === incarnation) return
    this.#incarnations.set(peer, incarnation)
    this.#links.restarted(peer, incarnation)
    this.#raft?.peerStarted(peer, incarnation)
  }

  #accept(socket: PeerSocket): void {
    this.#incoming.set(socket, undefined)
    socket.listen({
      frame: (frame) => {
        const incoming = this.#incoming.get(socket)
        if (incoming === undefined) this.#greet(socket, frame)
        else if (incoming.lane === 'raft') this.#raftFrame(socket, incoming.from, frame)
        else void this.#serviceFrame(socket, incoming.from, frame)
      },
      closed: () => {
        const incoming = this.#incoming.get(socket)
        this.#incoming.delete(socket)
        if (incoming === undefined) return
        const { from, lane } = incoming
        if (this.#incomingRaft.get(from) === socket) this.#incomingRaft.delete(from)
        if (lane === 'service') for (const listener of this.#lostListeners) listener(from)
        if (!this.#isConnected(from)) this.#links.left(from)
      },
    })
  }

  #greet(socket: PeerSocket, frame: PeerFrame): void {
    const hello = frame.kind === PeerFrameKind.hello ? readHello(frame.meta) : undefined
    if (hello === undefined) return socket.close()
    const own = this.#need.identity()
    const refusal = refusalOf(own, hello, this.#members)
    if (refusal !== undefined) {
      socket.send(PeerFrameKind.refusal, refusal, [])
      return
    }
    if (hello.lane === 'service') this.#replaceService(hello.from)
    this.#incoming.set(socket, hello)
    this.#welcome(hello)
    if (hello.lane === 'raft') {
      this.#incomingRaft.get(hello.from)?.close()
      this.#incomingRaft.set(hello.from, socket)
    }
    this.#met(hello.from, hello.incarnation, hello.commandVersion)
    socket.send(PeerFrameKind.welcome, helloOf(own, hello.from, hello.lane), [])
  }

  /**
   * The peer asks over a new connection: the one before is lost, whether its end was seen or not. Told now, before what is
   * said over the new one; its end, seen later, would take that back.
   */
  #replaceService(peer: string): void {
    for (const [socket, incoming] of this.#incoming) {
      if (incoming?.from !== peer || incoming.lane !== 'service') continue
      this.#incoming.delete(socket)
      socket.close()
      for (const listener of this.#lostListeners) listener(peer)
    }
  }

  #isConnected(peer: string): boolean {
    return [...this.#incoming.values()].some((incoming) => incoming?.from === peer)
  }

  /** A node that is behind, or new, answers who it does not know yet. */
  #welcome({ from, place }: Hello): void {
    const address = place === undefined ? undefined : parseAddress(place)
    if (address !== undefined && !this.#members.ids.has(from)) this.#links.welcome(from, address)
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
