/** `baseline.json`: what the small parts cost, to see when a change makes one slower. Pure. */
import type { Environment } from './environment.ts'
import type { Result } from './results.ts'
import type { Metric } from './scenario.ts'
import { spreadOf } from '../src/report/statistics.ts'
import { figure } from '../src/report/text.ts'

export interface Baseline {
  readonly environment: Environment
  /** Name → nanoseconds, the median. */
  readonly nanoseconds: Readonly<Record<string, number>>
}

/** Slower by more than this share, in every sample, is not noise. */
const TOLERANCE = 0.25

export interface Comparison {
  /** Name, baseline, now, change, verdict; the head first. */
  readonly rows: readonly (readonly string[])[]
  readonly slower: readonly string[]
  /** Whether both were measured on the same kind of machine: otherwise the figures cannot be compared. */
  readonly isSameMachine: boolean
}

export function baselineOf(result: Result): Baseline {
  const figures = comparable(result).map(({ name, values }) => [name, Number(spreadOf(values).median.toPrecision(4))])
  return { environment: result.environment, nanoseconds: Object.fromEntries(figures) }
}

export function compare(baseline: Baseline, result: Result): Comparison {
  const slower: string[] = []
  const rows = comparable(result).map(({ name, values }) => {
    const before = baseline.nanoseconds[name]
    const { median, min } = spreadOf(values)
    if (before === undefined) return [name, '', figure(median), '', 'new']
    const isSlower = min > before * (1 + TOLERANCE)
    if (isSlower) slower.push(name)
    const change = (median / before - 1) * 100
    return [
      name,
      figure(before),
      figure(median),
      `${change < 0 ? '' : '+'}${change.toFixed(0)} %`,
      isSlower ? 'SLOWER' : '',
    ]
  })
  const { environment } = baseline
  const isSameMachine =
    environment.machine.cpu === result.environment.machine.cpu && environment.node === result.environment.node
  return { rows: [['ns an operation', 'baseline', 'now', 'change', ''], ...rows], slower, isSameMachine }
}

/** Reads a `baseline.json`. */
export function parseBaseline(text: string): Baseline {
  const value: unknown = JSON.parse(text)
  if (!isBaseline(value)) throw new Error('this is not a baseline: it has no nanoseconds or no environment')
  return value
}

/** The format is ours and was written by `--write-baseline`. */
function isBaseline(value: unknown): value is Baseline {
  return typeof value === 'object' && value !== null && 'nanoseconds' in value && 'environment' in value
}

const comparable = ({ metrics }: Result): readonly Metric[] => metrics.filter(({ unit }) => unit === 'ns')
