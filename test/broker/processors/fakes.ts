/** Clients as processors see them: a connection, and the way to it. */
import type { RemotingCommand } from '../../../src/remoting/command.ts'
import type { Request } from '../../../src/remoting/connection.ts'
import type { Origin } from '../../../src/remoting/route.ts'
import type { ClientReport, Clients, Member, Place } from '../../../src/broker/clients/clients.ts'

/** A client's connection; what it is sent is in `received`. */
export class FakeOrigin implements Origin {
  readonly remoteAddress: string
  readonly remoteHost: string
  readonly remotePort: number
  readonly localAddress = '127.0.0.1:10911'
  readonly received: Request[] = []
  answer: RemotingCommand | undefined
  closed = false
  readonly #listeners: (() => void)[] = []

  constructor(remoteHost = '10.0.0.7', remotePort = 40_001) {
    this.remoteHost = remoteHost
    this.remotePort = remotePort
    this.remoteAddress = `${remoteHost}:${remotePort}`
  }

  onClose(listener: () => void): void {
    this.#listeners.push(listener)
  }

  close(): void {
    this.closed = true
    for (const listener of this.#listeners.splice(0)) listener()
  }

  invoke(request: Request): Promise<RemotingCommand> {
    this.received.push(request)
    return this.answer === undefined ? Promise.reject(new Error('no answer')) : Promise.resolve(this.answer)
  }

  invokeCallback(): void {
    throw new Error('not used')
  }

  invokeOneway(request: Request): boolean {
    this.received.push(request)
    return true
  }
}

/** What `ClientRelay` does, on one node. */
export class FakeRelay {
  readonly reports: ClientReport[] = []
  readonly told: { readonly member: Member; readonly request: Request }[] = []
  readonly #clients: Clients
  readonly #origins: Origin[] = []

  constructor(clients: Clients) {
    this.#clients = clients
  }

  placeOf(origin: Origin): Place {
    let at = this.#origins.indexOf(origin)
    if (at < 0) {
      at = this.#origins.push(origin) - 1
      const connectionId = at
      origin.onClose(() => this.#clients.connectionClosed({ node: undefined, connectionId }))
    }
    return { node: undefined, connectionId: at }
  }

  share(report: ClientReport): void {
    this.reports.push(report)
  }

  notify(member: Member, request: Request): void {
    this.told.push({ member, request })
    this.#origins[member.place.connectionId]?.invokeOneway(request)
  }

  async ask(
    member: Member,
    request: Request,
    timeoutMs: number,
  ): Promise<{ code: number; remark: string | undefined; fields: Record<string, string>; body: Buffer }> {
    const origin = this.#origins[member.place.connectionId]
    if (origin === undefined) throw new Error('gone')
    const { code, remark, body } = await origin.invoke(request, timeoutMs)
    return { code, remark, fields: {}, body }
  }
}
