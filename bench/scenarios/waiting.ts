/** Scenario `waiting`: what consumers cost that wait for messages, and what joining costs. */
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { Admin } from '../../src/client/index.ts'
import { startConsumers } from '../load/consumers-process.ts'
import { NodeCluster, TOPIC } from '../node-cluster.ts'
import type { Plot } from '../../src/report/plot.ts'
import { cpuMicrosOf } from '../process-usage.ts'
import type { Bench, Measured, Metric, Scenario } from '../scenario.ts'

const CONSUMERS = [1, 100, 500, 2_000]
const QUICK = [1, 20]
const QUEUES = 4
const MOST_QUEUES = 1_000
/** After the last has joined: groups settle, and the first heartbeats are over. */
const SETTLE_MS = 10_000
// Two rounds of heartbeats, four of held pulls.
const IDLE_MS = 60_000

export const waiting: Scenario = {
  name: 'waiting',
  title: '1 to 2,000 push consumers that wait for messages, in groups of four and in one group, 3 nodes',
  run: measure,
}

interface Waiting {
  readonly consumers: number
  /** Processor time of all nodes until everybody had joined and settled, for each consumer. */
  readonly joinMillis: number
  /** Percent of a core, of the busiest node. */
  readonly idlePercent: number
}

async function measure(bench: Bench): Promise<Measured> {
  const inFours: Waiting[] = []
  const inOne: Waiting[] = []
  for (const count of bench.isQuick ? QUICK : CONSUMERS) {
    inFours.push(await measureWaiting(bench, { consumers: count, members: QUEUES, queues: QUEUES }))
    inOne.push(await measureWaiting(bench, { consumers: count, members: count, queues: Math.min(count, MOST_QUEUES) }))
    const said = [inFours, inOne].flatMap((all) => all.slice(-1)).map(waitingText)
    bench.say(`${count} consumers: groups of ${QUEUES}: ${said[0]}; one group: ${said[1]}`)
  }
  return {
    metrics: [
      ...inFours.flatMap((one) => waitingMetrics(`in groups of ${QUEUES}`, one)),
      ...inOne.flatMap((one) => waitingMetrics('in one group', one)),
    ],
    notes: [],
    plots: waitingPlots(inFours, inOne),
  }
}

const waitingText = ({ idlePercent, joinMillis }: Waiting): string =>
  `${idlePercent.toFixed(1)} % idle, ${joinMillis.toFixed(1)} ms each to join`

async function measureWaiting(
  bench: Bench,
  { consumers, members, queues }: { readonly consumers: number; readonly members: number; readonly queues: number },
): Promise<Waiting> {
  const dir = join(bench.dir, `waiting-${consumers}-${members}`)
  const cluster = await NodeCluster.start({ nodes: 3, dir, flush: 'sync' })
  const admin = new Admin({ namesrv: cluster.namesrv })
  try {
    await admin.createTopic({ topic: TOPIC, queues })
    const pids = cluster.processes.map(({ pid }) => pid)
    const before = cpuOf(pids)
    const child = await startConsumers(bench, { namesrv: cluster.namesrv, topic: TOPIC, consumers, members })
    await sleep(bench.isQuick ? 1_000 : SETTLE_MS)
    const joined = cpuOf(pids)
    const idleMs = bench.isQuick ? 2_000 : IDLE_MS
    await sleep(idleMs)
    const after = cpuOf(pids)
    await bench.children.stop(child)
    const joinMicros = spent(joined, before).reduce((sum, micros) => sum + micros, 0)
    return {
      consumers,
      joinMillis: joinMicros / 1_000 / consumers,
      idlePercent: Math.max(...spent(after, joined)) / (idleMs * 10),
    }
  } finally {
    admin.close()
    await cluster.close()
  }
}

/** Process by process. */
const spent = (to: readonly number[], from: readonly number[]): readonly number[] =>
  to.map((micros, at) => micros - (from[at] ?? 0))

const cpuOf = (pids: readonly number[]): readonly number[] => pids.map((pid) => cpuMicrosOf(pid) ?? 0)

function waitingMetrics(how: string, { consumers, joinMillis, idlePercent }: Waiting): readonly Metric[] {
  const name = `${consumers.toLocaleString('en-US')} consumers that wait, ${how}`
  return [
    {
      name: `${name}: processor share of the busiest node`,
      unit: '%',
      values: [idlePercent],
      bar: { kind: 'below', value: 3, of: 'median' },
    },
    { name: `${name}: processor time of the nodes for each that joined`, unit: 'ms', values: [joinMillis] },
  ]
}

function waitingPlots(inFours: readonly Waiting[], inOne: readonly Waiting[]): readonly Plot[] {
  const x = { label: 'consumers', unit: '', isLog: true }
  const series = (of: (one: Waiting) => number): Plot['series'] => [
    { name: `in groups of ${QUEUES}`, points: inFours.map((one) => [one.consumers, of(one)]) },
    { name: 'in one group', points: inOne.map((one) => [one.consumers, of(one)]) },
  ]
  return [
    {
      title: 'Processor share of the busiest node while consumers wait',
      kind: 'lines',
      x,
      y: { label: 'of one core', unit: '%' },
      series: series((one) => one.idlePercent),
      bar: { value: 3, text: '3 %' },
    },
    {
      title: 'Processor time of the nodes for each consumer that joins',
      kind: 'lines',
      x,
      y: { label: 'processor time', unit: 'ms' },
      series: series((one) => one.joinMillis),
    },
  ]
}
