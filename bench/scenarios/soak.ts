/** Scenario `soak`: half an hour and more at half of the peak: does anything grow? */
import { join } from 'node:path'
import { startConsumers } from '../load/consumers-process.ts'
import { paced, saturating } from '../load/loads.ts'
import { quickWorkload } from '../load/workload.ts'
import { NodeCluster, TOPIC } from '../node-cluster.ts'
import { type Plot, type Series, slopeOf } from '../../src/report/plot.ts'
import type { Bench, Measured, Metric, Scenario } from '../scenario.ts'
import { type Usage, UsageSampler } from '../usage-sampler.ts'
import { PingSampler } from '../ping-sampler.ts'

const SLICE_SECONDS = 10
const SAMPLE_MS = 2_000
const QUICK_MINUTES = 0.3
/** Caches fill, code is compiled: the trend is taken from what comes after. */
const SETTLED_SHARE = 0.25
/** So little for an hour is not told from noise by half an hour. */
const GROWTH = { megabytesPerHour: 20, filesPerHour: 10, pingMsPerHour: 2 } as const

export const soak: Scenario = {
  name: 'soak',
  title: 'a long run at half of the peak, produced and consumed: trend of memory, open files, delay of the event loop',
  run: measure,
}

interface Slice {
  readonly seconds: number
  readonly rate: number
  readonly p99: number
}

async function measure(bench: Bench): Promise<Measured> {
  const minutes = bench.isQuick ? QUICK_MINUTES : bench.soakMinutes
  const cluster = await NodeCluster.start({ nodes: 3, dir: join(bench.dir, 'group'), flush: 'sync', properties })
  const sampler = new UsageSampler({ everyMs: SAMPLE_MS })
  const pings = new PingSampler({ namesrv: cluster.namesrv, everyMs: SAMPLE_MS })
  try {
    const peakLoad = saturating('peak')
    const peak = await cluster.loadOne(bench, bench.isQuick ? quickWorkload(peakLoad) : peakLoad)
    const half = Math.round(peak.messages / peak.seconds / 2)
    const consumers = await startConsumers(bench, {
      namesrv: cluster.namesrv,
      topic: TOPIC,
      consumers: 1,
      members: 1,
    })
    sampler.watch(cluster.named)
    pings.watch(cluster.named)
    const slices: Slice[] = []
    const count = Math.max(1, Math.round((minutes * 60) / SLICE_SECONDS))
    await cluster.load(bench, {
      workloads: Array.from({ length: count }, (_, at) =>
        paced(`slice${at}`, half, { warmSeconds: at === 0 ? 3 : 0, seconds: SLICE_SECONDS }),
      ),
      onEnd(_, { messages, seconds, p99 }) {
        slices.push({ seconds: (slices.length + 1) * SLICE_SECONDS, rate: messages / seconds, p99 })
        if (slices.length % 6 === 0) {
          bench.say(`${slices.length / 6} min: ${Math.round(messages / seconds)}/s of ${half}/s, p99 ${p99} ms`)
        }
      },
    })
    await bench.children.stop(consumers)
    const usage = sampler.stop()
    const delay = pings.stop()
    return {
      metrics: metricsOf({ half, slices, usage, delay }),
      notes: [`at ${half.toLocaleString('en-US')}/s for ${minutes} minutes; trends without the first quarter`],
      plots: plotsOf(slices, usage, delay),
    }
  } finally {
    sampler.stop()
    pings.stop()
    await cluster.close()
  }
}

/** Small segments, kept for a short time: what a long run does is seen in a short one. */
const properties = { mappedFileSizeCommitLog: String(64 * 1024 * 1024) }

function settled({ points }: Series): Series['points'] {
  return points.slice(Math.floor(points.length * SETTLED_SHARE))
}

/** The steepest of the nodes, for an hour. */
function steepest(series: readonly Series[]): number {
  return Math.max(...series.map((one) => slopeOf(settled(one)) * 3_600))
}

const trend = (name: string, unit: string, series: readonly Series[], most: number): Metric => ({
  name: `trend of ${name}, the node where it is steepest`,
  unit,
  values: [steepest(series)],
  bar: { kind: 'most', value: most, of: 'max' },
})

function metricsOf(seen: {
  readonly half: number
  readonly slices: readonly Slice[]
  readonly usage: Usage
  readonly delay: readonly Series[]
}): readonly Metric[] {
  const { half, slices, usage, delay } = seen
  return [
    trend('memory (RSS)', 'MB/h', usage.rssMegabytes, GROWTH.megabytesPerHour),
    trend('open files and sockets', '/h', usage.openFiles, GROWTH.filesPerHour),
    trend('the delay of the event loop', 'ms/h', delay, GROWTH.pingMsPerHour),
    {
      name: 'acknowledged, of what was offered',
      unit: '×',
      values: slices.map(({ rate }) => rate / half),
      bar: { kind: 'least', value: 0.97, of: 'median' },
    },
    { name: 'p99 of each ten seconds', unit: 'ms', values: slices.map(({ p99 }) => p99) },
    {
      name: 'memory of a node at the end (RSS)',
      unit: 'MB',
      values: usage.rssMegabytes.flatMap(({ points }) => points.at(-1)?.[1] ?? []),
    },
  ]
}

function plotsOf(slices: readonly Slice[], usage: Usage, delay: readonly Series[]): readonly Plot[] {
  const x = { label: 'time', unit: 's' }
  const lines = (title: string, y: Plot['y'], series: readonly Series[]): Plot => ({
    title,
    kind: 'lines',
    x,
    y,
    series,
  })
  return [
    lines('Memory over time', { label: 'RSS', unit: 'MB' }, usage.rssMegabytes),
    lines('Processor over time', { label: 'of one core', unit: '%' }, usage.cpu),
    lines('Open files and sockets over time', { label: 'open', unit: '' }, usage.openFiles),
    lines('Delay of the event loop over time', { label: 'answer to a small request', unit: 'ms' }, delay),
    lines('p99 over time', { label: 'p99', unit: 'ms' }, [
      { name: '', points: slices.map(({ seconds, p99 }) => [seconds, p99]) },
    ]),
  ]
}
