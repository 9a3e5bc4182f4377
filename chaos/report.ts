/** What a run found, as one page that needs nothing but itself. Pure. */
import { drawFigure, page as pageOf } from '../src/report/page.ts'
import type { Plot } from '../src/report/plot.ts'
import { escape } from '../src/report/svg.ts'
import { gapText } from './gap-text.ts'
import type { Result } from './run-scenario.ts'

const HEAD = [
  'scenario',
  'family',
  'outcome',
  'mode',
  'rounds',
  'acknowledged',
  'undecided',
  'lost',
  'gap in sends, ms (p50 / p99 / worst)',
  'gap in deliveries, ms',
  'seed',
  'why',
] as const

const TENTHS = 10

const STYLE = `
.failed td { color: var(--bad) }
.skipped td { color: var(--soft) }
ol { columns: 2; font-size: 0.75rem }
`

export function page(results: readonly Result[]): string {
  const heads = HEAD.map((text) => `<th>${text}</th>`).join('')
  const sections = results.filter(({ timeline }) => timeline.length > 0).map(section)
  return pageOf({
    title: 'Chaos',
    style: STYLE,
    body: `<div class="wide"><table><thead><tr>${heads}</tr></thead>
<tbody>${results.map(row).join('\n')}</tbody></table></div>
${sections.join('\n')}`,
  })
}

function row({
  scenario,
  family,
  outcome,
  rounds,
  acknowledged,
  undecided,
  lost,
  mode,
  seed,
  reasons,
}: Result): string {
  const gaps = [rounds.map(({ gapMs }) => gapMs), rounds.map(({ deliveryGapMs }) => deliveryGapMs)].map(gapText)
  const modes = `${mode.flush} × ${mode.replication}`
  const counts = [rounds.length, acknowledged, undecided, lost, ...gaps, seed]
  const cells = [scenario, family, outcome, modes, ...counts, reasons.join('; ')]
  return `<tr class="${outcome}">${cells.map((cell) => `<td>${escape(String(cell))}</td>`).join('')}</tr>`
}

/** How many rounds lost how much, in tenths of what a round may lose; nothing where none may. */
function losses({ scenario, rounds, mayLosePerRound }: Result): string {
  if (mayLosePerRound === 0) return ''
  const tenths = Array.from({ length: TENTHS + 1 }, () => 0)
  for (const { lost } of rounds) {
    const tenth = Math.min(TENTHS, Math.ceil((lost * TENTHS) / mayLosePerRound))
    tenths[tenth] = (tenths[tenth] ?? 0) + 1
  }
  const plot: Plot = {
    title: `${scenario}: acknowledged messages lost in a round, which may lose ${mayLosePerRound}`,
    kind: 'bars',
    x: { label: 'lost, at most', unit: 'messages' },
    y: { label: 'rounds', unit: '', isWhole: true },
    categories: tenths.map((_, tenth) => String(Math.round((tenth * mayLosePerRound) / TENTHS))),
    series: [{ name: '', points: tenths.map((count, at) => [at, count] as const) }],
  }
  return drawFigure(plot)
}

function section(result: Result): string {
  const { scenario, timeline, notes } = result
  const plot: Plot = {
    title: `${scenario}: acknowledged in each tenth of a second`,
    kind: 'lines',
    x: { label: 'time', unit: 's' },
    y: { label: 'acknowledged', unit: 'per 100 ms' },
    series: [{ name: '', points: timeline.map((count, at) => [at / 10, count] as const) }],
  }
  const lines = notes.map(({ atMs, text }) => `<li>${(atMs / 1000).toFixed(1)} s: ${escape(text)}</li>`)
  return `<section>${drawFigure(plot)}${losses(result)}<ol>${lines.join('')}</ol></section>`
}
