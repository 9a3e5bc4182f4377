// npm run bench -- [options]: measures real processes of the built package, and its parts (bench/README.md).
// npm run bench:peers -- [options]: the same loads against RaftMQ and others; `peers` comes first.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { build, buildDev, install, main, root, runNode, tool } from './steps.mjs'

const WRITTEN = ['bench/results.json', 'bench/baseline.json']

await main(async (args) => {
  await install()
  await build()
  await buildDev()
  const isPeers = args[0] === 'peers'
  const program = isPeers ? 'dist-dev/bench/peers/main.js' : 'dist-dev/bench/main.js'
  const code = await runNode(join(root, program), isPeers ? args.slice(1) : args)
  const written = WRITTEN.filter((path) => existsSync(join(root, path)))
  if (args.some((arg) => arg.startsWith('--write-')) && written.length > 0) {
    await runNode(tool('@biomejs/biome', 'biome'), ['format', '--write', '--log-level=error', ...written])
  }
  return code
})
