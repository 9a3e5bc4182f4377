/**
 * Troubles that belong together: what a random walk would line up once in a hundred thousand seeds. Each knows a danger,
 * and no code; the times in it are drawn.
 */
import type { Random } from '../../src/lib/prng.ts'
import type { NodeId } from '../../src/raft/types.ts'
import type { Simulation } from './simulation.ts'
import { bootLater, pick, type Trouble } from './troubles.ts'

export const schemes = {
  /** A leader that reaches nobody, or one, writes and is gone; whoever was gone before comes back (Raft figure 8). */
  shortReign(sim, random) {
    const leader = sim.leader
    if (leader === undefined) return
    const { id } = leader
    const others = sim.ids.filter((other) => other !== id)
    const spared = random.next() < 0.4 ? pick(others, random) : undefined
    for (const other of others) if (other !== spared) sim.network.cut(id, other)
    for (let count = random.integer(0, 2); count > 0; count--) sim.requests.propose(id)
    sim.scheduler.after(1 + random.next() * 15, () => {
      sim.crash(id)
      sim.network.heal()
      for (const other of others) sim.boot(other)
    })
    bootLater(sim, id, 400 + random.next() * 1200)
  },

  /** A leader dies at the moment it tells of a commit, and what it had on the way is lost. */
  deathAtCommit(sim, random) {
    const leader = sim.leader
    if (leader === undefined) return
    sim.requests.propose(leader.id)
    sim.atCommit(leader.id, () => {
      sim.lose(leader.id)
      sim.crash(leader.id)
      bootLater(sim, leader.id, 300 + random.next() * 1200)
    })
  },

  /** Who helped to commit loses its disk while who did not is to vote (an empty disk must not help again). */
  amnesia(sim, random) {
    const leader = sim.leader
    if (leader === undefined || !mayWipe(sim)) return
    const others = shuffled(
      sim.ids.filter((id) => id !== leader.id),
      random,
    )
    const lagging = others.slice(0, (sim.ids.length - 1) / 2)
    const helper = others.at(-1) ?? leader.id
    for (const id of lagging) sim.network.isolate(id, sim.ids)
    for (let count = random.integer(1, 4); count > 0; count--) sim.requests.propose(leader.id)
    sim.scheduler.after(20 + random.next() * 100, () => {
      if (!mayWipe(sim)) return
      sim.crash(leader.id)
      sim.wipe(helper)
      sim.network.heal()
      sim.boot(helper)
    })
    bootLater(sim, leader.id, 800 + random.next() * 1200)
  },

  /** A leader that slept through its successor's election meets a disk that was wiped meanwhile. */
  staleLeaderFills(sim, random) {
    const leader = sim.leader
    if (leader === undefined || sim.ids.length > 3 || !mayWipe(sim)) return
    const sleepMs = 500 + random.next() * 600
    sim.network.isolate(leader.id, sim.ids)
    leader.process?.clock.stall(sleepMs)
    sim.scheduler.after(sleepMs - 20, () => {
      const next = sim.leader
      if (next === undefined || next.id === leader.id || !mayWipe(sim)) return
      const empty = sim.ids.find((id) => id !== leader.id && id !== next.id) ?? next.id
      sim.wipe(empty)
      sim.network.heal()
      sim.network.isolate(next.id, sim.ids)
      sim.boot(empty)
    })
    for (let at = 0; at < 6; at++) sim.scheduler.after(sleepMs + at * 20, () => sim.requests.propose(leader.id))
    sim.scheduler.after(sleepMs + 200 + random.next() * 800, () => sim.network.heal())
  },

  /** A sync takes so long that what it was for is cut off, and something else is there, before it ends (ra 637). */
  lateSync(sim, random) {
    const leader = sim.leader
    if (leader === undefined) return
    const others = shuffled(
      sim.ids.filter((id) => id !== leader.id),
      random,
    )
    const [slow, ...rest] = others
    if (slow === undefined) return
    sim.machine(slow).disk.nextSyncMs = 1200 + random.next() * 1500
    for (const id of rest) sim.network.cut(leader.id, id)
    for (let count = random.integer(2, 4); count > 0; count--) sim.requests.propose(leader.id)
    sim.scheduler.after(10, () => sim.network.isolate(leader.id, sim.ids))
    sim.scheduler.after(400 + random.next() * 400, () => {
      const next = sim.leader
      if (next === undefined || next.id === slow || next.id === leader.id) return
      sim.crash(next.id)
      bootLater(sim, next.id, 2500)
      // Only the slow one stands for election in time.
      for (const id of rest) sim.machine(id).process?.clock.stall(random.next() * 300)
    })
    sim.scheduler.after(1000 + random.next() * 1000, () => sim.network.heal())
  },

  /** Nobody can read what is newest from a leader that was left behind. */
  staleRead(sim, random) {
    const leader = sim.leader
    if (leader === undefined) return
    const sleepMs = 400 + random.next() * 600
    sim.network.isolate(leader.id, sim.ids)
    if (random.next() < 0.7) leader.process?.clock.stall(sleepMs)
    for (let at = 300; at < sleepMs; at += 40) {
      sim.scheduler.after(at, () => sim.leader !== undefined && sim.requests.propose(sim.leader.id))
    }
    for (let at = 0; at < 5; at++) sim.scheduler.after(sleepMs + at * 30, () => sim.requests.readIndex(leader.id))
    sim.scheduler.after(sleepMs + 300, () => sim.network.heal())
  },
} satisfies Record<string, Trouble>

/** More than a minority without their data is more than any group can bear. */
export function mayWipe(sim: Simulation): boolean {
  return sim.ids.filter((id) => sim.machine(id).disk.hard.filled).length === sim.ids.length
}

function shuffled(ids: readonly NodeId[], random: Random): NodeId[] {
  const left = [...ids]
  const taken: NodeId[] = []
  while (left.length > 0) taken.push(...left.splice(random.integer(0, left.length - 1), 1))
  return taken
}
