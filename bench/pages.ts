/** The parts of the documentation that hold figures, made from results. Pure. */
import type { Environment } from './environment.ts'
import type { Result } from './results.ts'
import type { Metric } from './scenario.ts'
import { machineText } from '../src/report/machine.ts'
import { markdownTable, spreadText } from '../src/report/text.ts'
import { barText, isReached, METRIC_HEAD, metricRow, textTable } from './tables.ts'

/** A result for a terminal. */
export function resultText({ scenario, environment, isQuick, metrics, notes, skipped, failed }: Result): string {
  const head = `${scenario}${isQuick ? ' (quick: not to be published)' : ''}: ${environmentText(environment)}`
  if (skipped !== undefined) return `${head}\nSKIPPED: ${skipped}`
  if (failed !== undefined) return `${head}\nFAILED: ${failed}`
  return [head, textTable([METRIC_HEAD, ...metrics.map(metricRow)]), ...notes].join('\n')
}

/** The section of `bench/README.md`: all that was measured. */
export function resultsSection(results: readonly Result[]): string {
  return results.map(resultSection).join('\n\n')
}

/** The section of the front page: what has a figure to reach. */
export function numbersSection(results: readonly Result[]): string {
  const rows = results.flatMap(({ metrics }) =>
    metrics.flatMap((metric) => {
      const { name, unit, bar } = metric
      if (bar === undefined) return []
      const missed = isReached(metric) === false ? ' (missed)' : ''
      return [[name, spreadText(metric), `${barText(bar, unit)}${missed}`]]
    }),
  )
  return [
    'Median (minimum–maximum) of `npm run bench` and `npm run bench:peers`, processes of the nodes and of the load together on one machine:',
    machinesText(results),
    markdownTable([['what', 'measured', 'to reach'], ...rows]),
  ].join('\n\n')
}

function resultSection({ scenario, title, takenAt, command, environment, metrics, notes }: Result): string {
  const lines = [
    `### ${scenario}`,
    `${title[0]?.toUpperCase()}${title.slice(1)}.`,
    `\`${command}\`, ${takenAt.slice(0, 10)}, load average ${environment.loadBefore} before it; ${environmentText(environment)}`,
    ...metricsText(metrics),
    ...(notes.length === 0 ? [] : [notes.map((note) => `- ${note}`).join('\n')]),
  ]
  return lines.join('\n\n')
}

/** A table of so many rows is read; of a longer one, what has no figure to reach is folded away. */
const MOST_ROWS = 16

const metricTable = (metrics: readonly Metric[]): string => markdownTable([METRIC_HEAD, ...metrics.map(metricRow)])

function metricsText(metrics: readonly Metric[]): readonly string[] {
  const barred = metrics.filter(({ bar }) => bar !== undefined)
  if (metrics.length <= MOST_ROWS || barred.length === 0) return [metricTable(metrics)]
  const rest = metricTable(metrics.filter(({ bar }) => bar === undefined))
  return [metricTable(barred), `<details><summary>All other figures</summary>\n\n${rest}\n\n</details>`]
}

/** Every environment once, with its scenarios where there are several. */
function machinesText(results: readonly Result[]): string {
  const scenarios = new Map<string, string[]>()
  for (const { scenario, environment } of results) {
    const text = `${withoutSpread(environment)}; load average ${environment.loadBefore} before it began`
    const key = [...scenarios.keys()].find((known) => known.startsWith(withoutSpread(environment))) ?? text
    scenarios.set(key, [...(scenarios.get(key) ?? []), scenario])
  }
  const several = scenarios.size > 1
  return [...scenarios].map(([text, names]) => `${several ? `${names.join(', ')}: ` : 'All: '}${text}.`).join('\n\n')
}

export function environmentText(environment: Environment): string {
  return `${withoutSpread(environment)}; 4 KiB written and fdatasync ${environment.fsyncMs} ms.`
}

function withoutSpread({ commit, ...facts }: Environment): string {
  return `commit ${commit}, ${machineText(facts)}`
}
