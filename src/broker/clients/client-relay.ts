/**
 * Reaches clients wherever they are connected, and keeps the leader's list of clients whole: what this node hears of its
 * own clients it tells the leader; what the leader has to say to a client goes through the node that holds its
 * connection (39, 40, 220, 221, 307, 309, 326).
 */
import type { Request } from '../../remoting/connection.ts'
import type { HeaderRecord } from '../../remoting/fields.ts'
import type { Body } from '../../remoting/frame-writer.ts'
import type { Origin } from '../../remoting/route.ts'
import type { ClientReport, Clients, Member, Place } from './clients.ts'
import { refusal } from '../errors.ts'
import type { LeaderLocator } from '../forwarding/leader-locator.ts'
import type { Peers, PeerServices } from '../peers/peers.ts'
import { fromPeer } from '../peers/peer-wire.ts'

export interface ClientRelayNeeds {
  readonly ownId: string
  readonly clients: Clients
  readonly locator: Pick<LeaderLocator, 'current'>
  readonly leadership: { readonly isReady: boolean }
  readonly peers: PeerServices & Pick<Peers, 'tell'>
}

/** What a client answered. */
export interface ClientAnswer {
  readonly code: number
  readonly remark: string | undefined
  readonly fields: Readonly<Record<string, string>>
  readonly body: Buffer
}

interface RelayedRequest {
  readonly connectionId: number
  readonly code: number
  readonly header: HeaderRecord | undefined
  readonly timeoutMs: number
}

const METHOD = { report: 'clients.report', oneway: 'clients.oneway', invoke: 'clients.invoke' } as const

export class ClientRelay {
  readonly #need: ClientRelayNeeds
  readonly #byId = new Map<number, Origin>()
  readonly #ids = new WeakMap<Origin, number>()
  #nextId = 1
  /** To whom this node's clients were told last. */
  #told: string | undefined

  constructor(need: ClientRelayNeeds) {
    this.#need = need
    const { peers, clients, leadership } = need
    peers.handle(METHOD.report, (from, meta) => {
      if (leadership.isReady) clients.report(from, fromPeer<ClientReport>(meta))
      return Promise.resolve({ meta: null })
    })
    peers.handle(METHOD.oneway, (_from, meta, payload) => {
      const { connectionId, code, header } = fromPeer<RelayedRequest>(meta)
      this.#byId.get(connectionId)?.invokeOneway({ code, header, body: payload })
      return Promise.resolve({ meta: null })
    })
    peers.handle(METHOD.invoke, async (_from, meta, payload) => {
      const { connectionId, code, header, timeoutMs } = fromPeer<RelayedRequest>(meta)
      const { body, ...rest } = await this.#invokeHere(connectionId, { code, header, body: payload }, timeoutMs)
      return { meta: rest, payload: [body] }
    })
  }

  /** The place of the client that speaks over `origin`, for the registry. */
  placeOf(origin: Origin): Place {
    let id = this.#ids.get(origin)
    if (id === undefined) {
      id = this.#nextId++
      const connectionId = id
      this.#ids.set(origin, connectionId)
      this.#byId.set(connectionId, origin)
      origin.onClose(() => {
        this.#byId.delete(connectionId)
        this.#need.clients.connectionClosed({ node: undefined, connectionId })
        this.share({ kind: 'closed', connectionId })
      })
    }
    return { node: undefined, connectionId: id }
  }

  /** Tells the leader what this node's own registry just learned. */
  share(report: ClientReport): void {
    const leader = this.#leaderElsewhere()
    if (leader !== undefined) this.#need.peers.tell(leader, METHOD.report, report)
  }

  /** The leader changed, or the connection to it is new: it learns of all clients of this node. */
  leaderChanged(): void {
    const leader = this.#leaderElsewhere()
    if (!this.#need.leadership.isReady) this.#need.clients.forgetRemote()
    if (leader === this.#told) return
    this.#told = leader
    this.#tellAll(leader)
  }

  peerOpened(peer: string): void {
    if (peer === this.#leaderElsewhere()) this.#tellAll(peer)
  }

  /** Sends a request without an answer to a client; lost if it is gone. */
  notify(member: Member, request: Request): void {
    const { node, connectionId } = member.place
    if (node === undefined) {
      this.#byId.get(connectionId)?.invokeOneway(request)
      return
    }
    const meta: RelayedRequest = { connectionId, code: request.code, header: request.header, timeoutMs: 0 }
    this.#need.peers.tell(node, METHOD.oneway, meta, partsOf(request.body))
  }

  /** Asks a client; rejects with `BROKER_CLIENT_TIMEOUT` when it is gone or does not answer. */
  async ask(member: Member, request: Request, timeoutMs: number): Promise<ClientAnswer> {
    const { node, connectionId } = member.place
    if (node === undefined) return this.#invokeHere(connectionId, request, timeoutMs)
    const meta: RelayedRequest = { connectionId, code: request.code, header: request.header, timeoutMs }
    try {
      const answer = await this.#need.peers.ask(node, METHOD.invoke, meta, partsOf(request.body), timeoutMs + 500)
      return { ...fromPeer<Omit<ClientAnswer, 'body'>>(answer.meta), body: answer.payload }
    } catch (error) {
      throw refusal('BROKER_CLIENT_TIMEOUT', `client ${member.clientId} cannot be reached: ${String(error)}`)
    }
  }

  async #invokeHere(connectionId: number, request: Request, timeoutMs: number): Promise<ClientAnswer> {
    const origin = this.#byId.get(connectionId)
    if (origin === undefined) throw refusal('BROKER_CLIENT_TIMEOUT', 'the client is gone')
    const response = await origin.invoke(request, timeoutMs).catch((error: unknown) => {
      throw refusal('BROKER_CLIENT_TIMEOUT', `the client did not answer: ${String(error)}`)
    })
    return { code: response.code, remark: response.remark, fields: response.fields.toRecord(), body: response.body }
  }

  #tellAll(leader: string | undefined): void {
    if (leader === undefined) return
    for (const report of this.#need.clients.localReports()) this.#need.peers.tell(leader, METHOD.report, report)
  }

  #leaderElsewhere(): string | undefined {
    const leader = this.#need.locator.current()?.id
    return leader === this.#need.ownId ? undefined : leader
  }
}

function partsOf(body: Body | undefined): readonly Buffer[] {
  if (body === undefined) return []
  return Buffer.isBuffer(body) ? [body] : body
}
