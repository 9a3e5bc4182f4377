/** All faults that are planted, and how soon each must be found. */
import type { Scope } from '../scopes.ts'
import { coreMutants } from './core-mutants.ts'
import type { Mutant } from './mutant.ts'
import { nodeMutants } from './node-mutants.ts'

export const mutants: readonly Mutant[] = [...coreMutants, ...nodeMutants]

/** Seeds within which a mutant must be found. */
export const seedsMax: Readonly<Record<Scope, number>> = { core: 1000, node: 300 }
