/** The commands of the built package, as people run them. */
import { spawn, spawnSync, type ChildProcess, type ChildProcessByStdio } from 'node:child_process'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
export const main = join(root, 'dist/cli/main.js')
/** `raftmq broker` on a disk that can be broken. */
export const faultyBroker = join(root, 'dist/cli/experiments/faulty-broker.js')

/** Builds the package where its sources changed. */
export function buildPackage(): void {
  const built = spawnSync(process.execPath, [join(root, 'scripts/build.mjs')], { cwd: root, encoding: 'utf8' })
  if (built.status !== 0) throw new Error(built.stdout + built.stderr)
}

export interface Run {
  readonly child: ChildProcess
  readonly output: () => string
  readonly errors: () => string
  readonly exit: Promise<number | NodeJS.Signals | null>
  /** Resolves when standard output or error holds `text`; rejects if the process ends before. */
  said(text: string | RegExp): Promise<void>
}

export class PackageProcesses {
  readonly #running: ChildProcess[] = []

  /** `raftmq ARGS` in the folder `dir`. */
  raftmq(dir: string, args: readonly string[]): Run {
    return this.program(main, dir, args)
  }

  /** Another program of the package. */
  program(path: string, dir: string, args: readonly string[]): Run {
    const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'pipe'], cwd: dir })
    this.#running.push(child)
    return watched(child)
  }

  /** Kills what still runs. */
  async end(): Promise<void> {
    for (const child of this.#running.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill('SIGKILL')
      await new Promise((done) => child.once('exit', done))
    }
  }
}

function watched(child: ChildProcessByStdio<null, Readable, Readable>): Run {
  let [output, errors] = ['', '']
  const waiting = new Set<() => void>()
  const hear = (): void => {
    for (const look of waiting) look()
  }
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
    hear()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString()
    hear()
  })
  const exit = new Promise<number | NodeJS.Signals | null>((done) => {
    child.once('close', (code, signal) => done(code ?? signal))
  })
  const said = (text: string | RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const all = output + errors
        if (!(typeof text === 'string' ? all.includes(text) : text.test(all))) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
      void exit.then((how) => reject(new Error(`ended with ${how} before it said ${text}: ${output}${errors}`)))
    })
  return { child, output: () => output, errors: () => errors, exit, said }
}
