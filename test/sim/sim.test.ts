import { describe, expect, test } from 'vitest'
import { readKeptSeeds } from '../../sim/kept-seeds.ts'
import { scopeNames, scopes } from '../../sim/scopes.ts'
import type { SeedReport } from '../../sim/seed-run.ts'

/** `npm run sim` runs thousands; these see that it does, and that something happens. */
const seeds = { core: 120, node: 6 } as const

const kept = readKeptSeeds(new URL('../../sim/seeds.txt', import.meta.url))

describe('whatever goes wrong, what is committed stays, and in the end everything works again', () => {
  for (const scope of scopeNames) {
    test(`seeds of the scope ${scope}`, { timeout: 600_000 }, async () => {
      const reports: SeedReport[] = []
      for (let seed = 1; seed <= seeds[scope]; seed++) reports.push(await scopes[scope]({ seed }))
      expect(reports.filter(({ violation }) => violation !== undefined)).toEqual([])
      // A run in which nothing happens proves nothing.
      const mean = (of: (report: SeedReport) => number): number =>
        reports.reduce((sum, report) => sum + of(report), 0) / reports.length
      expect(mean(({ commits }) => commits)).toBeGreaterThan(50)
      expect(mean(({ leaders }) => leaders)).toBeGreaterThan(2)
    })

    test(`one seed of the scope ${scope} gives one run, byte for byte`, { timeout: 120_000 }, async () => {
      const runs: { readonly lines: string[]; readonly hash: string }[] = []
      for (let time = 0; time < 2; time++) {
        const lines: string[] = []
        const { hash } = await scopes[scope]({ seed: 7, trace: (line) => lines.push(line) })
        runs.push({ lines, hash })
      }
      expect(runs[0]?.lines.length).toBeGreaterThan(100)
      expect(runs[1]).toEqual(runs[0])
    })
  }
})

describe('a seed that failed once', () => {
  test.each(kept)('$line', { timeout: 120_000 }, async ({ options: { world, seed = 0 } }) => {
    const { scope, ...rest } = world
    expect((await scopes[scope]({ ...rest, seed })).violation).toBeUndefined()
  })
})
