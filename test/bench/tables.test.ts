import { describe, expect, test } from 'vitest'
import type { Metric } from '../../bench/scenario.ts'
import { isReached, METRIC_HEAD, metricRow, replaceBetween, textTable } from '../../bench/tables.ts'

const rate = (...values: number[]): Metric => ({
  name: 'acknowledged',
  unit: '/s',
  values,
  bar: { kind: 'least', value: 80_000, of: 'median' },
})

describe('figures', () => {
  test('a bar holds for the median, the minimum or the maximum, as it says', () => {
    expect(isReached(rate(79_999, 80_000, 80_001))).toBe(true)
    expect(isReached(rate(79_998, 79_999, 90_000))).toBe(false)
    const gap = { name: 'gap', unit: 'ms', values: [100, 2_000] }
    expect(isReached({ ...gap, bar: { kind: 'below', value: 2_000, of: 'max' } })).toBe(false)
    expect(isReached({ ...gap, bar: { kind: 'below', value: 2_001, of: 'max' } })).toBe(true)
    expect(isReached({ ...gap, bar: { kind: 'below', value: 101, of: 'min' } })).toBe(true)
    expect(isReached({ ...gap, values: [0], bar: { kind: 'most', value: 0, of: 'max' } })).toBe(true)
    expect(isReached({ ...gap, values: [1], bar: { kind: 'most', value: 0, of: 'max' } })).toBe(false)
    expect(isReached(gap)).toBeUndefined()
  })

  test('a bar counts as reached where another figure stands in for it, and the row says so', () => {
    const { bar, ...short } = rate(40_000)
    const stoodIn = { ...short, bar: { kind: 'least', value: 80_000, of: 'median', or: 'by the ceiling' } as const }
    expect(isReached(stoodIn)).toBe(true)
    expect(metricRow(stoodIn).at(-1)).toBe('yes, by the ceiling')
    expect(metricRow({ ...short, ...(bar === undefined ? {} : { bar }) }).at(-1)).toBe('NO')
    expect(metricRow({ ...stoodIn, values: [90_000] }).at(-1)).toBe('yes')
  })
})

describe('tables', () => {
  test('columns of a terminal are as wide as their widest cell', () => {
    expect(textTable([METRIC_HEAD, metricRow(rate(81_000))])).toBe(
      [
        'what          median (min–max)  samples  to reach            reached',
        '------------  ----------------  -------  ------------------  -------',
        'acknowledged  81,000 /s         1        at least 80,000 /s  yes',
      ].join('\n'),
    )
  })

  test('only what is between the markers of a page changes, and may change again', () => {
    const page = 'before\n<!-- x: begin -->\nold\n<!-- x: end -->\nafter\n'
    const once = replaceBetween(page, 'x', 'new\n')
    expect(once).toBe('before\n<!-- x: begin -->\nnew\n<!-- x: end -->\nafter\n')
    expect(replaceBetween(once, 'x', 'new')).toBe(once)
    expect(() => replaceBetween(page, 'y', '')).toThrow('<!-- y: begin -->')
  })
})
