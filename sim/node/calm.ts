/** The second part of a run: everything works again, and what was promised must be so. */
import { Violation } from '../world/violation.ts'
import { compareLogs, hasConverged, readAll } from './audit.ts'
import type { Cluster } from './cluster.ts'
import { addressOf } from './machine.ts'
import type { Scene } from './troubles.ts'
import type { Workload } from './workload.ts'

/** A group that works takes writes again within this. */
const WRITES_MS = 10_000
const CONVERGE_MS = 30_000
const RETRY_MS = 20

/** Writes are taken, nodes become equal, and everything that was promised is there. */
export async function expectCalm({ cluster, workload }: Scene): Promise<void> {
  const startMs = cluster.scheduler.nowMs
  await within(cluster, WRITES_MS, 'a message and an offset are taken', untilWritten(workload))
  workload.end()
  await within(cluster, CONVERGE_MS, 'nodes become equal', untilEqual(cluster, workload))
  cluster.note(`calm after ${Math.round(cluster.scheduler.nowMs - startMs)} ms`)
  compareLogs(cluster)
  await within(cluster, CONVERGE_MS, 'everything is read', audit({ cluster, workload }))
}

/** Each try takes time of the clients: where they are closed, none comes after it. */
export async function untilWritten(workload: Workload): Promise<void> {
  while (!(await workload.send())) await workload.pause(RETRY_MS)
  while (!(await workload.commit())) await workload.pause(RETRY_MS)
}

async function untilEqual(cluster: Cluster, workload: Workload): Promise<void> {
  // What was sent last is still on its way.
  for (let equal = 0; equal < 3; ) {
    equal = (await hasConverged(cluster, workload)) ? equal + 1 : 0
    await workload.pause(200)
  }
}

async function audit({ cluster, workload }: Pick<Scene, 'cluster' | 'workload'>): Promise<void> {
  for (const machine of cluster.machines) {
    workload.ledger.holds(machine.id, await readAll(workload, machine))
    await workload.checkTables(addressOf(machine))
  }
}

/** Lets time pass until `work` is done; throws where it takes longer, or fails. */
export async function within(cluster: Cluster, timeMs: number, what: string, work: Promise<void>): Promise<void> {
  let isDone = false
  work.then(
    () => {
      isDone = true
    },
    (error: unknown) => cluster.fail(error),
  )
  if (await cluster.run(cluster.scheduler.nowMs + timeMs, () => isDone)) return
  throw new Violation('liveness', `not within ${timeMs} ms: ${what}; ${stateOf(cluster)}`)
}

function stateOf(cluster: Cluster): string {
  return cluster.machines
    .map(({ id, process: running }) => {
      const status = running?.broker?.status
      if (status === undefined) return `${id} ${running === undefined ? 'down' : 'starting'}`
      return `${id} ${status.role} ${status.term} ${status.leader ?? '-'} ${status.isReady ? 'ready' : 'not ready'}`
    })
    .join('; ')
}
