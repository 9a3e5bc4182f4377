/**
 * Toxiproxy between the nodes of a group, one proxy for each that dials another, and between clients and each node. A node
 * is told by its own file where to dial (`raftPeerAddresses`) and what to tell clients (`raftAdvertisedPort`).
 */
import toxiproxyClient from 'toxiproxy-node-client'
import { HOST, type NodePlan } from '../src/cli/cluster-plan.ts'
import { present } from '../src/lib/assert.ts'
import { freePort, startToxiproxy, type ToxiproxyServer } from './toxiproxy-server.ts'

export interface Toxic {
  readonly type: 'latency' | 'bandwidth' | 'timeout' | 'slicer' | 'limit_data' | 'reset_peer' | 'slow_close'
  readonly attributes: Readonly<Record<string, number>>
  /** Both ways unless said. */
  readonly stream?: 'upstream' | 'downstream'
}

const MAX_NODES = 5

export class Proxies {
  readonly isReal: boolean
  readonly #server: ToxiproxyServer
  readonly #client: InstanceType<typeof toxiproxyClient.Toxiproxy>
  readonly #ports: ReadonlyMap<string, number>

  private constructor(server: ToxiproxyServer, ports: ReadonlyMap<string, number>) {
    this.#server = server
    this.isReal = server.isReal
    this.#client = new toxiproxyClient.Toxiproxy(server.url)
    this.#ports = ports
  }

  static async start(): Promise<Proxies> {
    const ids = Array.from({ length: MAX_NODES }, (_, at) => `n${at}`)
    const names = ids.flatMap((from) => [
      clientName(from),
      ...ids.filter((to) => to !== from).map((to) => peerName(from, to)),
    ])
    const ports = new Map<string, number>()
    for (const name of names) {
      let port = await freePort()
      while ([...ports.values()].includes(port)) port = await freePort()
      ports.set(name, port)
    }
    return new Proxies(await startToxiproxy(), ports)
  }

  /** For the file of node `id`. */
  propertiesOf(id: string, plans: readonly NodePlan[]): readonly (readonly [key: string, value: string])[] {
    const others = plans.filter((plan) => plan.id !== id)
    return [
      ['raftPeerAddresses', others.map((plan) => `${plan.id}=${HOST}:${this.#port(peerName(id, plan.id))}`).join(';')],
      ['raftAdvertisedPort', String(this.#port(clientName(id)))],
    ]
  }

  /** Opens every proxy in front of these nodes. */
  async open(plans: readonly NodePlan[]): Promise<void> {
    for (const plan of plans) {
      await this.#make(clientName(plan.id), plan.ports.client)
      for (const from of plans) if (from.id !== plan.id) await this.#make(peerName(from.id, plan.id), plan.ports.peer)
    }
  }

  /** Nothing goes from `from` to `to` and back over what `from` dialled; what `to` dialled is a link of its own. */
  async cutDialled(from: string, to: string): Promise<void> {
    const proxy = await this.#client.get(peerName(from, to))
    await proxy.update({ enabled: false, listen: proxy.listen, upstream: proxy.upstream })
  }

  /** No message goes between the two, either way. */
  async cut(one: string, other: string): Promise<void> {
    await this.cutDialled(one, other)
    await this.cutDialled(other, one)
  }

  /** Clients do not reach the node. */
  async cutClients(id: string): Promise<void> {
    const proxy = await this.#client.get(clientName(id))
    await proxy.update({ enabled: false, listen: proxy.listen, upstream: proxy.upstream })
  }

  /** On what `from` dialled to `to`; `clients` is a `from`, too. */
  async poison(from: string, to: string, toxic: Toxic): Promise<void> {
    const proxy = await this.#client.get(from === 'clients' ? clientName(to) : peerName(from, to))
    const streams = toxic.stream === undefined ? (['upstream', 'downstream'] as const) : [toxic.stream]
    for (const stream of streams) {
      const name = `${toxic.type}_${stream}`
      await proxy.addToxic({ name, type: toxic.type, stream, toxicity: 1, attributes: toxic.attributes })
    }
  }

  /** Everything is as it was. */
  heal(): Promise<void> {
    return this.#client.reset()
  }

  stop(): Promise<void> {
    return this.#server.stop()
  }

  async #make(name: string, port: number): Promise<void> {
    const place = { listen: `${HOST}:${this.#port(name)}`, upstream: `${HOST}:${port}` }
    await this.#client.createProxy({ name, ...place, enabled: true })
  }

  #port(name: string): number {
    return present(this.#ports.get(name), `a proxy ${name}`)
  }
}

const peerName = (from: string, to: string): string => `${from}-to-${to}`
const clientName = (id: string): string => `clients-to-${id}`
