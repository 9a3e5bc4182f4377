import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { isClose, LEAST_ROUNDS, MOST_ROUNDS, needsRound, ratiosOf } from '../../bench/peers/rounds.ts'
import { comparisons } from '../../bench/peers/comparisons.ts'
import { readOptions } from '../../bench/peers/options.ts'
import {
  quickWorkload,
  readLoadLine,
  readWorkloadArgument,
  type Workload,
  workloadArgument,
} from '../../bench/load/workload.ts'
import { median } from '../../src/report/statistics.ts'
import type { Bar } from '../../bench/scenario.ts'

const twice: Bar = { kind: 'least', value: 2, of: 'median' }
const rates = fc.array(fc.double({ noNaN: true, min: 1, max: 1e6 }), { minLength: 1, maxLength: 9 })

describe('a ratio', () => {
  test('is taken inside a round; a round in which one is missing says nothing', () => {
    expect(ratiosOf([10, 20, 30], [5, 5, 5])).toEqual([2, 4, 6])
    expect(ratiosOf([10, undefined, 30], [5, 5, undefined])).toEqual([2])
    expect(ratiosOf([10, 20], [0, 5])).toEqual([4])
  })

  test.prop([rates, fc.double({ noNaN: true, min: 0.1, max: 10 })])(
    'does not move when the machine drifts from round to round',
    (ours, drift) => {
      const theirs = ours.map((rate) => rate / 3)
      const drifted = (all: readonly number[]): number[] => all.map((rate, round) => rate * drift ** round)
      expect(median(ratiosOf(drifted(ours), drifted(theirs)))).toBeCloseTo(3, 6)
    },
  )

  test('is close to its bar when it is near, or when the rounds disagree', () => {
    expect(isClose([2.2, 2.2, 2.2], twice)).toBe(true)
    expect(isClose([1.8, 1.8, 1.8], twice)).toBe(true)
    expect(isClose([1.5, 3, 3], twice)).toBe(true)
    expect(isClose([3, 3.2, 3.4], twice)).toBe(false)
    expect(isClose([1, 1.2, 1.4], twice)).toBe(false)
    expect(isClose([], twice)).toBe(false)
  })
})

describe('rounds', () => {
  const clear = { ratios: [4, 4, 4], bar: twice }
  const near = { ratios: [2, 2.1, 2.2], bar: twice }

  test('are three at least, more while a ratio is close to its bar, nine at most', () => {
    expect(needsRound(LEAST_ROUNDS - 1, [clear])).toBe(true)
    expect(needsRound(LEAST_ROUNDS, [clear])).toBe(false)
    expect(needsRound(LEAST_ROUNDS, [clear, near])).toBe(true)
    expect(needsRound(MOST_ROUNDS, [near])).toBe(false)
  })

  test('are as many as were asked for', () => {
    expect(needsRound(0, [], 1)).toBe(true)
    expect(needsRound(1, [near], 1)).toBe(false)
    expect(needsRound(3, [clear], 5)).toBe(true)
  })
})

describe('workloads', () => {
  const all = comparisons.flatMap(({ entrants }) => entrants.flatMap(({ workloads }) => workloads))

  test('are told to a load program and read by it as they are', () => {
    for (const workload of all) {
      const told = readWorkloadArgument(workloadArgument(workload))
      expect(told).toEqual({ ...workload, title: workload.name })
    }
    expect(() => readWorkloadArgument('x:1:1')).toThrow('this is no workload: x:1:1')
    expect(() => readWorkloadArgument('x:1:1:128:0:a:1:0')).toThrow('this is no workload')
  })

  test('of one name are the same everywhere in a comparison', () => {
    for (const { entrants } of comparisons) {
      const byName = new Map<string, Workload>()
      for (const workload of entrants.flatMap(({ workloads }) => workloads)) {
        expect(byName.get(workload.name) ?? workload).toBe(workload)
        byName.set(workload.name, workload)
      }
    }
  })

  test('of a quick run are short', () => {
    for (const workload of all) expect(quickWorkload(workload).seconds).toBeLessThanOrEqual(2)
  })

  test('are told apart from what libraries print; a figure that is missing is an error', () => {
    expect(readLoadLine('WARN: something')).toBeUndefined()
    expect(readLoadLine('{"begin":"one"}')).toEqual({ event: 'begin', name: 'one' })
    const end = '{"end":"one","messages":10,"failed":1,"seconds":2.5,"p50":0.1,"p99":0.2,"p999":0.3,"max":0.4}'
    const figures = { messages: 10, failed: 1, seconds: 2.5, p50: 0.1, p99: 0.2, p999: 0.3, max: 0.4 }
    expect(readLoadLine(end)).toEqual({ event: 'end', name: 'one', figures })
    expect(() => readLoadLine('{"end":"one","messages":10}')).toThrow('says no failed')
  })
})

describe('comparisons', () => {
  test('hold only entrants against each other that have a turn with that workload', () => {
    for (const { name, entrants, relations } of comparisons) {
      const takes = (key: string, workload: Workload): boolean =>
        entrants.some((entrant) => entrant.key === key && entrant.workloads.includes(workload))
      for (const { of, to, workload, orShareOf } of relations) {
        expect(
          [of, to].filter((key) => !takes(key, workload)),
          `${name}: ${workload.title}`,
        ).toEqual([])
        if (orShareOf !== undefined) expect(takes(orShareOf.ceiling, workload)).toBe(true)
      }
    }
  })

  test('are chosen by name, with as many rounds as asked for', () => {
    const names = comparisons.map(({ name }) => name)
    expect(readOptions([], names)).toMatchObject({ only: names, rounds: undefined, quick: false })
    expect(readOptions(['--only', 'nats, dledger', '--pairs', '9'], names)).toMatchObject({
      only: ['nats', 'dledger'],
      rounds: 9,
    })
    expect(() => readOptions(['--only', 'kafka'], names)).toThrow('there is no comparison kafka; there are dledger')
    expect(() => readOptions(['--pairs', '0'], names)).toThrow('--pairs is a number from 1 to 99')
    expect(() => readOptions(['--quick', '--write-readme'], names)).toThrow('not published')
  })
})
