import { expect, test } from 'vitest'
import { figure, markdownTable, spreadText } from '../../src/report/text.ts'

test.each([
  [81_234.4, '81,234'],
  [0.6157, '0.62'],
  [12.34, '12.3'],
  [123.4, '123'],
  [20, '20'],
  [0, '0'],
])('%d is written %s', (value, text) => {
  expect(figure(value)).toBe(text)
})

test('a spread is given where there is more than one sample', () => {
  expect(spreadText({ values: [80_000, 70_000, 90_000], unit: '/s' })).toBe('80,000 (70,000–90,000) /s')
  expect(spreadText({ values: [3], unit: '' })).toBe('3')
})

test('a page gets a table whose cells cannot break it', () => {
  expect(
    markdownTable([
      ['a', 'b'],
      ['x|y', '1'],
    ]),
  ).toBe('| a | b |\n| --- | --- |\n| x\\|y | 1 |')
})
