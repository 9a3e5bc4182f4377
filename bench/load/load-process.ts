/** A load program as a process: told what to do, listened to while it does it. */
import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { type LoadFigures, readLoadLine, type Workload, workloadArgument } from './workload.ts'

/** A load program with all but its last arguments: address, topic and workloads come behind. */
export interface LoadCommand {
  readonly command: string
  readonly args: readonly string[]
}

/** Our own client's load program, compiled beside this one. */
export const ownLoad: LoadCommand = {
  command: process.execPath,
  args: [fileURLToPath(new URL('./own-load.js', import.meta.url))],
}

export interface LoadRun {
  readonly spawn: (command: string, args: readonly string[], options: SpawnOptions) => ChildProcess
  readonly program: LoadCommand
  readonly address: string
  readonly topic: string
  readonly workloads: readonly Workload[]
  /** The measured time of a workload begins. */
  readonly onBegin?: (name: string, pid: number) => void
  readonly onEnd?: (name: string, figures: LoadFigures, pid: number) => void
  /** Asked at the end of each workload: whether those that follow are not needed any more. */
  readonly isEnough?: () => boolean
}

/** A load program that says nothing for so long beyond a workload's own time hangs. */
const SILENT_MS = 300_000
const LAST_WORDS = 4_096

/** Resolves with the figures by workload. Rejects with what the program said when it fails, hangs or says too little. */
export async function runLoad(run: LoadRun): Promise<ReadonlyMap<string, LoadFigures>> {
  const { program, address, topic, workloads } = run
  const args = [...program.args, address, topic, ...workloads.map(workloadArgument)]
  const child = run.spawn(program.command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const results = new Map<string, LoadFigures>()
  const longestMs = Math.max(0, ...workloads.map(({ seconds, warmSeconds }) => (seconds + warmSeconds) * 1_000))
  const watch = (): NodeJS.Timeout => setTimeout(() => child.kill('SIGKILL'), SILENT_MS + longestMs)
  let timer = watch()
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-LAST_WORDS)))
  if (child.stdout === null) throw new Error('the load program has no output')
  createInterface({ input: child.stdout }).on('line', (text) => {
    clearTimeout(timer)
    timer = watch()
    const line = readLoadLine(text)
    if (line?.event === 'begin') run.onBegin?.(line.name, child.pid ?? 0)
    if (line?.event !== 'end') return
    results.set(line.name, line.figures)
    run.onEnd?.(line.name, line.figures, child.pid ?? 0)
    if (run.isEnough?.() === true) child.kill('SIGKILL')
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  }).finally(() => clearTimeout(timer))
  if (run.isEnough?.() === true) return results
  const missing = workloads.find(({ name }) => !results.has(name))
  if (code !== 0 || missing !== undefined) throw new Error(`the load program ended with ${code}: ${said.trim()}`)
  return results
}
