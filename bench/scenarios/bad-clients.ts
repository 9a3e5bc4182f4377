/**
 * Scenario `bad-clients`: a quarter of the peak from a client that behaves, alone and beside clients that do not: one that
 * never reads what it is answered, one that pulls 4 MiB at a time as fast as it can, and one that sends one-way without end.
 */
import { connect } from 'node:net'
import { join } from 'node:path'
import { FaultyCluster } from '../../src/cli/experiments/faulty-cluster.ts'
import { HOST } from '../../src/cli/cluster-plan.ts'
import { Producer } from '../../src/client/index.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { RemotingClient } from '../../src/remoting/client.ts'
import { RequestCode, SerializeType } from '../../src/remoting/codes.ts'
import { encodeFrame } from '../../src/remoting/frame-writer.ts'
import { rssMegabytesOf } from '../process-usage.ts'
import type { Bench, Measured, Metric, Scenario } from '../scenario.ts'
import { STEADY_TOPIC, steadyLoad } from '../steady-load.ts'

const SECONDS = 15
const PULL_BYTES = 4 * 1024 * 1024

/** Begins to misbehave towards the port; gives what ends it. */
type BadClient = (port: number) => () => void

const badClients: Readonly<Record<string, BadClient>> = {
  'a client that never reads': neverReads,
  'a client that pulls 4 MiB at a time': pullsMuch,
  'a client that floods with one-way sends': floodsOneway,
}

export const badClientsScenario: Scenario = {
  name: 'bad-clients',
  title: 'a quarter of the peak beside clients that never read, pull 4 MiB at a time, flood one-way',
  run: measure,
}

async function measure(bench: Bench): Promise<Measured> {
  const seconds = bench.isQuick ? 3 : SECONDS
  const dir = join(bench.dir, 'cluster')
  const cluster = await FaultyCluster.start({ nodes: 3, dir, flush: 'sync', replication: 'sync' })
  const producer = new Producer({ namesrv: cluster.namesrv, group: 'bench' })
  try {
    await producer.start()
    await producer.send({ topic: STEADY_TOPIC, body: 'first' })
    const peak = await steadyLoad(producer, { seconds })
    const ratePerSecond = peak.perSecond / 4
    const alone = await steadyLoad(producer, { seconds, ratePerSecond })
    bench.say(`alone: p99 ${alone.p99Ms} ms`)
    const metrics: Metric[] = [
      { name: 'offered: a quarter of the peak', unit: '/s', values: [ratePerSecond] },
      { name: 'alone: latency p99', unit: 'ms', values: [alone.p99Ms] },
    ]
    for (const [name, begin] of Object.entries(badClients)) {
      const { pid, plan } = cluster.leader ?? {}
      const end = begin(plan?.ports.client ?? 0)
      const beside = await steadyLoad(producer, { seconds, ratePerSecond })
      end()
      bench.say(`beside ${name}: p99 ${beside.p99Ms} ms`)
      metrics.push(
        {
          name: `beside ${name}: acknowledged of what is offered`,
          unit: '%',
          values: [(beside.perSecond * 100) / ratePerSecond],
          bar: { kind: 'least', value: 98, of: 'median' },
        },
        { name: `beside ${name}: latency p99`, unit: 'ms', values: [beside.p99Ms] },
        { name: `beside ${name}: memory (RSS) of the leader`, unit: 'MB', values: [rssOf(pid)] },
      )
    }
    return { metrics, notes: [] }
  } finally {
    await producer.close()
    await cluster.kill()
  }
}

function rssOf(pid: number | undefined): number {
  return (pid === undefined ? undefined : rssMegabytesOf(pid)) ?? Number.NaN
}

/** Asks for the broker's runtime information without end and never takes an answer. */
function neverReads(port: number): () => void {
  const socket = connect({ port, host: HOST })
  socket.on('error', () => undefined)
  const head = { form: SerializeType.JSON, code: RequestCode.GET_BROKER_RUNTIME_INFO, language: 0, version: 0, flag: 0 }
  let opaque = 0
  const timer = setInterval(() => {
    for (let n = 0; n < 100 && socket.writableLength < 1_000_000; n++) {
      socket.write(encodeFrame({ ...head, opaque: opaque++ }, {}))
    }
  }, 5)
  return () => {
    clearInterval(timer)
    socket.destroy()
  }
}

function pullsMuch(port: number): () => void {
  const client = new RemotingClient({ clock: systemClock, log: silentLog })
  let isOver = false
  const pull = (queueOffset: number): void => {
    const header = {
      consumerGroup: 'greedy',
      topic: STEADY_TOPIC,
      queueId: 0,
      queueOffset,
      maxMsgNums: 100_000,
      sysFlag: 0,
      commitOffset: 0,
      suspendTimeoutMillis: 0,
      subVersion: 0,
      subscription: '*',
      maxMsgBytes: PULL_BYTES,
    }
    const request = { code: RequestCode.LITE_PULL_MESSAGE, header }
    client.invokeCallback(`${HOST}:${port}`, request, 5_000, (_, answer) => {
      const next = Number(answer?.fields.get('nextBeginOffset') ?? 0)
      if (!isOver) setImmediate(() => pull(answer?.code === 0 ? next : 0))
    })
  }
  for (let lane = 0; lane < 4; lane++) pull(0)
  return () => {
    isOver = true
    client.close()
  }
}

function floodsOneway(port: number): () => void {
  const client = new RemotingClient({ clock: systemClock, log: silentLog })
  const body = Buffer.alloc(1_024)
  const header = {
    a: 'flood',
    b: STEADY_TOPIC,
    c: 'TBW102',
    d: 4,
    e: 1,
    f: 0,
    g: 0,
    h: 0,
    i: '',
    j: 0,
    k: false,
    m: false,
  }
  const timer = setInterval(() => {
    for (let n = 0; n < 200; n++) {
      const request = { code: RequestCode.SEND_MESSAGE_V2, form: SerializeType.ROCKETMQ, header, body }
      client.invokeOneway(`${HOST}:${port}`, request).catch(() => undefined)
    }
  }, 5)
  return () => {
    clearInterval(timer)
    client.close()
  }
}
