/** RocketMQ 5.5 from Maven Central as contenders: alone, as a pair, with DLedger, with a controller. */
import { join } from 'node:path'
import { ask } from '../../test/interop/support/ask.ts'
import { freePorts } from '../../test/interop/support/ports.ts'
import type { Contender, Turn } from './contender.ts'
import { javaLoad } from './java-load.ts'
import { type JavaServer, startJavaServer, takesConnections, whenThere } from './java-server.ts'

const HEAP_MEGABYTES = 1_024
const NAMESRV_HEAP_MEGABYTES = 256
const GET_ROUTEINFO_BY_TOPIC = 105
/** A broker uses its listen port, the one two below it, and is given two more. */
const PORTS_OF_A_BROKER = 5

type Properties = Readonly<Record<string, string | number>>

/** Ports of one turn. */
interface Ports {
  readonly namesrv: number
  readonly controller: number
  /** Where clients reach broker `n`. */
  broker(n: number): number
  /** Where broker `n` replicates. */
  peer(n: number): number
}

/** How brokers of one kind are configured. */
interface Kind {
  readonly title: string
  readonly brokers: number
  readonly namesrv?: (ports: Ports, dir: string) => Properties
  readonly broker: (n: number, ports: Ports) => Properties
}

/** Broker ids in a route of a kind whose brokers all register: the route is whole when there are so many. */
const kinds = {
  single: {
    title: 'RocketMQ 5.5, one broker, SYNC_FLUSH',
    brokers: 1,
    broker: () => ({ brokerId: 0, brokerRole: 'ASYNC_MASTER', flushDiskType: 'SYNC_FLUSH' }),
  },
  // Without `totalReplicas` the master thinks that it is alone and refuses; without `inSyncReplicas` it does not wait.
  pair: {
    title: 'RocketMQ 5.5, SYNC_MASTER and slave, SYNC_FLUSH, inSyncReplicas=2',
    brokers: 2,
    broker: (n, ports) => ({
      brokerId: n,
      brokerRole: n === 0 ? 'SYNC_MASTER' : 'SLAVE',
      flushDiskType: 'SYNC_FLUSH',
      haListenPort: ports.peer(n),
      totalReplicas: 2,
      inSyncReplicas: 2,
    }),
  },
  dledger: {
    title: 'RocketMQ 5.5, DLedger, 3 nodes',
    brokers: 3,
    broker: (n, ports) => ({
      enableDLegerCommitLog: 'true',
      dLegerGroup: 'broker-a',
      dLegerPeers: [0, 1, 2].map((at) => `n${at}-127.0.0.1:${ports.peer(at)}`).join(';'),
      dLegerSelfId: `n${n}`,
    }),
  },
  controller: {
    title: 'RocketMQ 5.5, controller mode, 3 brokers, SYNC_FLUSH, inSyncReplicas=2',
    brokers: 3,
    namesrv: (ports, dir) => ({
      enableControllerInNamesrv: 'true',
      controllerDLegerGroup: 'controller',
      controllerDLegerPeers: `n0-127.0.0.1:${ports.controller}`,
      controllerDLegerSelfId: 'n0',
      controllerStorePath: join(dir, 'controller'),
    }),
    broker: (n, ports) => ({
      enableControllerMode: 'true',
      controllerAddr: `127.0.0.1:${ports.controller}`,
      brokerRole: 'SYNC_MASTER',
      flushDiskType: 'SYNC_FLUSH',
      haListenPort: ports.peer(n),
      totalReplicas: 3,
      inSyncReplicas: 2,
      minInSyncReplicas: 2,
    }),
  },
} as const satisfies Readonly<Record<string, Kind>>

export function rocketmq(name: keyof typeof kinds): Contender {
  const kind: Kind = kinds[name]
  return { title: kind.title, load: javaLoad, start: (turn) => start(turn, kind) }
}

