/**
 * Scenario `slow-follower`: half of the peak is offered to three nodes, in turns with all disks as they are and with one
 * follower whose disk takes fifty times as long for each sync. A majority is quick, so nobody is to notice.
 */
import { join } from 'node:path'
import { FaultyCluster } from '../../src/cli/experiments/faulty-cluster.ts'
import { Producer } from '../../src/client/index.ts'
import { environmentOf } from '../environment.ts'
import { root } from '../command-line.ts'
import type { Bench, Measured, Scenario } from '../scenario.ts'
import { median } from '../../src/report/statistics.ts'
import { STEADY_TOPIC, steadyLoad, type Steady } from '../steady-load.ts'

const SLOWER = 50
const RUNS = 3
const SECONDS = 15

export const slowFollower: Scenario = {
  name: 'slow-follower',
  title: `half of the peak with one follower whose disk is ${SLOWER} times slower, in turns with sound disks`,
  run: measure,
}

async function measure(bench: Bench): Promise<Measured> {
  const seconds = bench.isQuick ? 3 : SECONDS
  const dir = join(bench.dir, 'cluster')
  const cluster = await FaultyCluster.start({ nodes: 3, dir, flush: 'sync', replication: 'sync' })
  const producer = new Producer({ namesrv: cluster.namesrv, group: 'bench' })
  const runs = { sound: new Array<Steady>(), slow: new Array<Steady>() }
  const delayMs = SLOWER * (environmentOf(root, bench.dir).fsyncMs ?? 0.2)
  try {
    await producer.start()
    await producer.send({ topic: STEADY_TOPIC, body: 'first' })
    await steadyLoad(producer, { seconds: 3 })
    const peak = await steadyLoad(producer, { seconds })
    const ratePerSecond = peak.perSecond / 2
    bench.say(`peak ${Math.round(peak.perSecond)}/s; a slow sync takes ${delayMs.toFixed(1)} ms more`)
    for (let run = 1; run <= (bench.isQuick ? 1 : RUNS); run++) {
      for (const how of ['sound', 'slow'] as const) {
        const follower = cluster.followers[0]
        await follower?.setFaults(how === 'slow' ? [{ on: 'sync', delayMs }] : [])
        runs[how].push(await steadyLoad(producer, { seconds, ratePerSecond }))
        await follower?.setFaults([])
        bench.say(`${how}: p99 ${runs[how].at(-1)?.p99Ms} ms`)
      }
    }
    const before = median(runs.sound.map(({ p99Ms }) => p99Ms))
    return {
      metrics: [
        { name: 'offered: half of the peak', unit: '/s', values: [ratePerSecond] },
        { name: 'sound disks: latency p99', unit: 'ms', values: runs.sound.map(({ p99Ms }) => p99Ms) },
        { name: 'one slow follower: latency p99', unit: 'ms', values: runs.slow.map(({ p99Ms }) => p99Ms) },
        {
          name: 'one slow follower: latency p99 against sound disks',
          unit: '%',
          values: runs.slow.map(({ p99Ms }) => (p99Ms * 100) / before),
          bar: { kind: 'most', value: 120, of: 'median' },
        },
        {
          name: 'one slow follower: acknowledged of what is offered',
          unit: '%',
          values: runs.slow.map(({ perSecond }) => (perSecond * 100) / ratePerSecond),
          bar: { kind: 'least', value: 98, of: 'median' },
        },
        { name: 'sends not acknowledged', unit: '', values: runs.slow.map(({ failed }) => failed) },
      ],
      notes: [`a sync of the slow follower takes ${delayMs.toFixed(1)} ms more than the disk`],
    }
  } finally {
    await producer.close()
    await cluster.kill()
  }
}
