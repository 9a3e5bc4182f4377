/** Many seeds, in worker processes: each has a processor of its own, and one that breaks takes no other with it. */
import { fork, type ChildProcess } from 'node:child_process'
import { availableParallelism } from 'node:os'
import type { ChunkReport, World } from './chunk.ts'

export interface CampaignNeeds {
  /** The program of a worker (`worker.js` of a tree that was built). */
  readonly worker: string
  readonly world: World
  readonly from: number
  readonly count: number
  readonly jobs?: number | undefined
  readonly chunkSeeds: number
  /** Told of every chunk; false: enough. */
  readonly onChunk: (report: ChunkReport, from: number) => boolean
}

/** A seed takes a second or so and tens of megabytes: one that takes more than these has lost its way. */
const CHUNK_MS_MAX = 300_000
const WORKER_HEAP_MB = 1024

/** Resolves when all seeds were run, or enough. A worker that ends by itself counts as a failure of its chunk. */
export async function runCampaign(need: CampaignNeeds): Promise<void> {
  const { from, count, chunkSeeds } = need
  const endSeed = from + count
  const jobs = Math.min(need.jobs ?? availableParallelism(), Math.ceil(count / chunkSeeds))
  let next = from
  let isEnough = false
  const work = async (): Promise<void> => {
    let worker = start(need.worker)
    while (next < endSeed && !isEnough) {
      const first = next
      next = Math.min(first + chunkSeeds, endSeed)
      const chunk = { world: need.world, from: first, count: next - first }
      const report = await ask(worker, chunk)
      isEnough = !need.onChunk(report ?? brokenChunk(first, chunk.count), first) || isEnough
      if (report === undefined) worker = start(need.worker)
    }
    worker.disconnect()
  }
  await Promise.all(Array.from({ length: jobs }, work))
}

const start = (program: string): ChildProcess => fork(program, { execArgv: [`--max-old-space-size=${WORKER_HEAP_MB}`] })

/** Undefined when the worker ended instead. */
function ask(worker: ChildProcess, chunk: object): Promise<ChunkReport | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => worker.kill('SIGKILL'), CHUNK_MS_MAX)
    const onEnd = (): void => {
      clearTimeout(timer)
      resolve(undefined)
    }
    worker.once('exit', onEnd)
    worker.once('message', (report: ChunkReport) => {
      worker.off('exit', onEnd)
      clearTimeout(timer)
      resolve(report)
    })
    worker.send(chunk)
  })
}

function brokenChunk(seed: number, seeds: number): ChunkReport {
  const message = `a worker ended, or had no memory or time left, while it ran ${seeds} seeds from ${seed} on`
  return { seeds, simulatedMs: 0, leaders: 0, commits: 0, faults: {}, failures: [{ seed, rule: 'process', message }] }
}
