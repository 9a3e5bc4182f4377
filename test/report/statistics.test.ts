import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { median, percentile, spreadOf } from '../../src/report/statistics.ts'

const samples = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1, maxLength: 50 })

describe('order statistics', () => {
  test('the median is the one in the middle, or the mean of two', () => {
    expect(median([5, 1, 3])).toBe(3)
    expect(median([4, 1, 3, 2])).toBe(2.5)
    expect(median([7])).toBe(7)
    expect(median([])).toBeNaN()
  })

  test('numbers are sorted as numbers, and the caller keeps his order', () => {
    const given = [100, 9, 20]
    expect(median(given)).toBe(20)
    expect(given).toEqual([100, 9, 20])
  })

  test('a percentile is a value that was measured: the smallest that so many do not exceed', () => {
    const hundred = Array.from({ length: 100 }, (_, at) => at + 1)
    expect(percentile(hundred, 0.99)).toBe(99)
    expect(percentile(hundred, 1)).toBe(100)
    expect(percentile(hundred, 0)).toBe(1)
    expect(percentile([1, 2, 3], 0.99)).toBe(3)
  })

  test.prop([samples])('half of the samples lie on each side of the median', (values) => {
    const { median: middle, min, max } = spreadOf(values)
    expect(values.filter((value) => value <= middle).length * 2).toBeGreaterThanOrEqual(values.length)
    expect(values.filter((value) => value >= middle).length * 2).toBeGreaterThanOrEqual(values.length)
    expect([min, max]).toEqual([percentile(values, 0), percentile(values, 1)])
  })
})
