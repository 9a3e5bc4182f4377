import { afterEach, describe, expect, test } from 'vitest'
import type { Group, Groups } from '../../src/compare/group.ts'
import { planOf, remaining, stepKey, type Parameters } from '../../src/compare/plan.ts'
import type { Comparison } from '../../src/compare/results.ts'
import { runComparison, type Progress } from '../../src/compare/run.ts'
import { setupName } from '../../src/compare/setups.ts'
import { summaries } from '../../src/compare/summary.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { FakeCluster } from '../support/fake-broker.ts'
import { comparisonOf } from './results.ts'

const parameters: Parameters = { nodes: 1, rounds: 1, kills: 1, seconds: 0.2, ratePerSecond: 400 }
const begun: Comparison = { ...comparisonOf(() => [], []), parameters }
/** All but the steps at these places are done. */
const allBut = (...places: readonly number[]): Comparison => ({
  ...comparisonOf(
    () => [],
    planOf(parameters).filter((_, at) => !places.includes(at)),
  ),
  parameters,
})

const open = new Set<FakeCluster>()
afterEach(async () => {
  await Promise.all([...open].map((fake) => fake.close()))
  open.clear()
})

/** Groups of one node that answers as a broker does; `onKill` is done to it instead of a kill. */
function fakeGroups(onKill: (fake: FakeCluster) => void = () => {}): Groups & { readonly started: string[] } {
  const started: string[] = []
  return {
    started,
    async start(setup, { keepsBack }): Promise<Group> {
      started.push(`${setupName(setup)}${keepsBack ? ', keeping back' : ''}`)
      const fake = await FakeCluster.start()
      open.add(fake)
      let bytes = 0
      return {
        namesrv: fake.namesrv,
        bytesWritten: () => Promise.resolve({ bytes: (bytes += 1_000), from: 'system' }),
        victims: () => Promise.resolve({ kill: () => Promise.resolve(onKill(fake)), revive: () => {} }),
        serving: () => Promise.resolve(),
        losses: () => Promise.resolve([]),
        close: () => fake.close(),
      }
    },
  }
}

interface Ran {
  readonly saved: Comparison[]
  readonly lines: string[]
}

async function run(
  before: Comparison,
  groups: Groups,
  {
    signal = new AbortController().signal,
    look = () => {},
  }: { signal?: AbortSignal; look?: (p: Progress) => void } = {},
): Promise<Ran & { readonly comparison: Comparison }> {
  const saved: Comparison[] = []
  const lines: string[] = []
  const comparison = await runComparison(before, {
    clock: systemClock,
    groups,
    signal,
    save: (one) => saved.push(one),
    look(progress) {
      lines.push(`${progress.number}/${progress.total} ${progress.text}`)
      look(progress)
    },
  })
  return { saved, lines, comparison }
}

describe('a comparison', () => {
  test('does every step of its plan and keeps each result as soon as it is there', async () => {
    const groups = fakeGroups()
    const { saved, lines, comparison } = await run(begun, groups)
    expect(comparison.results.map(stepKey)).toEqual(planOf(parameters).map(stepKey))
    expect(saved.map(({ results }) => results.length)).toEqual([1, 2, 3, 4, 5, 6])
    expect(groups.started.slice(0, 3)).toEqual(['1 node, sync', '1 node, sync', '1 node, sync, keeping back'])
    expect(lines[0]).toBe('1/6 round 1, 1 node, sync, throughput and latency: starting')
    const [sync] = summaries(comparison)
    expect(sync?.acksPerSecond).toHaveLength(1)
    expect(sync?.kill).toMatchObject({ lost: 0, undeclared: 0, isBeyondBound: false, violations: [] })
    expect(sync?.kill.acknowledged).toBeGreaterThan(0)
  })

  test('goes on after an interruption with the step that was not finished', async () => {
    const controller = new AbortController()
    const saved: Comparison[] = []
    const before = allBut(1, 2, 4)
    const stopping = runComparison(before, {
      clock: systemClock,
      groups: fakeGroups(),
      signal: controller.signal,
      save: (one) => saved.push(one),
      look: ({ number }) => number === 5 && controller.abort(new Error('Ctrl-C')),
    })
    await expect(stopping).rejects.toThrow('Ctrl-C')
    const [kept = before] = saved.slice(-1)
    expect(kept.results).toHaveLength(4)
    const again = await run(kept, fakeGroups())
    expect(again.lines[0]).toBe('5/6 round 1, 1 node, sync, power cuts: starting')
    expect(again.comparison.results.slice(0, 4)).toEqual(kept.results)
    expect(remaining(parameters, again.comparison.results)).toEqual([])
  })

  test('finds what was acknowledged and is gone after a fault, and that nobody declared it', async () => {
    const groups = fakeGroups((fake) => {
      for (const queue of fake.topics.get('compare')?.queues ?? []) queue.splice(-2)
    })
    const { comparison } = await run(allBut(1, 5), groups)
    const [sync, async] = summaries(comparison)
    expect(sync?.kill.lost).toBeGreaterThan(0)
    expect(sync?.kill).toMatchObject({ losing: 1, undeclared: 1, isBeyondBound: true })
    expect(async?.power).toMatchObject({ losing: 1, undeclared: 1, isBeyondBound: false })
  })
})
