import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cacheFolder, checkout } from './places.ts'

const run = promisify(execFile)
const sources = join(checkout, 'test/interop/go')
const isWindows = process.platform === 'win32'

/** Why the Go client cannot be run on this machine; undefined where it can. */
export async function whyNoGo(): Promise<string | undefined> {
  return run('go', ['version']).then(
    () => undefined,
    () => 'go is not installed',
  )
}

/** Compiles test/interop/go, and keeps the program until a source changes. */
async function goProgram(): Promise<string> {
  const hash = createHash('sha256')
  for (const name of ['go.mod', 'go.sum', 'main.go']) hash.update(readFileSync(join(sources, name)))
  const program = join(cacheFolder(`go-${hash.digest('hex').slice(0, 12)}`), isWindows ? 'client.exe' : 'client')
  if (existsSync(program)) return program
  // The module's own sources say all that is needed: go.sum pins every one.
  await run('go', ['build', '-mod=readonly', '-o', program, '.'], { cwd: sources, maxBuffer: 16 << 20 })
  return program
}

/** Runs the Go client; rejects when it fails or is late. Resolves with its last line. */
export async function runGoClient(...rest: string[]): Promise<string> {
  const { stdout } = await run(await goProgram(), rest, { timeout: 150_000, maxBuffer: 16 << 20 })
  return stdout.trim().split('\n').at(-1) ?? ''
}
