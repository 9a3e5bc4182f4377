/** A name server in this process and groups of nodes as processes of their own: what most scenarios measure. */
import type { Namesrv } from '../src/namesrv/namesrv.ts'
import { HOST } from '../src/cli/cluster-plan.ts'
import { localNamesrvOptions, startNamesrv } from '../src/cli/start-namesrv.ts'
import { silentLog } from '../src/lib/log.ts'
import { BrokerProcess, freePorts, type GroupNeed, planGroup } from './broker-process.ts'
import type { NamedProcess } from './load/cpu-per-message.ts'
import { type LoadRun, ownLoad, runLoad } from './load/load-process.ts'
import type { LoadFigures, Workload } from './load/workload.ts'
import type { Bench } from './scenario.ts'

export const TOPIC = 'RaftmqBench'

export class NodeCluster {
  readonly namesrv: string
  readonly #namesrv: Namesrv
  /** Replaced as they are started again. */
  readonly #nodes: BrokerProcess[]

  private constructor(namesrv: { server: Namesrv; address: string }, nodes: BrokerProcess[]) {
    this.#namesrv = namesrv.server
    this.namesrv = namesrv.address
    this.#nodes = nodes
  }

  /** Resolves when all nodes say that they are ready for traffic. */
  static async start(need: Omit<GroupNeed, 'namesrv'>): Promise<NodeCluster> {
    const [port = 0] = await freePorts(1)
    const server = await startNamesrv(localNamesrvOptions(need.dir, port), silentLog)
    const address = `${HOST}:${port}`
    const nodes: BrokerProcess[] = []
    const cluster = new NodeCluster({ server, address }, nodes)
    try {
      for (const plan of await planGroup({ ...need, namesrv: address })) nodes.push(BrokerProcess.start(plan))
      await Promise.all(nodes.map((node) => node.ready()))
      return cluster
    } catch (error) {
      await cluster.close()
      throw error
    }
  }

  get processes(): readonly NamedProcess[] {
    return this.#nodes.map(({ isLeader, pid }) => ({ role: isLeader ? 'leader' : 'follower', pid }))
  }

  /** The newest term that a node has told of. */
  get term(): number {
    return Math.max(...this.#nodes.map(({ term }) => term))
  }

  /** With names for plots. */
  get named(): readonly { readonly name: string; readonly pid: number; readonly address: string }[] {
    return this.#nodes.map(({ plan, isLeader, pid }) => ({
      name: `${plan.broker} ${plan.id}${isLeader ? ' (leader)' : ''}`,
      pid,
      address: `${HOST}:${plan.ports.client}`,
    }))
  }

  /** Our own client's load on this cluster. */
  load(
    bench: Bench,
    run: Pick<LoadRun, 'workloads' | 'onBegin' | 'onEnd' | 'isEnough'> & { readonly topic?: string },
  ): Promise<ReadonlyMap<string, LoadFigures>> {
    const { topic = TOPIC, ...rest } = run
    return runLoad({
      ...rest,
      spawn: (command, args, options) => bench.children.start(command, args, options),
      program: ownLoad,
      address: this.namesrv,
      topic,
    })
  }

  /** The same for one workload. */
  async loadOne(bench: Bench, workload: Workload, topic: string = TOPIC): Promise<LoadFigures> {
    const figures = (await this.load(bench, { workloads: [workload], topic })).get(workload.name)
    if (figures === undefined) throw new Error(`nothing was measured of ${workload.name}`)
    return figures
  }

  /** Stops each node cleanly and starts it again, one after the other; milliseconds until each was ready. */
  async restartEach(): Promise<readonly number[]> {
    const times: number[] = []
    for (const [at, node] of this.#nodes.entries()) {
      await node.stop()
      const again = (this.#nodes[at] = BrokerProcess.start(node.plan))
      times.push(await again.ready())
    }
    return times
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.kill()))
    await this.#namesrv.close()
  }
}
