/** Lets things go wrong in a group, and makes them well again. */
import { Steps, stepRandom } from '../world/steps.ts'
import { calmDisk } from './disk.ts'
import { calm } from './network.ts'
import { allTroubles, drawAmbushes, drawDisks, drawNetwork, type Plan, type TroubleName } from './plan.ts'
import type { Simulation } from './simulation.ts'

export interface TroubleMaker {
  readonly sim: Simulation
  readonly seed: number
  readonly plan: Plan
  readonly without: ReadonlySet<number>
}

/** Steps that last for the whole run. */
const lasting = { 1: drawNetwork, 2: drawDisks, 3: drawAmbushes } as const

/** Keeps things happening for the time of the plan. */
export function makeTrouble({ sim, seed, plan, without }: TroubleMaker): Steps<TroubleName> {
  for (const [step, draw] of Object.entries(lasting)) {
    if (!without.has(Number(step))) draw(sim, stepRandom(seed, Number(step)))
  }
  return new Steps<TroubleName>({
    ...plan,
    scheduler: sim.scheduler,
    seed,
    without,
    act(name, step, random) {
      if (name !== 'propose' && name !== 'read') {
        sim.note(`-- ${step} ${name}`)
        sim.counts.add(name)
      }
      sim.guard(() => allTroubles[name](sim, random))
    },
  })
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
    running?.clock.input(() => running.replica.setFitness({ diskFull: false }))
  }
}
