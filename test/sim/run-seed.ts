/** One seed, from its first boot to its verdict. */
import { seededRandom } from '../../src/lib/prng.ts'
import type { Membership } from '../../src/raft/types.ts'
import { Violation } from './checkers/violation.ts'
import { Simulation, viewOf, type ReplicaClass } from './simulation.ts'
import { drawAmbushes, drawFaults, drawPlan, endTrouble, makeTrouble } from './trouble.ts'

export interface SeedOptions {
  readonly seed: number
  readonly scope: Scope
  readonly Replica?: ReplicaClass
  readonly trace?: (line: string) => void
  readonly traceMessages?: boolean
}

export interface SeedResult {
  readonly commits: number
  readonly terms: number
  readonly proposed: number
}

export const scopes = {
  three: { membership: voters('n0', 'n1', 'n2'), changes: false },
  five: { membership: voters('n0', 'n1', 'n2', 'n3', 'n4'), changes: false },
  changes: { membership: { voters: ['n0', 'n1', 'n2'], outgoing: [], learners: ['n3', 'n4'] }, changes: true },
} as const satisfies Record<string, { membership: Membership; changes: boolean }>

export type Scope = keyof typeof scopes

export const scopeNames: readonly Scope[] = Object.keys(scopes).filter((name): name is Scope => name in scopes)

function voters(...ids: string[]): Membership {
  return { voters: ids, outgoing: [], learners: [] }
}

/** How long calm may take until everything is well: elections, resets, fills. */
const CALM_MS = 20_000

/** Runs one seed; throws a `Violation`, or whatever broke. */
export async function runSeed(options: SeedOptions): Promise<SeedResult> {
  const { seed, trace } = options
  const { membership, changes } = scopes[options.scope]
  const random = seededRandom(seed)
  const sim = new Simulation({
    seed: seed ^ 0x5eed,
    membership,
    // Small windows, so that their ends are met.
    config: {
      maxAppendBytes: 32 * random.integer(1, 8),
      maxInflightBytes: 32 * random.integer(8, 40),
      maxInflightMessages: random.integer(1, 6),
      maxUncommittedEntries: random.integer(20, 200),
      maxAppendRuns: random.integer(1, 3),
      // Close deadlines make elections in which nobody wins.
      electionTimeoutMaxMs: random.next() < 0.5 ? 300 : 200,
      resetChunkBytes: random.integer(64, 512),
    },
    ...(options.Replica === undefined ? {} : { Replica: options.Replica }),
    ...(trace === undefined ? {} : { trace }),
    ...(options.traceMessages === undefined ? {} : { traceMessages: options.traceMessages }),
  })
  const plan = drawPlan(random, changes)
  for (const id of sim.ids) sim.scheduler.after(random.next() * 300, () => sim.boot(id))
  if (random.next() < 0.8) {
    // Most runs begin with a group that works; the others form in the middle of it all.
    await sim.run(3000, () => sim.highestCommit > 0)
  }
  drawFaults(sim, random)
  drawAmbushes(sim, random)
  const troubleEndsMs = sim.scheduler.nowMs + plan.durationMs
  makeTrouble(sim, random, plan, troubleEndsMs)
  await sim.run(troubleEndsMs + 1)
  sim.note('-- calm')
  endTrouble(sim)
  await expectCalm(sim)
  return { commits: sim.committed.lastIndex, terms: sim.elections.terms, proposed: sim.proposed }
}

/** A connected group leads, commits what is proposed on every member, and everybody is whole again. */
async function expectCalm(sim: Simulation): Promise<void> {
  const endMs = sim.scheduler.nowMs + CALM_MS
  let target = Infinity
  const isWhole = (): boolean => {
    const leader = sim.leader?.process
    if (leader === undefined) return false
    const { members } = leader.replica.status()
    if (members.outgoing.length > 0) return false
    return [...members.voters, ...members.learners].every((id) => {
      const process = sim.machine(id).process
      return process !== undefined && process.committed >= target && process.replica.status().filled
    })
  }
  for (;;) {
    if (sim.scheduler.nowMs >= endMs) throw new Violation('liveness', `no calm after ${CALM_MS} ms: ${stateOf(sim)}`)
    // A sync that was failing when calm began ends its process in it.
    for (const id of sim.ids) sim.boot(id)
    const leader = sim.leader
    if (leader !== undefined && sim.propose(leader.id))
      target = Math.min(target, leader.process?.disk.lastIndex ?? Infinity)
    if (await sim.run(sim.scheduler.nowMs + 100, isWhole)) break
  }
  for (const id of sim.ids) {
    const machine = sim.machine(id)
    sim.committed.holdsAll(viewOf(machine), machine.process?.committed ?? 0)
  }
}

function stateOf(sim: Simulation): string {
  return sim.ids
    .map((id) => {
      const process = sim.machine(id).process
      if (process === undefined) return `${id} down`
      const { role, term, leader, startIndex, lastIndex, commitIndex, filled } = process.replica.status()
      return `${id} ${role} ${term} ${leader} ${startIndex}/${commitIndex}/${lastIndex} ${filled ? 'filled' : 'filling'}`
    })
    .join('; ')
}
