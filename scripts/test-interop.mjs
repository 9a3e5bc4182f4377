// Stock RocketMQ clients against RaftMQ: node scripts/test-interop.mjs [--target stock] [--only TEXT] [--lanes N].
// Other verbs come first: `serve` keeps a stock broker up, `record` records the golden frames anew.
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const checkout = join(dirname(fileURLToPath(import.meta.url)), '..')
const node = (...rest) => spawnSync(process.execPath, rest, { cwd: checkout, stdio: 'inherit' }).status ?? 1

const build = join(checkout, '.raftmq/interop/build')
rmSync(build, { recursive: true, force: true })
const compiled = node(join(checkout, 'node_modules/typescript/bin/tsc'), '-p', 'test/interop/tsconfig.json')
const given = process.argv.slice(2)
const verb = given[0] === undefined || given[0].startsWith('--') ? ['run'] : []
process.exitCode = compiled === 0 ? node(join(build, 'main.js'), ...verb, ...given) : compiled
