/** Scenario `curve`: latency against offered rate, each send timed from when it was due. */
import { join } from 'node:path'
import { paced } from '../load/loads.ts'
import { type LoadFigures, quickWorkload } from '../load/workload.ts'
import { NodeCluster } from '../node-cluster.ts'
import type { Plot } from '../../src/report/plot.ts'
import type { Bench, Measured, Metric, Scenario } from '../scenario.ts'

const FLUSHES = ['sync', 'async'] as const
const RATES = [1_000, 3_000, 5_000, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 80_000, 100_000]
/** Below this share of the offered rate the cluster does not keep up: its latency is that of a growing queue. */
const KEEPS_UP = 0.97

export const curve: Scenario = {
  name: 'curve',
  title: 'latency at fixed offered rates, 128 B, 3 nodes, sync replication, in both flush modes',
  run: measure,
}

type Point = LoadFigures & { readonly offered: number }

async function measure(bench: Bench): Promise<Measured> {
  const curves = new Map<string, readonly Point[]>()
  for (const flush of FLUSHES) curves.set(flush, await curveOf(bench, flush))
  const kept = (flush: string): readonly Point[] =>
    (curves.get(flush) ?? []).filter(({ messages, seconds, offered }) => messages / seconds >= offered * KEEPS_UP)
  return {
    metrics: FLUSHES.flatMap((flush) => kept(flush).flatMap((point) => metricsOf(flush, point))),
    notes: FLUSHES.map((flush) => {
      const highest = Math.max(0, ...kept(flush).map(({ offered }) => offered))
      return `${flush} flush keeps up with ${highest.toLocaleString('en-US')}/s offered`
    }),
    plots: FLUSHES.flatMap((flush) => plotOf(flush, kept(flush))),
  }
}

/** In one process with one cluster, rate after rate, until one that it does not keep up with. */
async function curveOf(bench: Bench, flush: 'sync' | 'async'): Promise<readonly Point[]> {
  const cluster = await NodeCluster.start({ nodes: 3, dir: join(bench.dir, flush), flush })
  const points: Point[] = []
  try {
    for (const offered of bench.isQuick ? RATES.slice(0, 3) : RATES) {
      const workload = paced(`at${offered}`, offered)
      const figures = await cluster.loadOne(bench, bench.isQuick ? quickWorkload(workload) : workload)
      points.push({ ...figures, offered })
      const rate = figures.messages / figures.seconds
      bench.say(`${flush} flush, ${offered}/s: ${Math.round(rate)}/s, p50 ${figures.p50} ms, p99 ${figures.p99} ms`)
      if (rate < offered * KEEPS_UP) break
    }
    return points
  } finally {
    await cluster.close()
  }
}

function metricsOf(flush: string, { offered, p50, p99, p999 }: Point): readonly Metric[] {
  const name = (what: string): string => `${flush} flush at ${offered.toLocaleString('en-US')}/s: ${what}`
  return [
    { name: name('p50'), unit: 'ms', values: [p50] },
    { name: name('p99'), unit: 'ms', values: [p99] },
    { name: name('p99.9'), unit: 'ms', values: [p999] },
  ]
}

function plotOf(flush: string, points: readonly Point[]): readonly Plot[] {
  if (points.length === 0) return []
  const series = (['p50', 'p99', 'p999'] as const).map((name) => ({
    name: name === 'p999' ? 'p99.9' : name,
    points: points.map((point) => [point.offered, point[name]] as const),
  }))
  return [
    {
      title: `Latency against offered rate, ${flush} flush, sync replication`,
      kind: 'lines',
      x: { label: 'offered', unit: 'messages/s', isLog: true },
      y: { label: 'latency', unit: 'ms', isLog: true },
      series,
    },
  ]
}
