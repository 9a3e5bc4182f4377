import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { runScript } from '../raft/run-script.ts'
import { mutants, plant } from './mutants.ts'
import { runSeed } from './run-seed.ts'

describe('a fault planted in the code is caught', () => {
  for (const mutant of mutants) {
    test(mutant.name, async () => {
      const { Replica, remove } = await plant(mutant)
      try {
        if (mutant.script !== undefined) {
          const script = readFileSync(new URL(`../raft/scripts/${mutant.script}.txt`, import.meta.url), 'utf8')
          // The script itself passes with the real code (scripts.test.ts).
          expect(await runScript(script, Replica)).toMatch(/VIOLATION| ends: /)
        }
        for (const seed of mutant.seeds?.seeds ?? []) {
          await expect(runSeed({ seed, scope: mutant.seeds?.scope ?? 'three', Replica })).rejects.toThrow()
        }
      } finally {
        remove()
      }
    })
  }
})
