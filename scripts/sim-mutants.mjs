// npm run sim:mutants -- [options]: plants known bugs one at a time and sees that the simulator finds them (docs/testing.md).
import { join } from 'node:path'
import { buildDev, install, main, root, runNode } from './steps.mjs'

await main(async (args) => {
  await install()
  await buildDev()
  return runNode(join(root, 'dist-dev/sim/mutants-main.js'), args)
})
