/** Scenario `connections`: throughput with many producers' connections. */
import { join } from 'node:path'
import { IN_FLIGHT, saturating } from '../load/loads.ts'
import { quickWorkload, type Workload } from '../load/workload.ts'
import { NodeCluster } from '../node-cluster.ts'
import { median } from '../../src/report/statistics.ts'
import type { Plot } from '../../src/report/plot.ts'
import type { Bench, Measured, Metric, Scenario } from '../scenario.ts'

const PRODUCERS = [1, 10, 100, 500, 2_000]
const QUICK = [1, 20]
const RUNS = 3
/** Of the peak, with the most connections. */
const SHARE = 0.7
const DEPTH_EACH = 64

/** Two readings of "more connections": the same load spread ever thinner, and ever more producers of one kind. */
interface Reading {
  /** Behind the number of connections; the first has no name, as it came first. */
  readonly suffix: string
  readonly plotted: string
  readonly inFlight: (clients: number) => number
}

const READINGS: readonly Reading[] = [
  {
    suffix: '',
    plotted: `${IN_FLIGHT.toLocaleString('en-US')} in flight over all`,
    inFlight: (clients) => Math.ceil(IN_FLIGHT / clients),
  },
  { suffix: `, ${DEPTH_EACH} in flight each`, plotted: `${DEPTH_EACH} in flight each`, inFlight: () => DEPTH_EACH },
]

interface Row {
  readonly reading: Reading
  readonly clients: number
  readonly rates: number[]
}

export const connections: Scenario = {
  name: 'connections',
  title: '1 to 2,000 producers’ connections at saturation, 128 B, 3 nodes, sync flush, sync replication, in turns',
  run: measure,
}

async function measure(bench: Bench): Promise<Measured> {
  const counts = bench.isQuick ? QUICK : PRODUCERS
  const rows = READINGS.flatMap((reading) => counts.map((clients): Row => ({ reading, clients, rates: [] })))
  const cluster = await NodeCluster.start({ nodes: 3, dir: join(bench.dir, 'producers'), flush: 'sync' })
  try {
    for (let number = 1; number <= (bench.isQuick ? 1 : RUNS); number++) {
      for (const row of rows) row.rates.push(await runOnce(bench, cluster, row))
    }
  } finally {
    await cluster.close()
  }
  return {
    metrics: READINGS.flatMap((reading) => metricsOf(rows.filter((row) => row.reading === reading))),
    notes: [],
    plots: [throughputPlot(rows)],
  }
}

async function runOnce(bench: Bench, cluster: NodeCluster, { reading, clients }: Row): Promise<number> {
  const inFlight = reading.inFlight(clients)
  const asked: Workload = saturating(`connections${clients}x${inFlight}`, { clients, inFlight })
  const { messages, seconds, p99, failed } = await cluster.loadOne(bench, bench.isQuick ? quickWorkload(asked) : asked)
  const rate = messages / seconds
  bench.say(`${clients} connections × ${inFlight}: ${Math.round(rate)}/s, p99 ${p99} ms, ${failed} failed`)
  return rate
}

/** Of one reading; the most connections are held against the best of it. */
function metricsOf(rows: readonly Row[]): readonly Metric[] {
  const bar = { kind: 'least', value: Math.round(peakOf(rows) * SHARE), of: 'median' } as const
  return rows.map(({ reading, clients, rates }, at) => ({
    name: `${clients.toLocaleString('en-US')} producers’ connections${reading.suffix}: acknowledged`,
    unit: '/s',
    values: rates,
    ...(at === rows.length - 1 ? { bar } : {}),
  }))
}

const peakOf = (rows: readonly Row[]): number => Math.max(...rows.map(({ rates }) => median(rates)))

function throughputPlot(rows: readonly Row[]): Plot {
  return {
    title: 'Throughput against producers’ connections',
    kind: 'lines',
    x: { label: 'connections', unit: '', isLog: true },
    y: { label: 'acknowledged', unit: 'messages/s' },
    series: READINGS.map((reading) => ({
      name: reading.plotted,
      points: rows
        .filter((row) => row.reading === reading)
        .map(({ clients, rates }) => [clients, median(rates)] as const),
    })),
    bar: { value: peakOf(rows) * SHARE, text: `${SHARE * 100} % of the peak` },
  }
}
