/**
 * Scenario `bad-clients`: a quarter of the peak from a client that behaves, alone and beside clients that do not, each a
 * process of its own: one that never reads what it is answered, one that pulls 4 MiB at a time as fast as it can, one that
 * sends one-way without end, and one that consumes slowly.
 */
import { join } from 'node:path'
import { FaultyCluster } from '../../src/cli/experiments/faulty-cluster.ts'
import { Producer } from '../../src/client/index.ts'
import { startBadClient, type BadClientName } from '../bad-client.ts'
import { rssMegabytesOf } from '../process-usage.ts'
import type { Bench, Measured, Metric, Scenario } from '../scenario.ts'
import { STEADY_TOPIC, steadyLoad } from '../steady-load.ts'

const SECONDS = 15

const badClients: Readonly<Record<BadClientName, string>> = {
  'never-reads': 'a client that never reads',
  'pulls-much': 'a client that pulls 4 MiB at a time',
  'floods-one-way': 'a client that floods with one-way sends',
  'slow-consumer': 'a consumer that takes a second for each message',
}
const NAMES = ['never-reads', 'pulls-much', 'floods-one-way', 'slow-consumer'] as const

export const badClientsScenario: Scenario = {
  name: 'bad-clients',
  title: 'a quarter of the peak beside clients that never read, pull 4 MiB at a time, flood one-way, consume slowly',
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
    for (const name of NAMES) {
      const { pid, plan } = cluster.leader ?? {}
      const port = plan?.ports.client ?? 0
      const bad = await startBadClient(bench, name, { namesrv: cluster.namesrv, port, topic: STEADY_TOPIC })
      const beside = await steadyLoad(producer, { seconds, ratePerSecond })
      const rssMegabytes = (pid === undefined ? undefined : rssMegabytesOf(pid)) ?? Number.NaN
      await bench.children.stop(bad)
      const what = `beside ${badClients[name]}`
      bench.say(`${what}: p99 ${beside.p99Ms} ms`)
      metrics.push(
        {
          name: `${what}: acknowledged of what is offered`,
          unit: '%',
          values: [(beside.perSecond * 100) / ratePerSecond],
          bar: { kind: 'least', value: 98, of: 'median' },
        },
        { name: `${what}: latency p99`, unit: 'ms', values: [beside.p99Ms] },
        { name: `${what}: memory (RSS) of the leader`, unit: 'MB', values: [rssMegabytes] },
      )
    }
    return { metrics, notes: [] }
  } finally {
    await producer.close()
    await cluster.kill()
  }
}
