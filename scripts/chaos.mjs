// npm run chaos -- [--scenario NAME] …: real processes of the built package under real faults (chaos/README.md).
import { existsSync, mkdirSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { build, buildDev, install, main, root, runNode } from './steps.mjs'

const TOXIPROXY = 'github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0'

await main(async (args) => {
  await install()
  await build()
  await buildDev()
  await installToxiproxy()
  return runNode(join(root, 'dist-dev/chaos/main.js'), args)
})

/** Where there is a Go, the real Toxiproxy; where there is none, or no network, the suite has a stand-in. */
async function installToxiproxy() {
  const folder = join(root, 'node_modules/.toxiproxy')
  if (existsSync(join(folder, 'server')) || existsSync(join(folder, 'server.exe'))) return
  mkdirSync(folder, { recursive: true })
  const go = spawn('go', ['install', TOXIPROXY], { env: { ...process.env, GOBIN: folder }, stdio: 'ignore' })
  const code = await new Promise((resolve) => {
    go.on('error', () => resolve(-1))
    go.on('close', resolve)
  })
  if (code !== 0) console.log('Toxiproxy is not installed (no Go, or no network): a stand-in takes its place')
}
