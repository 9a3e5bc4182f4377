import { join } from 'node:path'
import { main, readSummary, root, runNode, summary } from './steps.mjs'

const steps = [
  { name: 'check', args: [] },
  { name: 'test', args: ['--coverage'] },
  { name: 'test-interop', args: [] },
  { name: 'chaos', args: ['--rounds', '20', '--record'] },
  { name: 'chaos', args: ['--scenario', 'partition-follower-10min', '--scenario', 'flapping-10min', '--record'] },
  { name: 'chaos', args: ['--family', 'kill', '--family', 'power', '--flush', 'async', '--rounds', '20', '--record'] },
]

const USAGE =
  'npm run nightly: what takes longer than .ci/run may, everything with coverage and every chaos scenario many times'

await main(async () => {
  const total = { passed: 0, failed: 0, skipped: 0 }
  for (const { name, args } of steps) {
    console.log(`\n== ${name}`)
    const output = []
    const code = await runNode(join(root, 'scripts', `${name}.mjs`), args, { capture: output })
    const counts = readSummary(Buffer.concat(output).toString()) ?? {
      passed: code === 0 ? 1 : 0,
      failed: 0,
      skipped: 0,
    }
    if (code !== 0 && counts.failed === 0) counts.failed = 1
    for (const key of Object.keys(total)) total[key] += counts[key]
  }
  console.log(summary(total))
  return total.failed === 0 ? 0 : 1
}, USAGE)
