import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { ReplicaClass } from '../../sim/core/simulation.ts'
import { edited, editsOf, plant } from '../../sim/mutants/plant.ts'
import { mutants } from '../../sim/mutants/table.ts'
import { runScript } from '../raft/run-script.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

test.each(mutants)('$name: the text that it replaces is in the sources once', (mutant) => {
  for (const edit of editsOf(mutant)) {
    const text = readFileSync(join(root, 'src', `${edit.file}.ts`), 'utf8')
    expect(() => edited(mutant.name, edit, text)).not.toThrow()
  }
})

// The script itself passes with the real code (scripts.test.ts). That seeds find them, too: npm run sim:mutants.
describe('a fault planted in Raft is seen by the script that was written for it', () => {
  for (const mutant of mutants) {
    const { script } = mutant
    if (script === undefined) continue
    test(mutant.name, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'raft-mutant-'))
      try {
        plant(mutant, { tree: root, parts: ['src/raft', 'src/lib'], folder, ending: '.ts' })
        const module: { Replica: ReplicaClass } = await import(/* @vite-ignore */ join(folder, 'src/raft/replica.ts'))
        const text = readFileSync(new URL(`../raft/scripts/${script}.txt`, import.meta.url), 'utf8')
        expect(await runScript(text, module.Replica)).toMatch(/VIOLATION| ends: /)
      } finally {
        rmSync(folder, { recursive: true })
      }
    })
  }
})
