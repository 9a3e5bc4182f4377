/** Seeds in a row, as a worker process is given them, and what came of them. */
import { scopes, type Scope } from './scopes.ts'
import type { Mode, NodeCount, SeedReport } from './seed-run.ts'
import { Counts, type CountsByName } from './world/counts.ts'

/** What is the same for all seeds of a campaign. */
export interface World {
  readonly scope: Scope
  readonly nodes?: NodeCount | undefined
  readonly flush?: Mode | undefined
  readonly replication?: Mode | undefined
}

export interface Chunk {
  readonly world: World
  readonly from: number
  readonly count: number
}

export interface Failure {
  readonly seed: number
  readonly rule: string
  readonly message: string
}

export interface ChunkReport {
  readonly seeds: number
  readonly simulatedMs: number
  readonly leaders: number
  readonly commits: number
  readonly faults: CountsByName
  readonly failures: readonly Failure[]
}

export const nothingYet: ChunkReport = { seeds: 0, simulatedMs: 0, leaders: 0, commits: 0, faults: {}, failures: [] }

export async function runChunk({ world, from, count }: Chunk): Promise<ChunkReport> {
  const { scope, ...rest } = world
  let sum = nothingYet
  for (let seed = from; seed < from + count; seed++)
    sum = addReports(sum, reportOf(await scopes[scope]({ ...rest, seed })))
  return sum
}

export function addReports(one: ChunkReport, other: ChunkReport): ChunkReport {
  const faults = new Counts()
  faults.addAll(one.faults)
  faults.addAll(other.faults)
  return {
    seeds: one.seeds + other.seeds,
    simulatedMs: one.simulatedMs + other.simulatedMs,
    leaders: one.leaders + other.leaders,
    commits: one.commits + other.commits,
    faults: faults.byName,
    failures: [...one.failures, ...other.failures],
  }
}

function reportOf({ seed, simulatedMs, leaders, commits, faults, violation }: SeedReport): ChunkReport {
  const failures = violation === undefined ? [] : [{ seed, ...violation }]
  return { seeds: 1, simulatedMs, leaders, commits, faults, failures }
}
