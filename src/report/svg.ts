/** Draws a plot as SVG that needs nothing but itself. Pure. */
import type { Axis, Plot, Series } from './plot.ts'
import { figure } from './text.ts'

const WIDTH = 520
const HEIGHT = 300
const FRAME = { left: 62, right: 14, top: 14, bottom: 46 } as const
const TICKS = 5
/** Told apart by people who see colours differently (Okabe and Ito), readable on white and on black. */
export const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#8c6bb1', '#e69f00', '#56b4e9', '#999999'] as const

/** A value's place between the ends of an axis, 0 to 1. */
interface Scale {
  readonly at: (value: number) => number
  readonly ticks: readonly number[]
}

export function drawPlot(plot: Plot): string {
  const all = plot.series.flatMap(({ points }) => points)
  if (all.length === 0) return ''
  const ys = [...all.map(([, y]) => y), ...plot.series.flatMap(({ spreads = [] }) => spreads.map(([, , high]) => high))]
  const y = scaleOf(plot.y, [...ys, ...(plot.bar === undefined ? [] : [plot.bar.value])])
  const x =
    plot.kind === 'bars'
      ? categoryScale(plot.categories ?? [])
      : scaleOf(
          plot.x,
          all.map(([value]) => value),
        )
  const px = (value: number): number => FRAME.left + x.at(value) * (WIDTH - FRAME.left - FRAME.right)
  const py = (value: number): number => HEIGHT - FRAME.bottom - y.at(value) * (HEIGHT - FRAME.top - FRAME.bottom)
  const place: Place = { px, py }
  const body = [
    ...y.ticks.map((tick) => horizontal(py(tick), tickText(tick))),
    ...(plot.kind === 'bars' ? categoryTicks(plot, place) : x.ticks.map((tick) => vertical(px(tick), tickText(tick)))),
    ...plot.series.map((series, at) =>
      plot.kind === 'bars' ? drawBars(plot, series, at, place) : drawLine(plot, series, at, place),
    ),
    ...(plot.bar === undefined ? [] : [barLine(py(plot.bar.value), plot.bar.text)]),
    text({ x: (FRAME.left + WIDTH - FRAME.right) / 2, y: HEIGHT - 8, anchor: 'middle' }, axisText(plot.x)),
    `<text transform="rotate(-90)" x="${-(FRAME.top + HEIGHT - FRAME.bottom) / 2}" y="13" text-anchor="middle">${escape(axisText(plot.y))}</text>`,
  ]
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escape(plot.title)}">${body.join('')}</svg>`
}

interface Place {
  readonly px: (value: number) => number
  readonly py: (value: number) => number
}

const colour = (at: number): string => COLOURS[at % COLOURS.length] ?? COLOURS[0]

function drawLine({ x, y }: Plot, { name, points }: Series, at: number, { px, py }: Place): string {
  const path = points.map(([a, b], n) => `${n === 0 ? 'M' : 'L'}${round(px(a))} ${round(py(b))}`).join('')
  const line = `<path d="${path}" fill="none" stroke="${colour(at)}" stroke-width="2" stroke-linejoin="round"/>`
  // Of many points, marks would hide the line.
  if (points.length > 20) return line
  const marks = points.map(
    ([a, b]) =>
      `<circle cx="${round(px(a))}" cy="${round(py(b))}" r="3.5" fill="${colour(at)}"><title>${escape(`${name}: ${figure(b)} ${y.unit} at ${figure(a)} ${x.unit}`.trim())}</title></circle>`,
  )
  return line + marks.join('')
}

function drawBars(plot: Plot, { name, points, spreads = [] }: Series, at: number, { px, py }: Place): string {
  const width = (0.8 * (WIDTH - FRAME.left - FRAME.right)) / ((plot.categories?.length ?? 1) * plot.series.length)
  const foot = HEIGHT - FRAME.bottom
  const leftOf = (category: number): number => px(category) + (at - plot.series.length / 2) * width
  const bars = points.map(([category, value]) => {
    const left = leftOf(category)
    const label = `${name}, ${plot.categories?.[category] ?? ''}: ${figure(value)} ${plot.y.unit}`
    const top = Math.min(py(value), foot)
    const highest = spreads.find(([x]) => x === category)?.[2] ?? value
    const shown =
      plot.series.length * (plot.categories?.length ?? 1) > 12
        ? ''
        : valueAbove(left + width / 2, Math.min(top, py(highest)), value)
    return `<rect x="${round(left)}" y="${round(top)}" width="${round(width * 0.9)}" height="${round(foot - top)}" fill="${colour(at)}"><title>${escape(label)}</title></rect>${shown}`
  })
  const lines = spreads.map(([category, low, high]) => {
    const x = round(leftOf(category) + width * 0.45)
    return `<line x1="${x}" x2="${x}" y1="${round(py(low))}" y2="${round(py(high))}" class="spread"/>`
  })
  return [...bars, ...lines].join('')
}

