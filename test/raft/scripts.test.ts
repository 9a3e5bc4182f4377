import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { runScript } from './run-script.ts'

const folder = new URL('scripts/', import.meta.url)

// RAFT_SCRIPTS_REWRITE=1 writes what happens now into the scripts. Commit that only if you understand every line of it.
const rewrite = process.env['RAFT_SCRIPTS_REWRITE'] === '1'

for (const file of readdirSync(folder).filter((name) => name.endsWith('.txt'))) {
  test(`${file.slice(0, -4).replaceAll('-', ' ')}: every message and its effect is as written`, async () => {
    const path = new URL(file, folder)
    const before = readFileSync(path, 'utf8')
    const after = await runScript(before)
    expect(after).not.toContain('VIOLATION')
    if (rewrite) writeFileSync(path, after)
    else expect(after).toBe(before)
  })
}
