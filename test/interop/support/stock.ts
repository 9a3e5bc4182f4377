import type { ChildProcess } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { ask } from './ask.ts'
import { runJava, startJava, stop } from './java.ts'
import { classPath } from './maven.ts'
import { temporaryFolder } from './places.ts'
import { freePorts } from './ports.ts'
import type { Target } from './target.ts'

export interface StockOptions {
  /** Where the servers listen; the address they advertise stays 127.0.0.1 (a recorder may stand between). */
  readonly bindAddress?: string
  readonly namesrvPort?: number
  /** A name server that runs already, `host:port`; without it a stock one is started. */
  readonly namesrv?: string
  readonly brokerPort?: number
  /** The form of the header it answers in, whatever it is asked in. */
  readonly serializer?: 'JSON' | 'ROCKETMQ'
}

async function reachable(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

/** The broker registers seconds after it says that it has started; TBW102 has a route from then on. */
async function registered(namesrv: string): Promise<boolean> {
  const answer = await ask(namesrv, 105, { topic: 'TBW102' }).catch(() => undefined)
  return answer?.code === 0
}

/** A stock name server and broker from Maven Central, with a small heap: the harness is proven against these. */
export async function startStock(options: StockOptions = {}): Promise<Target> {
  const folder = temporaryFolder('stock')
  const home = join(folder, 'home')
  mkdirSync(join(home, 'conf'), { recursive: true })
  const bindAddress = options.bindAddress ?? '127.0.0.1'
  const namesrvPort = options.namesrvPort ?? (await freePorts(1))
  const namesrv = options.namesrv ?? `127.0.0.1:${namesrvPort}`
  const brokerPort = options.brokerPort ?? (await freePorts(4)) + 2
  writeFileSync(join(folder, 'namesrv.properties'), `listenPort=${namesrvPort}\nbindAddress=${bindAddress}\n`)
  writeFileSync(
    join(folder, 'broker.properties'),
    [
      'brokerClusterName=DefaultCluster',
      'brokerName=broker-a',
      'brokerId=0',
      `listenPort=${brokerPort}`,
      `bindAddress=${bindAddress}`,
      'brokerIP1=127.0.0.1',
      'brokerIP2=127.0.0.1',
      `namesrvAddr=${namesrv}`,
      // Relative to the folder it is started in: the runtime info names them, and golden frames carry that.
      'storePathRootDir=store',
      'storePathCommitLog=store/commitlog',
      'mappedFileSizeCommitLog=67108864',
      'maxIndexNum=200000',
      'maxHashSlotNum=50000',
      'autoCreateTopicEnable=true',
      'diskMaxUsedSpaceRatio=99',
      'flushDiskType=ASYNC_FLUSH',
      '',
    ].join('\n'),
  )
  const jars = await classPath('server-5.5')
  const children: ChildProcess[] = []
  let said = ''
  const start = (main: string, file: string): ChildProcess => {
    const child = startJava({
      classPath: jars,
      main,
      arguments: ['-c', join(folder, file)],
      heapMegabytes: 512,
      home,
      properties: { 'rocketmq.serialize.type': options.serializer ?? 'JSON' },
    })
    for (const stream of [child.stdout, child.stderr]) {
      // Logback tells its own configuration at length, in lines that begin with a time and `|-`.
      stream?.on(
        'data',
        (chunk: Buffer) => (said = (said + chunk.toString()).slice(-65_536).replaceAll(/^.*\|-.*\n/gm, '')),
      )
    }
    children.push(child)
    return child
  }
  const close = async (): Promise<void> => {
    for (const child of children.toReversed()) await stop(child)
    rmSync(folder, { recursive: true, force: true })
  }
  const broker = async (): Promise<ChildProcess> => {
    const child = start('org.apache.rocketmq.broker.BrokerStartup', 'broker.properties')
    for (let i = 0; !(await registered(namesrv)); i++) {
      if (i > 600 || child.exitCode !== null) throw new Error(`the stock broker did not start:\n${said}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    return child
  }
  try {
    if (options.namesrv === undefined) start('org.apache.rocketmq.namesrv.NamesrvStartup', 'namesrv.properties')
    for (let i = 0; options.namesrv === undefined && !(await reachable(bindAddress, namesrvPort)); i++) {
      if (i > 300) throw new Error(`the stock name server did not start:\n${said}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    let current = await broker()
    return {
      name: 'stock',
      namesrv,
      cluster: 'DefaultCluster',
      brokers: ['broker-a'],
      nodes: 1,
      said: () => said,
      async killLeader() {
        const before = current
        before.kill('SIGKILL')
        await new Promise((resolve) => before.once('exit', resolve))
        // A single stock broker has nobody to take over: its own restart is what the client waits for.
        void broker().then((child) => (current = child))
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Runs one stock mqadmin command and returns what it printed. */
export async function mqadmin(namesrv: string, command: string, ...rest: string[]): Promise<string> {
  const finished = await runJava(
    {
      classPath: await classPath('tools-5.5'),
      main: 'org.apache.rocketmq.tools.command.MQAdminStartup',
      arguments: [command, '-n', namesrv, ...rest],
    },
    60_000,
  )
  const text = finished.stdout + finished.stderr
  if (finished.code !== 0) throw new Error(`mqadmin ${command} ended with code ${finished.code}:\n${text}`)
  return text
}
