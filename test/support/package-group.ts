/** A name server and the three nodes of one group, each by a command of the built package; nothing restarts a node. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeNodeProperties } from '../../src/cli/cluster-folder.ts'
import { planCluster, type NodePlan } from '../../src/cli/cluster-plan.ts'
import { freePorts } from '../interop/support/ports.ts'
import { faultyBroker, type PackageProcesses, type Run } from './package-processes.ts'

export interface PackageGroupRequest {
  readonly dir: string
  readonly flush: 'sync' | 'async'
  readonly replication: 'sync' | 'async'
  /** A kill loses what was not synced, as if the machine had lost its power. */
  readonly keepsBack: boolean
}

export class PackageGroup {
  readonly namesrv: string
  readonly nodes: readonly PackageNode[]
  readonly #processes: PackageProcesses
  readonly #dir: string

  private constructor(processes: PackageProcesses, dir: string, how: { namesrv: string; nodes: PackageNode[] }) {
    this.#processes = processes
    this.#dir = dir
    this.namesrv = how.namesrv
    this.nodes = how.nodes
  }

  /** Starts everything and waits for nothing but the name server. */
  static async start(processes: PackageProcesses, request: PackageGroupRequest): Promise<PackageGroup> {
    const { dir, flush, replication, keepsBack } = request
    const first = await freePorts(7)
    const namesrv = `127.0.0.1:${first}`
    const config = join(dir, 'namesrv.conf')
    writeFileSync(config, `listenPort=${first}\nbindAddress=127.0.0.1\nkvConfigPath=${join(dir, 'kv.json')}\n`)
    await processes.raftmq(dir, ['namesrv', '-c', config]).said('listens')
    const plans = planCluster({
      nodes: 3,
      brokers: 1,
      dir,
      flush,
      replication,
      clusterName: 'DefaultCluster',
      ports: (_, node) => ({ client: first + 1 + 2 * node, peer: first + 2 + 2 * node }),
    })
    const nodes = plans.map((plan) => new PackageNode(processes, { plan, namesrv, keepsBack }))
    for (const node of nodes) node.start()
    return new PackageGroup(processes, dir, { namesrv, nodes })
  }

  /** What a command says on standard output; `-n` is added. It must end well. */
  async says(...args: string[]): Promise<string> {
    const run = this.runs(...args)
    const code = await run.exit
    if (code !== 0) throw new Error(`raftmq ${args.join(' ')} ended with ${code}: ${run.errors()}`)
    return run.output()
  }

  /** A command; `-n` is added. */
  runs(...args: string[]): Run {
    return this.#processes.raftmq(this.#dir, [...args, '-n', this.namesrv])
  }
}

export class PackageNode {
  readonly plan: NodePlan
  readonly #processes: PackageProcesses
  readonly #how: { readonly namesrv: string; readonly keepsBack: boolean }
  #run: Run | undefined

  constructor(
    processes: PackageProcesses,
    { plan, ...how }: { readonly plan: NodePlan; readonly namesrv: string; readonly keepsBack: boolean },
  ) {
    this.plan = plan
    this.#processes = processes
    this.#how = how
  }

  get id(): string {
    return this.plan.id
  }

  /** `storePathRootDir`. */
  get store(): string {
    return join(this.plan.dir, 'store')
  }

  start(): void {
    const config = writeNodeProperties(this.plan, this.#how.namesrv)
    this.#run = this.#how.keepsBack
      ? this.#processes.program(faultyBroker, this.plan.dir, ['-c', config, '--keep-back'])
      : this.#processes.raftmq(this.plan.dir, ['broker', '-c', config])
  }

  /** Resolves when it has ended. */
  async kill(): Promise<void> {
    this.#run?.child.kill('SIGKILL')
    await this.#run?.exit
  }
}
