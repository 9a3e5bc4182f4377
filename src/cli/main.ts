#!/usr/bin/env node
import { createRequire } from 'node:module'
import { buildProgram, verboseFirst } from './program.ts'
import { describeError } from './user-errors.ts'

const argv = verboseFirst(process.argv.slice(2))

function fail(error: unknown): void {
  process.stderr.write(`raftmq: ${describeError(error, argv.includes('--verbose'))}\n`)
  process.exitCode = 1
}

function packageVersion(): string {
  const manifest: unknown = createRequire(import.meta.url)('../../package.json')
  if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) return 'unknown'
  return String(manifest.version)
}

process.on('uncaughtException', (error) => {
  fail(error)
  process.exit()
})
// A reader that left (`raftmq … | head`) is no fault.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

// The clock's timers keep no process alive: a command that only waits to ask again would end without a word.
const awake = setInterval(() => undefined, 60_000)
try {
  const program = await buildProgram(argv, packageVersion())
  await program.parseAsync(argv, { from: 'user' })
} catch (error) {
  fail(error)
} finally {
  clearInterval(awake)
}
