import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { baselineOf, compare, parseBaseline } from '../../bench/baseline.ts'
import type { Environment } from '../../bench/environment.ts'
import { numbersSection, resultsSection } from '../../bench/pages.ts'
import { formatResults, mergeResults, parseResults, type Result } from '../../bench/results.ts'
import type { Metric } from '../../bench/scenario.ts'
import { replaceBetween } from '../../bench/tables.ts'

const environment: Environment = {
  commit: 'abc',
  machine: { cpu: 'Some CPU', cores: 2, memoryGiB: 8, system: 'linux 6 x64' },
  node: 'v20.20.2',
  fsyncMs: 0.6,
  loadBefore: 0.1,
}

const resultOf = (scenario: string, ...metrics: Metric[]): Result => ({
  scenario,
  title: `what ${scenario} does`,
  takenAt: '2026-01-02T03:04:05.000Z',
  command: `npm run bench -- --only ${scenario}`,
  isQuick: false,
  environment,
  metrics,
  notes: [],
})

const at = (path: string): URL => new URL(`../../${path}`, import.meta.url)

const cost = (name: string, ...values: number[]): Metric => ({ name, unit: 'ns', values })

describe('results', () => {
  test('are read as they were written', () => {
    const results = [resultOf('send', cost('x', 1, 2))]
    expect(parseResults(formatResults(results))).toEqual(results)
    expect(() => parseResults('{"format":2,"results":[]}')).toThrow('format 1')
  })

  test('of a scenario take the place of older ones, in the order of the scenarios; what was not measured takes none', () => {
    const known = [resultOf('start', cost('old', 1)), resultOf('send', cost('old', 1))]
    const fresh = [resultOf('send', cost('new', 2)), { ...resultOf('start'), skipped: 'no disk' }]
    const merged = mergeResults(known, fresh, ['send', 'start'])
    expect(merged.map(({ scenario, metrics }) => [scenario, metrics[0]?.name])).toEqual([
      ['send', 'new'],
      ['start', 'old'],
    ])
  })

  test('of one machine name it once, those of several name it for each', () => {
    const bar = { kind: 'below', value: 5, of: 'max' } as const
    const one = resultOf('send', { ...cost('x', 1), bar }, cost('no bar', 1))
    const two = resultOf('start', { ...cost('y', 7), bar })
    const together = numbersSection([one, two])
    expect(together.match(/Some CPU/g)).toHaveLength(1)
    expect(together).toContain('| x | 1 ns | max below 5 ns |')
    expect(together).toContain('| y | 7 ns | max below 5 ns (missed) |')
    expect(together).not.toContain('no bar')
    const apart = numbersSection([one, { ...two, environment: { ...environment, commit: 'def' } }])
    expect(apart).toContain('send: commit abc')
    expect(apart).toContain('start: commit def')
  })

  test('fold away what has no figure to reach where there are many', () => {
    const bar = { kind: 'below', value: 5, of: 'max' } as const
    const many = Array.from({ length: 20 }, (_, at) => cost(`detail ${at}`, 1))
    const page = resultsSection([resultOf('send', ...many, { ...cost('held', 1), bar })])
    expect(page.indexOf('| held |')).toBeLessThan(page.indexOf('<details>'))
    expect(page.indexOf('| detail 7 |')).toBeGreaterThan(page.indexOf('<details>'))
    expect(resultsSection([resultOf('send', ...many.slice(0, 5))])).not.toContain('<details>')
  })

  test('in the pages are those of the file', () => {
    const page = readFileSync(at('bench/README.md'), 'utf8')
    const front = readFileSync(at('README.md'), 'utf8')
    if (!existsSync(at('bench/results.json'))) {
      expect(page).toContain('Not measured yet.')
      return
    }
    const results = parseResults(readFileSync(at('bench/results.json'), 'utf8'))
    expect(results.filter(({ isQuick }) => isQuick)).toEqual([])
    expect(page).toBe(replaceBetween(page, 'results', resultsSection(results)))
    expect(front).toBe(replaceBetween(front, 'numbers', numbersSection(results)))
  })
})

describe('a comparison with a baseline', () => {
  const baseline = baselineOf(resultOf('micro', cost('a', 90, 100, 110), { name: 'disk', unit: 'ms', values: [1] }))

  test('keeps medians of what is timed in nanoseconds', () => {
    expect(baseline.nanoseconds).toEqual({ a: 100 })
    expect(parseBaseline(JSON.stringify(baseline))).toEqual(baseline)
    expect(() => parseBaseline('{}')).toThrow('not a baseline')
  })

  test('names what is slower in every sample, and nothing that is slower in some', () => {
    expect(compare(baseline, resultOf('micro', cost('a', 126, 130))).slower).toEqual(['a'])
    expect(compare(baseline, resultOf('micro', cost('a', 120, 300, 300))).slower).toEqual([])
    expect(compare(baseline, resultOf('micro', cost('b', 5))).rows[1]).toEqual(['b', '', '5', '', 'new'])
  })

  test('says nothing of another machine', () => {
    const elsewhere = { ...resultOf('micro', cost('a', 500)), environment: { ...environment, node: 'v24.0.0' } }
    expect(compare(baseline, elsewhere).isSameMachine).toBe(false)
    expect(compare(baseline, resultOf('micro', cost('a', 500))).isSameMachine).toBe(true)
  })
})
