/** The comparison as one page that needs no network and no script. Pure. */
import { drawFigure, page as pageOf } from '../report/page.ts'
import { escape } from '../report/svg.ts'
import { LOAD } from './plan.ts'
import { plotsOf } from './plots.ts'
import type { Comparison } from './results.ts'
import { summaries } from './summary.ts'
import { lossRows, promiseRows, sourceText, speedRows, troubles, type Rows } from './tables.ts'

const STYLE = `
p.good { color: var(--good) }
ul.trouble { color: var(--bad); font-weight: 600 }
td { white-space: nowrap }
`

export function page(comparison: Comparison): string {
  const all = summaries(comparison)
  const { parameters } = comparison
  const found = troubles(all)
  return pageOf({
    title: 'RaftMQ: flush and replication modes compared',
    style: STYLE,
    body: `<p class="where">${code(sourceText(comparison))}. Medians, with minimum and maximum in parentheses.</p>
${found.length === 0 ? '<p class="good">Nothing was lost that a mode promises to keep, and every loss was declared.</p>' : `<ul class="trouble">${found.map((line) => `<li>${escape(line)}</li>`).join('')}</ul>`}
${table(speedRows(all, parameters))}
<div class="plots">${plotsOf(all, parameters).map(drawFigure).join('')}</div>
<h2>What is promised</h2>
${table(promiseRows(all))}
<h2>What was lost</h2>
${table(lossRows(all))}
<h2>How it was measured</h2>
<ul>${methodLines(comparison)
      .map((line) => `<li>${escape(line)}</li>`)
      .join('')}</ul>`,
  })
}

function methodLines({ parameters, results }: Comparison): readonly string[] {
  const { ratePerSecond, kills, rounds, seconds } = parameters
  const isCounted = results.every((result) => result.kind !== 'speed' || result.bytesFrom === 'system')
  const rate = `${ratePerSecond.toLocaleString('en-US')} messages a second`
  return [
    `All nodes, each a process of its own, and the load together on this machine; bodies of ${LOAD.bodyBytes} bytes; ` +
      `${rounds} ${rounds === 1 ? 'round' : 'rounds'}, in each of which every setup has its turn.`,
    `Throughput: ${LOAD.producers} producers with ${LOAD.inFlight.toLocaleString('en-US')} messages in flight each, for ${seconds} s.`,
    `Latency: ${rate} for ${seconds} s, each timed from when it was due, so that a stall shows in every message behind it.`,
    `Failover: kill -9 of the leader under ${rate}, ${kills} times a round: the longest time without an acknowledgement. ` +
      'A single node is started again at once.',
    'Lost by kills: acknowledged, and not found by a consumer that reads the topic from its start afterwards.',
    'Lost by power cuts: the same after all nodes were killed at once that keep back, in their own memory, whatever was ' +
      'not synced. It shows what depended on unsynced bytes; a write is lost whole, never torn.',
    'May lose: what the mode allows (maxUnflushedMs, maxUnreplicatedMs), as the acknowledgements of so many ' +
      'milliseconds before the fault. Declared: the broker told of it (raftmq status, raftmq lost).',
    `Written: by all nodes together, ${isCounted ? 'as the system counts it for their processes' : 'as their logs grew: the system does not count it'}.`,
  ]
}

function table([head, ...body]: Rows): string {
  const heads = head.map((cell) => `<th>${escape(cell)}</th>`).join('')
  const rows = body.map((row) => `<tr>${row.map((cell) => `<td>${escape(cell)}</td>`).join('')}</tr>`)
  return `<div class="wide"><table><thead><tr>${heads}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`
}

/** Text between backticks as code. */
const code = (text: string): string => escape(text).replaceAll(/`([^`]*)`/g, '<code>$1</code>')
