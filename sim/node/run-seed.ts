/** One seed of the node scope: whole nodes, a name server and clients, from the first boot to the verdict. */
import { seededRandom, type Random } from '../../src/lib/prng.ts'
import { violationOf, type SeedReport, type SeedRequest } from '../seed-run.ts'
import type { Steps } from '../world/steps.ts'
import { expectCalm, within } from './calm.ts'
import { drawFeatures, drawReservedHours } from './features/index.ts'
import type { Modes } from './node-options.ts'
import { watchNodes } from './memory-bounds.ts'
import { endTrouble, makeTrouble } from './plan.ts'
import { clearAway, makeScene, type Scene } from './scene.ts'
import type { TroubleName } from './troubles.ts'

const FORM_MS = 20_000

export async function runNodeSeed(request: SeedRequest): Promise<SeedReport> {
  const { seed, trace, without = new Set() } = request
  const random = seededRandom(seed)
  const isFive = random.next() < 0.15
  const nodes = request.nodes ?? (isFive ? 5 : 3)
  const modes = drawModes(request, random)
  const unlucky = random.integer(0, nodes - 1)
  const features = drawFeatures(seed, without)
  const reservedHours = drawReservedHours(seed, random)
  const scene = makeScene({ seed: seed ^ 0x40de, nodes, modes, reservedHours, trace, unlucky, features })
  const { cluster, messages, tables } = scene
  let steps: Steps<TroubleName> | undefined
  let violation: unknown
  try {
    await form(scene)
    messages.start()
    tables.start()
    for (const feature of scene.features) feature.start()
    void watchNodes(cluster, scene.host)
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
    commits: messages.ledger.acknowledged,
    faults: cluster.counts.byName,
    hash: cluster.trace.hash,
    violation: violation === undefined ? undefined : violationOf(violation),
  }
  await clearAway(scene)
  return report
}

/** Most runs are of the modes that promise most. */
function drawModes({ flush, replication }: SeedRequest, random: Random): Modes {
  const drawn = random.next()
  return {
    flush: flush ?? (drawn > 0.65 && drawn < 0.9 ? 'async' : 'sync'),
    replication: replication ?? (drawn > 0.8 ? 'async' : 'sync'),
  }
}

async function form({ cluster, messages, tables, features }: Scene): Promise<void> {
  await cluster.startNamesrv()
  for (const machine of cluster.machines) cluster.boot(machine)
  const stages = features.map(({ stage }) => stage)
  // Groups are made at the brokers that are registered: there are some once a topic could be made.
  const made = messages.prepare().then(() => Promise.all([tables, ...stages].map((each) => each.prepare())))
  await within(cluster, FORM_MS, 'the group forms and makes a topic', made)
}
