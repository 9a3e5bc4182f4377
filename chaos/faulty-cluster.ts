/**
 * A broker group of real processes whose disks can be broken while they run (`faulty-broker.ts`), with a name server in
 * this process. A node that ends stays down until it is started again.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BrokerStatus } from '../src/broker/running-broker.ts'
import { readFromChild, type ToChild } from '../src/cli/child-channel.ts'
import { writeNodeProperties } from '../src/cli/cluster-folder.ts'
import { HOST, planCluster, planJoining, type NodePlan } from '../src/cli/cluster-plan.ts'
import { unusedPorts } from '../src/cli/free-ports.ts'
import { isServing } from '../src/cli/readiness.ts'
import { localNamesrvOptions, startNamesrv } from '../src/cli/start-namesrv.ts'
import { present } from '../src/lib/assert.ts'
import { sleep, systemClock } from '../src/lib/clock.ts'
import { silentLog } from '../src/lib/log.ts'
import { systemRandom } from '../src/lib/prng.ts'
import type { Namesrv } from '../src/namesrv/namesrv.ts'
import { type DiskFault, type DiskMessage, isDiskMessage } from './faulty-file-system.ts'

export interface FaultyClusterRequest {
  readonly nodes: number
  readonly dir: string
  readonly flush: 'sync' | 'async'
  readonly replication: 'sync' | 'async'
  /** Keys of `broker.properties` of one node, beside those that every node has. */
  readonly properties?: (id: string, plans: readonly NodePlan[]) => readonly (readonly [key: string, value: string])[]
  /** Nodes keep back what was not synced: a kill is a power cut. */
  readonly keepsBack?: boolean
  /** Called with who will be started, before anybody is. */
  readonly ready?: (plans: readonly NodePlan[]) => Promise<void>
}

const program = fileURLToPath(new URL('./faulty-broker.js', import.meta.url))
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
    const { nodes, dir, flush, replication, properties, keepsBack = false } = request
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
      const node = new FaultyNode({ ...plan, properties: own }, { namesrv: address, keepsBack })
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
      await sleep(systemClock, LOOK_EVERY_MS)
    }
  }

  /** Resolves with the node that leads and takes traffic, once there is one. */
  async led(withinMs = READY_WITHIN_MS): Promise<FaultyNode> {
    const endMs = systemClock.monotonicMs() + withinMs
    for (let { leader } = this; ; leader = this.leader) {
      if (leader !== undefined) return leader
      if (systemClock.monotonicMs() > endMs) throw new Error(`nobody leads after ${withinMs} ms`)
      await sleep(systemClock, LOOK_EVERY_MS)
    }
  }

  /** One more node, started on an empty disk with a file that names the group and itself; it is no member by that. */
  async add(): Promise<FaultyNode> {
    const staying = this.nodes.filter(({ isGone }) => !isGone).map(({ plan }) => plan)
    const [client = 0, peer = 0] = await unusedPorts(2, systemRandom)
    const plan = planJoining(staying, `n${this.nodes.length}`, { client, peer })
    const { keepsBack = false } = this.#request
    const node = new FaultyNode(plan, { namesrv: this.namesrv, keepsBack })
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

interface HowToRun {
  readonly namesrv: string
  readonly keepsBack: boolean
}

export class FaultyNode {
  readonly plan: NodePlan
  /** It left its group, or does not belong to it yet: nobody waits for it. */
  isGone = false
  readonly #how: HowToRun
  #child: ChildProcess | undefined
  #exit: Promise<void> = Promise.resolve()
  #status: BrokerStatus | undefined

  constructor(plan: NodePlan, how: HowToRun) {
    this.plan = plan
    this.#how = how
  }

  get id(): string {
    return this.plan.id
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** What it said last; undefined while it does not run. */
  get status(): BrokerStatus | undefined {
    return this.#status
  }

  /** Starts the process; `faults` hold from its first access to the disk. */
  start(faults: readonly DiskFault[] = []): void {
    const config = writeNodeProperties(this.plan, this.#how.namesrv)
    const log = openSync(join(this.plan.dir, 'node.log'), 'a')
    const keepBack = this.#how.keepsBack ? ['--keep-back'] : []
    const child = fork(program, ['-c', config, '--faults', JSON.stringify(faults), ...keepBack], {
      stdio: ['ignore', log, log, 'ipc'],
      execArgv: [],
    })
    closeSync(log)
    this.#child = child
    child.on('message', (raw) => {
      const message = readFromChild(raw)
      if (message?.type === 'status') this.#status = message.status
    })
    this.#exit = new Promise((resolve) => {
      child.once('exit', () => {
        this.#child = undefined
        this.#status = undefined
        resolve()
      })
    })
  }

  /** Replaces the faults of its disk; resolves when they hold. */
  async setFaults(faults: readonly DiskFault[]): Promise<void> {
    const child = present(this.#child, 'only the disk of a running node is broken')
    const message: DiskMessage = { type: 'disk', faults }
    const taken = new Promise<void>((resolve) => {
      const hear = (raw: unknown): void => {
        if (!isDiskMessage(raw)) return
        child.off('message', hear)
        resolve()
      }
      child.on('message', hear)
    })
    child.send(message)
    await Promise.race([taken, this.#exit])
  }

  /** Resolves when the process has ended, however that comes. */
  get ended(): Promise<void> {
    return this.#exit
  }

  async stop(): Promise<void> {
    const stop: ToChild = { type: 'stop' }
    this.#child?.send(stop, () => {})
    await this.#exit
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#exit
  }
}
