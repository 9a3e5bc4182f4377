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
  /** More lines of the broker's file. */
  readonly properties?: readonly string[]
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

interface Server {
  readonly child: ChildProcess
  readonly folder: string
  said(): string
  close(): Promise<void>
}

/** Starts a stock server's main class with these properties, in a folder of its own. */
async function startServer(main: string, properties: readonly string[], serializer: string): Promise<Server> {
  const folder = temporaryFolder('stock')
  mkdirSync(join(folder, 'conf'), { recursive: true })
  const file = join(folder, 'server.properties')
  writeFileSync(file, `${properties.join('\n')}\n`)
  return launch(main, folder, file, serializer)
}

async function launch(main: string, folder: string, file: string, serializer: string): Promise<Server> {
  const child = startJava({
    classPath: await classPath('server-5.5'),
    main,
    arguments: ['-c', file],
    heapMegabytes: 512,
    home: folder,
    properties: { 'rocketmq.serialize.type': serializer },
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      // Logback tells its own configuration at length, in lines that begin with a time and `|-`.
      said = (said + chunk.toString()).slice(-65_536).replaceAll(/^.*\|-.*\n/gm, '')
    })
  }
  return {
    child,
    folder,
    said: () => said,
    async close() {
      await stop(child)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Waits until a server is there, or says why it is not. */
async function started(server: Server, isThere: () => Promise<boolean>): Promise<void> {
  for (let i = 0; !(await isThere()); i++) {
    if (i > 600 || server.child.exitCode !== null) throw new Error(`a stock server did not start:\n${server.said()}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

export interface StockNamesrv {
  readonly address: string
  said(): string
  close(): Promise<void>
}

export async function startStockNamesrv(options: StockOptions = {}): Promise<StockNamesrv> {
  const { bindAddress = '127.0.0.1', namesrvPort = await freePorts(1), serializer = 'JSON' } = options
  const properties = [`listenPort=${namesrvPort}`, `bindAddress=${bindAddress}`]
  const server = await startServer('org.apache.rocketmq.namesrv.NamesrvStartup', properties, serializer)
  try {
    await started(server, () => reachable(bindAddress, namesrvPort))
  } catch (error) {
    await server.close()
    throw error
  }
  return { address: `127.0.0.1:${namesrvPort}`, said: () => server.said(), close: () => server.close() }
}

const brokerMain = 'org.apache.rocketmq.broker.BrokerStartup'

/** A stock broker registered with the name server. */
async function startStockBroker(namesrv: string, options: StockOptions): Promise<Target> {
  const { bindAddress = '127.0.0.1', brokerPort = (await freePorts(4)) + 2, serializer = 'JSON' } = options
  const properties = [
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
    ...(options.properties ?? []),
  ]
  let server = await startServer(brokerMain, properties, serializer)
  try {
    await started(server, () => registered(namesrv))
  } catch (error) {
    await server.close()
    throw error
  }
  return {
    name: 'stock',
    namesrv,
    cluster: 'DefaultCluster',
    brokers: ['broker-a'],
    nodes: 1,
    said: () => server.said(),
    async killLeader() {
      const { child, folder } = server
      const dead = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await dead
      // A single stock broker has nobody to take over: its own restart is what the client waits for.
      server = await launch(brokerMain, folder, join(folder, 'server.properties'), serializer)
    },
    close: () => server.close(),
  }
}

/** A stock name server and broker from Maven Central, with a small heap: the harness is proven against these. */
export async function startStock(options: StockOptions = {}): Promise<Target> {
  if (options.namesrv !== undefined) return startStockBroker(options.namesrv, options)
  const namesrv = await startStockNamesrv(options)
  try {
    const broker = await startStockBroker(namesrv.address, options)
    return {
      ...broker,
      said: () => `${namesrv.said()}\n${broker.said()}`,
      async close() {
        await broker.close()
        await namesrv.close()
      },
    }
  } catch (error) {
    await namesrv.close()
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
