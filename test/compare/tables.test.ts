import { describe, expect, test } from 'vitest'
import { page } from '../../src/compare/page.ts'
import { planOf } from '../../src/compare/plan.ts'
import type { DeclaredLoss } from '../../src/compare/results.ts'
import { summaries } from '../../src/compare/summary.ts'
import { lossRows, markdown, speedRows, troubles } from '../../src/compare/tables.ts'
import { comparisonOf, parameters } from './results.ts'

const declared: DeclaredLoss = { term: 3, maxBytes: 67_108_864, inDoubt: false, foundMessages: 7 }
const rowsOf = (comparison: ReturnType<typeof comparisonOf>) => speedRows(summaries(comparison), parameters)
const troublesOf = (comparison: ReturnType<typeof comparisonOf>) => troubles(summaries(comparison))

/** Loses 7 messages in async replication by its first kill in each round, told. */
const told = comparisonOf((setup, fault) =>
  setup === '3 nodes, async × async' && fault === 'kill' ? [{ lost: 7, oldestLostMs: 12.4, declared: [declared] }] : [],
)

describe('the table', () => {
  test('has a row for every setup, with the spread of its rounds', () => {
    const [head, first, ...rest] = rowsOf(told)
    expect(head).toContain('p99 at 2,000/s')
    expect(first?.slice(0, 6)).toEqual([
      '3 nodes, sync × sync',
      '50,300 (50,200–50,400)',
      '1.50 (1.50–1.50) ms',
      '4 (4–4) ms',
      '400 (400–400) ms',
      '900 (900–900) B',
    ])
    expect(first?.slice(6)).toEqual(['0 of 12,000', '0 of 12,000'])
    expect(rest).toHaveLength(5)
    expect(rest[2]?.slice(6)).toEqual(['14 of 12,000', '0 of 12,000'])
  })

  test('of losses says how old the oldest was, what the mode may lose, and that it was declared', () => {
    const rows = lossRows(summaries(told))
    expect(rows).toHaveLength(1 + 2 * 6)
    expect(rows.find(([setup, fault]) => setup === '3 nodes, async × async' && fault?.startsWith('kill'))).toEqual([
      '3 nodes, async × async',
      'kill -9 of the leader',
      '4',
      '12,000',
      '14',
      '2 of 4',
      '7',
      '12 ms before',
      'the last 1,000 ms: 100',
      'yes',
    ])
  })

  test('has dashes for what was not measured yet', () => {
    const begun = comparisonOf(() => [], planOf(parameters).slice(0, 1))
    const [, first, second] = rowsOf(begun)
    expect(first?.slice(4)).toEqual(['–', '900 B', '–', '–'])
    expect(second?.slice(1)).toEqual(['–', '–', '–', '–', '–', '–', '–'])
    expect(markdown(begun)).toContain('1 of 36 steps so far')
    expect(markdown(begun).match(/^\| setup \|/gm)).toHaveLength(2)
  })
})

describe('a promise that was broken is said', () => {
  test('not of a loss within the bound that was declared', () => {
    expect(troublesOf(told)).toEqual([])
  })

  test('where a mode lost that may lose nothing', () => {
    const broken = comparisonOf((setup, fault) =>
      setup === '1 node, sync' && fault === 'power' ? [{ lost: 1, oldestLostMs: 0, declared: [declared] }] : [],
    )
    expect(troublesOf(broken)).toEqual(['1 node, sync, power cut of all: lost what it may not lose (nothing)'])
  })

  test('where what was lost is older than the bound, or nobody declared it', () => {
    const old = comparisonOf((setup, fault) =>
      setup === '3 nodes, sync × async' && fault === 'kill' ? [{ lost: 1, oldestLostMs: 1_001 }] : [],
    )
    expect(troublesOf(old)).toEqual([
      '3 nodes, sync × async, kill -9 of the leader: lost what it may not lose (the last 1,000 ms)',
      '3 nodes, sync × async, kill -9 of the leader: 2 losses were not declared',
    ])
  })

  test('where the checkers found more than losses', () => {
    const { results, ...rest } = comparisonOf()
    const spoilt = results.map((result, at) =>
      at === 1 && result.kind === 'kill' ? { ...result, violations: ['1 hole: x'] } : result,
    )
    expect(troublesOf({ ...rest, results: spoilt })).toEqual(['3 nodes, sync × sync, kill -9 of the leader: 1 hole: x'])
  })
})

describe('the page', () => {
  test('stands by itself: no script, nothing from elsewhere, nothing that was not escaped', () => {
    const html = page(told)
    expect(html).not.toMatch(/<script|https?:\/\/|url\(|NaN|undefined|Infinity/)
    expect(html).toContain('Some &lt;CPU&gt;')
    expect(html).toContain('<code>raftmq compare --nodes 3 --rounds 2 --kills 2 --seconds 5 --rate 2000</code>')
  })

  test('has a plot of throughput, latency, failover, its timeline, losses and bytes', () => {
    const html = page(told)
    expect(html.match(/<svg /g)).toHaveLength(7)
    for (const title of [
      'Throughput',
      'Latency at 2,000 a second',
      'Failover',
      'Around a kill',
      'Lost by one kill',
      'Lost by one power cut',
      'Written',
    ]) {
      expect(html).toContain(`<figcaption>${title}`)
    }
    expect(html).toContain('3 nodes, async × async, 1–9: 2')
  })

  test('says in words whether the promises held', () => {
    expect(page(told)).toContain('Nothing was lost that a mode promises to keep')
    const broken = comparisonOf((_, fault) => (fault === 'power' ? [{ lost: 1, oldestLostMs: 1 }] : []))
    expect(page(broken)).toContain(
      '<li>3 nodes, sync × sync, power cut of all: lost what it may not lose (nothing)</li>',
    )
  })

  test('of a comparison that has just begun is a page, too', () => {
    expect(page(comparisonOf(() => [], []))).not.toMatch(/NaN|undefined|Infinity/)
  })
})
