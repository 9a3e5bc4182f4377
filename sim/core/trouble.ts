/**
 * Lets things go wrong, step by step. Each step draws from a generator of its own, so that leaving one out changes no
 * other: that is how a failing run is made short.
 */
import { seededRandom } from '../../src/lib/prng.ts'
import { calmDisk } from './disk.ts'
import { calm } from './network.ts'
import { allTroubles, drawAmbushes, drawDisks, drawNetwork, troubleNames, type Plan } from './plan.ts'
import type { Simulation } from './simulation.ts'

export interface TroubleMaker {
  readonly sim: Simulation
  readonly seed: number
  readonly plan: Plan
  readonly without: ReadonlySet<number>
}

export interface TroubleInProgress {
  /** The number of the last step so far. */
  readonly steps: () => number
}

/** Steps that last for the whole run; the others are numbered from `FIRST_STEP` on. */
const lasting = { 1: drawNetwork, 2: drawDisks, 3: drawAmbushes } as const
const FIRST_STEP = 10

/** Keeps things happening for the time of the plan. */
export function makeTrouble({ sim, seed, plan, without }: TroubleMaker): TroubleInProgress {
  const untilMs = sim.scheduler.nowMs + plan.durationMs
  const randomOf = (step: number): ReturnType<typeof seededRandom> => seededRandom(Math.imul(seed, 0x9e3779b1) + step)
  for (const [step, draw] of Object.entries(lasting)) {
    if (!without.has(Number(step))) draw(sim, randomOf(Number(step)))
  }
  const total = troubleNames.reduce((sum, name) => sum + plan.weights[name], 0)
  let step = FIRST_STEP - 1
  const next = (): void => {
    if (sim.scheduler.nowMs >= untilMs) return
    const random = randomOf(++step)
    let at = random.next() * total
    const name = troubleNames.find((each) => (at -= plan.weights[each]) < 0) ?? 'propose'
    sim.scheduler.after(random.next() * 2 * plan.everyMs, next)
    if (without.has(step)) return
    if (name !== 'propose' && name !== 'read') {
      sim.note(`-- ${step} ${name}`)
      sim.counts.add(name)
    }
    sim.guard(() => allTroubles[name](sim, random))
  }
  next()
  return { steps: () => step }
}

/** Everything works again. */
export function endTrouble(sim: Simulation): void {
  sim.ambush = undefined
  sim.network.heal()
  sim.network.faults = calm
  for (const id of sim.ids) {
    const machine = sim.machine(id)
    machine.faults = calmDisk
    machine.disk.failNextSync = false
    machine.disk.nextSyncMs = undefined
    sim.boot(id)
    const { process: running } = machine
    running?.clock.input(() => running.replica.setDiskFull(false))
  }
}
