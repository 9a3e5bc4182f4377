/** `consumers.ts` as a process. */
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Bench } from '../scenario.ts'
import { readLoadLine } from './workload.ts'

const program = fileURLToPath(new URL('./consumers.js', import.meta.url))
const WITHIN_MS = 180_000

export interface Consumers {
  readonly namesrv: string
  readonly topic: string
  readonly consumers: number
  /** Of each group; the groups are as many as that takes. */
  readonly members: number
}

/** Resolves with the process when all of them run. */
export async function startConsumers(bench: Bench, need: Consumers): Promise<ChildProcess> {
  const { namesrv, topic, consumers, members } = need
  const args = [program, namesrv, topic, String(consumers), String(members)]
  const child = bench.children.start(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    if (child.stdout === null) return reject(new Error('the consumers have no output'))
    const timer = setTimeout(() => child.kill('SIGKILL'), WITHIN_MS)
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (readLoadLine(line)?.event !== 'begin') return
      clearTimeout(timer)
      resolve()
    })
    child.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`${consumers} consumers ended with ${code} before all of them ran`))
    })
  })
  return child
}
