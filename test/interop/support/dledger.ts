import { type ChildProcess, spawn } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask } from './ask.ts'
import { stop } from './java.ts'
import { temporaryFolder } from './places.ts'
import { freePorts } from './ports.ts'
import { leaderAddress, raftmqProgram } from './raftmq.ts'
import { startStockNamesrv } from './stock.ts'
import type { Target } from './target.ts'

const group = 'RaftNode00'

/** What RocketMQ ships as conf/dledger/broker-n0.conf and its two neighbours, with ports and folders of its own. */
function sample(self: number, ports: { client: number; peer: number }, namesrv: string, folder: string): string {
  const peers = [0, 1, 2].map((i) => `n${i}-127.0.0.1:${ports.peer + i}`).join(';')
  return `
brokerClusterName = RaftCluster
brokerName=${group}
listenPort=${ports.client + 4 * self}
namesrvAddr=${namesrv}
storePathRootDir=${join(folder, `node0${self}`)}
storePathCommitLog=${join(folder, `node0${self}`, 'commitlog')}
enableDLegerCommitLog=true
dLegerGroup=${group}
dLegerPeers=${peers}
## must be unique
dLegerSelfId=n${self}
sendMessageThreadPoolNums=16
brokerIP1=127.0.0.1
`
}

/** Three RaftMQ nodes from RocketMQ's own sample files, registered with a stock name server. */
export async function startDledger(): Promise<Target> {
  const program = raftmqProgram()
  const folder = temporaryFolder('dledger')
  const namesrv = await startStockNamesrv()
  const ports = { client: (await freePorts(16)) + 2, peer: await freePorts(3) }
  const nodes: ChildProcess[] = []
  let said = ''
  let closing = false
  const start = (self: number): void => {
    const file = join(folder, `broker-n${self}.conf`)
    const child = spawn(process.execPath, [program, 'broker', '-c', file], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-16_384)))
    child.once('exit', () => {
      if (!closing) start(self)
    })
    nodes[self] = child
  }
  const close = async (): Promise<void> => {
    closing = true
    await Promise.all(nodes.map(stop))
    await namesrv.close()
    rmSync(folder, { recursive: true, force: true })
  }
  for (const self of [0, 1, 2]) {
    writeFileSync(join(folder, `broker-n${self}.conf`), sample(self, ports, namesrv.address, folder))
    start(self)
  }
  for (let i = 0; (await ask(namesrv.address, 105, { topic: 'TBW102' })).code !== 0; i++) {
    if (i > 300) {
      await close()
      throw new Error(`the group did not register:\n${said}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return {
    name: 'raftmq',
    namesrv: namesrv.address,
    cluster: 'RaftCluster',
    brokers: [group],
    nodes: 3,
    said: () => said,
    async killLeader() {
      const port = Number((await leaderAddress(namesrv.address)).split(':')[1])
      nodes[(port - ports.client) / 4]?.kill('SIGKILL')
    },
    close,
  }
}
