import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../', import.meta.url))

/** What the compiler says of `samples`, in a project of its own that takes the package from its sources. */
function complaints(samples: readonly string[]): string {
  const dir = mkdtempSync(join(tmpdir(), 'raftmq-test-'))
  try {
    const config = {
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        typeRoots: [join(root, 'node_modules/@types')],
        noUnusedLocals: false,
        paths: {
          raftmq: [join(root, 'src/index.ts')],
          'raftmq/client': [join(root, 'src/client/index.ts')],
          'raftmq/raft': [join(root, 'src/raft/index.ts')],
        },
      },
      include: ['*.mts'],
    }
    writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(config))
    for (const [n, sample] of samples.entries()) writeFileSync(join(dir, `sample-${n + 1}.mts`), sample)
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const { stdout, stderr } = spawnSync(process.execPath, [tsc, '-p', dir], { encoding: 'utf8' })
    return (stdout + stderr).trim()
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

test('the samples of the README compile under strict TypeScript, and one that is wrong would not', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const samples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, text = '']) => text)
  expect(samples.length).toBeGreaterThan(1)
  expect(complaints(samples)).toBe('')
  const wrong = "import { startCluster } from 'raftmq'\nconst c = await startCluster()\nc.kill(c.leader())\n"
  expect(complaints([wrong])).toContain('sample-1.mts(3,8): error TS2345')
}, 60_000)
