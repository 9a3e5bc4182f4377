import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The checkout: the compiled harness lies in `node_modules/.cache/raftmq/interop/build/support`. */
export const checkout = join(dirname(fileURLToPath(import.meta.url)), '../../../../../..')
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
