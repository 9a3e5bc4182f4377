// npm start: installs and builds what is missing, then `raftmq up` with the arguments given (npm start -- --nodes 5).
import { join } from 'node:path'
import { build, install, main, root, runNode } from './steps.mjs'

await main(async (args) => {
  await install()
  await build()
  return runNode(join(root, 'dist/cli/main.js'), ['up', ...args])
})
