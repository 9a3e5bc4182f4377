/** The comparison as plots. Pure. */
import type { Plot, Series } from '../report/plot.ts'
import { median } from '../report/statistics.ts'
import { figure } from '../report/text.ts'
import type { Parameters } from './plan.ts'
import { type FaultOutcome, TIMELINE } from './results.ts'
import { setupName, shortName } from './setups.ts'
import type { LossSummary, SetupSummary } from './summary.ts'

type Values = readonly number[]

const FOOT = { label: 'flush × replication; "1:" is the single node', unit: '' }

export function plotsOf(
  all: readonly SetupSummary[],
  { ratePerSecond, nodes }: Pick<Parameters, 'ratePerSecond' | 'nodes'>,
): readonly Plot[] {
  const rate = `${figure(ratePerSecond)} a second`
  const categories = all.map(({ setup }) => shortName(setup))
  const bars = (title: string, y: Plot['y'], series: readonly Series[]): Plot => ({
    title,
    kind: 'bars',
    categories,
    x: FOOT,
    y,
    series,
  })
  const group = nodes === 1 ? 'a single node' : `${nodes} nodes and a single one`
  return [
    bars(`Throughput, ${group}`, { label: 'acknowledged', unit: 'messages/s' }, [
      middle('', all, ({ acksPerSecond }) => acksPerSecond),
    ]),
    bars(`Latency at ${rate}`, { label: 'latency', unit: 'ms' }, [
      middle('p50', all, ({ p50Ms }) => p50Ms),
      middle('p99', all, ({ p99Ms }) => p99Ms),
    ]),
    bars('Failover: longest silence around a kill of the leader', { label: 'no acknowledgement for', unit: 'ms' }, [
      middle('', all, ({ gapsMs }) => gapsMs),
    ]),
    timeline(all, rate),
    histogram('Lost by one kill of the leader', all, ({ kill }) => kill),
    histogram('Lost by one power cut of all nodes', all, ({ power }) => power),
    bars('Written by all nodes for one message', { label: 'written', unit: 'B' }, [
      middle('as fast as it goes', all, ({ bytesSaturated }) => bytesSaturated),
      middle(rate, all, ({ bytesPaced }) => bytesPaced),
    ]),
  ].filter(({ series }) => series.some(({ points }) => points.length > 0))
}

/** Medians as bars, with the lowest and the highest where there are several. */
function middle(name: string, all: readonly SetupSummary[], of: (summary: SetupSummary) => Values): Series {
  const places = all.flatMap((summary, at) => {
    const values = of(summary)
    return values.length === 0 ? [] : [{ at, values }]
  })
  return {
    name,
    points: places.map(({ at, values }) => [at, median(values)] as const),
    spreads: places
      .filter(({ values }) => values.length > 1)
      .map(({ at, values }) => [at, Math.min(...values), Math.max(...values)] as const),
  }
}

/** Acknowledgements around a kill of the leader, the mean of all kills. */
function timeline(all: readonly SetupSummary[], rate: string): Plot {
  const { fromMs, stepMs } = TIMELINE
  const series = all.flatMap(({ setup, kill }) => {
    const { outcomes } = kill
    if (outcomes.length === 0) return []
    const slots = Math.min(...outcomes.map((outcome) => outcome.timeline.length))
    const points = Array.from({ length: slots }, (_, slot) => {
      const sum = outcomes.reduce((acks, outcome) => acks + (outcome.timeline[slot] ?? 0), 0)
      // A point stands where its slot begins; counted from 500 ms before the kill, for an axis begins at 0.
      return [(slot * stepMs) / 1_000, sum / outcomes.length / (stepMs / 1_000)] as const
    })
    return [{ name: setupName(setup), points }]
  })
  return {
    title: `Around a kill of the leader, ${rate}; mean of all kills`,
    kind: 'lines',
    x: { label: `time; the kill is at ${-fromMs / 1_000}`, unit: 's' },
    y: { label: 'acknowledged', unit: 'messages/s' },
    series,
  }
}

const BINS = [
  { name: 'nothing', from: 0, to: 0 },
  { name: '1–9', from: 1, to: 9 },
  { name: '10–99', from: 10, to: 99 },
  { name: '100–999', from: 100, to: 999 },
  { name: '1,000 or more', from: 1_000, to: Infinity },
] as const

/** How many faults lost how much, by setup. */
function histogram(title: string, all: readonly SetupSummary[], of: (summary: SetupSummary) => LossSummary): Plot {
  const inBin = (outcomes: readonly FaultOutcome[], { from, to }: (typeof BINS)[number]): number =>
    outcomes.filter(({ lost }) => lost >= from && lost <= to).length
  return {
    title,
    kind: 'bars',
    categories: BINS.map(({ name }) => name),
    x: { label: 'acknowledged messages lost', unit: '' },
    y: { label: 'faults', unit: '', isWhole: true },
    series: all.flatMap((summary) => {
      const { outcomes } = of(summary)
      if (outcomes.length === 0) return []
      return [{ name: setupName(summary.setup), points: BINS.map((bin, at) => [at, inBin(outcomes, bin)] as const) }]
    }),
  }
}
