/** NATS JetStream, R3 with file storage, as contenders. Server and load program are built by the Go toolchain. */
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePorts } from '../../test/interop/support/ports.ts'
import { eventually } from '../children.ts'
import { root } from '../command-line.ts'
import type { LoadCommand } from '../load/load-process.ts'
import type { Contender, Turn } from './contender.ts'
import { takesConnections } from './java-server.ts'

const run = promisify(execFile)

const SERVER = 'github.com/nats-io/nats-server/v2@v2.15.3'
const NODES = 3
const WITHIN_MS = 30_000
const EVERY_MS = 50
const LAST_WORDS = 8_192
const bin = join(root, 'node_modules/.cache/raftmq/bench/nats')
let built: Promise<{ readonly server: string; readonly load: string }> | undefined

/** `syncInterval`: JetStream's option of that name; undefined leaves its default, two minutes. */
export function natsJetStream(syncInterval: 'always' | undefined): Contender {
  const mode = syncInterval === undefined ? 'default sync' : `sync_interval: ${syncInterval}`
  return {
    title: `NATS JetStream R3, file storage, ${mode}`,
    load: async (): Promise<LoadCommand> => ({ command: (await programs()).load, args: [] }),
    start: (turn) => start(turn, syncInterval),
  }
}

/** Rejects where Go is missing or the module proxy does not answer. */
function programs(): Promise<{ readonly server: string; readonly load: string }> {
  built ??= build()
  return built
}

async function build(): Promise<{ readonly server: string; readonly load: string }> {
  await run('go', ['version']).catch(() => {
    throw new Error('go is not installed')
  })
  mkdirSync(bin, { recursive: true })
  await run('go', ['install', SERVER], { env: { ...process.env, GOBIN: bin } })
  const load = join(bin, 'load')
  await run('go', ['build', '-o', load, '.'], { cwd: join(root, 'bench/nats') })
  return { server: join(bin, 'nats-server'), load }
}

async function start({ dir, children }: Turn, syncInterval: string | undefined): ReturnType<Contender['start']> {
  const { server } = await programs()
  const first = await freePorts(2 * NODES)
  const client = (n: number): number => first + n
  const route = (n: number): string => `127.0.0.1:${first + NODES + n}`
  let said = ''
  const nodes = Array.from({ length: NODES }, (_, n) => {
    mkdirSync(join(dir, `n${n}`), { recursive: true })
    const file = join(dir, `n${n}`, 'server.conf')
    const routes = Array.from({ length: NODES }, (_, at) => `nats://${route(at)}`).join(', ')
    const sync = syncInterval === undefined ? '' : `, sync_interval: ${syncInterval}`
    const lines = [
      `server_name: n${n}`,
      `listen: 127.0.0.1:${client(n)}`,
      `jetstream { store_dir: ${JSON.stringify(join(dir, `n${n}`))}${sync} }`,
      `cluster { name: bench, listen: ${JSON.stringify(route(n))}, routes: [${routes}] }`,
    ]
    writeFileSync(file, `${lines.join('\n')}\n`)
    const child = children.start(server, ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] })
    child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-LAST_WORDS)))
    return child
  })
  const close = async (): Promise<void> => {
    await Promise.all(nodes.map((child) => children.stop(child)))
  }
  const areThere = async (): Promise<boolean> =>
    (await Promise.all(nodes.map((_, n) => takesConnections(client(n))))).every(Boolean)
  // Whether a leader of the streams is there, the load program sees when it makes its own.
  if (!(await eventually(areThere, { withinMs: WITHIN_MS, everyMs: EVERY_MS }))) {
    await close()
    throw new Error(`nats-server did not start: ${said}`)
  }
  return {
    address: nodes.map((_, n) => `nats://127.0.0.1:${client(n)}`).join(','),
    nodes: () => Promise.resolve(nodes.map(({ pid = 0 }) => ({ role: 'node', pid }))),
    said: () => said,
    close,
  }
}
