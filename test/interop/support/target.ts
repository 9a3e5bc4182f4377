/** The system under test: RaftMQ, or the stock servers that prove the harness. */
export interface Target {
  readonly name: 'raftmq' | 'stock'
  /** `host:port` of the name server. */
  readonly namesrv: string
  readonly cluster: string
  readonly brokers: readonly string[]
  /** Nodes of each broker group. */
  readonly nodes: number
  /** What it printed of late, for the report of a failure. */
  said(): string
  /** `kill -9` of the process that leads; returns as soon as it is dead. Its supervisor starts it again. */
  killLeader(): Promise<void>
  /** Moves leadership to another node; only where there is one. */
  moveLeader?(): Promise<void>
  /** Restarts all nodes in turn as `docs/members.md` says for stock clients; only where there is a group. */
  restartAll?(): Promise<void>
  close(): Promise<void>
}

/** All of them, started at once; when one does not start, the others are closed again. */
export async function startAll(starts: readonly (() => Promise<Target>)[]): Promise<Target[]> {
  const started = await Promise.allSettled(starts.map((start) => start()))
  const targets = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = started.find((one) => one.status === 'rejected')
  if (failed === undefined) return targets
  await closeAll(targets)
  throw failed.reason
}

export async function closeAll(targets: readonly Target[]): Promise<void> {
  await Promise.all(targets.map((target) => target.close()))
}
