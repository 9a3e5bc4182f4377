// npm run sim -- [options]: the simulator, from the sources as they are (docs/testing.md).
import { join } from 'node:path'
import { buildDev, install, main, root, runNode } from './steps.mjs'

await main(async (args) => {
  await install()
  await buildDev()
  return runNode(join(root, 'dist-dev/sim/main.js'), args)
})
