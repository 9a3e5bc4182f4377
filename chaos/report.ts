/** What a run found, as one page that needs nothing but itself. Pure. */
import { drawPlot } from '../bench/svg.ts'
import type { Plot } from '../bench/plot.ts'
import type { Result } from './run-scenario.ts'

export function page(results: readonly Result[]): string {
  const rows = results.map(
    ({ scenario, family, outcome, rounds, acknowledged, undecided, lost, mode, seed, reasons }) => {
      const gaps = rounds.map(({ gapMs }) => gapMs).sort((a, b) => a - b)
      const cells = [
        scenario,
        family,
        outcome,
        `${mode.flush} × ${mode.replication}`,
        rounds.length,
        acknowledged,
        undecided,
        lost,
        gaps[Math.floor(gaps.length / 2)] ?? '',
        gaps.at(-1) ?? '',
        seed,
        reasons.join('; '),
      ]
      return `<tr class="${outcome}">${cells.map((cell) => `<td>${escape(String(cell))}</td>`).join('')}</tr>`
    },
  )
  const head = [
    'scenario',
    'family',
    'outcome',
    'mode',
    'rounds',
    'acknowledged',
    'undecided',
    'lost',
    'gap ms (median)',
  ]
  const heads = [...head, 'gap ms (worst)', 'seed', 'why'].map((text) => `<th>${text}</th>`).join('')
  const figures = results.filter(({ timeline }) => timeline.length > 0).map(figure)
  return [
    '<!doctype html><meta charset="utf-8"><title>Chaos</title>',
    '<style>body{font:14px/1.5 system-ui,sans-serif;margin:2rem;max-width:80rem}table{border-collapse:collapse}',
    'td,th{border:1px solid #8884;padding:.2rem .5rem;text-align:left}.failed td{background:#d552}.skipped td{opacity:.6}',
    'figure{margin:1rem 0}svg{max-width:46rem}ol{columns:2;font-size:12px}</style>',
    '<h1>Chaos</h1>',
    `<table><tr>${heads}</tr>${rows.join('')}</table>`,
    ...figures,
  ].join('\n')
}

function figure({ scenario, timeline, notes }: Result): string {
  const plot: Plot = {
    title: `${scenario}: acknowledged in each tenth of a second`,
    kind: 'lines',
    x: { label: 'time', unit: 's' },
    y: { label: 'acknowledged', unit: 'per 100 ms' },
    series: [{ name: 'acknowledged', points: timeline.map((count, at) => [at / 10, count] as const) }],
  }
  const lines = notes.map(({ atMs, text }) => `<li>${(atMs / 1000).toFixed(1)} s: ${escape(text)}</li>`)
  return `<figure><figcaption>${escape(plot.title)}</figcaption>${drawPlot(plot)}<ol>${lines.join('')}</ol></figure>`
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
