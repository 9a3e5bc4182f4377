import { test } from 'vitest'
import { mutants, plant } from './mutants.ts'
import { runSeed } from './run-seed.ts'

test('mutants', { timeout: 3_000_000 }, async () => {
  const count = Number(process.env['COUNT'] ?? 300)
  for (const m of mutants) {
    if (process.env['ONLY'] !== undefined && !m.name.includes(process.env['ONLY'])) continue
    const { Replica, remove } = await plant(m)
    let caught = 0
    let first = 0
    const kinds = new Map<string, number>()
    const t = performance.now()
    for (let seed = 1; seed <= count; seed++) {
      try {
        await runSeed({ seed, scope: (process.env['SCOPE'] ?? m.seeds?.scope ?? 'three') as 'three', Replica })
      } catch (e) {
        caught++
        first ||= seed
        const msg = e instanceof Error ? e.message : String(e)
        const k = msg.split(':')[0]!.replace(/\d+/g, '#').slice(0, 60)
        kinds.set(k, (kinds.get(k) ?? 0) + 1)
      }
    }
    remove()
    console.log(
      m.name,
      '|',
      caught,
      '/',
      count,
      'first',
      first,
      Math.round(performance.now() - t) + 'ms',
      JSON.stringify([...kinds]),
    )
  }
})
