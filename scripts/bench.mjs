// npm run bench -- [options]: measures real processes of the built package, and its parts (bench/README.md).
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { build, buildDev, install, main, root, runNode, tool } from './steps.mjs'

const WRITTEN = ['bench/results.json', 'bench/baseline.json']

await main(async (args) => {
  await install()
  await build()
  await buildDev()
  const code = await runNode(join(root, 'dist-dev/bench/main.js'), args)
  const written = WRITTEN.filter((path) => existsSync(join(root, path)))
  if (args.some((arg) => arg.startsWith('--write-')) && written.length > 0) {
    await runNode(tool('@biomejs/biome', 'biome'), ['format', '--write', '--log-level=error', ...written])
  }
  return code
})
