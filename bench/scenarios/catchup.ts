/** Scenario `catchup`: a consumer reads a long backlog while producers run at half of the peak: do they notice? */
import { join } from 'node:path'
import { PushConsumer } from '../../src/client/index.ts'
import { systemClock as clock } from '../../src/lib/clock.ts'
import { ConsumeLoad } from '../../src/load/consume-load.ts'
import { fillTopic, gigabytes, noRoomFor } from '../load/fill.ts'
import { paced, saturating } from '../load/loads.ts'
import { type LoadFigures, quickWorkload, type Workload } from '../load/workload.ts'
import { NodeCluster } from '../node-cluster.ts'
import { median } from '../../src/report/statistics.ts'
import type { Bench, Measured, Scenario, Skipped } from '../scenario.ts'

const NODES = 3
const BYTES = 5e9
const QUICK_BYTES = 1e8
const BODY_BYTES = 4_096
const BACKLOG = 'Backlog'
const SLICE_SECONDS = 5
const SLICES_BEFORE = 4
const MOST_SLICES = 60

export const catchup: Scenario = {
  name: 'catchup',
  title: `a consumer ${gigabytes(BYTES)} behind catches up while producers run at half of the peak, 3 nodes, sync flush`,
  run: measure,
}

async function measure(bench: Bench): Promise<Measured | Skipped> {
  const bytes = bench.isQuick ? QUICK_BYTES : BYTES
  const skipped = noRoomFor(bytes * (NODES + 0.5), bench.dir)
  if (skipped !== undefined) return { skipped }
  const cluster = await NodeCluster.start({ nodes: NODES, dir: join(bench.dir, 'group'), flush: 'sync' })
  try {
    const stored = await fillTopic(bench, cluster, { topic: BACKLOG, bytes, bodyBytes: BODY_BYTES })
    const quick = (workload: Workload): Workload => (bench.isQuick ? quickWorkload(workload) : workload)
    const peak = await cluster.loadOne(bench, quick(saturating('peak')))
    const half = Math.round(peak.messages / peak.seconds / 2)
    bench.say(`peak ${Math.round(peak.messages / peak.seconds)}/s, so producers run at ${half}/s`)
    const slice = (at: number): Workload =>
      quick(paced(`slice${at}`, half, { warmSeconds: at === 0 ? 3 : 0, seconds: SLICE_SECONDS }))
    const alone = await slices(
      bench,
      cluster,
      Array.from({ length: SLICES_BEFORE }, (_, at) => slice(at)),
    )
    const during = await whileReading(bench, { cluster, stored, slice })
    const before = median(p99sOf(alone))
    return {
      metrics: [
        {
          name: 'producers’ rate meanwhile, of what was offered',
          unit: '×',
          values: during.figures.map((one) => rateOf(one) / half),
          bar: { kind: 'least', value: 0.97, of: 'median' },
        },
        {
          name: 'producers’ p99 meanwhile, of that alone (median)',
          unit: '×',
          values: p99sOf(during.figures).map((ms) => ms / before),
          bar: { kind: 'most', value: 2, of: 'median' },
        },
        { name: 'producers alone at half of the peak: p99', unit: 'ms', values: p99sOf(alone) },
        { name: 'producers while the consumer catches up: p99', unit: 'ms', values: p99sOf(during.figures) },
        { name: 'offered', unit: '/s', values: [half] },
        { name: 'caught up with', unit: 'messages/s', values: [during.messages / during.seconds] },
        { name: 'caught up with', unit: 'MB/s', values: [(during.messages * BODY_BYTES) / during.seconds / 1e6] },
      ],
      notes: [],
      plots: [
        {
          title: 'Producers’ p99 at half of the peak while a consumer catches up',
          kind: 'lines',
          x: { label: 'time', unit: 's' },
          y: { label: 'p99', unit: 'ms' },
          series: [
            { name: 'alone', points: alone.map(({ p99 }, at) => [(at + 1) * SLICE_SECONDS, p99]) },
            {
              name: 'while the consumer reads',
              points: during.figures.map(({ p99 }, at) => [(alone.length + at + 1) * SLICE_SECONDS, p99]),
            },
          ],
        },
      ],
    }
  } finally {
    await cluster.close()
  }
}

const rateOf = ({ messages, seconds }: LoadFigures): number => messages / seconds
const p99sOf = (figures: readonly LoadFigures[]): readonly number[] => figures.map(({ p99 }) => p99)

async function slices(
  bench: Bench,
  cluster: NodeCluster,
  workloads: readonly Workload[],
): Promise<readonly LoadFigures[]> {
  const figures = await cluster.load(bench, { workloads })
  return workloads.flatMap(({ name }) => figures.get(name) ?? [])
}

/** Producers go on in one process until the consumer, in this one, is at the end. */
async function whileReading(
  bench: Bench,
  { cluster, stored, slice }: { cluster: NodeCluster; stored: number; slice: (at: number) => Workload },
): Promise<{ readonly figures: readonly LoadFigures[]; readonly messages: number; readonly seconds: number }> {
  const consumer = new PushConsumer({ namesrv: cluster.namesrv, group: 'catchup', from: 'first', clock })
  const load = new ConsumeLoad({ clock, consumers: [consumer.subscribe(BACKLOG)] })
  const figures: LoadFigures[] = []
  let end = false
  let isReading = false
  try {
    const workloads = Array.from({ length: MOST_SLICES }, (_, at) => slice(at))
    // The producers' process ends when the consumer is there: what it says after that is not counted.
    await cluster.load(bench, {
      workloads,
      isEnough: () => end,
      onBegin() {
        if (isReading) return
        isReading = true
        void load.start()
      },
      onEnd(_, one) {
        if (end) return
        figures.push(one)
        end = load.messages >= stored
        bench.say(`${load.messages} of ${stored} read; producers p99 ${one.p99} ms`)
      },
    })
    const { messages, seconds } = load.report()
    return { figures, messages, seconds }
  } finally {
    await consumer.close()
  }
}
