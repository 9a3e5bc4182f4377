/** One seed of the node scope: whole nodes, a name server and clients, from the first boot to the verdict. */
import { seededRandom, type Random } from '../../src/lib/prng.ts'
import { violationOf, type SeedReport, type SeedRequest } from '../seed-run.ts'
import type { Steps } from '../world/steps.ts'
import { Violation } from '../world/violation.ts'
import { compareLogs, hasConverged, readAll } from './audit.ts'
import { Cluster } from './cluster.ts'
import { addressOf } from './machine.ts'
import type { Modes } from './node-options.ts'
import { endTrouble, makeTrouble } from './plan.ts'
import type { Scene, TroubleName } from './troubles.ts'
import { Workload } from './workload.ts'

const FORM_MS = 20_000
/** A group that works takes writes again within this. */
const WRITES_MS = 10_000
const CONVERGE_MS = 30_000

export async function runNodeSeed(request: SeedRequest): Promise<SeedReport> {
  const { seed, trace, without = new Set() } = request
  const random = seededRandom(seed)
  const isFive = random.next() < 0.15
  const nodes = request.nodes ?? (isFive ? 5 : 3)
  const modes = drawModes(request, random)
  const cluster = new Cluster({ seed: seed ^ 0x40de, nodes, modes, trace })
  const workload = new Workload(cluster)
  const unlucky = cluster.machines[random.integer(0, nodes - 1)]
  let steps: Steps<TroubleName> | undefined
  let violation: unknown
  try {
    if (unlucky === undefined) throw new Error('a group has nodes')
    const scene = { cluster, workload, unlucky }
    await form(scene)
    workload.start()
    await cluster.run(cluster.scheduler.nowMs + 300)
    steps = makeTrouble({ scene, seed, without })
    await cluster.run(steps.endMs + 1)
    cluster.note('-- calm')
    endTrouble(scene)
    await expectCalm(scene)
  } catch (error) {
    violation = error
    cluster.note(`VIOLATION ${violationOf(error).message}`)
  }
  const report = {
    seed,
    simulatedMs: cluster.scheduler.nowMs,
    steps: steps?.last ?? 0,
    leaders: cluster.leaders.terms,
    commits: workload.ledger.acknowledged,
    faults: cluster.counts.byName,
    hash: cluster.trace.hash,
    violation: violation === undefined ? undefined : violationOf(violation),
  }
  await clearAway(cluster, workload)
  return report
}

/** Most runs are of the modes that promise most. */
function drawModes({ flush, replication }: SeedRequest, random: Random): Modes {
  const drawn = random.next()
  return {
    flush: flush ?? (drawn > 0.7 && drawn < 0.9 ? 'async' : 'sync'),
    replication: replication ?? (drawn > 0.8 ? 'async' : 'sync'),
  }
}

/** Clients keep a process alive until they are closed, and closing takes time of theirs. */
async function clearAway(cluster: Cluster, workload: Workload): Promise<void> {
  for (const machine of cluster.machines) cluster.kill(machine)
  let isDone = false
  void workload.close().then(() => {
    isDone = true
  })
  await cluster.clear(() => isDone)
}

async function form({ cluster, workload }: Scene): Promise<void> {
  await cluster.startNamesrv()
  for (const machine of cluster.machines) cluster.boot(machine)
  await within(cluster, FORM_MS, 'the group forms and makes a topic', workload.prepare())
}

/** Writes are taken, nodes become equal, and everything that was promised is there. */
async function expectCalm({ cluster, workload }: Scene): Promise<void> {
  const startMs = cluster.scheduler.nowMs
  await within(cluster, WRITES_MS, 'a message and an offset are taken', untilWritten(workload))
  workload.end()
  await within(cluster, CONVERGE_MS, 'nodes become equal', untilEqual(cluster, workload))
  cluster.note(`calm after ${Math.round(cluster.scheduler.nowMs - startMs)} ms`)
  compareLogs(cluster)
  await within(cluster, CONVERGE_MS, 'everything is read', audit({ cluster, workload }))
}

async function untilWritten(workload: Workload): Promise<void> {
  while (!(await workload.send()));
  while (!(await workload.commit())) await workload.pause(20)
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
async function within(cluster: Cluster, timeMs: number, what: string, work: Promise<void>): Promise<void> {
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
