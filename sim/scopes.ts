/** What is simulated, by the name that `--scope` gives. */
import { runCoreSeed } from './core/run-seed.ts'
import { runNodeSeed } from './node/run-seed.ts'
import type { RunSeed } from './seed-run.ts'

export const scopes = {
  core: runCoreSeed,
  node: runNodeSeed,
} satisfies Record<string, RunSeed>

export type Scope = keyof typeof scopes

export const scopeNames: readonly Scope[] = Object.keys(scopes).filter((name): name is Scope => name in scopes)
