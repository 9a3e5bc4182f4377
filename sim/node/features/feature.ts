/** A workload beside the plain one, with promises of its own. A run has some of them. */
import type { ClientHost } from '../client-host.ts'
import type { Cluster } from '../cluster.ts'
import type { DeclaredLoss } from '../declared-loss.ts'
import type { Machine } from '../machine.ts'
import type { Stage } from './stage.ts'

export interface Verdict {
  /** What waited was waited for. */
  readonly isSettled: boolean
  /** What that node says of the group. */
  readonly declared: DeclaredLoss
}

export interface Feature {
  readonly stage: Stage
  start(): void
  /** Nothing more is sent. */
  end(): void
  /** In calm: what must still be delivered, once more; empty at last. */
  waiting(): readonly string[]
  /** In the end, of what `machine` holds. Throws where a promise was broken. */
  check(machine: Machine, verdict: Verdict): Promise<void>
}

export interface FeatureNeeds {
  readonly cluster: Cluster
  /** Of this feature alone; it closes it. */
  readonly host: ClientHost
}

export type MakeFeature = (need: FeatureNeeds) => Feature
