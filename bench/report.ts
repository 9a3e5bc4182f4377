/** `report.html`: all results with their plots on one page that needs no network and no script. Pure. */
import { environmentText } from './pages.ts'
import type { Result } from './results.ts'
import { drawFigure, page } from '../src/report/page.ts'
import { escape } from '../src/report/svg.ts'
import { METRIC_HEAD, isReached, metricRow } from './tables.ts'

const STYLE = `
nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem }
p.trouble { color: var(--bad) }
td:nth-child(2), td:nth-child(4) { white-space: nowrap }
@media (max-width: 640px) {
  thead { display: none }
  tr { display: flex; flex-wrap: wrap; gap: 0 1rem; border-bottom: 1px solid var(--line); padding: 0.3rem 0 }
  td { border: 0; padding: 0 }
  td:first-child { flex: 1 0 100% }
  td:nth-child(3), td:empty { display: none }
}
`

export function reportPage(results: readonly Result[]): string {
  const shown = results.filter(({ metrics }) => metrics.length > 0)
  const links = shown.map(({ scenario }) => `<a href="#${escape(scenario)}">${escape(scenario)}</a>`)
  return page({
    title: 'RaftMQ, measured',
    style: STYLE,
    body: `<p class="where">Median with minimum and maximum in parentheses; a dashed line is what is to be reached.</p>
<nav>${links.join('')}</nav>
${shown.map(section).join('\n')}`,
  })
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
