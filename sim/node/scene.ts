/** Who and what takes part in a run of whole nodes. */
import { ClientHost } from './client-host.ts'
import type { Feature, MakeFeature } from './features/feature.ts'
import { Cluster, type ClusterNeeds } from './cluster.ts'
import type { Machine } from './machine.ts'
import { Messages } from './messages.ts'
import { Operator } from './operator.ts'
import { Tables } from './tables.ts'

export interface Scene {
  readonly cluster: Cluster
  readonly host: ClientHost
  readonly messages: Messages
  readonly tables: Tables
  readonly operator: Operator
  readonly features: readonly Feature[]
  /** The only one whose disk may rot or be replaced in this run: never a majority of copies. */
  readonly unlucky: Machine
}

export interface SceneNeeds extends ClusterNeeds {
  /** The number of that machine. */
  readonly unlucky: number
  readonly features: readonly MakeFeature[]
}

/** Nothing is started yet. */
export function makeScene(need: SceneNeeds): Scene {
  const cluster = new Cluster(need)
  const host = new ClientHost(cluster)
  const unlucky = cluster.machines[need.unlucky]
  if (unlucky === undefined) throw new Error(`a group of ${need.nodes} has no machine ${need.unlucky}`)
  return {
    cluster,
    host,
    messages: new Messages(cluster, host),
    tables: new Tables(cluster, host),
    operator: new Operator(cluster, host),
    features: need.features.map((make) => make({ cluster, host: new ClientHost(cluster) })),
    unlucky,
  }
}

/** Clients keep a process alive until they are closed, and closing takes time of theirs. */
export async function clearAway({ cluster, host, messages, tables, features }: Scene): Promise<void> {
  for (const machine of cluster.machines) cluster.kill(machine)
  for (const each of [tables, ...features]) each.end()
  let isDone = false
  void Promise.all([messages, ...features.map(({ stage }) => stage)].map((each) => each.close())).then(() => {
    host.close()
    isDone = true
  })
  await cluster.clear(() => isDone)
}
