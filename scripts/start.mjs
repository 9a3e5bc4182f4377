// npm start: installs and builds what is missing, then `raftmq up` with the arguments given (npm start -- --nodes 5).
import { join } from 'node:path'
import { build, endWithParent, install, main, root, runNode } from './steps.mjs'

await main(async (args) => {
  // Started by hand (nohup, setsid) it outlives its shell; under npm the parent is a shell of npm's.
  if (process.env.npm_lifecycle_event === 'start') endWithParent()
  await install()
  await build()
  return runNode(join(root, 'dist/cli/main.js'), ['up', ...args])
})
