/** Scenario `stored`: whether a long log costs throughput, memory or time to start. */
import { join } from 'node:path'
import { fillTopic, gigabytes, noRoomFor } from '../load/fill.ts'
import { saturating } from '../load/loads.ts'
import { quickWorkload } from '../load/workload.ts'
import { NodeCluster } from '../node-cluster.ts'
import { rssMegabytesOf } from '../process-usage.ts'
import type { Bench, Measured, Metric, Scenario, Skipped } from '../scenario.ts'
import { openFilesOf } from '../usage-sampler.ts'

const NODES = 3
const SEGMENT_BYTES = 64 * 1024 * 1024
const BYTES = 10e9
const QUICK_BYTES = 2e8
const BODY_BYTES = 16_384
const SAMPLES = 3
/** Of the throughput with an empty log: the same, but for what a machine's own noise takes. */
const SAME = 0.85
const GROWN_MEGABYTES = 60

export const stored: Scenario = {
  name: 'stored',
  title: `a log of ${gigabytes(BYTES)} a node in segments of 64 MiB: throughput, memory, open files, start after a clean stop`,
  run: measure,
}

interface Seen {
  readonly rates: readonly number[]
  readonly rssMegabytes: readonly number[]
  readonly openFiles: readonly number[]
}

async function measure(bench: Bench): Promise<Measured | Skipped> {
  const bytes = bench.isQuick ? QUICK_BYTES : BYTES
  const skipped = noRoomFor(bytes * (NODES + 0.3), bench.dir)
  if (skipped !== undefined) return { skipped }
  const properties = { mappedFileSizeCommitLog: String(SEGMENT_BYTES) }
  const cluster = await NodeCluster.start({ nodes: NODES, dir: join(bench.dir, 'group'), flush: 'sync', properties })
  try {
    await look(bench, cluster, 'warm')
    const empty = await look(bench, cluster, 'empty')
    await fillTopic(bench, cluster, { topic: 'Filling', bytes, bodyBytes: BODY_BYTES })
    const full = await look(bench, cluster, 'full')
    const startMs = await cluster.restartEach()
    bench.say(`start after a clean stop: ${startMs.map((ms) => Math.round(ms)).join(', ')} ms`)
    const restarted = await look(bench, cluster, 'restarted')
    return { metrics: metricsOf({ bytes, empty, full, restarted, startMs }), notes: [] }
  } finally {
    await cluster.close()
  }
}

async function look(bench: Bench, cluster: NodeCluster, what: string): Promise<Seen> {
  const rates: number[] = []
  for (let sample = 0; sample < (bench.isQuick ? 1 : SAMPLES); sample++) {
    const workload = saturating(`${what}${sample}`, { warmSeconds: 2, seconds: 5 })
    const { messages, seconds } = await cluster.loadOne(bench, bench.isQuick ? quickWorkload(workload) : workload)
    rates.push(messages / seconds)
  }
  const of = (measureOne: (pid: number) => number | undefined): readonly number[] =>
    cluster.processes.flatMap(({ pid }) => measureOne(pid) ?? [])
  const seen = { rates, rssMegabytes: of(rssMegabytesOf), openFiles: of(openFilesOf) }
  bench.say(
    `${what}: ${rates.map((rate) => Math.round(rate)).join(', ')}/s, ${seen.rssMegabytes.map((mb) => Math.round(mb)).join(', ')} MB`,
  )
  return seen
}

function metricsOf(seen: {
  readonly bytes: number
  readonly empty: Seen
  readonly full: Seen
  readonly restarted: Seen
  readonly startMs: readonly number[]
}): readonly Metric[] {
  const { bytes, empty, full, restarted, startMs } = seen
  const sizes = [`empty log`, `${gigabytes(bytes)} of log`, `${gigabytes(bytes)} of log, after the restart`] as const
  const each = [empty, full, restarted].flatMap((one, at): Metric[] => [
    { name: `${sizes[at]}: acknowledged`, unit: '/s', values: one.rates },
    { name: `${sizes[at]}: memory of a node (RSS)`, unit: 'MB', values: one.rssMegabytes },
    { name: `${sizes[at]}: open files and sockets of a node`, unit: '', values: one.openFiles },
  ])
  return [
    {
      name: `${sizes[1]}: throughput, of that with an empty log`,
      unit: '×',
      values: full.rates.map((rate, at) => rate / (empty.rates[at] ?? Number.NaN)),
      bar: { kind: 'least', value: SAME, of: 'median' },
    },
    {
      name: `${sizes[1]}: memory of the largest node, beyond that with an empty log`,
      unit: 'MB',
      values: [Math.max(...full.rssMegabytes) - Math.max(...empty.rssMegabytes)],
      bar: { kind: 'most', value: GROWN_MEGABYTES, of: 'median' },
    },
    {
      name: `${sizes[1]}: start → ready after a clean stop`,
      unit: 'ms',
      values: startMs,
      bar: { kind: 'below', value: 2_000, of: 'max' },
    },
    ...each,
  ]
}
