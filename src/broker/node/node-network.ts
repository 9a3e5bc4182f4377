/**
 * Everything of a node that speaks: the client port, the connections to peers, and who leads as far as anybody told.
 * It works before the log is open: a node that recovers forwards.
 */
import type { BrokerOptions } from '../options/options.ts'
import type { BrokerParts } from '../running-broker.ts'
import { RemotingClient } from '../../remoting/client.ts'
import { RemotingServer } from '../../remoting/server.ts'
import { nodeSockets } from '../../remoting/sockets.ts'
import { ClientRelay } from '../clients/client-relay.ts'
import { Clients } from '../clients/clients.ts'
import { Forwarding } from '../forwarding/forwarding.ts'
import { FrontDoor } from '../forwarding/front-door.ts'
import { LeaderLocator } from '../forwarding/leader-locator.ts'
import type { Leadership, LeaderView } from '../group/leadership.ts'
import type { Identity } from '../peers/peer-handshake.ts'
import type { PeerAddress } from '../peers/peer-link.ts'
import { Peers } from '../peers/peers.ts'
import { streamPeerNetwork } from '../peers/peer-socket.ts'
import { formatAddress, parseAddress } from '../options/options-values.ts'
import { membersOf } from '../../raft/memberships.ts'
import type { MembershipEntry } from '../../raft/types.ts'
import { fromPeer } from '../peers/peer-wire.ts'
import { mayRepeat } from '../processors/where.ts'

export interface NodeNetworkNeeds {
  readonly options: BrokerOptions
  readonly parts: BrokerParts
  readonly identity: () => Omit<Identity, 'place'>
  readonly leadership: Leadership
}

const MAX_LEADER_WAITERS = 20_000
const VIEW_METHOD = 'view'
const PEER_LIMITS = { maxFrameBytes: 80 * 1024 * 1024, maxOutgoingBytes: 32 * 1024 * 1024 }
const LINK_OPTIONS = { dialTimeoutMs: 1000, redialMinMs: 20, redialMaxMs: 500, maxInFlight: 16_384 }
const MAX_MEMBERS = 200_000
const OTHER_REQUESTS_BYTES = 8 * 1024 * 1024

export class NodeNetwork {
  readonly peers: Peers
  readonly locator: LeaderLocator
  readonly clients: Clients
  readonly relay: ClientRelay
  readonly door: FrontDoor
  readonly server: RemotingServer
  /** For name servers. */
  readonly client: RemotingClient
  readonly #need: NodeNetworkNeeds
  #namesrvLost: (address: string) => void = () => {}
  /** Where this node's peers are told to reach it: as the file says, until the log does. */
  #place: string | undefined
  /** Where peers are dialled, whatever file and log say. */
  readonly #elsewhere = new Map<string, PeerAddress>()
  #members: readonly MembershipEntry[] = []

