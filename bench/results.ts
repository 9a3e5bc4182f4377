/** What a run of the benchmarks leaves: the JSON file, and how results of several runs are put together. */
import type { Environment } from './environment.ts'
import { type Plot, thinned } from '../src/report/plot.ts'
import type { Metric } from './scenario.ts'

const FORMAT = 1

export interface Result {
  readonly scenario: string
  readonly title: string
  readonly takenAt: string
  readonly command: string
  readonly isQuick: boolean
  readonly environment: Environment
  readonly metrics: readonly Metric[]
  readonly notes: readonly string[]
  readonly plots?: readonly Plot[]
  /** Why there are no metrics, where that is so. */
  readonly skipped?: string
  readonly failed?: string
}

interface ResultFile {
  readonly format: number
  readonly results: readonly Result[]
}

export function formatResults(results: readonly Result[]): string {
  const rounded = results.map((result) => ({
    ...result,
    metrics: result.metrics.map(roundMetric),
    ...(result.plots === undefined ? {} : { plots: result.plots.map(roundPlot) }),
  }))
  const file: ResultFile = { format: FORMAT, results: rounded }
  return `${JSON.stringify(file, null, 2)}\n`
}

/** Reads what `formatResults` wrote. */
export function parseResults(text: string): readonly Result[] {
  const file: unknown = JSON.parse(text)
  if (!isResultFile(file)) throw new Error(`these are not results of format ${FORMAT}`)
  return file.results
}

/** The format is ours and was written by this program: its number says enough. */
function isResultFile(value: unknown): value is ResultFile {
  return typeof value === 'object' && value !== null && 'format' in value && value.format === FORMAT
}

/** `fresh` results take the place of `known` ones of the same scenario; in the order of `names`. Only measured ones stay. */
export function mergeResults(
  known: readonly Result[],
  fresh: readonly Result[],
  names: readonly string[],
): readonly Result[] {
  const measured = [...known, ...fresh].filter(({ metrics }) => metrics.length > 0)
  const byName = new Map(measured.map((result) => [result.scenario, result]))
  return names.flatMap((name) => byName.get(name) ?? [])
}

function roundMetric(metric: Metric): Metric {
  return { ...metric, values: metric.values.map((value) => Number(value.toPrecision(6))) }
}

/** Enough for a plot that is as wide as a screen. */
const MOST_POINTS = 120

function roundPlot(plot: Plot): Plot {
  const series = plot.series.map(({ name, points }) => ({
    name,
    points: thinned(points, MOST_POINTS).map(([x, y]) => [short(x), short(y)] as const),
  }))
  return { ...plot, series }
}

const short = (value: number): number => Number(value.toPrecision(4))
