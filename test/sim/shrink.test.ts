import { expect, test } from 'vitest'
import type { SeedReport, SeedRequest } from '../../sim/seed-run.ts'
import { shrink } from '../../sim/shrink.ts'
import { formatNumbers, parseNumbers } from '../../sim/world/step-numbers.ts'

/** Fails while all of `needed` are in it; another rule breaks when 50 is left out. */
function failing(needed: readonly number[]): (request: SeedRequest) => Promise<SeedReport> {
  return ({ seed, without = new Set() }) => {
    const isThere = needed.every((step) => !without.has(step))
    const rule = without.has(50) ? 'another' : 'rule'
    const violation = isThere || rule === 'another' ? { rule, message: '' } : undefined
    return Promise.resolve({
      seed,
      simulatedMs: 0,
      steps: 200,
      leaders: 0,
      commits: 0,
      faults: {},
      hash: '',
      violation,
    })
  }
}

test('a failing run is made as short as the steps that it takes, and keeps to its rule', async () => {
  const run = failing([17, 90])
  const request = { seed: 1 }
  const without = await shrink({ run, request, failed: await run(request), runsMax: 1000 })
  const kept = Array.from({ length: 200 }, (_, at) => at + 1).filter((step) => !without.has(step))
  expect(kept).toEqual([17, 50, 90])
})

test('numbers of steps are written as ranges and read back', () => {
  expect(formatNumbers([12, 3, 1, 2, 10])).toBe('1-3,10,12')
  expect([...parseNumbers('1-3,10,12')]).toEqual([1, 2, 3, 10, 12])
  expect(() => parseNumbers('1-x')).toThrow(RangeError)
})
