/** Who is compared: something that runs as processes on this machine, and the load program that speaks to it. */
import type { Children } from '../children.ts'
import type { NamedProcess } from '../load/cpu-per-message.ts'
import type { LoadCommand } from '../load/load-process.ts'

export interface Running {
  /** Where the load connects: a name server, or the servers. */
  readonly address: string
  /** The processes that hold messages; who leads may change. */
  nodes(): Promise<readonly NamedProcess[]>
  /** What it said last, for an error. */
  said(): string
  close(): Promise<void>
}

/** Where a contender may work during one turn. */
export interface Turn {
  readonly dir: string
  readonly children: Children
}

export interface Contender {
  readonly title: string
  /** Resolves when it takes traffic. Rejects with what it said, everything stopped. */
  start(turn: Turn): Promise<Running>
  /** Found, downloaded and compiled before anything is measured. Rejects where it cannot be had. */
  load(): Promise<LoadCommand>
}
