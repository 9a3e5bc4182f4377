/** What goes wrong in a run, and how often: drawn from the seed, so that runs differ in kind and not only in detail. */
import type { Random } from '../../src/lib/prng.ts'
import type { Message } from '../../src/raft/message.ts'
import type { NodeId } from '../../src/raft/types.ts'
import { calmDisk } from './disk.ts'
import { calm } from './network.ts'
import type { Simulation } from './simulation.ts'

export interface Plan {
  readonly durationMs: number
  /** Mean time between things that happen. */
  readonly everyMs: number
  readonly weights: Readonly<Record<TroubleName, number>>
}

const troubles = {
  propose(sim: Simulation, random: Random) {
    const leader = sim.leader
    const id = random.next() < 0.9 && leader !== undefined ? leader.id : pick(sim.ids, random)
    for (let count = random.integer(1, 5); count > 0; count--) sim.propose(id)
  },
  read(sim: Simulation) {
    for (const id of sim.ids) sim.readIndex(id)
  },
  crash(sim: Simulation, random: Random) {
    const id = random.next() < 0.5 ? (sim.leader?.id ?? pick(sim.ids, random)) : pick(sim.ids, random)
    sim.crash(id)
    bootLater(sim, id, random.next() * 800)
  },
  crashAll(sim: Simulation, random: Random) {
    for (const id of sim.ids) {
      sim.crash(id)
      bootLater(sim, id, random.next() * 300)
    }
  },
  failSync(sim: Simulation, random: Random) {
    const id = pick(sim.ids, random)
    sim.machine(id).disk.failNextSync = true
    bootLater(sim, id, 500 + random.next() * 500)
  },
  wipe(sim: Simulation, random: Random) {
    const id = pick(sim.ids, random)
    // More than a minority without their data is more than any group can bear.
    const filled = sim.ids.filter((other) => other !== id && sim.machine(other).disk.hard.filled).length
    if (filled * 2 <= sim.ids.length) return
    sim.wipe(id)
    bootLater(sim, id, random.next() * 200)
  },
  isolate(sim: Simulation, random: Random) {
    sim.network.isolate(pick(sim.ids, random), sim.ids)
    healLater(sim, random.next() * 1500)
  },
  isolateLeader(sim: Simulation, random: Random) {
    sim.network.isolate(sim.leader?.id ?? pick(sim.ids, random), sim.ids)
    healLater(sim, random.next() * 1500)
  },
  cutOneWay(sim: Simulation, random: Random) {
    const from = pick(sim.ids, random)
    for (const to of sim.ids) if (to !== from && random.next() < 0.7) sim.network.cut(from, to)
    healLater(sim, random.next() * 1500)
  },
  cutLink(sim: Simulation, random: Random) {
    const from = pick(sim.ids, random)
    const to = pick(sim.ids, random)
    sim.network.cut(from, to)
    if (random.next() < 0.7) sim.network.cut(to, from)
    healLater(sim, random.next() * 1500)
  },
  stall(sim: Simulation, random: Random) {
    sim.machine(pick(sim.ids, random)).process?.clock.stall(random.next() * 1000)
  },
  transfer(sim: Simulation, random: Random) {
    const process = sim.leader?.process
    const to = pick(sim.ids, random)
    process?.clock.input(() => {
      process.replica.transferLeadership(to).catch(() => {})
    })
  },
  dropFront(sim: Simulation, random: Random) {
    const { process } = sim.machine(pick(sim.ids, random))
    if (process === undefined) return
    const { disk, replica } = process
    process.clock.input(() => {
      const room = process.committed - disk.startIndex
      if (room <= 0) return
      disk.dropUpTo(disk.startIndex + random.integer(1, room))
      if (random.next() < 0.8) replica.logStartMoved()
    })
  },
  diskFull(sim: Simulation, random: Random) {
    const process = sim.machine(pick(sim.ids, random)).process
    process?.clock.input(() => process.replica.setDiskFull(true))
    sim.scheduler.after(random.next() * 1500, () => process?.clock.input(() => process.replica.setDiskFull(false)))
  },
  connectionLost(sim: Simulation, random: Random) {
    const process = sim.machine(pick(sim.ids, random)).process
    const peer = pick(sim.ids, random)
    process?.clock.input(() => process.replica.peerLost(peer))
  },
  changeMembership(sim: Simulation, random: Random) {
    const process = sim.leader?.process
    const voters = sim.ids.filter(() => random.next() < 0.7)
    const learners = sim.ids.filter((id) => !voters.includes(id) && random.next() < 0.5)
    if (voters.length < 2) return
    process?.clock.input(() => process.replica.changeMembership({ voters, learners }))
  },
} satisfies Record<string, (sim: Simulation, random: Random) => void>

