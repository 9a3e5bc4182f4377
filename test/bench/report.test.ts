import { expect, test } from 'vitest'
import { reportPage } from '../../bench/report.ts'
import type { Result } from '../../bench/results.ts'
import type { Plot } from '../../src/report/plot.ts'

const axis = { label: 'x', unit: '' }
const plot: Plot = {
  title: 'Rate <b>',
  kind: 'lines',
  x: axis,
  y: axis,
  series: [{ name: 'a & b', points: [[1, 10]] }],
}

test('the report stands by itself: no script, nothing from elsewhere, every result that has figures', () => {
  const result: Result = {
    scenario: 'send',
    title: 'sends',
    takenAt: '2026-01-02T03:04:05.000Z',
    command: 'npm run bench',
    isQuick: true,
    environment: {
      commit: 'abc',
      machine: { cpu: 'Some CPU', cores: 2, memoryGiB: 8, system: 'linux 6 x64' },
      node: 'v20.20.2',
      fsyncMs: 0.6,
      loadBefore: 0.1,
    },
    metrics: [{ name: 'rate', unit: '/s', values: [5], bar: { kind: 'least', value: 9, of: 'median' } }],
    notes: ['a note'],
    plots: [plot],
  }
  const page = reportPage([result, { ...result, scenario: 'absent', metrics: [] }])
  for (const text of ['Some CPU', 'abc', 'a note', '<svg', 'class="no">NO', 'A quick run']) expect(page).toContain(text)
  expect(page).not.toContain('absent')
  expect(page).not.toMatch(/<script|https?:\/\/|url\(/)
})
