/** A cluster inside the caller's process: for test suites and tools. `raftmq up` starts the same with processes. */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Admin } from '../client/admin/admin.ts'
import { startBroker } from '../broker/main.ts'
import { readBrokerOptions, type BrokerConfiguration } from '../broker/options/options.ts'
import type { BrokerStatus, RunningBroker } from '../broker/running-broker.ts'
import { systemClock } from '../lib/clock.ts'
import { deferred } from '../lib/deferred.ts'
import { defineErrors, errorMessage } from '../lib/errors.ts'
import { knownKeys, shapeFault } from '../lib/known-keys.ts'
import { silentLog, type Log } from '../lib/log.ts'
import { systemRandom } from '../lib/prng.ts'
import type { Namesrv } from '../namesrv/namesrv.ts'
import { HOST, planCluster, planErrors, planJoining, type NodePlan, type NodePorts } from './cluster-plan.ts'
import { unusedPorts } from './free-ports.ts'
import { isServing } from './readiness.ts'
import { thisMachine } from './machine.ts'
import { makeFolder } from './make-folder.ts'
import { localNamesrvOptions, startNamesrv } from './start-namesrv.ts'

export const clusterErrors = defineErrors({
  CLUSTER_NOT_READY: {
    doc: 'A cluster in the caller’s process did not come to take traffic in time; the message says which nodes.',
    retriable: true,
  },
})

export interface StartClusterOptions {
  /** Nodes of a group, 3 if nothing is said; 1 is a single broker. */
  readonly nodes?: number
  /** Broker groups, 1 if nothing is said. */
  readonly brokers?: number
  /** Where the data is, and stays after `close`. If nothing is said: a temporary folder, gone after `close`. */
  readonly dir?: string
  /** Of groups that are new; sync if nothing is said. What counts is `mode` of a node's status. */
  readonly flush?: 'sync' | 'async'
  readonly replication?: 'sync' | 'async'
  /** More properties for every node, as in a broker's file (`docs/options.md`). */
  readonly properties?: Readonly<Record<string, string>>
  /** Where nodes log; nothing is logged if nothing is said. */
  readonly log?: Log
  /** How long to wait until every group takes traffic; 30 s if nothing is said. */
  readonly readyWithinMs?: number
}

export interface ClusterNode {
  /** Name of its group: broker-a, broker-b, …. */
  readonly broker: string
  /** n0, n1, …. */
  readonly id: string
  /** Where clients connect: host:port. */
  readonly address: string
  readonly dir: string
  /** Undefined while it is stopped or killed. */
  readonly status: BrokerStatus | undefined
}

export interface Cluster {
  /** Address of the name server, host:port: what clients are given. */
  readonly namesrv: string
  readonly nodes: readonly ClusterNode[]
  /** The node of `broker` (the first group if nothing is said) that leads and takes traffic, if there is one. */
  leader(broker?: string): ClusterNode | undefined
  /** Resolves when every group has a leader that takes traffic and every node that is not killed is up. */
  ready(): Promise<void>
  /** Stops a node cleanly: leadership is handed over, what is in flight answered. Its data stays. */
  stop(node: ClusterNode): Promise<void>
  /** Stops a node as `kill -9` would, as far as that is possible inside a process. Its data stays. */
  kill(node: ClusterNode): void
  /** Starts a stopped or killed node again on its data. Resolves once it takes part in its group. */
  restart(node: ClusterNode): Promise<void>
  /** One more node in `broker` (the first group if nothing is said). Resolves once it is filled and votes. */
  addNode(broker?: string): Promise<ClusterNode>
  /** Takes a node, running or killed, out of its group for good. Resolves once the group is without it. */
  removeNode(node: ClusterNode): Promise<void>
  /** Stops everything cleanly, and deletes the folder if it was a temporary one. */
  close(): Promise<void>
}

const keys = knownKeys<StartClusterOptions>({
  nodes: true,
  brokers: true,
  dir: true,
  flush: true,
  replication: true,
  properties: true,
  log: true,
  readyWithinMs: true,
})

