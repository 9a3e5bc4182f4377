import { expect, test } from 'vitest'
import { runSeed } from './run-seed.ts'

test('hunt', { timeout: 600_000 }, async () => {
  const from = Number(process.env['FROM'] ?? 1)
  const count = Number(process.env['COUNT'] ?? 100)
  const scope = (process.env['SCOPE'] ?? 'three') as 'three'
  const traceOn = process.env['TRACE'] !== undefined
  const start = performance.now()
  let commits = 0
  let terms = 0
  let failed = 0
  for (let seed = from; seed < from + count; seed++) {
    const lines: string[] = []
    try {
      const r = await runSeed({
        seed,
        scope,
        ...(traceOn ? { trace: (l: string) => lines.push(l), traceMessages: process.env['TRACE'] === '2' } : {}),
      })
      commits += r.commits
      terms += r.terms
    } catch (e) {
      failed++
      console.log(seed, e instanceof Error && e.name === 'Violation' ? e.message : e)
      if (traceOn) console.log(lines.slice(-Number(process.env['TAIL'] ?? 60)).join('\n'))
      if (failed > 5) break
    }
  }
  console.log({ commits: commits / count, terms: terms / count, failed, ms: (performance.now() - start) / count })
  expect(failed).toBe(0)
})
