// What .ci/run runs after it found Node: every step, and one last line that adds them up.
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { main, npm, readSummary, root, runNode, summary } from './steps.mjs'

const MINUTE_MS = 60_000
const FAILURES_SHOWN = 20
const script = (name, ...args) => [join(root, 'scripts', `${name}.mjs`), args]

/** A step that says no counts is one test. */
const steps = [
  { name: 'install', minutes: 5, command: () => [npm(), ['ci', '--no-audit', '--no-fund', '--loglevel=error']] },
  { name: 'Toxiproxy', minutes: 4, command: () => script('toxiproxy') },
  { name: 'check', minutes: 3, command: () => script('check') },
  { name: 'test', minutes: 8, command: () => script('test') },
  { name: 'simulation of the core', minutes: 4, command: () => script('sim', '--seeds', '10000') },
  { name: 'simulation of nodes', minutes: 8, command: () => script('sim', '--scope', 'node', '--seeds', '500') },
  { name: 'mutants', minutes: 5, command: () => script('sim-mutants') },
  { name: 'interop', minutes: 20, command: () => script('test-interop') },
  { name: 'chaos', minutes: 8, command: () => script('chaos', '--smoke') },
]

const USAGE = '.ci/run: a fresh install, then every step; one last line adds them up'

await main(async () => {
  const total = { passed: 0, failed: 0, skipped: 0 }
  const lines = []
  const failures = []
  for (const { name, command, minutes } of steps) {
    console.log(`\n== ${name}`)
    const started = performance.now()
    const output = []
    const [file, args] = command()
    const code = await runNode(file, args, { capture: output, timeoutMs: minutes * MINUTE_MS })
    const text = stripVTControlCharacters(Buffer.concat(output).toString())
    const counts = counted(code, text)
    failures.push(...failuresIn(text).map((line) => `${name}: ${line}`))
    for (const key of Object.keys(total)) total[key] += counts[key]
    lines.push(`${name}: ${summary(counts)} in ${Math.round((performance.now() - started) / 1000)} s`)
    if (name === 'install' && code !== 0) break
  }
  console.log(`\n${[...lines, ...failures].join('\n')}`)
  console.log(summary(total))
  return total.failed === 0 ? 0 : 1
}, USAGE)

/** An exit code other than 0 is a failure, whatever the step counted. */
function counted(code, output) {
  const counts = readSummary(output) ?? { passed: code === 0 ? 1 : 0, failed: 0, skipped: 0 }
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts
}

/** What the steps mark as failed, said again beside the counts: the end of the output is what is kept of a long run. */
function failuresIn(text) {
  const found = text.match(/^(?:✗ |failed: |FAILED |.+ breaks \w+: |.+: NOT found ).*$/gm) ?? []
  return [...new Set(found)].slice(0, FAILURES_SHOWN).map((line) => line.slice(0, 300))
}
