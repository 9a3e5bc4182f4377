import { existsSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout: wherever this file was compiled to, the first folder above it with the lock file of npm. */
export const checkout = checkoutAbove(dirname(fileURLToPath(import.meta.url)))
export const javaSources = join(checkout, 'test/interop/java')
const cache = join(checkout, 'node_modules/.cache/raftmq/interop')

/** A folder kept between runs, ignored by git: resolved class paths, compiled drivers, the npm client. */
export function cacheFolder(name: string): string {
  const folder = join(cache, name)
  mkdirSync(folder, { recursive: true })
  return folder
}

export function temporaryFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `raftmq-${name}-`))
}

function checkoutAbove(folder: string): string {
  if (existsSync(join(folder, 'package-lock.json'))) return folder
  const parent = dirname(folder)
  if (parent === folder) throw new Error('this program does not lie in a checkout of the project')
  return checkoutAbove(parent)
}
