import { dirname } from 'node:path'
import { build, install, main, npm, root, runNode, summary, tool } from './steps.mjs'

const checks = [
  { name: 'format (biome)', command: () => [tool('@biomejs/biome', 'biome'), ['format', '.']] },
  { name: 'lint (oxlint, with types)', command: () => [tool('oxlint'), ['--type-aware', '--deny-warnings']] },
  { name: 'types (tsc)', command: () => [tool('typescript', 'tsc'), ['-p', '.']] },
  { name: 'package (publint)', command: () => [tool('publint'), ['--strict']] },
  {
    name: 'types of the package (attw)',
    command: () => [tool('@arethetypeswrong/cli', 'attw'), ['--pack', '.', '--profile', 'esm-only']],
  },
]

const USAGE = 'npm run check: format, lint, types, and the package as others will find it; in seconds'

await main(async () => {
  await install()
  await build()
  const counts = { passed: 0, failed: 0, skipped: 0 }
  for (const { name, command } of checks) {
    const started = performance.now()
    const [script, args] = command()
    const output = []
    const code = await runNode(script, args, { capture: output, quiet: true, env: withNpm() })
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`)
    if (code !== 0) process.stdout.write(Buffer.concat(output))
    counts[code === 0 ? 'passed' : 'failed'] += 1
  }
  console.log(summary(counts))
  return counts.failed === 0 ? 0 : 1
}, USAGE)

/** attw calls npm by its name: it is found whatever the PATH of the caller. */
function withNpm() {
  const separator = process.platform === 'win32' ? ';' : ':'
  const folders = [dirname(process.execPath), dirname(npm()), process.env.PATH ?? '']
  return { PATH: folders.join(separator), INIT_CWD: root }
}