const valueAbove = (x: number, top: number, value: number): string =>
  text({ x, y: Math.max(10, top - 4), anchor: 'middle', css: 'value' }, tickText(value))

function categoryTicks({ categories = [] }: Plot, { px }: Place): readonly string[] {
  return categories.map((name, at) =>
    text({ x: px(at), y: HEIGHT - FRAME.bottom + 16, anchor: 'middle', css: 'category' }, name),
  )
}

function horizontal(y: number, label: string): string {
  return `<line x1="${FRAME.left}" x2="${WIDTH - FRAME.right}" y1="${round(y)}" y2="${round(y)}" class="grid"/>${text({ x: FRAME.left - 6, y: y + 4, anchor: 'end' }, label)}`
}

function vertical(x: number, label: string): string {
  const foot = HEIGHT - FRAME.bottom
  return `<line x1="${round(x)}" x2="${round(x)}" y1="${FRAME.top}" y2="${foot}" class="grid"/>${text({ x, y: foot + 16, anchor: 'middle' }, label)}`
}

function barLine(y: number, label: string): string {
  const line = `<line x1="${FRAME.left}" x2="${WIDTH - FRAME.right}" y1="${round(y)}" y2="${round(y)}" class="bar"/>`
  return line + text({ x: WIDTH - FRAME.right - 4, y: y - 5, anchor: 'end', css: 'bar' }, label)
}

function text(
  place: { readonly x: number; readonly y: number; readonly anchor: 'middle' | 'end'; readonly css?: string },
  content: string,
): string {
  const css = place.css === undefined ? '' : ` class="${place.css}"`
  return `<text x="${round(place.x)}" y="${round(place.y)}" text-anchor="${place.anchor}"${css}>${escape(content)}</text>`
}

const axisText = ({ label, unit }: Axis): string => (unit === '' ? label : `${label}, ${unit}`)

/** Round steps, or decades between the lowest and the highest. An axis of equal steps begins at 0: half a bar tells half of the truth. */
export function scaleOf({ isLog = false, isWhole = false }: Axis, values: readonly number[]): Scale {
  const highest = Math.max(...values)
  if (isLog) {
    const [low, high] = [Math.log10(Math.min(...values)), Math.log10(highest)]
    // One value alone has a decade around it.
    const [from, to] = high - low < 0.05 ? [low - 0.5, high + 0.5] : [low - 0.02, high + 0.02]
    return { at: (value) => (Math.log10(value) - from) / (to - from), ticks: logTicks(from, to) }
  }
  const step = Math.max(niceStep((highest || 1) / TICKS), isWhole ? 1 : 0)
  const end = Math.max(step, Math.ceil(highest / step - 1e-9) * step)
  const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, at) => at * step)
  return { at: (value) => value / end, ticks }
}

/** Decades; between them 2 and 5 times, where there is room. */
function logTicks(from: number, to: number): readonly number[] {
  const decades = Array.from({ length: Math.ceil(to) - Math.floor(from) + 1 }, (_, at) => Math.floor(from) + at)
  const steps = to - from < 2.5 ? [1, 2, 5] : [1]
  return decades
    .flatMap((decade) => steps.map((step) => step * 10 ** decade))
    .filter((tick) => Math.log10(tick) >= from && Math.log10(tick) <= to)
}

const categoryScale = (categories: readonly string[]): Scale => ({
  at: (value) => (value + 0.5) / categories.length,
  ticks: [],
})

/** 1, 2 or 5 times a power of ten, not below `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return ([1, 2, 5, 10].find((times) => times * power >= least * (1 - 1e-9)) ?? 10) * power
}

/** Short, for an axis: 20k, 1.5M. */
export function tickText(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e6) return `${trimmed(value / 1e6)}M`
  if (size >= 1e4) return `${trimmed(value / 1e3)}k`
  return trimmed(value)
}

const trimmed = (value: number): string => String(Number(value.toPrecision(3)))
const round = (value: number): string => String(Number(value.toFixed(1)))

export const escape = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
