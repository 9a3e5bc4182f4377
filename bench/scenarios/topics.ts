/** Scenario `topics`: what many topics cost in throughput, memory, open files and time to start. */
import { join } from 'node:path'
import { Admin } from '../../src/client/index.ts'
import { saturating } from '../load/loads.ts'
import { topicNames } from '../load/topic-names.ts'
import { quickWorkload } from '../load/workload.ts'
import { NodeCluster, TOPIC } from '../node-cluster.ts'
import type { Plot } from '../../src/report/plot.ts'
import { rssMegabytesOf } from '../process-usage.ts'
import type { Bench, Measured, Metric, Scenario } from '../scenario.ts'
import { openFilesOf } from '../usage-sampler.ts'

const COUNTS = [1, 100, 1_000, 10_000]
const QUICK_COUNTS = [1, 20]
const QUEUES = 4
/** Topics that are made at the same time. */
const MAKING = 64

export const topics: Scenario = {
  name: 'topics',
  title: `1 to 10,000 topics of ${QUEUES} queues each, sent to in turns, 128 B, 3 nodes, sync flush, sync replication`,
  run: measure,
}

interface Row {
  readonly count: number
  readonly rate: number
  readonly rssMegabytes: number
  readonly openFiles: number
  readonly startMs: readonly number[]
}

async function measure(bench: Bench): Promise<Measured> {
  const rows: Row[] = []
  for (const count of bench.isQuick ? QUICK_COUNTS : COUNTS) {
    rows.push(await rowOf(bench, count))
    const { rate, rssMegabytes, openFiles, startMs } = rows.at(-1) ?? emptyRow
    bench.say(
      `${count} topics: ${Math.round(rate)}/s, ${Math.round(rssMegabytes)} MB, ${openFiles} open files, start ${Math.round(Math.max(...startMs))} ms`,
    )
  }
  const [first = emptyRow] = rows
  return { metrics: rows.flatMap((row) => metricsOf(row, first, row === rows.at(-1))), notes: [], plots: plotsOf(rows) }
}

const emptyRow: Row = { count: 0, rate: 0, rssMegabytes: 0, openFiles: 0, startMs: [] }

async function rowOf(bench: Bench, count: number): Promise<Row> {
  const cluster = await NodeCluster.start({ nodes: 3, dir: join(bench.dir, String(count)), flush: 'sync' })
  try {
    const pattern = count === 1 ? TOPIC : `${TOPIC}*${count}`
    await makeTopics(cluster.namesrv, topicNames(pattern))
    const workload = saturating(`topics${count}`)
    const figures = await cluster.loadOne(bench, bench.isQuick ? quickWorkload(workload) : workload, pattern)
    const largest = (of: (pid: number) => number | undefined): number =>
      Math.max(...cluster.processes.map(({ pid }) => of(pid) ?? 0))
    const [rssMegabytes, openFiles] = [largest(rssMegabytesOf), largest(openFilesOf)]
    const startMs = await cluster.restartEach()
    return { count, rate: figures.messages / figures.seconds, rssMegabytes, openFiles, startMs }
  } finally {
    await cluster.close()
  }
}

async function makeTopics(namesrv: string, names: readonly string[]): Promise<void> {
  const admin = new Admin({ namesrv })
  try {
    for (let at = 0; at < names.length; at += MAKING) {
      await Promise.all(names.slice(at, at + MAKING).map((topic) => admin.createTopic({ topic, queues: QUEUES })))
    }
  } finally {
    admin.close()
  }
}

function metricsOf(
  { count, rate, rssMegabytes, openFiles, startMs }: Row,
  first: Row,
  isLast: boolean,
): readonly Metric[] {
  const name = (what: string): string => `${count.toLocaleString('en-US')} × ${QUEUES}: ${what}`
  const bar = (kind: 'least' | 'most', value: number, of: 'median' | 'max'): Pick<Metric, 'bar'> =>
    isLast ? { bar: { kind, value, of } } : {}
  return [
    { name: name('acknowledged'), unit: '/s', values: [rate] },
    { name: name('of what one topic takes'), unit: '×', values: [rate / first.rate], ...bar('least', 0.5, 'median') },
    { name: name('memory of the largest node (RSS)'), unit: 'MB', values: [rssMegabytes], ...bar('most', 400, 'max') },
    { name: name('open files and sockets of a node'), unit: '', values: [openFiles], ...bar('most', 200, 'max') },
    { name: name('start → ready after a clean stop'), unit: 'ms', values: startMs, ...bar('most', 5_000, 'max') },
  ]
}

function plotsOf(rows: readonly Row[]): readonly Plot[] {
  const x = { label: `topics of ${QUEUES} queues`, unit: '', isLog: true }
  const one = (title: string, y: Plot['y'], of: (row: Row) => number): Plot => ({
    title,
    kind: 'lines',
    x,
    y,
    series: [{ name: '', points: rows.map((row) => [row.count, of(row)]) }],
  })
  return [
    one('Throughput against topics', { label: 'acknowledged', unit: 'messages/s' }, ({ rate }) => rate),
    one('Memory of a node against topics', { label: 'RSS', unit: 'MB' }, (row) => row.rssMegabytes),
  ]
}
