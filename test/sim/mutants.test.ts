import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { runScript } from '../raft/run-script.ts'
import { mutants, plant, type Mutant } from './mutants.ts'
import { runSeed, type Scope } from './run-seed.ts'
import type { ReplicaClass } from './simulation.ts'

/** SIM_MUTANT_SEEDS=n runs that many seeds of every mutant and prints how many caught it. */
const survey = Number(process.env['SIM_MUTANT_SEEDS'] ?? 0)
const MOST_SEEDS = 80

describe('a fault planted in the code is caught', () => {
  for (const mutant of mutants) {
    test(mutant.name, { timeout: 3_600_000 }, async () => {
      const { Replica, remove } = await plant(mutant)
      try {
        if (survey > 0) console.log(`${mutant.name}: ${await caughtOf(mutant, Replica)} of ${survey} seeds`)
        // The script itself passes with the real code (scripts.test.ts), and so do the seeds (sim.test.ts).
        if (mutant.script !== undefined) expect(await runsOver(mutant.script, Replica)).toMatch(/VIOLATION| ends: /)
        if (mutant.scope !== undefined) expect(await firstSeed(mutant.scope, Replica)).toBeDefined()
      } finally {
        remove()
      }
    })
  }
})

function runsOver(script: string, Replica: ReplicaClass): Promise<string> {
  return runScript(readFileSync(new URL(`../raft/scripts/${script}.txt`, import.meta.url), 'utf8'), Replica)
}

async function catches(seed: number, scope: Scope, Replica: ReplicaClass): Promise<boolean> {
  return runSeed({ seed, scope, Replica }).then(
    () => false,
    () => true,
  )
}

async function firstSeed(scope: Scope, Replica: ReplicaClass): Promise<number | undefined> {
  for (let seed = 1; seed <= MOST_SEEDS; seed++) if (await catches(seed, scope, Replica)) return seed
  return undefined
}

async function caughtOf(mutant: Mutant, Replica: ReplicaClass): Promise<number> {
  let caught = 0
  for (let seed = 1; seed <= survey; seed++) if (await catches(seed, mutant.scope ?? 'three', Replica)) caught++
  return caught
}