const READY_WITHIN_MS = 30_000

/**
 * Starts a name server and broker groups in this process, on free ports of 127.0.0.1, and resolves when they take
 * traffic.
 * @throws `CLUSTER_INVALID`, `CLUSTER_NOT_READY`, `OPTIONS_INVALID`, or what a node says (`STORE_*`, …).
 */
export async function startCluster(options: StartClusterOptions = {}): Promise<Cluster> {
  const fault = shapeFault(options, 'startCluster', keys)
  if (fault !== undefined) throw planErrors.create('CLUSTER_INVALID', fault)
  const dir = options.dir ?? mkdtempSync(join(tmpdir(), 'raftmq-'))
  const cluster = new InProcessCluster(dir, options)
  try {
    await cluster.start()
    await cluster.ready()
  } catch (error) {
    await cluster.close()
    throw error
  }
  return cluster
}

class Member implements ClusterNode {
  readonly plan: NodePlan
  running: RunningBroker | undefined
  status: BrokerStatus | undefined
  /** Of the one that was killed. */
  ended: Promise<unknown> | undefined

  constructor(plan: NodePlan) {
    this.plan = plan
  }

  get broker(): string {
    return this.plan.broker
  }

  get id(): string {
    return this.plan.id
  }

  get address(): string {
    return `${HOST}:${this.plan.ports.client}`
  }

  get dir(): string {
    return this.plan.dir
  }
}

class InProcessCluster implements Cluster {
  readonly #dir: string
  readonly #options: StartClusterOptions
  readonly #changed = new Set<() => void>()
  #members: readonly Member[] = []
  /** Ids that were given, by group: none is given twice. */
  readonly #lastId = new Map<string, number>()
  #namesrv: Namesrv | undefined
  #closing: Promise<void> | undefined

  constructor(dir: string, options: StartClusterOptions) {
    this.#dir = dir
    this.#options = options
  }

  get namesrv(): string {
    return `${HOST}:${this.#namesrv?.port ?? 0}`
  }

  get nodes(): readonly ClusterNode[] {
    return this.#members
  }

