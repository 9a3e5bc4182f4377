/** Scenario `modes`: what each promise costs: flush × replication, throughput at saturation and latency at a fixed rate. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CpuPerMessage, meanOfRole } from '../load/cpu-per-message.ts'
import { paced, saturating } from '../load/loads.ts'
import { type LoadFigures, quickWorkload } from '../load/workload.ts'
import { NodeCluster } from '../node-cluster.ts'
import type { Plot, Series } from '../../src/report/plot.ts'
import { memoryOf } from '../process-usage.ts'
import type { Bench, Measured, Metric, Scenario } from '../scenario.ts'
import { type Usage, UsageSampler } from '../usage-sampler.ts'

const MODES = [
  { flush: 'sync', replication: 'sync' },
  { flush: 'async', replication: 'sync' },
  { flush: 'sync', replication: 'async' },
  { flush: 'async', replication: 'async' },
] as const
const FIXED_RATE = 3_000
const RUNS = 3
const IDLE_MS = 3_000
const SAMPLE_MS = 500

export const modes: Scenario = {
  name: 'modes',
  title: 'flush × replication, 128 B, 3 nodes: throughput at saturation, latency at a fixed 3,000/s',
  run: measure,
}

type Mode = (typeof MODES)[number]
interface Run {
  readonly saturated: LoadFigures
  readonly fixed: LoadFigures
  readonly leaderMicros: readonly number[]
  readonly followerMicros: readonly number[]
  /** Of the largest node after the load. */
  readonly rssMegabytes: readonly number[]
  readonly usage: Usage
}

const nameOf = ({ flush, replication }: Mode): string => `${flush} flush, ${replication} replication`

async function measure(bench: Bench): Promise<Measured> {
  const runs = new Map<Mode, Run[]>(MODES.map((mode) => [mode, []]))
  for (let number = 1; number <= (bench.isQuick ? 1 : RUNS); number++) {
    for (const mode of MODES) {
      const run = await runOnce(bench, mode, join(bench.dir, `${mode.flush}-${mode.replication}-${number}`))
      runs.get(mode)?.push(run)
      const { messages, seconds } = run.saturated
      bench.say(
        `${nameOf(mode)}, run ${number}: ${Math.round(messages / seconds)}/s, at ${FIXED_RATE}/s p99 ${run.fixed.p99} ms`,
      )
    }
  }
  return {
    metrics: MODES.flatMap((mode) => metricsOf(nameOf(mode), runs.get(mode) ?? [])),
    notes: [],
    plots: [...plotsOf(runs), ...usagePlots(runs.get(MODES[0])?.at(-1)?.usage)],
  }
}

async function runOnce(bench: Bench, mode: Mode, dir: string): Promise<Run> {
  const cluster = await NodeCluster.start({ nodes: 3, dir, ...mode })
  const sampler = new UsageSampler({ everyMs: SAMPLE_MS })
  try {
    sampler.watch(cluster.named)
    await sleep(IDLE_MS)
    const workloads = [saturating('saturated'), paced('fixed', FIXED_RATE)]
    const cpu = new CpuPerMessage(cluster.processes)
    let micros = cpu.end(0)
    let isWatched = false
    const figures = await cluster.load(bench, {
      workloads: bench.isQuick ? workloads.map(quickWorkload) : workloads,
      onBegin(_, pid) {
        if (!isWatched) sampler.watch([{ name: 'load', pid }])
        isWatched = true
        cpu.begin()
      },
      onEnd(name, { messages }) {
        if (name === 'saturated') micros = cpu.end(messages)
      },
    })
    const [saturated, fixed] = [figures.get('saturated'), figures.get('fixed')]
    if (saturated === undefined || fixed === undefined) throw new Error('a workload was not measured')
    const memory = cluster.processes.flatMap(({ pid }) => memoryOf(pid)?.rssMegabytes ?? [])
    await sleep(IDLE_MS)
    return {
      saturated,
      fixed,
      leaderMicros: meanOfRole(micros, /^leader$/),
      followerMicros: meanOfRole(micros, /^follower$/),
      rssMegabytes: memory.length === 0 ? [] : [Math.max(...memory)],
      usage: sampler.stop(),
    }
  } finally {
    sampler.stop()
    await cluster.close()
  }
}

function metricsOf(mode: string, runs: readonly Run[]): readonly Metric[] {
  const metric = (name: string, unit: string, of: (run: Run) => readonly number[]): readonly Metric[] => {
    const values = runs.flatMap(of)
    return values.length === 0 ? [] : [{ name: `${mode}: ${name}`, unit, values }]
  }
  const fixed = `at ${FIXED_RATE.toLocaleString('en-US')}/s`
  return [
    ...metric('acknowledged at saturation', '/s', ({ saturated }) => [saturated.messages / saturated.seconds]),
    ...metric(`${fixed}, p50`, 'ms', (run) => [run.fixed.p50]),
    ...metric(`${fixed}, p99`, 'ms', (run) => [run.fixed.p99]),
    ...metric(`${fixed}, p99.9`, 'ms', (run) => [run.fixed.p999]),
    ...metric('processor time of the leader for a message', 'µs', (run) => run.leaderMicros),
    ...metric('processor time of each follower for a message', 'µs', (run) => run.followerMicros),
    ...metric('memory of the largest node after the load (RSS)', 'MB', (run) => run.rssMegabytes).map((one) => ({
      ...one,
      bar: { kind: 'most', value: 200, of: 'max' } as const,
    })),
  ]
}

function plotsOf(runs: ReadonlyMap<Mode, readonly Run[]>): readonly Plot[] {
  const categories = MODES.map(({ flush, replication }) => `${flush} × ${replication}`)
  const series = (name: string, of: (run: Run) => number): Series => ({
    name,
    points: MODES.map((mode, at) => [at, Math.max(...(runs.get(mode) ?? []).slice(-1).map(of))]),
  })
  const x = { label: 'flush × replication', unit: '' }
  return [
    {
      title: 'Throughput by mode, 128 B',
      kind: 'bars',
      categories,
      x,
      y: { label: 'acknowledged', unit: 'messages/s' },
      series: [series('', ({ saturated }) => saturated.messages / saturated.seconds)],
    },
    {
      title: `Latency by mode at ${FIXED_RATE.toLocaleString('en-US')}/s`,
      kind: 'bars',
      categories,
      x,
      y: { label: 'latency', unit: 'ms' },
      series: [
        series('p50', ({ fixed }) => fixed.p50),
        series('p99', ({ fixed }) => fixed.p99),
        series('p99.9', ({ fixed }) => fixed.p999),
      ],
    },
  ]
}

function usagePlots(usage: Usage | undefined): readonly Plot[] {
  if (usage === undefined) return []
  const of = 'sync flush, sync replication: idle, saturated, 3,000/s, idle'
  const x = { label: 'time', unit: 's' }
  return [
    {
      title: `Processor over time (${of})`,
      kind: 'lines',
      x,
      y: { label: 'of one core', unit: '%' },
      series: usage.cpu,
    },
    {
      title: `Memory over time (${of})`,
      kind: 'lines',
      x,
      y: { label: 'RSS', unit: 'MB' },
      series: usage.rssMegabytes,
    },
  ]
}
