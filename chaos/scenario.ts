/** A scenario as data: what is believed, what is broken and how it is healed. The table is in `scenarios/`. */
import type { Random } from '../src/lib/prng.ts'
import type { NodePlan } from '../src/cli/cluster-plan.ts'
import type { FaultyCluster } from '../src/cli/experiments/faulty-cluster.ts'
import type { Proxies } from './proxies.ts'

export type Family = 'kill' | 'pause' | 'restart' | 'power' | 'disk' | 'damage' | 'members' | 'network' | 'resources'

export interface Mode {
  readonly flush: 'sync' | 'async'
  readonly replication: 'sync' | 'async'
}

/** What a fault has to work with. */
export interface Scene {
  readonly cluster: FaultyCluster
  /** Between the nodes, and between clients and nodes; undefined unless the scenario asked for them. */
  readonly proxies: Proxies | undefined
  readonly random: Random
  readonly mode: Mode
  /** A line in the history: what is done, to whom. */
  readonly note: (text: string) => void
  readonly sleep: (ms: number) => Promise<void>
  /** Resolves once so many more messages were acknowledged. */
  readonly acknowledged: (count: number) => Promise<void>
}

/** Undoes a fault. What it throws is a failure of the scenario: something that had to hold did not. */
export type Heal = () => Promise<void>

export interface Scenario {
  readonly name: string
  readonly family: Family
  /** In the README. */
  readonly number: string
  readonly hypothesis: string
  /** Breaks something; what it throws is a failure, too. */
  readonly fault: (scene: Scene) => Promise<Heal>
  /** In these modes alone, whatever the run asks for. */
  readonly mode?: Mode
  /** It takes ten minutes and more: it runs when it is named, or with `--long`. */
  readonly isLong?: boolean
  /** How long the fault lasts; 0: `fault` says by itself. */
  readonly holdMs: number
  /** From the end of `heal` until messages are acknowledged again and every node serves. */
  readonly recoverWithinMs: number
  /** The longest time without an acknowledgement in a round; undefined: not judged, the fault itself takes that long. */
  readonly maxGapMs?: number
  /** More nodes than three. */
  readonly nodes?: number
  /** Nodes keep back what was not synced: `kill -9` is a power cut. */
  readonly keepsBack?: boolean
  readonly usesProxies?: boolean
  readonly properties?: (id: string, plans: readonly NodePlan[]) => readonly (readonly [key: string, value: string])[]
  /** Replicas are compared by what clients read alone: segments of a log were dropped, or a node is gone. */
  readonly skipsLogs?: boolean
  /** Retention drops what lies in front meanwhile: nobody is asked for it. */
  readonly dropsOld?: boolean
  /** It runs in network and mount namespaces of its own: what it does to links and mounts ends with it. */
  readonly ownNamespaces?: boolean
  /** Why it cannot run here, or undefined. */
  readonly cannot?: () => string | undefined
  /** Modes in which acknowledged messages may be lost, within the declared bound. */
  readonly mayLose?: (mode: Mode) => boolean
}
