/** A cluster of real processes: `raftmq up` of the built package, which restarts a node that dies. */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Admin } from '../src/client/index.ts'
import { sleep, systemClock } from '../src/lib/clock.ts'
import { freePorts } from '../test/interop/support/ports.ts'

export interface ProcessesRequest {
  readonly nodes: number
  readonly dir: string
  readonly flush: 'sync' | 'async'
  readonly replication: 'sync' | 'async'
  /** Starts the supervisor, for a caller that keeps account of its children. Default: Node's own. */
  readonly spawn?: (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess
}

export interface NodeProcess {
  readonly broker: string
  readonly id: string
  readonly pid: number
  readonly role: string
  /** Entries that the leader knows this node to lack; undefined where no leader says so. */
  readonly lagEntries: number | undefined
}

/** `dist-dev/chaos/` → the root of the checkout. */
const root = fileURLToPath(new URL('../../', import.meta.url))
const READY_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 50

export class LocalProcesses {
  readonly namesrv: string
  readonly #supervisor: ChildProcess
  readonly #admin: Admin
  readonly #nodes: number
  readonly #exit: Promise<unknown>

  private constructor(supervisor: ChildProcess, namesrv: string, nodes: number) {
    this.#supervisor = supervisor
    this.namesrv = namesrv
    this.#nodes = nodes
    this.#admin = new Admin({ namesrv })
    this.#exit = new Promise((resolve) => supervisor.once('exit', resolve))
  }

  /** Resolves when the cluster is ready for traffic. What the supervisor says of its nodes goes to standard error. */
  static async start(request: ProcessesRequest): Promise<LocalProcesses> {
    const { nodes, dir, flush, replication, spawn: start = spawn } = request
    const base = await freePorts(nodes * 10 + 2)
    const ports = ['--namesrv-port', String(base), '--port', String(base + 1)]
    const modes = ['--flush', flush, '--replication', replication]
    const supervisor = start(
      process.execPath,
      [join(root, 'dist/cli/main.js'), 'up', '--json', '--nodes', String(nodes), '--dir', dir, ...ports, ...modes],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    await firstLine(supervisor)
    return new LocalProcesses(supervisor, `127.0.0.1:${base}`, nodes)
  }

  /** The nodes as they say of themselves; those that do not answer are left out. */
  async nodes(): Promise<readonly NodeProcess[]> {
    const found = await this.#admin.nodes()
    const running = found.flatMap(({ brokerName, runtime }) => (runtime === undefined ? [] : [{ brokerName, runtime }]))
    const lags = new Map(running.flatMap(({ runtime }) => lagsOf(runtime.get('raftmq.followers') ?? '[]')))
    return running.map(({ brokerName, runtime }) => {
      const id = runtime.get('raftmq.nodeId') ?? ''
      const role = runtime.get('raftmq.role') ?? ''
      const lagEntries = role === 'leader' ? 0 : lags.get(id)
      return { broker: brokerName, id, pid: Number(runtime.get('raftmq.pid')), role, lagEntries }
    })
  }

  /** Resolves with the nodes when all are up, one leads, and none lacks more than `maxLagEntries`. */
  async whole(maxLagEntries: number): Promise<readonly NodeProcess[]> {
    const endMs = systemClock.monotonicMs() + READY_WITHIN_MS
    let nodes: readonly NodeProcess[] = []
    while (systemClock.monotonicMs() < endMs) {
      nodes = await this.nodes().catch(() => [])
      const caughtUp = nodes.filter(({ lagEntries = Infinity }) => lagEntries <= maxLagEntries)
      if (caughtUp.length === this.#nodes && nodes.some(({ role }) => role === 'leader')) return nodes
      await sleep(systemClock, LOOK_EVERY_MS)
    }
    throw new Error(`the cluster is not whole after ${READY_WITHIN_MS / 1000} s: ${JSON.stringify(nodes)}`)
  }

  /** A clean stop. */
  async stop(): Promise<void> {
    this.#admin.close()
    this.#supervisor.kill('SIGTERM')
    await this.#exit
  }
}

function lagsOf(followers: string): readonly (readonly [id: string, lagEntries: number])[] {
  const rows: unknown = JSON.parse(followers)
  if (!Array.isArray(rows)) return []
  return rows.flatMap((row: unknown) => {
    if (typeof row !== 'object' || row === null || !('id' in row) || !('lagEntries' in row)) return []
    return [[String(row.id), Number(row.lagEntries)] as const]
  })
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (text.includes('\n')) resolve(text)
    })
    child.on('exit', (code) => reject(new Error(`raftmq up ended before it was ready (${code})`)))
  })
}
