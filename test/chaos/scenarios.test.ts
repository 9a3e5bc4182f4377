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

const round = (gapMs: number) => ({ gapMs, deliveryGapMs: 0, recoveryMs: 0 })

test('what was run adds up, and what was skipped counts as nothing but that', () => {
  const none = { timeline: [], notes: [], reasons: [], seconds: 1, failed: 0, undecided: 0, seed: 1, family: 'kill' }
  const mode = { flush: 'sync', replication: 'sync' } as const
  const one = { ...none, scenario: 'kill-leader', mode, outcome: 'passed', acknowledged: 1_000, lost: 0 } as const
  const first = added({}, [{ ...one, rounds: [round(100), round(300)] }])
  const both = added(first, [
    { ...one, rounds: [round(200)], outcome: 'failed', lost: 2 },
    { ...one, scenario: 'netem-loss', rounds: [], outcome: 'skipped', acknowledged: 0 },
  ])
  expect(tableOf(both).split('\n').slice(2)).toEqual([
    '| kill-leader (sync × sync) | 2 | 3 | 2,000 | 2 | 1 | 0 | 200 | 300 | 300 |',
    '| netem-loss (sync × sync) | 0 | 0 | 0 | 0 | 0 | 1 | – | – | – |',
  ])
})
