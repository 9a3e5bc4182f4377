/** Metrics as text: for a terminal, and for the pages of the documentation. Pure. */
import type { Bar, Metric } from './scenario.ts'
import { spreadOf } from '../src/report/statistics.ts'
import { figure, spreadText } from '../src/report/text.ts'

const words = { least: 'at least', most: 'at most', below: 'below' } as const

export function barText(bar: Bar, unit: string): string {
  const which = bar.of === 'median' ? '' : `${bar.of} `
  return `${which}${words[bar.kind]} ${figure(bar.value)} ${unit}`.trimEnd()
}

const holds: Readonly<Record<Bar['kind'], (value: number, bar: number) => boolean>> = {
  least: (value, bar) => value >= bar,
  most: (value, bar) => value <= bar,
  below: (value, bar) => value < bar,
}

/** Undefined: there is no bar. */
export function isReached({ values, bar }: Metric): boolean | undefined {
  if (bar === undefined) return undefined
  return bar.or !== undefined || holdsBar(values, bar)
}

const holdsBar = (values: readonly number[], bar: Bar): boolean => holds[bar.kind](spreadOf(values)[bar.of], bar.value)

function verdictOf(metric: Metric): string {
  const { values, bar } = metric
  if (bar === undefined) return ''
  if (holdsBar(values, bar)) return 'yes'
  return bar.or === undefined ? 'NO' : `yes, ${bar.or}`
}

/** The row of a metric: name, figure, number of samples, bar, whether it is reached. */
export function metricRow(metric: Metric): readonly string[] {
  const { name, bar, unit, values } = metric
  return [
    name,
    spreadText(metric),
    String(values.length),
    bar === undefined ? '' : barText(bar, unit),
    verdictOf(metric),
  ]
}

export const METRIC_HEAD = ['what', 'median (min–max)', 'samples', 'to reach', 'reached'] as const

/** Columns of equal width, the first line underlined. */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const line = (row: readonly string[]): string =>
    widths
      .map((width, column) => (row[column] ?? '').padEnd(width))
      .join('  ')
      .trimEnd()
  const [head = [], ...body] = rows
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...body.map(line)].join('\n')
}

/** Replaces what is between `<!-- NAME: begin -->` and `<!-- NAME: end -->`. Throws where the markers are not there. */
export function replaceBetween(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`]
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`the page has no ${begin} … ${end}`)
  return `${page.slice(0, from + begin.length)}\n${text.trim()}\n${page.slice(to)}`
}
