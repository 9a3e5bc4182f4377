/**
 * Scenario `overload`: three nodes whose disks take some 5,000 sends a second are offered three times that, half by the
 * own client and half as a stock client writes sends, each once. What is stored, how soon the rest hears so, what a node
 * needs for it, and how soon everything is well again.
 */
import { join } from 'node:path'
import { FaultyCluster } from '../../src/cli/experiments/faulty-cluster.ts'
import { HOST } from '../../src/cli/cluster-plan.ts'
import { Producer } from '../../src/client/index.ts'
import { sleep, systemClock } from '../../src/lib/clock.ts'
import { SendLoad } from '../../src/load/send-load.ts'
import { rssMegabytesOf } from '../process-usage.ts'
import { type RawReport, RawSends } from '../raw-sends.ts'
import type { Bench, Measured, Scenario } from '../scenario.ts'

const TOPIC = 'overload'
const BODY_BYTES = 128
/** About 5,000 messages of 128 B a second, with their properties and heads. */
const DISK_BYTES_PER_SECOND = 1_750_000
const OFFERED_PER_SECOND = 15_000
const LIGHT_PER_SECOND = 2_500
const SECONDS = 60
const CAP_SECONDS = 8
const LIGHT_SECONDS = 5
const RECOVERED_WITHIN_S = 5

export const overload: Scenario = {
  name: 'overload',
  title: 'a slow disk that is offered three times what it takes: goodput, busy answers, memory, recovery',
  run: measure,
}

const ownMessage = (): { topic: string; body: Buffer } => ({ topic: TOPIC, body: Buffer.alloc(BODY_BYTES) })

async function measure(bench: Bench): Promise<Measured> {
  const seconds = bench.isQuick ? 8 : SECONDS
  const dir = join(bench.dir, 'cluster')
  const cluster = await FaultyCluster.start({ nodes: 3, dir, flush: 'sync', replication: 'sync' })
  const producer = new Producer({ namesrv: cluster.namesrv, group: 'bench', sendTimeoutMs: 3_000 })
  try {
    await producer.start()
    await producer.send({ topic: TOPIC, body: 'first' })
    for (const node of cluster.nodes) {
      await node.setFaults([{ on: 'write', path: 'commitlog', bytesPerSecond: DISK_BYTES_PER_SECOND }])
    }
    const address = `${HOST}:${cluster.leader?.plan.ports.client ?? 0}`
    const raw = (ratePerSecond: number): RawSends =>
      new RawSends({ address, topic: TOPIC, queues: 4, bodyBytes: BODY_BYTES, ratePerSecond })

    const cap = await capOf(producer, bench.isQuick ? 4 : CAP_SECONDS)
    bench.say(`the disks take ${Math.round(cap)} sends/s`)
    const before = await light(raw(LIGHT_PER_SECOND), LIGHT_SECONDS)

    const peaks = new Map(cluster.nodes.map(({ id }) => [id, 0]))
    const own = new SendLoad({
      clock: systemClock,
      producers: [producer],
      inFlight: 60_000,
      ratePerSecond: OFFERED_PER_SECOND / 2,
      message: ownMessage,
    })
    const stock = raw(OFFERED_PER_SECOND / 2)
    for (let second = 1; second <= seconds; second++) {
      await sleep(systemClock, 1_000)
      for (const { id, pid } of cluster.nodes) {
        peaks.set(id, Math.max(peaks.get(id) ?? 0, (pid === undefined ? undefined : rssMegabytesOf(pid)) ?? 0))
      }
      if (second % 10 === 0) bench.say(`${second} s: ${stock.report().stored + own.report().acknowledged} stored`)
    }
    const [ownReport, stockReport] = [own.report(), stock.report()]
    const ended = Promise.all([own.stop(), stock.stop()])

    const recovery = raw(LIGHT_PER_SECOND)
    const recoveredS = await recovered(recovery, before.storedMs.p99)
    await recovery.stop()
    const [, stockAll] = await ended
    const stored = ownReport.acknowledged + stockReport.stored
    return {
      metrics: [
        { name: 'what the disks take', unit: '/s', values: [cap] },
        {
          name: 'stored of what the disks take',
          unit: '%',
          values: [(stored * 100) / stockReport.seconds / cap],
          bar: { kind: 'least', value: 80, of: 'median' },
        },
        {
          name: 'stock sends: time to the busy answer, p99',
          unit: 'ms',
          values: [stockReport.busyMs.p99],
          bar: { kind: 'below', value: 100, of: 'median' },
        },
        { name: 'stock sends answered busy', unit: '', values: [stockReport.busy] },
        { name: 'stock sends stored: latency p99', unit: 'ms', values: [stockReport.storedMs.p99] },
        {
          name: 'stock sends neither stored nor answered busy',
          unit: '',
          values: [otherOf(stockAll)],
          bar: { kind: 'most', value: 0, of: 'median' },
        },
        { name: 'own sends undecided', unit: '', values: [ownReport.undecided] },
        {
          name: 'memory (RSS) of a node, peak',
          unit: 'MB',
          values: [...peaks.values()],
          bar: { kind: 'below', value: 300, of: 'max' },
        },
        {
          name: 'load back: seconds until the latency is as before',
          unit: 's',
          values: [recoveredS],
          bar: { kind: 'most', value: RECOVERED_WITHIN_S, of: 'median' },
        },
      ],
      notes: Object.entries(stockAll.other).map(([what, count]) => `${count} stock sends: ${what}`),
    }
  } finally {
    await producer.close()
    await cluster.kill()
  }
}

/** Acknowledged a second with enough in flight to keep the disks busy, and not so much that anything is refused. */
async function capOf(producer: Producer, seconds: number): Promise<number> {
  const load = new SendLoad({ clock: systemClock, producers: [producer], inFlight: 800, message: ownMessage })
  await sleep(systemClock, seconds * 1_000)
  const { acksPerSecond } = load.report()
  await load.stop()
  return acksPerSecond
}

async function light(sends: RawSends, seconds: number): Promise<RawReport> {
  await sleep(systemClock, seconds * 1_000)
  return sends.stop()
}

/** Whole seconds until one in which nothing was refused and the mean latency was near `usualMs`; at most a minute. */
async function recovered(sends: RawSends, usualMs: number): Promise<number> {
  for (let second = 1; second <= 60; second++) {
    sends.resetLatency()
    await sleep(systemClock, 1_000)
    const { storedMs, busyMs } = sends.report()
    if (busyMs.max === 0 && storedMs.p99 <= Math.max(2 * usualMs, 50)) return second
  }
  return 60
}

function otherOf({ other }: RawReport): number {
  return Object.values(other).reduce((sum, count) => sum + count, 0)
}