async function start(turn: Turn, kind: Kind): Promise<Awaited<ReturnType<Contender['start']>>> {
  const first = await freePorts(2 + PORTS_OF_A_BROKER * kind.brokers)
  const ports: Ports = {
    namesrv: first,
    controller: first + 1,
    broker: (n) => first + 4 + PORTS_OF_A_BROKER * n,
    peer: (n) => first + 5 + PORTS_OF_A_BROKER * n,
  }
  const servers: JavaServer[] = []
  const close = async (): Promise<void> => {
    // The brokers first, all at once: a name server that is gone makes them wait.
    const [namesrv, ...brokers] = servers
    await Promise.all(brokers.map(({ child }) => turn.children.stop(child)))
    if (namesrv !== undefined) await turn.children.stop(namesrv.child)
  }
  try {
    const namesrv = await startJavaServer(turn, {
      name: 'namesrv',
      main: 'org.apache.rocketmq.namesrv.NamesrvStartup',
      heapMegabytes: NAMESRV_HEAP_MEGABYTES,
      properties: { listenPort: ports.namesrv, ...kind.namesrv?.(ports, turn.dir) },
    })
    servers.push(namesrv)
    await whenThere([namesrv], () => takesConnections(ports.namesrv))
    for (let n = 0; n < kind.brokers; n++) {
      servers.push(
        await startJavaServer(turn, {
          name: `broker-${n}`,
          main: 'org.apache.rocketmq.broker.BrokerStartup',
          heapMegabytes: HEAP_MEGABYTES,
          properties: { ...common(n, ports, turn.dir), ...kind.broker(n, ports) },
        }),
      )
    }
    await whenThere(servers, async () => (await registered(ports.namesrv)).size === kind.brokers)
    return {
      address: `127.0.0.1:${ports.namesrv}`,
      async nodes() {
        const leader = (await registered(ports.namesrv)).get('0')
        return servers.slice(1).map(({ child }, n) => ({
          role: leader === `127.0.0.1:${ports.broker(n)}` ? 'leader' : 'follower',
          pid: child.pid ?? 0,
        }))
      },
      said: () => servers.map((server) => server.said()).join('\n'),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

function common(n: number, ports: Ports, dir: string): Properties {
  const store = join(dir, `broker-${n}`, 'store')
  return {
    brokerClusterName: 'DefaultCluster',
    brokerName: 'broker-a',
    listenPort: ports.broker(n),
    bindAddress: '127.0.0.1',
    brokerIP1: '127.0.0.1',
    brokerIP2: '127.0.0.1',
    namesrvAddr: `127.0.0.1:${ports.namesrv}`,
    storePathRootDir: store,
    storePathCommitLog: join(store, 'commitlog'),
    storePathEpochFile: join(store, 'epoch'),
    autoCreateTopicEnable: 'true',
    diskMaxUsedSpaceRatio: 95,
  }
}

/** Broker id → address of `broker-a`, as the name server tells clients; empty as long as nothing is registered. */
async function registered(namesrvPort: number): Promise<ReadonlyMap<string, string>> {
  const request = { topic: 'TBW102', acceptStandardJsonOnly: 'true' }
  const answer = await ask(`127.0.0.1:${namesrvPort}`, GET_ROUTEINFO_BY_TOPIC, request).catch(() => undefined)
  if (answer?.code !== 0) return new Map()
  const route: unknown = JSON.parse(answer.body.toString())
  return brokerAddresses(route)
}

/** `brokerDatas[0].brokerAddrs` of a TopicRouteData. */
function brokerAddresses(route: unknown): ReadonlyMap<string, string> {
  if (typeof route !== 'object' || route === null || !('brokerDatas' in route)) return new Map()
  const [first]: unknown[] = Array.isArray(route.brokerDatas) ? route.brokerDatas : []
  if (typeof first !== 'object' || first === null || !('brokerAddrs' in first)) return new Map()
  const { brokerAddrs } = first
  if (typeof brokerAddrs !== 'object' || brokerAddrs === null) return new Map()
  return new Map(Object.entries(brokerAddrs).map(([id, address]) => [id, String(address)]))
}
