// npm run chaos -- [--scenario NAME] …: real processes of the built package under real faults (chaos/README.md).
import { join } from 'node:path'
import { build, buildDev, install, installToxiproxy, main, root, runNode, tool } from './steps.mjs'

await main(async (args) => {
  await install()
  await build()
  await buildDev()
  // A wrong option is told before anything is fetched.
  const { readOptions } = await import('../dist-dev/chaos/options.js')
  const options = readOptions(args)
  const isRun = options !== 'help' && !options.list
  if (isRun && !(await installToxiproxy()))
    console.log('Toxiproxy is not installed (no Go, or no network): a stand-in takes its place')
  const code = await runNode(join(root, 'dist-dev/chaos/main.js'), args)
  // The tally is kept with the sources, and laid out as they are.
  if (isRun && options.record) await runNode(tool('@biomejs/biome', 'biome'), ['format', '--write', 'chaos/tally.json'])
  return code
})
