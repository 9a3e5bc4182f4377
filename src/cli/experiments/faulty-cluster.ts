/**
 * A broker group of real processes whose disks can be broken while they run (`faulty-broker.ts`), with a name server in
 * this process. A node that ends stays down until it is started again.
 */
import { HOST, planCluster, planJoining, type NodePlan } from '../cluster-plan.ts'
import { unusedPorts } from '../free-ports.ts'
import { isServing } from '../readiness.ts'
import { localNamesrvOptions, startNamesrv } from '../start-namesrv.ts'
import { sleep, systemClock } from '../../lib/clock.ts'
import { silentLog } from '../../lib/log.ts'
import { systemRandom } from '../../lib/prng.ts'
import type { Namesrv } from '../../namesrv/namesrv.ts'
import { FaultyNode, type NodeDisk } from './faulty-node.ts'

export interface FaultyClusterRequest {
  readonly nodes: number
  readonly dir: string
  readonly flush: 'sync' | 'async'
  readonly replication: 'sync' | 'async'
  /** Keys of `broker.properties` of one node, beside those that every node has. */
  readonly properties?: (id: string, plans: readonly NodePlan[]) => readonly (readonly [key: string, value: string])[]
  /** Default: one that can be broken. */
  readonly disk?: NodeDisk
  /** Aborted: waiting for the group ends with its reason, and what was started is killed. */
  readonly signal?: AbortSignal
  /** Called with who will be started, before anybody is. */
  readonly ready?: (plans: readonly NodePlan[]) => Promise<void>
}

const READY_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 10

export class FaultyCluster {
  readonly #namesrv: Namesrv
  readonly #request: FaultyClusterRequest
  #nodes: readonly FaultyNode[]

  private constructor(nodes: readonly FaultyNode[], namesrv: Namesrv, request: FaultyClusterRequest) {
    this.#nodes = nodes
    this.#namesrv = namesrv
    this.#request = request
  }

  /** Those that left their group included. */
  get nodes(): readonly FaultyNode[] {
    return this.#nodes
  }

  /** Starts the group; resolves when it takes traffic. */
  static async start(request: FaultyClusterRequest): Promise<FaultyCluster> {
    const { nodes, dir, flush, replication, properties, disk = 'breakable' } = request
    const ports = await unusedPorts(nodes * 2, systemRandom)
    const plans = planCluster({
      nodes,
      brokers: 1,
      dir,
      flush,
      replication,
      clusterName: 'DefaultCluster',
      ports: (_, node) => ({ client: ports[node * 2] ?? 0, peer: ports[node * 2 + 1] ?? 0 }),
    })
    await request.ready?.(plans)
    const namesrv = await startNamesrv(localNamesrvOptions(dir, 0), silentLog)
    const address = `${HOST}:${namesrv.port}`
    const started = plans.map((plan) => {
      const own = new Map([...plan.properties, ...(properties?.(plan.id, plans) ?? [])])
      const node = new FaultyNode({ ...plan, properties: own }, { namesrv: address, disk })
      node.start()
      return node
    })
    const cluster = new FaultyCluster(started, namesrv, request)
    try {
      await cluster.serving()
    } catch (error) {
      await cluster.kill()
      throw error
    }
    return cluster
  }

  get namesrv(): string {
    return `${HOST}:${this.#namesrv.port}`
  }

  /** The node that leads and takes traffic, if any says so. */
  get leader(): FaultyNode | undefined {
    return this.nodes.find(({ status }) => status?.role === 'leader' && status.isReady)
  }

  get followers(): readonly FaultyNode[] {
    return this.nodes.filter(({ status }) => status?.role === 'follower')
  }

  /** Resolves when every node that did not leave is up and one leads. */
  async serving(withinMs = READY_WITHIN_MS): Promise<void> {
    const endMs = systemClock.monotonicMs() + withinMs
    while (!isServing(this.nodes.filter(({ isGone }) => !isGone))) {
      if (systemClock.monotonicMs() > endMs) throw new Error(`the group does not serve after ${withinMs} ms`)
      await sleep(systemClock, LOOK_EVERY_MS, this.#request.signal)
    }
  }

  /** Resolves with the node that leads and takes traffic, once there is one. */
  async led(withinMs = READY_WITHIN_MS): Promise<FaultyNode> {
    const endMs = systemClock.monotonicMs() + withinMs
    for (let { leader } = this; ; leader = this.leader) {
      if (leader !== undefined) return leader
      if (systemClock.monotonicMs() > endMs) throw new Error(`nobody leads after ${withinMs} ms`)
      await sleep(systemClock, LOOK_EVERY_MS, this.#request.signal)
    }
  }

  /** One more node, started on an empty disk with a file that names the group and itself; it is no member by that. */
  async add(): Promise<FaultyNode> {
    const staying = this.nodes.filter(({ isGone }) => !isGone).map(({ plan }) => plan)
    const [client = 0, peer = 0] = await unusedPorts(2, systemRandom)
    const plan = planJoining(staying, `n${this.nodes.length}`, { client, peer })
    const { disk = 'breakable' } = this.#request
    const node = new FaultyNode(plan, { namesrv: this.namesrv, disk })
    this.#nodes = [...this.nodes, node]
    node.start()
    return node
  }

  /** A clean stop of what runs. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()))
    await this.#namesrv.close()
  }

  async kill(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()))
    await this.#namesrv.close()
  }
}
