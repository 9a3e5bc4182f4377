/** What goes wrong in a run of whole nodes, and how often: drawn from the seed. */
import type { Random } from '../../src/lib/prng.ts'
import { Steps, stepRandom } from '../world/steps.ts'
import { calmDisk } from './disk.ts'
import type { Scene } from './scene.ts'
import { calmStreams } from './stream-network.ts'
import { troubles, type TroubleName } from './troubles.ts'

const DURATION_MS = 8000

/** How many of the runs have each trouble, and how often it comes there compared with the others. */
const shares: Readonly<Record<TroubleName, readonly [runs: number, weight: number]>> = {
  kill: [0.7, 1],
  powerLoss: [0.6, 1],
  powerLossOfAll: [0.3, 0.4],
  dieWriting: [0.4, 1],
  isolate: [0.3, 0.7],
  isolateLeader: [0.5, 1],
  cutOneWay: [0.3, 0.7],
  resetConnections: [0.4, 1],
  stall: [0.3, 0.7],
  jumpClock: [0.2, 0.5],
  failSync: [0.2, 0.4],
  fillDisk: [0.2, 0.4],
  readOnlyDisk: [0.1, 0.3],
  slowDisk: [0.3, 0.7],
  slowDisks: [0.2, 0.4],
  rot: [0.2, 0.4],
  wipe: [0.15, 0.3],
  killNamesrv: [0.2, 0.4],
  transfer: [0.3, 0.7],
  changeMode: [0.15, 0.5],
  addMember: [0.2, 0.4],
  removeMember: [0.2, 0.4],
  replaceMember: [0.2, 0.4],
  dropExpired: [0.4, 2],
  createTopic: [1, 0.7],
  wipeLeader: [0.35, 1.2],
}

function drawStreams({ cluster }: Scene, random: Random): void {
  cluster.network.faults = {
    maxDelayMs: random.next() < 0.7 ? 1 : 20,
    slowRate: random.next() < 0.4 ? 0.05 : 0,
    slowMs: 200,
    sliceRate: random.next() < 0.5 ? 0.3 : 0,
  }
}

function drawDisks({ cluster }: Scene, random: Random): void {
  for (const { disk } of cluster.machines) {
    disk.faults = { ...calmDisk(), maxSyncMs: 1 + random.next() * 8, slowSyncMs: random.next() < 0.5 ? 100 : 900 }
  }
}

/** Steps that last for the whole run. */
const lasting = { 1: drawStreams, 2: drawDisks } as const

export interface TroubleMaker {
  readonly scene: Scene
  readonly seed: number
  readonly without: ReadonlySet<number>
}

/** Keeps things happening for a while. */
export function makeTrouble({ scene, seed, without }: TroubleMaker): Steps<TroubleName> {
  for (const [step, draw] of Object.entries(lasting)) {
    if (!without.has(Number(step))) draw(scene, stepRandom(seed, Number(step)))
  }
  const random = stepRandom(seed, 0)
  const weights: Partial<Record<TroubleName, number>> = {}
  for (const name of names) {
    const [runs, weight] = shares[name]
    const isThere = random.next() < runs
    weights[name] = random.next() * (isThere ? weight : 0)
  }
  const { cluster } = scene
  return new Steps<TroubleName>({
    scheduler: cluster.scheduler,
    seed,
    durationMs: DURATION_MS,
    everyMs: 150 + random.next() * 600,
    weights,
    without,
    act(name, step, stepsRandom) {
      cluster.note(`-- ${step} ${name}`)
      cluster.counts.add(name)
      cluster.guard(() => troubles[name](scene, stepsRandom))
    },
  })
}

const names = Object.keys(troubles).filter((name): name is TroubleName => name in troubles)

/** Everything works again. */
export function endTrouble({ cluster }: Scene): void {
  cluster.network.heal()
  cluster.network.faults = calmStreams
  void cluster.startNamesrv()
  for (const machine of cluster.machines) {
    machine.disk.faults = calmDisk()
    machine.ambushIn = undefined
    if (!machine.isGone) cluster.boot(machine)
  }
}
