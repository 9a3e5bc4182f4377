/** Single nodes as processes of their own, started and killed by hand and timed from the start of the process. */
import { fork, type ChildProcess } from 'node:child_process'
import { mkdirSync, openSync, closeSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { readFromChild, type ToChild } from '../src/cli/child-channel.ts'
import { writeNodeProperties } from '../src/cli/cluster-folder.ts'
import { HOST, planCluster, type NodePlan } from '../src/cli/cluster-plan.ts'
import { unusedPorts } from '../src/cli/free-ports.ts'
import { nodeEnvironment } from '../src/cli/node-environment.ts'
import { sleep, systemClock } from '../src/lib/clock.ts'
import { systemRandom } from '../src/lib/prng.ts'
import { program } from './command-line.ts'

const GIVE_UP_MS = 120_000
const LOOK_EVERY_MS = 2

export interface GroupNeed {
  /** Of each group. */
  readonly nodes: number
  /** Groups; default 1. */
  readonly brokers?: number
  readonly dir: string
  readonly flush: 'sync' | 'async'
  /** Default: sync. */
  readonly replication?: 'sync' | 'async'
  readonly namesrv: string
  /** Keys of the nodes' files beside those of a local cluster. */
  readonly properties?: Readonly<Record<string, string>>
}

/** The nodes of one or several groups in `dir`, on ports that are free, with their `.properties` written. */
export async function planGroup(need: GroupNeed): Promise<readonly NodePlan[]> {
  const { nodes, brokers = 1, dir, flush, replication = 'sync', namesrv, properties = {} } = need
  const free = await freePorts(brokers * nodes * 2)
  const ports = (group: number, node: number): NodePlan['ports'] => {
    const at = (group * nodes + node) * 2
    return { client: free[at] ?? 0, peer: free[at + 1] ?? 0 }
  }
  const request = { nodes, brokers, dir, flush, replication, clusterName: 'DefaultCluster', ports }
  const plans = planCluster(request).map((plan) => ({
    ...plan,
    properties: new Map([...plan.properties, ...Object.entries(properties)]),
  }))
  for (const plan of plans) {
    mkdirSync(plan.dir, { recursive: true })
    writeNodeProperties(plan, namesrv)
  }
  return plans
}

export class BrokerProcess {
  readonly plan: NodePlan
  readonly startedMs: number
  readonly #child: ChildProcess
  readonly #exit: Promise<void>
  #readyMs: number | undefined
  #role = ''
  #term = 0
  #end: string | undefined

  private constructor(plan: NodePlan) {
    this.plan = plan
    const log = openSync(join(plan.dir, 'node.log'), 'a')
    this.startedMs = systemClock.monotonicMs()
    this.#child = fork(program, ['broker', '-c', join(plan.dir, 'broker.properties')], {
      stdio: ['ignore', log, log, 'ipc'],
      execArgv: [],
      env: nodeEnvironment(process.env),
    })
    closeSync(log)
    this.#child.on('message', (raw) => {
      const message = readFromChild(raw)
      if (message?.type !== 'status') return
      this.#role = message.status.role
      this.#term = message.status.term
      if (message.status.isReady) this.#readyMs ??= systemClock.monotonicMs()
    })
    this.#exit = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        this.#end = signal ?? `exit code ${code}`
        resolve()
      })
    })
  }

  static start(plan: NodePlan): BrokerProcess {
    return new BrokerProcess(plan)
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get isLeader(): boolean {
    return this.#role === 'leader'
  }

  /** The newest that the node has told of; it tells of every change of its role. */
  get term(): number {
    return this.#term
  }

  /** Milliseconds from the start of the process until it said that it is ready for traffic. */
  async ready(): Promise<number> {
    await this.#until('ready', () => Promise.resolve(this.#readyMs !== undefined))
    return (this.#readyMs ?? Number.NaN) - this.startedMs
  }

  /** Milliseconds from the start of the process until its port takes connections. */
  async listening(): Promise<number> {
    await this.#until('listening', () => takesConnections(this.plan.ports.client))
    return systemClock.monotonicMs() - this.startedMs
  }

  /** Milliseconds from the start of the process until `attempt` is true; it is made again and again. */
  async first(what: string, attempt: () => Promise<boolean>): Promise<number> {
    await this.#until(what, attempt)
    return systemClock.monotonicMs() - this.startedMs
  }

  async stop(): Promise<void> {
    const stop: ToChild = { type: 'stop' }
    if (this.#end === undefined) this.#child.send(stop, () => {})
    await this.#exit
  }

  async kill(): Promise<void> {
    if (this.#end === undefined) this.#child.kill('SIGKILL')
    await this.#exit
  }

  async #until(what: string, holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) {
      if (this.#end !== undefined) throw new Error(`${this.plan.id} ended (${this.#end}) before it was ${what}`)
      if (systemClock.monotonicMs() - this.startedMs > GIVE_UP_MS) {
        throw new Error(`${this.plan.id} is not ${what} after ${GIVE_UP_MS / 1000} s`)
      }
      await sleep(systemClock, LOOK_EVERY_MS)
    }
  }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: HOST })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** Free a moment ago, all different. */
export const freePorts = (count: number): Promise<readonly number[]> => unusedPorts(count, systemRandom)
