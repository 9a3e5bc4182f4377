/** Who is compared: something that runs as processes on this machine, and the load program that speaks to it. */
import type { Children } from '../children.ts'

export interface NodeProcess {
  /** `leader` and `follower` where it is known who leads; else what it is. */
  readonly role: string
  readonly pid: number
}

export interface Running {
  /** Where the load connects: a name server, or the servers. */
  readonly address: string
  /** The processes that hold messages; asked after the load, when it is clear who leads. */
  nodes(): Promise<readonly NodeProcess[]>
  /** What it said last, for an error. */
  said(): string
  close(): Promise<void>
}

/** A load program with all but its last arguments: address, topic and workloads come behind. */
export interface LoadCommand {
  readonly command: string
  readonly args: readonly string[]
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