export type TroubleName = keyof typeof troubles

const troubleNames: readonly TroubleName[] = Object.keys(troubles).filter(
  (name): name is TroubleName => name in troubles,
)

/** Kinds of trouble that a run with `changes` of membership, or without, may have. */
export function drawPlan(random: Random, changes: boolean): Plan {
  const weight = (share: number, most: number): number => (random.next() < share ? random.next() * most : 0)
  return {
    durationMs: 6000,
    everyMs: 5 + random.next() * 40,
    weights: {
      propose: 10,
      read: weight(0.5, 2),
      crash: weight(0.7, 0.8),
      crashAll: weight(0.3, 0.2),
      failSync: weight(0.2, 0.1),
      wipe: changes ? 0 : weight(0.4, 0.3),
      isolate: weight(0.4, 0.3),
      isolateLeader: weight(0.5, 0.6),
      cutOneWay: weight(0.4, 0.3),
      cutLink: weight(0.4, 0.5),
      stall: weight(0.3, 0.3),
      transfer: weight(0.3, 0.5),
      dropFront: weight(0.3, 0.5),
      diskFull: weight(0.2, 0.1),
      connectionLost: weight(0.2, 0.2),
      changeMembership: changes ? 0.5 : 0,
    },
  }
}

/** Network and disks of a run. */
export function drawFaults(sim: Simulation, random: Random): void {
  const rate = (share: number, most: number): number => (random.next() < share ? random.next() * most : 0)
  sim.network.faults = {
    dropRate: rate(0.5, 0.2),
    duplicateRate: rate(0.5, 0.2),
    reorderRate: rate(0.5, 0.5),
    maxDelayMs: random.next() < 0.7 ? 2 : 80,
  }
  for (const id of sim.ids) {
    sim.machine(id).faults = {
      maxSyncMs: 3,
      slowSyncRate: rate(0.4, 0.2),
      slowSyncMs: random.next() < 0.5 ? 50 : 800,
      slowReadRate: rate(0.5, 0.5),
      slowReadMs: random.next() < 0.5 ? 5 : 300,
    }
  }
}

/** Crashes at the moments that count: right after something was promised. */
export function drawAmbushes(sim: Simulation, random: Random): void {
  const rates: Partial<Record<Message['type'], number>> = {
    vote: random.next() < 0.3 ? 0.2 : 0,
    voteReply: random.next() < 0.5 ? 0.3 : 0,
    appendReply: random.next() < 0.3 ? 0.002 : 0,
    append: random.next() < 0.3 ? 0.002 : 0,
  }
  sim.ambush = (parcel) => {
    const rate = rates[parcel.envelope.message.type] ?? 0
    return rate > 0 && random.next() < rate
  }
}

/** Everything works again. */
export function endTrouble(sim: Simulation): void {
  sim.ambush = undefined
  sim.network.heal()
  sim.network.faults = calm
  for (const id of sim.ids) {
    sim.machine(id).faults = calmDisk
    sim.machine(id).disk.failNextSync = false
    sim.boot(id)
    const process = sim.machine(id).process
    process?.clock.input(() => process.replica.setDiskFull(false))
  }
}

/** Keeps things happening until `untilMs`. */
export function makeTrouble(sim: Simulation, random: Random, plan: Plan, untilMs: number): void {
  const names = troubleNames
  const total = names.reduce((sum, name) => sum + plan.weights[name], 0)
  const next = (): void => {
    if (sim.scheduler.nowMs >= untilMs) return
    let at = random.next() * total
    const name = names.find((each) => (at -= plan.weights[each]) < 0) ?? 'propose'
    if (name !== 'propose' && name !== 'read') sim.note(`-- ${name}`)
    sim.guard(() => troubles[name](sim, random))
    sim.scheduler.after(random.next() * 2 * plan.everyMs, next)
  }
  next()
}

function pick(ids: readonly NodeId[], random: Random): NodeId {
  const id = ids[random.integer(0, ids.length - 1)]
  if (id === undefined) throw new Error('no nodes')
  return id
}

function bootLater(sim: Simulation, id: NodeId, delayMs: number): void {
  sim.scheduler.after(delayMs, () => sim.boot(id))
}

function healLater(sim: Simulation, delayMs: number): void {
  sim.scheduler.after(delayMs, () => sim.network.heal())
}
