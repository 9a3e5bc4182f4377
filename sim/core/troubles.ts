/** What can go wrong, one thing at a time. */
import type { Random } from '../../src/lib/prng.ts'
import type { FlushDemand } from '../../src/raft/flush-rule.ts'
import type { NodeId } from '../../src/raft/types.ts'
import type { Simulation } from './simulation.ts'

export type Trouble = (sim: Simulation, random: Random) => void

export const troubles = {
  propose(sim: Simulation, random: Random) {
    const leader = sim.leader
    const id = random.next() < 0.9 && leader !== undefined ? leader.id : pick(sim.ids, random)
    for (let count = random.integer(1, 5); count > 0; count--) sim.requests.propose(id)
  },
  read(sim: Simulation) {
    for (const id of sim.ids) sim.requests.readIndex(id)
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
  cutPower(sim: Simulation, random: Random) {
    const id = random.next() < 0.5 ? (sim.leader?.id ?? pick(sim.ids, random)) : pick(sim.ids, random)
    if (isFilled(sim)) sim.cutPower(id)
    else sim.crash(id)
    bootLater(sim, id, random.next() * 800)
  },
  cutPowerOfAll(sim: Simulation, random: Random) {
    for (const id of sim.ids) {
      if (isFilled(sim)) sim.cutPower(id)
      else sim.crash(id)
      bootLater(sim, id, random.next() * 300)
    }
  },
  changeFlush(sim: Simulation, random: Random) {
    sim.demand(demands[random.integer(0, demands.length - 1)] ?? 'durable')
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
  flap(sim: Simulation, random: Random) {
    const id = pick(sim.ids, random)
    const periodMs = 20 + random.next() * 300
    for (let at = 0; at < 6; at++) {
      sim.scheduler.after(at * periodMs, () =>
        at % 2 === 0 ? sim.network.isolate(id, sim.ids) : sim.network.rejoin(id),
      )
    }
  },
  stall(sim: Simulation, random: Random) {
    sim.machine(pick(sim.ids, random)).process?.clock.stall(random.next() * 1000)
  },
  transfer(sim: Simulation, random: Random) {
    const running = sim.leader?.process
    const to = pick(sim.ids, random)
    running?.clock.input(() => {
      running.replica.transferLeadership(to).catch(() => {})
    })
  },
  dropFront(sim: Simulation, random: Random) {
    const { process: running } = sim.machine(pick(sim.ids, random))
    if (running === undefined) return
    const { disk, replica } = running
    running.clock.input(() => {
      const room = running.committed - disk.startIndex
      if (room <= 0) return
      disk.dropUpTo(disk.startIndex + random.integer(1, room))
      if (random.next() < 0.8) replica.logStartMoved()
    })
  },
  diskFull(sim: Simulation, random: Random) {
    const running = sim.machine(pick(sim.ids, random)).process
    running?.clock.input(() => running.replica.setFitness({ diskFull: true }))
    sim.scheduler.after(random.next() * 1500, () =>
      running?.clock.input(() => running.replica.setFitness({ diskFull: false })),
    )
  },
  connectionLost(sim: Simulation, random: Random) {
    const running = sim.machine(pick(sim.ids, random)).process
    const peer = pick(sim.ids, random)
    running?.clock.input(() => running.replica.peerLost(peer))
  },
  changeMembership(sim: Simulation, random: Random) {
    const running = sim.leader?.process
    const voters = sim.ids.filter(() => random.next() < 0.7)
    const learners = sim.ids.filter((id) => !voters.includes(id) && random.next() < 0.5)
    if (voters.length < 2) return
    running?.clock.input(() => running.replica.changeMembership({ voters, learners }))
  },
} satisfies Record<string, Trouble>

export const demands = ['durable', 'written', 'writtenWhileWhole'] as const satisfies readonly FlushDemand[]

/** A disk that was never filled has no vote: where logs are in doubt as well, the group waits for its operator. */
function isFilled(sim: Simulation): boolean {
  return sim.ids.every((id) => sim.machine(id).disk.hard.filled)
}

export function pick(ids: readonly NodeId[], random: Random): NodeId {
  const id = ids[random.integer(0, ids.length - 1)]
  if (id === undefined) throw new Error('no nodes')
  return id
}

export function bootLater(sim: Simulation, id: NodeId, delayMs: number): void {
  sim.scheduler.after(delayMs, () => sim.boot(id))
}

function healLater(sim: Simulation, delayMs: number): void {
  sim.scheduler.after(delayMs, () => sim.network.heal())
}
