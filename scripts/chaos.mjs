// node scripts/chaos.mjs EXPERIMENT [arguments]: real processes of the built package under real faults (chaos/README.md).
import { join } from 'node:path'
import { build, buildDev, install, main, root, runNode } from './steps.mjs'

await main(async (args) => {
  await install()
  await build()
  await buildDev()
  return runNode(join(root, 'dist-dev/chaos/main.js'), args)
})
