/** One seed, whatever it simulates: what is asked for, and what came of it. */
import type { CountsByName } from './world/counts.ts'

export type NodeCount = 3 | 5
export type Mode = 'sync' | 'async'

export interface SeedRequest {
  readonly seed: number
  /** Drawn from the seed where nothing is said. */
  readonly nodes?: NodeCount | undefined
  readonly flush?: Mode | undefined
  readonly replication?: Mode | undefined
  /** Numbers of steps that are left out; the others stay what they are. */
  readonly without?: ReadonlySet<number> | undefined
  readonly trace?: ((line: string) => void) | undefined
}

export interface SeedReport {
  readonly seed: number
  readonly simulatedMs: number
  /** Steps drawn so far: proposals, faults, whatever `without` can name. */
  readonly steps: number
  readonly leaders: number
  /** Entries that the group agreed on. */
  readonly commits: number
  readonly faults: CountsByName
  /** Of everything that happened, in its order. */
  readonly hash: string
  readonly violation: { readonly rule: string; readonly message: string } | undefined
}

export type RunSeed = (request: SeedRequest) => Promise<SeedReport>

/** The rule that an error of a run broke; what the code under test threw is a broken promise, too. */
export function violationOf(error: unknown): { readonly rule: string; readonly message: string } {
  if (!(error instanceof Error)) return { rule: 'thrown', message: String(error) }
  if ('rule' in error && typeof error.rule === 'string') return { rule: error.rule, message: error.message }
  return { rule: 'thrown', message: error.stack ?? error.message }
}
