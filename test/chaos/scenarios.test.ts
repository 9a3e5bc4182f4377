import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { scenarios, smoke } from '../../chaos/scenarios/index.ts'
import { added, tableOf } from '../../chaos/tally.ts'

test('every scenario has a name of its own and a paragraph in the README that says what it believes', () => {
  const names = scenarios.map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  const page = readFileSync(new URL('../../chaos/README.md', import.meta.url), 'utf8').replaceAll(/\s+/g, ' ')
  for (const { name, number, hypothesis } of scenarios) {
    expect(page).toContain(`**${name}** (${number}). *Hypothesis.* ${hypothesis} *Fault.*`)
  }
  const described = [...page.matchAll(/\*\*([\w.-]+)\*\* \(/g)].map(([, name]) => name)
  expect(described.filter((name) => !names.includes(name ?? ''))).toEqual([])
})

test('the smoke run has one of every family', () => {
  const families = new Set(scenarios.map(({ family }) => family))
  const run = scenarios.filter(({ name }) => smoke.includes(name)).map(({ family }) => family)
  expect(new Set(run)).toEqual(families)
  expect(run).toHaveLength(smoke.length)
})

const round = (gapMs: number, deliveryGapMs = 0) => ({ gapMs, deliveryGapMs, recoveryMs: 0, lost: 0 })

test('what was run adds up by scenario, mode and workload, and what was skipped counts as nothing but that', () => {
  const none = { timeline: [], notes: [], reasons: [], seconds: 1, failed: 0, undecided: 0, seed: 1, family: 'kill' }
  const mode = { flush: 'sync', replication: 'sync' } as const
  const own = { ...none, workload: 'own', mode, mayLosePerRound: 0 } as const
  const one = { ...own, scenario: 'kill-leader', outcome: 'passed', acknowledged: 1_000, lost: 0 } as const
  const first = added({}, [{ ...one, rounds: [round(100, 400), round(300, 500)] }])
  const both = added(first, [
    { ...one, rounds: [round(200)], outcome: 'failed', lost: 2 },
    { ...one, workload: 'java', rounds: [round(700)] },
    { ...one, scenario: 'kill-with-lag', rounds: [{ ...round(10), lost: 7 }], lost: 7, mayLosePerRound: 50 },
    { ...one, scenario: 'netem-loss', rounds: [], outcome: 'skipped', acknowledged: 0 },
  ])
  expect(tableOf(both).split('\n').slice(2)).toEqual([
    '| kill-leader (sync × sync) | 2 | 3 | 2,000 | 2 | 1 | 0 | 200 / 300 / 300 | 400 / 500 / 500 | – |',
    '| kill-leader (sync × sync, Java client) | 1 | 1 | 1,000 | 0 | 0 | 0 | 700 / 700 / 700 | 0 / 0 / 0 | – |',
    '| kill-with-lag (sync × sync) | 1 | 1 | 1,000 | 7 | 0 | 0 | 10 / 10 / 10 | 0 / 0 / 0 | 7 / 7 / 7 |',
    '| netem-loss (sync × sync) | 0 | 0 | 0 | 0 | 0 | 1 | – | – | – |',
  ])
})
