/**
 * Scenario `slow-follower`: half of the peak is offered to three nodes, in turns with everything as it is, with one
 * follower whose disk takes fifty times as long for each sync, and with one that is 200 ms away. A majority is quick, so
 * nobody is to notice.
 */
import { join } from 'node:path'
import { FaultyCluster } from '../../src/cli/experiments/faulty-cluster.ts'
import { Producer } from '../../src/client/index.ts'
import { root } from '../command-line.ts'
import { DelayLines } from '../delay-lines.ts'
import { environmentOf } from '../environment.ts'
import type { Bench, Measured, Metric, Scenario } from '../scenario.ts'
import { median } from '../../src/report/statistics.ts'
import { STEADY_TOPIC, steadyLoad, type Steady } from '../steady-load.ts'

const SLOWER = 50
/** There and back. */
const AWAY_MS = 200
const FAR = 'n2'
const NEAR = ['n0', 'n1'] as const
const RUNS = 3
const SECONDS = 15

export const slowFollower: Scenario = {
  name: 'slow-follower',
  title: `half of the peak with a follower whose disk is ${SLOWER} times slower or that is ${AWAY_MS} ms away, in turns`,
  run: measure,
}

type How = 'sound' | 'slow' | 'far'
const NAMES: Readonly<Record<How, string>> = {
  sound: 'all followers sound',
  slow: 'one slow disk',
  far: `one follower ${AWAY_MS} ms away`,
}
const HOWS = ['sound', 'slow', 'far'] as const

async function measure(bench: Bench): Promise<Measured> {
  const seconds = bench.isQuick ? 3 : SECONDS
  const lines = await DelayLines.around(FAR, NEAR)
  const cluster = await FaultyCluster.start({
    nodes: 3,
    dir: join(bench.dir, 'cluster'),
    flush: 'sync',
    replication: 'sync',
    ready: (plans) => lines.open(bench, plans),
    properties: (id, plans) => [...lines.propertiesOf(id, plans), ['preferredLeaderId', NEAR.join(';')]],
  })
  const producer = new Producer({ namesrv: cluster.namesrv, group: 'bench' })
  const runs: Readonly<Record<How, Steady[]>> = { sound: [], slow: [], far: [] }
  const delayMs = SLOWER * (environmentOf(root, bench.dir).fsyncMs ?? 0.2)
  try {
    await producer.start()
    await producer.send({ topic: STEADY_TOPIC, body: 'first' })
    await steadyLoad(producer, { seconds: 3 })
    const peak = await steadyLoad(producer, { seconds })
    const ratePerSecond = peak.perSecond / 2
    bench.say(`peak ${Math.round(peak.perSecond)}/s; a slow sync takes ${delayMs.toFixed(1)} ms more`)
    for (let run = 1; run <= (bench.isQuick ? 1 : RUNS); run++) {
      for (const how of HOWS) {
        const follower = cluster.followers.find(({ id }) => id === FAR)
        if (follower === undefined) throw new Error(`${FAR} does not follow`)
        await follower.setFaults(how === 'slow' ? [{ on: 'sync', delayMs }] : [])
        lines.set(how === 'far' ? AWAY_MS / 2 : 0)
        runs[how].push(await steadyLoad(producer, { seconds, ratePerSecond }))
        bench.say(`${NAMES[how]}: p99 ${runs[how].at(-1)?.p99Ms} ms`)
      }
    }
    const before = median(runs.sound.map(({ p99Ms }) => p99Ms))
    return {
      metrics: [
        { name: 'offered: half of the peak', unit: '/s', values: [ratePerSecond] },
        { name: `${NAMES.sound}: latency p99`, unit: 'ms', values: runs.sound.map(({ p99Ms }) => p99Ms) },
        {
          name: `${NAMES.sound}: acknowledged of what is offered`,
          unit: '%',
          values: runs.sound.map(({ perSecond }) => (perSecond * 100) / ratePerSecond),
        },
        ...metricsOf(NAMES.slow, runs.slow, { before, ratePerSecond }),
        ...metricsOf(NAMES.far, runs.far, { before, ratePerSecond }),
      ],
      notes: [`a sync of the slow follower takes ${delayMs.toFixed(1)} ms more than the disk`],
    }
  } finally {
    await producer.close()
    await cluster.kill()
    lines.close()
  }
}

function metricsOf(
  name: string,
  runs: readonly Steady[],
  { before, ratePerSecond }: { readonly before: number; readonly ratePerSecond: number },
): readonly Metric[] {
  return [
    { name: `${name}: latency p99`, unit: 'ms', values: runs.map(({ p99Ms }) => p99Ms) },
    {
      name: `${name}: latency p99 against all sound`,
      unit: '%',
      values: runs.map(({ p99Ms }) => (p99Ms * 100) / before),
      bar: { kind: 'most', value: 120, of: 'median' },
    },
    {
      name: `${name}: acknowledged of what is offered`,
      unit: '%',
      values: runs.map(({ perSecond }) => (perSecond * 100) / ratePerSecond),
      bar: { kind: 'least', value: 98, of: 'median' },
    },
    { name: `${name}: sends not acknowledged`, unit: '', values: runs.map(({ failed }) => failed) },
  ]
}