  constructor(need: NodeNetworkNeeds) {
    this.#need = need
    const { options, leadership } = need
    const { clock, log, sockets = nodeSockets } = need.parts
    const ownId = options.nodeId
    this.#place = placesOfFile(options).get(ownId)
    this.locator = new LeaderLocator({ ownId, clock, maxWaiting: MAX_LEADER_WAITERS })
    this.peers = new Peers({
      identity: () => ({ ...need.identity(), place: this.#place }),
      addresses: peerAddresses(options),
      listen: options.peerListen,
      network: streamPeerNetwork({ sockets, clock, limits: PEER_LIMITS }),
      clock,
      log,
      link: LINK_OPTIONS,
    })
    this.clients = new Clients({ clock, options: { expireMs: options.channelExpiredTimeout, maxMembers: MAX_MEMBERS } })
    const { peers, locator, clients } = this
    this.relay = new ClientRelay({ ownId, clients, locator, leadership, peers })
    this.door = new FrontDoor({ ownId, leadership, locator, peers, log, withinMs: options.forwardWithinMs })
    const forwarding = new Forwarding(
      {
        ownId,
        locator,
        peers,
        handleHere: this.door.handleHere,
        clock,
        options: {
          withinMs: options.forwardWithinMs,
          maxInFlight: options.forwardMaxInFlight,
          maxInFlightBytes: options.forwardMaxInFlightBytes,
        },
      },
      mayRepeat,
    )
    this.door.attachForwarding(forwarding)
    this.server = new RemotingServer({
      host: options.bindAddress,
      port: options.listenPort,
      router: this.door.router,
      clock,
      log,
      sockets,
      limits: { idleMs: options.serverChannelMaxIdleTimeSeconds * 1000 },
      // What waits for the log is these same bytes; a little more for everything else.
      requestBytesInFlightMax: options.maxInFlightBytes + OTHER_REQUESTS_BYTES,
    })
    this.client = new RemotingClient({
      clock,
      log,
      sockets,
      onConnection: (connection, address) => connection.onClose(() => this.#namesrvLost(address)),
    })
    this.#shareViews()
  }

  /** Called with its address when a connection to a name server ended, whoever ended it. */
  onNamesrvLost(listener: (address: string) => void): void {
    this.#namesrvLost = listener
  }

  /** Opens both ports. Rejects when one cannot be had. */
  async start(): Promise<void> {
    await this.peers.start()
    await this.server.listen()
  }

  /**
   * The log says who takes part: links follow. Whoever takes part by the membership in force or by the one known to be
   * committed is linked; who the committed one says is out is not.
   */
  membersChanged(current: MembershipEntry, committed: MembershipEntry): void {
    this.#members = [committed, current]
    this.#link()
  }

  /** From now on `peer` is dialled there: a slave is told where its master is. */
  dial(peer: string, address: PeerAddress): void {
    const before = this.#elsewhere.get(peer)
    if (before?.host === address.host && before.port === address.port) return
    this.#elsewhere.set(peer, address)
    this.#link()
  }

  #link(): void {
    const { options } = this.#need
    const [committed] = this.#members
    if (committed === undefined) return
    const ofFile = placesOfFile(options)
    const dialled = new Map(options.dialPeers.map((place) => [place.id, place]))
    const addresses = new Map<string, PeerAddress>()
    for (const { membership } of this.#members) {
      for (const id of membersOf(membership)) {
        const place = membership.places?.[id] ?? ofFile.get(id)
        const address = this.#elsewhere.get(id) ?? (place === undefined ? undefined : parseAddress(place))
        if (address === undefined) continue
        // A file may know another way to a peer, but not once the log says that the peer moved.
        const isAsInFile = place === ofFile.get(id)
        addresses.set(id, (isAsInFile ? dialled.get(id) : undefined) ?? address)
        if (id === options.nodeId) this.#place = place
      }
    }
    this.peers.setMembers({ addresses, removed: new Set(committed.membership.removed) })
  }

  async close(graceMs: number): Promise<void> {
    this.door.close()
    this.clients.close()
    await this.server.close(graceMs)
    this.client.close()
    await this.peers.close()
  }

  /** Nodes tell each other who leads: one that recovers forwards by it, and a change is known at once everywhere. */
  #shareViews(): void {
    const { peers, locator, relay, clients } = this
    const { leadership, options } = this.#need
    peers.handle(VIEW_METHOD, (from, meta) => {
      locator.learn(from, fromPeer<LeaderView>(meta))
      relay.leaderChanged()
      return Promise.resolve({ meta: null })
    })
    const own = (): LeaderView => {
      const { view } = leadership
      // A leader that is not ready is none yet for those who forward.
      return view.leader === options.nodeId && !leadership.isReady ? { ...view, leader: null } : view
    }
    leadership.onChange(() => {
      locator.learn(options.nodeId, own())
      relay.leaderChanged()
      for (const peer of peers.ids) peers.tell(peer, VIEW_METHOD, own())
    })
    peers.onOpened((peer) => {
      peers.tell(peer, VIEW_METHOD, own())
      relay.peerOpened(peer)
    })
    peers.onLost((peer) => {
      locator.forget(peer)
      clients.nodeLost(peer)
    })
  }
}

/** The members' addresses for each other by this node's file, `host:port`. */
export function placesOfFile(options: BrokerOptions): ReadonlyMap<string, string> {
  return new Map(options.peers.map((place) => [place.id, formatAddress(place)]))
}

function peerAddresses(options: BrokerOptions): ReadonlyMap<string, PeerAddress> {
  const dialled = new Map(options.dialPeers.map((place) => [place.id, place]))
  return new Map(options.peers.map((place) => [place.id, dialled.get(place.id) ?? place]))
}
