/** Scenario `saturation`: half an hour of as many sends as the group takes, without a fault: does leadership stay? */
import { join } from 'node:path'
import { saturating } from '../load/loads.ts'
import { quickWorkload } from '../load/workload.ts'
import { NodeCluster } from '../node-cluster.ts'
import type { Bench, Measured, Scenario } from '../scenario.ts'
import { UsageSampler } from '../usage-sampler.ts'

const SLICE_SECONDS = 30
const SAMPLE_MS = 2_000
const QUICK_MINUTES = 0.1
const MOST_RSS_MEGABYTES = 300

export const saturation: Scenario = {
  name: 'saturation',
  title: 'a long run at the peak, sync flush, sync replication, no fault: leader changes, failed sends, memory',
  run: measure,
}

/** The disk is not to fill: what has been written is dropped as soon as it may be, in segments that are few at a time. */
const properties = {
  mappedFileSizeCommitLog: String(256 * 1_024 * 1_024),
  fileReservedTime: '0',
  deleteWhen: Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, '0')).join(';'),
}

async function measure(bench: Bench): Promise<Measured> {
  const minutes = bench.isQuick ? QUICK_MINUTES : bench.soakMinutes
  const cluster = await NodeCluster.start({ nodes: 3, dir: join(bench.dir, 'group'), flush: 'sync', properties })
  const sampler = new UsageSampler({ everyMs: SAMPLE_MS })
  const rates: number[] = []
  const longest: number[] = []
  let failed = 0
  try {
    const count = Math.max(1, Math.round((minutes * 60) / SLICE_SECONDS))
    const slice = (at: number) => saturating(`slice${at}`, { warmSeconds: at === 0 ? 3 : 0, seconds: SLICE_SECONDS })
    const workloads = Array.from({ length: count }, (_, at) => (bench.isQuick ? quickWorkload(slice(at)) : slice(at)))
    const first = cluster.term
    sampler.watch(cluster.named)
    await cluster.load(bench, {
      workloads,
      onEnd(_, figures) {
        rates.push(figures.messages / figures.seconds)
        longest.push(figures.max)
        failed += figures.failed
        if (rates.length % 2 === 0) {
          bench.say(`${rates.length / 2} min: ${Math.round(rates.at(-1) ?? 0)}/s, slowest answer ${figures.max} ms`)
        }
      },
    })
    const changes = cluster.term - first
    const { rssMegabytes } = sampler.stop()
    const load = `saturating load (${minutes} minutes)`
    const none = { kind: 'most', value: 0, of: 'max' } as const
    return {
      metrics: [
        { name: `${load}: leader changes`, unit: '', values: [changes], bar: none },
        { name: `${load}: failed and undecided sends`, unit: '', values: [failed], bar: none },
        { name: 'acknowledged, each half minute', unit: '/s', values: rates },
        { name: 'slowest answer of each half minute', unit: 'ms', values: longest },
        {
          name: `${load}: most memory of a node (RSS)`,
          unit: 'MB',
          values: rssMegabytes.map(({ points }) => Math.max(...points.map(([, megabytes]) => megabytes))),
          bar: { kind: 'below', value: MOST_RSS_MEGABYTES, of: 'max' },
        },
      ],
      notes: [],
      plots: [
        {
          title: 'Memory under saturating load',
          kind: 'lines',
          x: { label: 'time', unit: 's' },
          y: { label: 'RSS', unit: 'MB' },
          series: rssMegabytes,
        },
      ],
    }
  } finally {
    sampler.stop()
    await cluster.close()
  }
}