  async start(): Promise<void> {
    const { nodes = 3, brokers = 1, flush, replication, log = silentLog } = this.#options
    makeFolder(this.#dir)
    const free = await unusedPorts(nodes * brokers * 2, systemRandom)
    const ports = (group: number, node: number): NodePorts => {
      const at = (group * nodes + node) * 2
      return { client: free[at] ?? 0, peer: free[at + 1] ?? 0 }
    }
    const plans = planCluster({
      nodes,
      brokers,
      dir: this.#dir,
      flush,
      replication,
      clusterName: 'DefaultCluster',
      ports,
    })
    this.#members = plans.map((plan) => new Member(plan))
    for (const { broker } of plans) this.#lastId.set(broker, nodes - 1)
    this.#namesrv = await startNamesrv(localNamesrvOptions(this.#dir, 0), log)
    await Promise.all(this.#members.map((member) => this.#run(member)))
  }

  leader(broker = 'broker-a'): ClusterNode | undefined {
    return this.#members.find(
      ({ plan, status }) => plan.broker === broker && status?.role === 'leader' && status.isReady,
    )
  }

  async ready(): Promise<void> {
    const { readyWithinMs = READY_WITHIN_MS } = this.#options
    const end = deferred<void>()
    const look = (): void => {
      if (isServing(this.#members.filter(({ running }) => running !== undefined))) end.resolve()
    }
    const overdue = systemClock.after(readyWithinMs, () => {
      const states = this.#members.map(({ broker, id, status }) => `${broker} ${id}: ${describe(status)}`).join(', ')
      const message = `the cluster does not take traffic after ${readyWithinMs} ms (${states})`
      end.reject(clusterErrors.create('CLUSTER_NOT_READY', message))
    })
    this.#changed.add(look)
    look()
    try {
      await end.promise
    } finally {
      overdue.cancel()
      this.#changed.delete(look)
    }
  }

  async stop(node: ClusterNode): Promise<void> {
    const member = this.#memberOf(node)
    const { running } = member
    member.running = undefined
    member.status = undefined
    await running?.close()
  }

  kill(node: ClusterNode): void {
    const member = this.#memberOf(node)
    member.running?.kill()
    member.ended = member.running?.ended
    member.running = undefined
    member.status = undefined
  }

  async restart(node: ClusterNode): Promise<void> {
    const member = this.#memberOf(node)
    if (member.running !== undefined) return
    // What was killed a moment ago may hold its folder still.
    await member.ended
    await this.#run(member)
  }

  async addNode(broker = 'broker-a'): Promise<ClusterNode> {
    const plans = this.#members.filter((member) => member.broker === broker).map(({ plan }) => plan)
    const last = this.#lastId.get(broker)
    if (last === undefined) throw new TypeError(`no group of this cluster: ${broker}`)
    const [client = 0, peer = 0] = await unusedPorts(2, systemRandom)
    const plan = planJoining(plans, `n${last + 1}`, { client, peer })
    this.#lastId.set(broker, last + 1)
    const member = new Member(plan)
    await this.#withAdmin((admin) =>
      admin.changeMembers(broker, { change: 'add', id: plan.id, place: `${HOST}:${peer}` }),
    )
    this.#members = [...this.#members, member]
    await this.#run(member)
    await this.#withAdmin((admin) => admin.changeMembers(broker, { change: 'promote', id: plan.id }))
    return member
  }

  async removeNode(node: ClusterNode): Promise<void> {
    const member = this.#memberOf(node)
    await this.#withAdmin((admin) => admin.changeMembers(node.broker, { change: 'remove', id: node.id }))
    // It hears that it is out, and ends by itself; a killed one has nothing to end.
    await member.running?.ended
    this.#members = this.#members.filter((other) => other !== member)
  }

  async #withAdmin(work: (admin: Admin) => Promise<void>): Promise<void> {
    const admin = new Admin({ namesrv: this.namesrv })
    try {
      await work(admin)
    } finally {
      admin.close()
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all(this.#members.map(async ({ running }) => running?.close()))
    await this.#namesrv?.close()
    if (this.#options.dir === undefined) await rm(this.#dir, { recursive: true, force: true })
  }

  async #run(member: Member): Promise<void> {
    const { log = silentLog } = this.#options
    let broker: RunningBroker | undefined
    const running = await startBroker(this.#configure(member.plan), {
      log: log.child({ broker: member.broker, node: member.id }),
      clock: systemClock,
      random: systemRandom,
      pid: process.pid,
      onStatus: (status) => {
        if (broker !== undefined && member.running !== broker) return
        member.status = status
        for (const look of this.#changed) look()
      },
    })
    broker = running
    member.running = running
    member.status = running.status
    for (const look of this.#changed) look()
    void this.#watch(member, running, log)
  }

  /** A node whose disk or an invariant failed is as good as killed. */
  async #watch(member: Member, running: RunningBroker, log: Log): Promise<void> {
    const reason = await running.ended
    if (member.running !== running) return
    member.running = undefined
    member.status = undefined
    if (reason !== undefined) log.error({ broker: member.broker, node: member.id }, errorMessage(reason))
  }

  #configure(plan: NodePlan): BrokerConfiguration {
    const said = { ...Object.fromEntries(plan.properties), namesrvAddr: this.namesrv, ...this.#options.properties }
    const entries = Object.entries(said).map(([key, value]) => ({ key, value, line: 0 }))
    return readBrokerOptions({ source: 'startCluster', entries }, thisMachine())
  }

  #memberOf(node: ClusterNode): Member {
    const member = this.#members.find(({ broker, id }) => broker === node.broker && id === node.id)
    if (member === undefined) throw new TypeError(`not a node of this cluster: ${node.broker} ${node.id}`)
    return member
  }
}

const describe = (status: BrokerStatus | undefined): string =>
  status === undefined ? 'not running' : `${status.role}${status.isReady ? '' : ', not ready'}`
