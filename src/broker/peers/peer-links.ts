/** This node's links to its peers, two to each (raft and service), made and ended as the members change. */
import type { Clock } from '../../lib/clock.ts'
import type { Lane } from './peer-handshake.ts'
import type { PeerAddress, PeerLink } from './peer-link.ts'

export interface PeerLinksNeeds {
  readonly ownId: string
  readonly clock: Clock
  readonly link: (peer: string, address: PeerAddress, lane: Lane) => PeerLink
}

interface Pair {
  readonly address: PeerAddress
  readonly raft: PeerLink
  readonly service: PeerLink
  /** It is no member as far as this node knows, which may be behind: kept while it is connected. */
  isGuest: boolean
}

/** What is asked of a peer that leaves is still answered. */
const LINGER_MS = 5_000

export class PeerLinks {
  readonly #need: PeerLinksNeeds
  readonly #pairs = new Map<string, Pair>()
  readonly #leaving = new Set<PeerLink>()
  #isStarted = false
  #isClosed = false

  constructor(need: PeerLinksNeeds) {
    this.#need = need
  }

  get ids(): readonly string[] {
    return [...this.#pairs.keys()]
  }

  raft(peer: string): PeerLink | undefined {
    return this.#pairs.get(peer)?.raft
  }

  service(peer: string): PeerLink | undefined {
    return this.#pairs.get(peer)?.service
  }

  /** From now on links dial. */
  start(): void {
    this.#isStarted = true
    for (const pair of this.#pairs.values()) dial(pair)
  }

  /**
   * The members are these, at these addresses. Who is none of them and connected stays as a guest, unless it is `gone`
   * for good: a node that is being filled reads old memberships before it comes to its leader's.
   */
  keep(
    places: ReadonlyMap<string, PeerAddress>,
    gone: ReadonlySet<string>,
    isConnected: (peer: string) => boolean,
  ): void {
    for (const [peer, pair] of this.#pairs) {
      if (places.has(peer) && !gone.has(peer)) continue
      pair.isGuest = true
      if (gone.has(peer) || !isConnected(peer)) this.#end(peer, pair)
    }
    for (const [peer, address] of places) {
      if (peer === this.#need.ownId || gone.has(peer)) continue
      const pair = this.#pairs.get(peer)
      if (pair !== undefined && isSame(pair.address, address)) pair.isGuest = false
      else this.#begin(peer, address, false)
    }
  }

  /** `peer` belongs to the cluster and connected from `address`, and this node has not heard of it yet. */
  welcome(peer: string, address: PeerAddress): void {
    if (!this.#pairs.has(peer) && peer !== this.#need.ownId) this.#begin(peer, address, true)
  }

  /** `peer` runs as a new process. */
  restarted(peer: string, incarnation: string): void {
    const pair = this.#pairs.get(peer)
    pair?.raft.restarted(incarnation)
    pair?.service.restarted(incarnation)
  }

  /** The last connection of `peer` ended. */
  left(peer: string): void {
    const pair = this.#pairs.get(peer)
    if (pair?.isGuest === true) this.#end(peer, pair)
  }

  close(): void {
    this.#isClosed = true
    for (const { raft, service } of this.#pairs.values()) {
      raft.close()
      service.close()
    }
    for (const link of this.#leaving) link.close()
  }

  #begin(peer: string, address: PeerAddress, isGuest: boolean): void {
    const before = this.#pairs.get(peer)
    if (before !== undefined) this.#end(peer, before)
    const { link } = this.#need
    const pair = { address, isGuest, raft: link(peer, address, 'raft'), service: link(peer, address, 'service') }
    this.#pairs.set(peer, pair)
    if (this.#isStarted && !this.#isClosed) dial(pair)
  }

  #end(peer: string, { raft, service }: Pair): void {
    this.#pairs.delete(peer)
    raft.close()
    this.#leaving.add(service)
    this.#need.clock.after(LINGER_MS, () => {
      this.#leaving.delete(service)
      service.close()
    })
  }
}

function dial({ raft, service }: Pair): void {
  raft.start()
  service.start()
}

const isSame = (one: PeerAddress, other: PeerAddress): boolean => one.host === other.host && one.port === other.port
