import { execFile } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder, checkout } from './places.ts'

const run = promisify(execFile)
const version = '3.12.0'

/** Installs ali-ons into the cache: it is no dependency of this package. Returns the folder it lies in. */
export async function installAliOns(): Promise<string> {
  const folder = cacheFolder(`ali-ons-${version}`)
  if (existsSync(join(folder, 'node_modules/ali-ons/package.json'))) return folder
  writeFileSync(join(folder, 'package.json'), '{"name":"interop-ali-ons","private":true}\n')
  await run('npm', ['install', '--no-audit', '--no-fund', `ali-ons@${version}`], {
    cwd: folder,
    shell: process.platform === 'win32',
  })
  return folder
}

/** Runs a program of test/interop/node with the installed client; rejects when it fails or is late. */
export async function runAliOns(...rest: string[]): Promise<string> {
  const folder = await installAliOns()
  const program = join(checkout, 'test/interop/node/ali-ons.cjs')
  const { stdout } = await run(process.execPath, [program, ...rest], { cwd: folder, timeout: 60_000 })
  return stdout
}
