/** Scenario `connections`: throughput with many producers' connections. */
import { join } from 'node:path'
import { saturating } from '../load/loads.ts'
import { quickWorkload } from '../load/workload.ts'
import { NodeCluster } from '../node-cluster.ts'
import type { Plot } from '../../src/report/plot.ts'
import type { Bench, Measured, Metric, Scenario } from '../scenario.ts'

const PRODUCERS = [1, 10, 100, 500, 2_000]
const QUICK = [1, 20]
/** Of the peak, with the most connections. */
const SHARE = 0.7

export const connections: Scenario = {
  name: 'connections',
  title: '1 to 2,000 producers’ connections at saturation, 128 B, 3 nodes, sync flush, sync replication',
  run: measure,
}

async function measure(bench: Bench): Promise<Measured> {
  const rates = await producers(bench)
  const peak = Math.max(...rates.map(([, rate]) => rate))
  return {
    metrics: rates.map(
      ([count, rate]): Metric => ({
        name: `${count.toLocaleString('en-US')} producers’ connections: acknowledged`,
        unit: '/s',
        values: [rate],
        ...(count === rates.at(-1)?.[0]
          ? { bar: { kind: 'least', value: Math.round(peak * SHARE), of: 'median' } }
          : {}),
      }),
    ),
    notes: [],
    plots: [throughputPlot(rates, peak)],
  }
}

async function producers(bench: Bench): Promise<readonly (readonly [number, number])[]> {
  const cluster = await NodeCluster.start({ nodes: 3, dir: join(bench.dir, 'producers'), flush: 'sync' })
  try {
    const rates: [number, number][] = []
    for (const clients of bench.isQuick ? QUICK : PRODUCERS) {
      const workload = saturating(`connections${clients}`, { clients })
      const figures = await cluster.loadOne(bench, bench.isQuick ? quickWorkload(workload) : workload)
      rates.push([clients, figures.messages / figures.seconds])
      bench.say(`${clients} connections: ${Math.round(figures.messages / figures.seconds)}/s, p99 ${figures.p99} ms`)
    }
    return rates
  } finally {
    await cluster.close()
  }
}

function throughputPlot(rates: readonly (readonly [number, number])[], peak: number): Plot {
  return {
    title: 'Throughput against producers’ connections',
    kind: 'lines',
    x: { label: 'connections', unit: '', isLog: true },
    y: { label: 'acknowledged', unit: 'messages/s' },
    series: [{ name: '', points: rates }],
    bar: { value: peak * SHARE, text: `${SHARE * 100} % of the peak` },
  }
}
