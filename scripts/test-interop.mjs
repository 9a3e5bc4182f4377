// npm run test:interop -- [options]: stock RocketMQ clients against RaftMQ (test/interop/README.md).
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, install, main, root, runNode, tool } from './steps.mjs'

const folder = join(root, 'node_modules/.cache/raftmq/interop/build')

await main(async (args) => {
  await install()
  await build()
  rmSync(folder, { recursive: true, force: true })
  const code = await runNode(tool('typescript', 'tsc'), ['-p', 'test/interop/tsconfig.json'])
  if (code !== 0) throw new Error('the interop harness does not compile')
  // Below node_modules the package's own "type" does not count.
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}\n')
  return runNode(join(folder, 'main.js'), args)
})
