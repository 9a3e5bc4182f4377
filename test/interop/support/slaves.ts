import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stop } from './java.ts'
import { temporaryFolder } from './places.ts'
import { freePorts } from './ports.ts'
import { raftmqProgram } from './raftmq.ts'

export const PAIR = 'broker-b'

/** What RocketMQ ships as conf/2m-2s-sync/broker-b.properties and broker-b-s.properties, each on a host of its own. */
function sample(role: 'SYNC_MASTER' | 'SLAVE', port: number, folder: string): string {
  return `
brokerClusterName=DefaultCluster
brokerName=${PAIR}
brokerId=${role === 'SLAVE' ? 1 : 0}
deleteWhen=04
fileReservedTime=48
brokerRole=${role}
flushDiskType=ASYNC_FLUSH
listenPort=${port}
brokerIP1=127.0.0.1
bindAddress=127.0.0.1
storePathRootDir=${folder}
`
}

export interface PairNode {
  /** `host:port` for clients. */
  readonly address: string
  start(): void
  /** Ends the process, or makes it stand still and go on. */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void
}

export interface Pair {
  readonly master: PairNode
  readonly slave: PairNode
  said(): string
  close(): Promise<void>
}

/** A RaftMQ master and its slave, not started yet. */
export async function makePair(namesrv: string): Promise<Pair> {
  const folder = temporaryFolder('slaves')
  // The slave's port for its master is the one beside its own.
  const first = await freePorts(4)
  let said = ''
  const children: ChildProcess[] = []
  const node = (role: 'SYNC_MASTER' | 'SLAVE', port: number): PairNode => {
    const file = join(folder, `${role}.properties`)
    writeFileSync(file, sample(role, port, join(folder, role)))
    let child: ChildProcess | undefined
    return {
      address: `127.0.0.1:${port}`,
      start() {
        child = spawn(process.execPath, [raftmqProgram(), 'broker', '-c', file, '-n', namesrv], {
          stdio: ['ignore', 'ignore', 'pipe'],
        })
        child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-16_384)))
        children.push(child)
      },
      signal(signal) {
        child?.kill(signal)
      },
    }
  }
  return {
    master: node('SYNC_MASTER', first),
    slave: node('SLAVE', first + 2),
    said: () => said,
    async close() {
      for (const child of children) child.kill('SIGCONT')
      await Promise.all(children.map(stop))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
