/** `report.html`: all results with their plots on one page that needs no network and no script. Pure. */
import { environmentText } from './pages.ts'
import type { Plot } from './plot.ts'
import type { Result } from './results.ts'
import { COLOURS, drawPlot, escape } from './svg.ts'
import { METRIC_HEAD, isReached, metricRow } from './tables.ts'

const STYLE = `
:root { color-scheme: light dark; --ink: #1c1c1c; --page: #fff; --soft: #666; --line: #ddd; --good: #00734f; --bad: #b3261e }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --page: #161616; --soft: #a0a0a0; --line: #3a3a3a; --good: #4cc79a; --bad: #ff8a80 }
}
body { margin: 0 auto; max-width: 1160px; padding: 1rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page) }
h1 { font-size: 1.6rem; margin: 0.5rem 0 }
h2 { font-size: 1.25rem; margin: 2.5rem 0 0.25rem; border-top: 1px solid var(--line); padding-top: 1rem }
nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem }
a { color: inherit }
p.where { color: var(--soft); font-size: 0.85rem; margin: 0.25rem 0 }
p.trouble { color: var(--bad) }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 1rem; margin: 1rem 0 }
figure { margin: 0; border: 1px solid var(--line); border-radius: 6px; padding: 0.6rem }
figcaption { font-weight: 600; font-size: 0.95rem }
.legend { display: flex; flex-wrap: wrap; gap: 0 0.9rem; font-size: 0.85rem; margin-bottom: 0.2rem }
.legend i { display: inline-block; width: 0.8em; height: 0.8em; border-radius: 2px; margin-right: 0.35em }
svg { width: 100%; height: auto; display: block; font: 12px system-ui, sans-serif }
svg text { fill: var(--ink) }
svg text.bar { fill: var(--bad) }
svg text.value { font-size: 11px }
svg .grid { stroke: var(--line) }
svg line.bar { stroke: var(--bad); stroke-dasharray: 5 4 }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: 0.85rem; margin: 0.75rem 0; min-width: 100% }
th, td { text-align: left; padding: 0.25rem 0.6rem 0.25rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
td:nth-child(2), td:nth-child(4) { white-space: nowrap }
@media (max-width: 640px) {
  thead { display: none }
  tr { display: flex; flex-wrap: wrap; gap: 0 1rem; border-bottom: 1px solid var(--line); padding: 0.3rem 0 }
  td { border: 0; padding: 0 }
  td:first-child { flex: 1 0 100% }
  td:nth-child(3), td:empty { display: none }
}
.yes { color: var(--good) } .no { color: var(--bad); font-weight: 700 }
`

export function reportPage(results: readonly Result[]): string {
  const shown = results.filter(({ metrics }) => metrics.length > 0)
  const links = shown.map(({ scenario }) => `<a href="#${escape(scenario)}">${escape(scenario)}</a>`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>RaftMQ, measured</title>
<style>${STYLE}</style>
</head>
<body>
<h1>RaftMQ, measured</h1>
<p class="where">Median with minimum and maximum in parentheses; a dashed line is what is to be reached.</p>
<nav>${links.join('')}</nav>
${shown.map(section).join('\n')}
</body>
</html>
`
}

function section(result: Result): string {
  const { scenario, title, takenAt, command, isQuick, environment, metrics, notes, plots = [] } = result
  const rows = metrics.map((metric) => {
    const verdict = isReached(metric)
    const css = verdict === undefined ? '' : ` class="${verdict ? 'yes' : 'no'}"`
    const cells = metricRow(metric)
    return `<tr>${cells.map((cell, at) => `<td${at === cells.length - 1 ? css : ''}>${escape(cell)}</td>`).join('')}</tr>`
  })
  return `<section id="${escape(scenario)}">
<h2>${escape(scenario)}</h2>
<p>${escape(title[0]?.toUpperCase() ?? '')}${escape(title.slice(1))}.</p>
<p class="where"><code>${escape(command)}</code>, ${takenAt.slice(0, 16).replace('T', ' ')} UTC, load average ${environment.loadBefore} before it; ${escape(environmentText(environment))}</p>
${isQuick ? '<p class="trouble">A quick run, to see that it works: these figures say little.</p>' : ''}
<div class="plots">${plots.map(drawFigure).join('')}</div>
<div class="wide"><table><thead><tr>${METRIC_HEAD.map((head) => `<th>${escape(head)}</th>`).join('')}</tr></thead>
<tbody>${rows.join('')}</tbody></table></div>
${notes.length === 0 ? '' : `<ul>${notes.map((note) => `<li>${escape(note)}</li>`).join('')}</ul>`}
</section>`
}

function drawFigure(plot: Plot): string {
  const legend = plot.series.map(
    ({ name }, at) => `<span><i style="background:${COLOURS[at % COLOURS.length] ?? ''}"></i>${escape(name)}</span>`,
  )
  const named = plot.series.length > 1 || plot.series.some(({ name }) => name !== '')
  return `<figure><figcaption>${escape(plot.title)}</figcaption>${named ? `<div class="legend">${legend.join('')}</div>` : ''}${drawPlot(plot)}</figure>`
}
