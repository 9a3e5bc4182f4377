/** A page with plots that stands by itself: one file, no script, nothing from elsewhere, light and dark. Pure. */
import type { Plot } from './plot.ts'
import { COLOURS, drawPlot, escape } from './svg.ts'

const STYLE = `
:root { color-scheme: light dark; --ink: #1c1c1c; --page: #fff; --soft: #666; --line: #ddd; --good: #00734f; --bad: #b3261e }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e8; --page: #161616; --soft: #a0a0a0; --line: #3a3a3a; --good: #4cc79a; --bad: #ff8a80 }
}
body { margin: 0 auto; max-width: 1160px; padding: 1rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page) }
h1 { font-size: 1.6rem; margin: 0.5rem 0 }
h2 { font-size: 1.25rem; margin: 2.5rem 0 0.25rem; border-top: 1px solid var(--line); padding-top: 1rem }
a { color: inherit }
p.where { color: var(--soft); font-size: 0.85rem; margin: 0.25rem 0 }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: 1rem; margin: 1rem 0 }
figure { margin: 0; border: 1px solid var(--line); border-radius: 6px; padding: 0.6rem }
figcaption { font-weight: 600; font-size: 0.95rem }
.legend { display: flex; flex-wrap: wrap; gap: 0 0.9rem; font-size: 0.85rem; margin-bottom: 0.2rem }
.legend i { display: inline-block; width: 0.8em; height: 0.8em; border-radius: 2px; margin-right: 0.35em }
svg { width: 100%; height: auto; display: block; font: 12px system-ui, sans-serif }
svg text { fill: var(--ink) }
svg text.bar { fill: var(--bad) }
svg text.value { font-size: 11px }
svg text.category { font-size: 10.5px }
svg .grid { stroke: var(--line) }
svg .spread { stroke: var(--ink); stroke-width: 1.5 }
svg line.bar { stroke: var(--bad); stroke-dasharray: 5 4 }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-size: 0.85rem; margin: 0.75rem 0; min-width: 100% }
th, td { text-align: left; padding: 0.25rem 0.6rem 0.25rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
.yes { color: var(--good) } .no { color: var(--bad); font-weight: 700 }
`

export interface PageContent {
  readonly title: string
  /** CSS beside what every page has. */
  readonly style: string
  /** HTML behind the title; whoever made it has escaped what came from elsewhere. */
  readonly body: string
}

export function page({ title, style, body }: PageContent): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<style>${STYLE}${style}</style>
</head>
<body>
<h1>${escape(title)}</h1>
${body}
</body>
</html>
`
}

/** A plot with its title and the colours of its series. */
export function drawFigure(plot: Plot): string {
  const legend = plot.series.map(
    ({ name }, at) => `<span><i style="background:${COLOURS[at % COLOURS.length] ?? ''}"></i>${escape(name)}</span>`,
  )
  const named = plot.series.length > 1 || plot.series.some(({ name }) => name !== '')
  return `<figure><figcaption>${escape(plot.title)}</figcaption>${named ? `<div class="legend">${legend.join('')}</div>` : ''}${drawPlot(plot)}</figure>`
}
