import { execFile, spawn } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { ask } from './ask.ts'
import { stop } from './java.ts'
import { checkout, temporaryFolder } from './places.ts'
import { freePorts } from './ports.ts'
import type { Target } from './target.ts'
import { parseJson } from './json.ts'

const run = promisify(execFile)

/** The built command line; `RAFTMQ_PROGRAM` names another build of it. */
export function raftmqProgram(): string {
  const program = process.env['RAFTMQ_PROGRAM'] ?? join(checkout, 'dist/cli/main.js')
  if (!existsSync(program)) throw new Error(`${program} is not there: npm run build`)
  return program
}

interface Node {
  readonly broker: string
  readonly id: string
  readonly pid: number
  readonly address: string
  readonly role: string
}

interface NodeStatus extends Partial<Node> {
  readonly bytesOnDisk: number | null
}

async function statusOf(namesrv: string): Promise<readonly NodeStatus[]> {
  const { stdout } = await run(process.execPath, [raftmqProgram(), 'status', '-n', namesrv, '--json'], {
    timeout: 20_000,
  })
  return parseJson<{ nodes: NodeStatus[] }>(stdout).nodes
}

/** The pid of a node now: `up` prints them once, and a killed node comes back under another. */
async function pidOf(namesrv: string, address: string): Promise<number> {
  const nodes = await statusOf(namesrv)
  const pid = nodes.find((node) => node.address === address)?.pid
  if (pid === undefined) throw new Error(`raftmq status does not name a pid for ${address}: ${JSON.stringify(nodes)}`)
  return pid
}

const BACK_WITHIN_MS = 30_000
/** A stock client asks for routes every 30 s, and in between sends to who led then. */
const ROUTES_ARE_OLD_MS = 32_000

/** The supervisor started the node again: every node answers, the one at `address` under another pid. */
async function isBack(namesrv: string, address: string, before: number): Promise<void> {
  const endMs = Date.now() + BACK_WITHIN_MS
  for (;;) {
    const nodes = await statusOf(namesrv).catch(() => [])
    const node = nodes.find((one) => one.address === address)
    const isWhole = nodes.every(({ pid }) => typeof pid === 'number') && nodes.some(({ role }) => role === 'leader')
    if (isWhole && typeof node?.pid === 'number' && node.pid !== before) return
    if (Date.now() > endMs) throw new Error(`${address} is not back after ${BACK_WITHIN_MS} ms`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** Sends until every node has so many bytes on its disk: failover with a log of some age. */
async function fill(namesrv: string, bytes: number): Promise<void> {
  const command = [
    'bench',
    'send',
    '-n',
    namesrv,
    '-t',
    'Filling',
    '--size',
    '16384',
    '--in-flight',
    '256',
    '--seconds',
    '5',
  ]
  for (;;) {
    const least = Math.min(...(await statusOf(namesrv)).map(({ bytesOnDisk }) => bytesOnDisk ?? 0))
    console.log(`${(least / 1e9).toFixed(1)} GB on every disk`)
    if (least >= bytes) return
    await run(process.execPath, [raftmqProgram(), ...command], { timeout: 60_000 })
  }
}

/** Where clients find the leader: brokerId 0 of the route. */
export async function leaderAddress(namesrv: string): Promise<string> {
  const { body } = await ask(namesrv, 105, { topic: 'TBW102', acceptStandardJsonOnly: 'true' })
  // TopicRouteData; only what is read here.
  const route = parseJson<{ brokerDatas: { brokerAddrs: Record<string, string> }[] }>(body.toString())
  const address = route.brokerDatas[0]?.brokerAddrs['0']
  if (address === undefined) throw new Error('the route names no leader')
  return address
}

/** A name server and a group of three nodes, by `raftmq up`, on free ports with a folder of their own. */
export async function startRaftmq({ fillBytes = 0 }: { fillBytes?: number } = {}): Promise<Target> {
  const program = raftmqProgram()
  const folder = temporaryFolder('interop')
  const namesrvPort = await freePorts(1)
  const port = await freePorts(40)
  const ports = ['--namesrv-port', String(namesrvPort), '--port', String(port)]
  const child = spawn(process.execPath, [program, 'up', '--json', '--dir', folder, ...ports], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-16_384)))
  const close = async (): Promise<void> => {
    await stop(child)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const ready = await new Promise<{ namesrv: string; nodes: Node[] }>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`raftmq up printed nothing in 30 s:\n${said}`)), 30_000)
      createInterface({ input: child.stdout }).on('line', (line) => {
        clearTimeout(timer)
        if (line.startsWith('{')) resolve(parseJson<{ namesrv: string; nodes: Node[] }>(line))
      })
      child.once('exit', (code) => {
        clearTimeout(timer)
        reject(new Error(`raftmq up ended with code ${code}:\n${said}`))
      })
    })
    if (fillBytes > 0) await fill(ready.namesrv, fillBytes)
    let moves = 0
    const first = new Map(ready.nodes.map((node) => [node.address, node.pid]))
    return {
      name: 'raftmq',
      namesrv: ready.namesrv,
      cluster: 'DefaultCluster',
      brokers: [...new Set(ready.nodes.map(({ broker }) => broker))],
      nodes: ready.nodes.length,
      said: () => said,
      async moveLeader() {
        const leader = await leaderAddress(ready.namesrv)
        const to = ready.nodes.filter(({ address }) => address !== leader)[moves++ % (ready.nodes.length - 1)]
        if (to === undefined) throw new Error('there is no other node')
        const command = ['transfer-leader', '-n', ready.namesrv, '--broker', to.broker, '--to', to.id]
        await run(process.execPath, [raftmqProgram(), ...command], { timeout: 20_000 })
      },
      async restartAll() {
        // The leader last, and only once no client takes it for the leader any more.
        const leader = await leaderAddress(ready.namesrv)
        const inOrder = [...ready.nodes].sort((a, b) => Number(a.address === leader) - Number(b.address === leader))
        for (const { address } of inOrder) {
          if (address === leader) {
            const to = inOrder[0]
            if (to === undefined) throw new Error('there is no other node')
            const command = ['transfer-leader', '-n', ready.namesrv, '--broker', to.broker, '--to', to.id]
            await run(process.execPath, [raftmqProgram(), ...command], { timeout: 20_000 })
            await new Promise((resolve) => setTimeout(resolve, ROUTES_ARE_OLD_MS))
          }
          const before = await pidOf(ready.namesrv, address)
          process.kill(before, 'SIGTERM')
          await isBack(ready.namesrv, address, before)
        }
      },
      async killLeader() {
        const address = await leaderAddress(ready.namesrv)
        const pid = await pidOf(ready.namesrv, address).catch((error: unknown) => {
          const known = first.get(address)
          if (known === undefined) throw error
          return known
        })
        process.kill(pid, 'SIGKILL')
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}
