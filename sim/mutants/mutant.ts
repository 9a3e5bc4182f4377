/**
 * Faults planted on purpose, to see that the checkers bite. Each replaces a text that is in its file once, in the sources
 * and in what is built from them alike; the code itself knows nothing of them.
 */
import type { Scope } from '../scopes.ts'

export interface Edit {
  /** Under `src`, without its ending. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

export interface Mutant extends Edit {
  readonly name: string
  /** A second place, where one alone breaks nothing. */
  readonly and?: Edit
  /** The simulation that must find it. */
  readonly scope: Scope
  /** A script of `test/raft/scripts` that finds it, too, without its ending. */
  readonly script?: string
  /** Where the same was wrong before. */
  readonly known: string
}
