import { describe, expect, test } from 'vitest'
import { type Plot, slopeOf, thinned } from '../../src/report/plot.ts'
import { drawPlot, scaleOf, tickText } from '../../src/report/svg.ts'

const axis = { label: 'x', unit: '' }
const plot: Plot = {
  title: 'Rate <b>',
  kind: 'lines',
  x: { ...axis, isLog: true },
  y: { label: 'rate', unit: '/s' },
  series: [
    {
      name: 'a & b',
      points: [
        [1, 10],
        [1_000, 90],
      ],
    },
  ],
  bar: { value: 95, text: 'to reach' },
}

describe('a scale', () => {
  test('of equal steps begins at 0 and ends at a round step above the highest', () => {
    const { at, ticks } = scaleOf(axis, [3, 47])
    expect(ticks).toEqual([0, 10, 20, 30, 40, 50])
    expect([at(0), at(25), at(50)]).toEqual([0, 0.5, 1])
    expect(scaleOf(axis, [0]).ticks.at(-1)).toBeGreaterThan(0)
  })

  test('of counts has no steps between whole numbers', () => {
    expect(scaleOf({ ...axis, isWhole: true }, [2]).ticks).toEqual([0, 1, 2])
  })

  test('of decades has its ends at the lowest and the highest', () => {
    const { at, ticks } = scaleOf({ ...axis, isLog: true }, [1, 2_000])
    expect(ticks).toEqual([1, 10, 100, 1_000])
    expect(at(1)).toBeCloseTo(0, 1)
    expect(at(2_000)).toBeCloseTo(1, 1)
    expect(scaleOf({ ...axis, isLog: true }, [10, 100]).ticks).toEqual([10, 20, 50, 100])
    expect(Number.isFinite(scaleOf({ ...axis, isLog: true }, [7]).at(7))).toBe(true)
  })

  test.each([
    [0, '0'],
    [0.25, '0.25'],
    [9_000, '9000'],
    [20_000, '20k'],
    [1_500_000, '1.5M'],
  ])('writes %d as %s', (value, written) => {
    expect(tickText(value)).toBe(written)
  })
})

describe('a trend', () => {
  test('is the slope of the line through the points', () => {
    expect(slopeOf([0, 1, 2, 3].map((x) => [x, 5 + 2 * x] as const))).toBeCloseTo(2)
    expect(slopeOf([[1, 5]])).toBe(0)
    expect(
      slopeOf([
        [1, 5],
        [1, 9],
      ]),
    ).toBe(0)
  })

  test('of a long run keeps its shape in fewer points', () => {
    const points = Array.from({ length: 1_000 }, (_, at) => [at, 3 * at] as const)
    const few = thinned(points, 100)
    expect(few).toHaveLength(100)
    expect(slopeOf(few)).toBeCloseTo(3)
    expect(thinned(points.slice(0, 50), 100)).toHaveLength(50)
  })
})

describe('a drawing', () => {
  test('has units, names and the bar, and nothing that a page would take for markup', () => {
    const svg = drawPlot(plot)
    for (const text of ['rate, /s', 'Rate &lt;b&gt;', 'a &amp; b: 90 /s', 'to reach']) expect(svg).toContain(text)
    expect(svg).not.toContain('NaN')
  })

  test('of bars has one for each category and series, with its value', () => {
    const categories = ['sync', 'async']
    const points = [
      [0, 50],
      [1, 100],
    ] as const
    const svg = drawPlot({ title: 't', kind: 'bars', categories, x: axis, y: axis, series: [{ name: '', points }] })
    expect(svg.match(/<rect/g)).toHaveLength(2)
    expect(svg).toContain('>100<')
  })

  test('of bars shows how far what they are the middle of spreads, the scale included', () => {
    const series = [{ name: '', points: [[0, 50]] as const, spreads: [[0, 40, 90]] as const }]
    const svg = drawPlot({ title: 't', kind: 'bars', categories: ['a'], x: axis, y: axis, series })
    expect(svg.match(/class="spread"/g)).toHaveLength(1)
    expect(svg).toContain('>100<')
    expect(svg).not.toContain('NaN')
  })

  test('of nothing is nothing', () => {
    expect(drawPlot({ ...plot, series: [] })).toBe('')
  })
})
