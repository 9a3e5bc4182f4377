import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { runSeed, scopeNames, type Scope } from './run-seed.ts'

/** More with SIM_SEEDS=n, from SIM_FROM on; `SIM_SCOPE` picks one of three, five, changes. */
const seeds = Number(process.env['SIM_SEEDS'] ?? 120)
const from = Number(process.env['SIM_FROM'] ?? 1)
const asked = process.env['SIM_SCOPE']

async function runAll(scope: Scope, numbers: Iterable<number>): Promise<{ commits: number; terms: number }> {
  let commits = 0
  let terms = 0
  for (const seed of numbers) {
    try {
      const result = await runSeed({ seed, scope })
      commits += result.commits
      terms += result.terms
    } catch (error) {
      throw new Error(`seed ${seed} of scope ${scope} (add it to test/sim/seeds.txt)`, { cause: error })
    }
  }
  return { commits, terms }
}

describe('whatever goes wrong, what is committed stays, and in the end everything works again', () => {
  for (const scope of scopeNames) {
    test.skipIf(asked !== undefined && asked !== scope)(`seeds of scope ${scope}`, { timeout: 3_600_000 }, async () => {
      const { commits, terms } = await runAll(
        scope,
        Array.from({ length: seeds }, (_, at) => from + at),
      )
      // A run in which nothing happens proves nothing.
      expect(commits / seeds).toBeGreaterThan(50)
      expect(terms / seeds).toBeGreaterThan(2)
    })
  }

  test('seeds that failed once', { timeout: 600_000 }, async () => {
    const lines = readFileSync(new URL('seeds.txt', import.meta.url), 'utf8').split('\n')
    for (const line of lines) {
      const [scope, seed] = line.split(/\s+/)
      if (scope === 'three' || scope === 'five' || scope === 'changes') await runAll(scope, [Number(seed)])
    }
  })
})

test('one seed gives one run, byte for byte', async () => {
  const traces: string[] = []
  for (let time = 0; time < 2; time++) {
    const lines: string[] = []
    await runSeed({ seed: 7, scope: 'three', trace: (line) => lines.push(line), traceMessages: true })
    traces.push(lines.join('\n'))
  }
  expect(traces[0]?.length).toBeGreaterThan(10_000)
  expect(traces[1]).toBe(traces[0])
})
