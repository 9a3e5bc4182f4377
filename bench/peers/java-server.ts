/** Stock RocketMQ servers as processes, with the heap that the comparison gives them. */
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { classPath } from '../../test/interop/support/maven.ts'
import { eventually } from '../children.ts'
import type { Turn } from './contender.ts'

/** Java 17 closes what the store maps files with; the stock launch scripts open it in the same way. */
const OPENS = ['java.base/java.nio', 'java.base/sun.nio.ch', 'java.base/java.lang', 'java.base/java.util'].flatMap(
  (name) => ['--add-opens', `${name}=ALL-UNNAMED`],
)
const LAST_WORDS = 8_192
const WITHIN_MS = 180_000
const EVERY_MS = 100

export interface JavaServer {
  readonly child: ChildProcess
  said(): string
}

/** Starts `main -c FILE` with these properties, everything of it in `turn.dir/name`. */
export async function startJavaServer(
  { dir, children }: Turn,
  server: {
    readonly name: string
    readonly main: string
    readonly heapMegabytes: number
    readonly properties: Readonly<Record<string, string | number>>
  },
): Promise<JavaServer> {
  const { name, main, heapMegabytes, properties } = server
  const home = join(dir, name)
  mkdirSync(join(home, 'conf'), { recursive: true })
  const file = join(home, 'server.properties')
  writeFileSync(
    file,
    Object.entries(properties)
      .map((pair) => `${pair.join('=')}\n`)
      .join(''),
  )
  const heap = [`-Xms${heapMegabytes}m`, `-Xmx${heapMegabytes}m`, '-XX:+UseG1GC', '-XX:-UseBiasedLocking']
  const args = [...heap, ...OPENS, `-Duser.home=${home}`, '-cp', await classPath('server-5.5'), main, '-c', file]
  const child = children.start('java', args, {
    cwd: home,
    env: { ...process.env, ROCKETMQ_HOME: home, NAMESRV_ADDR: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      // Logback tells its own configuration at length, in lines that begin with a time and `|-`.
      said = (said + chunk.toString()).slice(-LAST_WORDS).replaceAll(/^.*\|-.*\n/gm, '')
    })
  }
  return { child, said: () => said }
}

/** Resolves when `isThere`; rejects with what the servers said when one ends before, or none answers in three minutes. */
export async function whenThere(servers: readonly JavaServer[], isThere: () => Promise<boolean>): Promise<void> {
  const ended = (): boolean => servers.some(({ child }) => child.exitCode !== null)
  const holds = async (): Promise<boolean> => ended() || (await isThere())
  const isInTime = await eventually(holds, { withinMs: WITHIN_MS, everyMs: EVERY_MS })
  if (isInTime && !ended()) return
  throw new Error(
    `it did not start within ${WITHIN_MS / 1_000} s: ${servers.map((server) => server.said()).join('\n')}`,
  )
}

export function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
