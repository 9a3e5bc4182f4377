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

/** Resolves when all seeds were run, or enough. A worker that ends by itself counts as a failure of its chunk. */
export async function runCampaign(need: CampaignNeeds): Promise<void> {
  const { from, count, chunkSeeds } = need
  const endSeed = from + count
  const jobs = Math.min(need.jobs ?? availableParallelism(), Math.ceil(count / chunkSeeds))
  let next = from
  let isEnough = false
  const work = async (): Promise<void> => {
    let worker = fork(need.worker)
    while (next < endSeed && !isEnough) {
      const first = next
      next = Math.min(first + chunkSeeds, endSeed)
      const chunk = { world: need.world, from: first, count: next - first }
      const report = await ask(worker, chunk)
      isEnough = !need.onChunk(report ?? brokenChunk(first, chunk.count), first) || isEnough
      if (report === undefined) worker = fork(need.worker)
    }
    worker.disconnect()
  }
  await Promise.all(Array.from({ length: jobs }, work))
}

/** Undefined when the worker ended instead. */
function ask(worker: ChildProcess, chunk: object): Promise<ChunkReport | undefined> {
  return new Promise((resolve) => {
    const onEnd = (): void => resolve(undefined)
    worker.once('exit', onEnd)
    worker.once('message', (report: ChunkReport) => {
      worker.off('exit', onEnd)
      resolve(report)
    })
    worker.send(chunk)
  })
}

function brokenChunk(seed: number, seeds: number): ChunkReport {
  const message = `a worker ended while it ran ${seeds} seeds from ${seed} on`
  return { seeds, simulatedMs: 0, leaders: 0, commits: 0, faults: {}, failures: [{ seed, rule: 'process', message }] }
}
