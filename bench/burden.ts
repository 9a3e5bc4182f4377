/** A load without a burden and with it: what both reach, what the burden leaves, and what it weighs. */
import { median } from '../src/report/statistics.ts'
import { saturating } from './load/loads.ts'
import { quickWorkload } from './load/workload.ts'
import type { NodeCluster } from './node-cluster.ts'
import { rssMegabytesOf } from './process-usage.ts'
import type { Bench, Measured, Metric } from './scenario.ts'

/** With any burden, of the same load without it. */
const SHARE = 0.5
/** Of a load, each by itself. */
const RUNS = 3

export interface Burdened {
  /** What is done: `sends`. */
  readonly load: string
  /** What stands in its way: `1,000,000 timers pending`. */
  readonly burden: string
  readonly without: readonly number[]
  readonly with: readonly number[]
  /** Of the largest node, before and after; nothing where the system does not say. */
  readonly megabytes: readonly [alone: number | undefined, burdened: number | undefined]
}

export function burdenedMetrics({ load, burden, without, with: burdened, megabytes }: Burdened): Measured {
  const shares = burdened.map((rate) => rate / median(without))
  return {
    metrics: [
      { name: `${load}, nothing else`, unit: '/s', values: without },
      { name: `${load}, ${burden}`, unit: '/s', values: burdened },
      {
        name: `${load}, ${burden}: of what they are without`,
        unit: '×',
        values: shares,
        bar: { kind: 'least', value: SHARE, of: 'median' },
      },
      ...memory('nothing else', megabytes[0]),
      ...memory(burden, megabytes[1]),
    ],
    notes: [],
  }
}

function memory(how: string, value: number | undefined): readonly Metric[] {
  return value === undefined ? [] : [{ name: `memory of the largest node (RSS), ${how}`, unit: 'MB', values: [value] }]
}

/** Memory of the largest node; undefined where the system does not say. */
export function largestMegabytes(cluster: NodeCluster): number | undefined {
  const all = cluster.processes.flatMap(({ pid }) => rssMegabytesOf(pid) ?? [])
  return all.length === 0 ? undefined : Math.max(...all)
}

/** Sends a second, as fast as the cluster takes them, run by run; `name` sets these runs apart from others. */
export async function saturatingRates(bench: Bench, cluster: NodeCluster, name: string): Promise<number[]> {
  const found: number[] = []
  for (let run = 0; run < (bench.isQuick ? 1 : RUNS); run++) {
    const workload = saturating(`${name}${run}`)
    const { messages, seconds } = await cluster.loadOne(bench, bench.isQuick ? quickWorkload(workload) : workload)
    found.push(messages / seconds)
    bench.say(`${name}: ${Math.round(messages / seconds)}/s`)
  }
  return found
}
