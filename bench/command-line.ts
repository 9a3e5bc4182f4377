/** The built package's command, run as a person runs it. */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** `dist-dev/bench/` → the root of the checkout. */
export const root = fileURLToPath(new URL('../../', import.meta.url))
export const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export interface Finished {
  readonly stdout: string
  readonly stderr: string
}

export interface Spawned {
  readonly args: readonly string[]
  /** Called with each whole line of standard error, and the pid. */
  readonly onNote?: (line: string, pid: number) => void
}

/** Runs `raftmq ARGS`. Rejects with what it said when it does not end with 0. */
export function runRaftmq({ args, onNote }: Spawned): Promise<Finished> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  let told = 0
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
    for (let end = stderr.indexOf('\n', told); end !== -1; end = stderr.indexOf('\n', told)) {
      onNote?.(stderr.slice(told, end), child.pid ?? 0)
      told = end + 1
    }
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) return resolve({ stdout, stderr })
      reject(new Error(`raftmq ${args.join(' ')} ended with ${code}: ${stderr.trim().split('\n').slice(-3).join(' ')}`))
    })
  })
}

/** A number of a JSON document at a path of names; throws where there is none. */
export function numberAt(text: string, ...path: readonly string[]): number {
  let value: unknown = JSON.parse(text)
  for (const name of path) {
    value =
      typeof value === 'object' && value !== null
        ? new Map<string, unknown>(Object.entries(value)).get(name)
        : undefined
  }
  if (typeof value !== 'number') throw new Error(`no number at ${path.join('.')} of ${text.slice(0, 200)}`)
  return value
}
