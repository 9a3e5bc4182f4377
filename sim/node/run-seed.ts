/** One seed of the node scope: whole nodes, a name server and clients, from the first boot to the verdict. */
import { seededRandom, type Random } from '../../src/lib/prng.ts'
import { violationOf, type SeedReport, type SeedRequest } from '../seed-run.ts'
import type { Steps } from '../world/steps.ts'
import { expectCalm, within } from './calm.ts'
import { Cluster } from './cluster.ts'
import type { Modes } from './node-options.ts'
import { endTrouble, makeTrouble } from './plan.ts'
import type { Scene, TroubleName } from './troubles.ts'
import { Workload } from './workload.ts'

const FORM_MS = 20_000

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
