/** One seed of the core scope: Raft's core and driver, and nothing above them. */
import { seededRandom, type Random } from '../../src/lib/prng.ts'
import type { RaftConfig } from '../../src/raft/config.ts'
import type { Membership } from '../../src/raft/types.ts'
import { violationOf, type Mode, type NodeCount, type SeedReport, type SeedRequest } from '../seed-run.ts'
import type { Steps } from '../world/steps.ts'
import { Violation } from '../world/violation.ts'
import { drawPlan, type TroubleName } from './plan.ts'
import { viewOf } from './machine.ts'
import { Simulation, type ReplicaClass } from './simulation.ts'
import { endTrouble, makeTrouble } from './trouble.ts'

export interface CoreSeedRequest extends SeedRequest {
  /** The driver under test, where it is not the real one. */
  readonly Replica?: ReplicaClass
}

/** How long calm may take until everything is well: elections, resets, fills. */
const CALM_MS = 20_000
/** A group that works takes writes again within this. */
const WRITES_MS = 10_000

type Kind = { readonly membership: Membership; readonly changes: boolean }

const three: Kind = { membership: voters('n0', 'n1', 'n2'), changes: false }
const five: Kind = { membership: voters('n0', 'n1', 'n2', 'n3', 'n4'), changes: false }
const growing: Kind = {
  membership: { voters: ['n0', 'n1', 'n2'], outgoing: [], learners: ['n3', 'n4'] },
  changes: true,
}
const shrinking: Kind = { ...five, changes: true }

function voters(...ids: string[]): Membership {
  return { voters: ids, outgoing: [], learners: [] }
}

function drawKind(nodes: NodeCount | undefined, random: Random): Kind {
  const at = random.next()
  if (nodes === 3) return three
  if (nodes === 5) return at < 0.4 ? five : at < 0.7 ? growing : shrinking
  return at < 0.55 ? three : at < 0.75 ? five : at < 0.9 ? growing : shrinking
}

/** Most runs are of the mode that promises most. */
function drawsBuffered(flush: Mode | undefined, random: Random): boolean {
  const drawn = random.next() < 0.25
  return flush === undefined ? drawn : flush === 'async'
}

/** Runs one seed of the Raft core and its driver, from its first boot to its verdict. */
export async function runCoreSeed(request: CoreSeedRequest): Promise<SeedReport> {
  const { seed, trace, nodes, without = new Set() } = request
  const random = seededRandom(seed)
  const { membership, changes } = drawKind(nodes, random)
  const sim = new Simulation({
    seed: seed ^ 0x5eed,
    membership,
    config: drawConfig(random),
    ...(request.Replica === undefined ? {} : { Replica: request.Replica }),
    trace,
  })
  const isBuffered = !changes && drawsBuffered(request.flush, random)
  if (isBuffered) sim.demand(random.next() < 0.5 ? 'written' : 'writtenWhileWhole')
  const plan = drawPlan(random, { changes, isBuffered })
  for (const id of sim.ids) sim.scheduler.after(random.next() * 300, () => sim.boot(id))
  const isFormed = random.next() < 0.8
  let trouble: Steps<TroubleName> | undefined
  let violation: unknown
  try {
    // Most runs begin with a group that works; the others form in the middle of it all.
    if (isFormed) await sim.run(3000, () => sim.highestCommit > 0)
    const endMs = sim.scheduler.nowMs + plan.durationMs
    trouble = makeTrouble({ sim, seed, plan, without })
    await sim.run(endMs + 1)
    sim.note('-- calm')
    endTrouble(sim)
    await expectCalm(sim)
  } catch (error) {
    violation = error
    sim.note(`VIOLATION ${violationOf(error).message}`)
  }
  return {
    seed,
    simulatedMs: sim.scheduler.nowMs,
    steps: trouble?.last ?? 0,
    leaders: sim.elections.terms,
    commits: sim.committed.lastIndex,
    faults: sim.counts.byName,
    hash: sim.trace.hash,
    violation: violation === undefined ? undefined : violationOf(violation),
  }
}

/** Small windows, so that their ends are met. */
function drawConfig(random: Random): Partial<RaftConfig> {
  return {
    maxAppendBytes: 32 * random.integer(1, 8),
    maxInflightBytes: 32 * random.integer(8, 40),
    maxInflightMessages: random.integer(1, 6),
    maxUncommittedEntries: random.integer(20, 200),
    maxAppendRuns: random.integer(1, 3),
    // Close deadlines make elections in which nobody wins.
    electionTimeoutMaxMs: random.next() < 0.5 ? 300 : 200,
    resetChunkBytes: random.integer(64, 512),
  }
}

/** A connected group leads, commits what is proposed on every member, and everybody is whole again. */
async function expectCalm(sim: Simulation): Promise<void> {
  const startMs = sim.scheduler.nowMs
  const endMs = startMs + CALM_MS
  let target = Infinity
  const isWriting = (): boolean => sim.highestCommit >= target
  const isWhole = (): boolean => {
    const leader = sim.leader?.process
    if (leader === undefined) return false
    const { members } = leader.replica.status()
    if (members.outgoing.length > 0) return false
    return [...members.voters, ...members.learners].every((id) => {
      const running = sim.machine(id).process
      if (running === undefined || running.committed < target) return false
      const { filled, trusted } = running.replica.status()
      return filled && trusted
    })
  }
  for (;;) {
    if (sim.scheduler.nowMs >= startMs + WRITES_MS && !isWriting()) {
      throw new Violation('liveness', `no writes ${WRITES_MS} ms after everything healed: ${stateOf(sim)}`)
    }
    if (sim.scheduler.nowMs >= endMs) throw new Violation('liveness', `no calm after ${CALM_MS} ms: ${stateOf(sim)}`)
    // A sync that was failing when calm began ends its process in it.
    for (const id of sim.ids) sim.boot(id)
    const leader = sim.leader
    if (leader !== undefined && sim.requests.propose(leader.id))
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
      const running = sim.machine(id).process
      if (running === undefined) return `${id} down`
      const { role, term, leader, startIndex, lastIndex, commitIndex, filled, trusted } = running.replica.status()
      const disk = `${filled ? 'filled' : 'filling'}${trusted ? '' : ', in doubt'}`
      return `${id} ${role} ${term} ${leader} ${startIndex}/${commitIndex}/${lastIndex} ${disk}`
    })
    .join('; ')
}
