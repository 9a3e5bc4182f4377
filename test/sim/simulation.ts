/**
 * A group of Raft replicas (core and driver as they are) on simulated machines. One seed gives one run.
 *
 * A run has two parts: trouble, drawn from the seed, while everything is checked that must always hold; then calm, in
 * which everything that must happen at last has to happen.
 */
import type { Log } from '../../src/lib/log.ts'
import { seededRandom, type Random } from '../../src/lib/prng.ts'
import { raftConfig, type RaftConfig } from '../../src/raft/config.ts'
import { Replica as RealReplica } from '../../src/raft/replica.ts'
import type { Envelope, RoleState } from '../../src/raft/ports.ts'
import type { Index, Membership, NodeId } from '../../src/raft/types.ts'
import { CommittedChecker, type ReplicaView } from './checkers/committed.ts'
import { ElectionChecker } from './checkers/elections.ts'
import { LogMatchingChecker } from './checkers/log-matching.ts'
import { Violation } from './checkers/violation.ts'
import { calmDisk, Disk, type DiskFaults, type Entry, type OpenDisk } from './disk.ts'
import { Network, type Parcel } from './network.ts'
import { ProcessClock } from './process-clock.ts'
import { Scheduler } from './scheduler.ts'

/** The driver under test: the real one, or one with a planted fault. */
export type ReplicaClass = typeof RealReplica

export interface SimulationOptions {
  readonly seed: number
  readonly membership: Membership
  readonly config?: Partial<RaftConfig>
  readonly Replica?: ReplicaClass
  /** Told of what happens, one line an event. */
  readonly trace?: (line: string) => void
  /** Whether every message is traced, too. */
  readonly traceMessages?: boolean
}

/** Shorter times than in production: more happens in a run, and its parts stay in proportion. */
const quick: Partial<RaftConfig> = {
  tickMs: 25,
  heartbeatMs: 50,
  electionTimeoutMinMs: 150,
  electionTimeoutMaxMs: 300,
  stallMs: 100,
}

/** Awaited to let what is resolved go on. */
const settled = Promise.resolve()

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

interface Process {
  readonly incarnation: number
  readonly clock: ProcessClock
  readonly replica: RealReplica<number>
  readonly disk: OpenDisk
  /** Newest process of each peer that this one heard of. */
  readonly met: Map<NodeId, number>
  /** When it heard of any, last. */
  metMs: number
  committed: Index
  role: RoleState
}

/** One machine: a disk that outlives processes, and at most one process. */
export class Machine {
  readonly id: NodeId
  disk: Disk
  process: Process | undefined
  incarnations = 0
  faults: DiskFaults = calmDisk
  /** Disks before wipes: each counts for leaders that have not met a process after it. */
  readonly ghosts: { readonly disk: Disk; readonly until: number }[] = []

  constructor(id: NodeId) {
    this.id = id
    this.disk = new Disk(0)
  }
}

export class Simulation {
  readonly scheduler = new Scheduler()
  readonly random: Random
  readonly network: Network
  readonly machines = new Map<NodeId, Machine>()
  readonly committed = new CommittedChecker()
  readonly elections = new ElectionChecker()
  readonly matching = new LogMatchingChecker()
  readonly #options: SimulationOptions
  readonly #config: RaftConfig
  readonly #memberships: Membership[] = []
  /** Highest commit anybody was told of: a read asked for later must not see less. */
  highestCommit: Index = 0
  violation: unknown
  proposed = 0
  /** Asked after every message that leaves: whether its sender crashes right then. */
  ambush: ((parcel: Parcel) => boolean) | undefined

  constructor(options: SimulationOptions) {
    this.#options = options
    this.#config = raftConfig({ ...quick, ...options.config })
    this.random = seededRandom(options.seed)
    this.network = new Network(this.scheduler, this.random, (parcel) => this.#arrive(parcel))
    const { voters, learners } = options.membership
    for (const id of [...voters, ...learners]) this.machines.set(id, new Machine(id))
  }

  get ids(): readonly NodeId[] {
    return [...this.machines.keys()]
  }

  machine(id: NodeId): Machine {
    const machine = this.machines.get(id)
    if (machine === undefined) throw new Error(`no machine ${id}`)
    return machine
  }

  replica(id: NodeId): RealReplica<number> | undefined {
    return this.machine(id).process?.replica
  }

  /** The process that leads in the highest term, if any thinks that it leads. */
  get leader(): Machine | undefined {
    let leader: Machine | undefined
    for (const machine of this.machines.values()) {
      const role = machine.process?.role
      if (role?.role === 'leader' && role.term > (leader?.process?.role.term ?? 0)) leader = machine
    }
    return leader
  }

  boot(id: NodeId): void {
    const machine = this.machine(id)
    if (machine.process !== undefined) return
    const incarnation = ++machine.incarnations
    const clock = new ProcessClock(this.scheduler, (work) => this.guard(work))
    const disk = machine.disk.open(
      {
        random: this.random,
        later: (delayMs, done) => this.scheduler.after(delayMs, () => clock.input(done)),
        digestAt: (index) => this.committed.digestAt(index),
        memberships: this.#memberships,
        refused: (error) => this.fail(new Violation('payload', error.message)),
        wrote: (index, entry, prevTerm) => this.matching.wrote(index, entry, prevTerm),
      },
      () => machine.faults,
    )
    const Replica = this.#options.Replica ?? RealReplica
    const replica = new Replica<number>({
      id,
      config: this.#config,
      peers: this.#options.membership,
      store: disk,
      stableStore: disk,
      transport: { send: (to, envelope) => this.#leave({ from: id, to, incarnation, envelope }, machine) },
      clock,
      random: seededRandom(this.random.integer(0, 0xffffffff)),
      events: {
        committed: (index) => this.#isCommitted(machine, index),
        roleChanged: (state) => this.#roleChanged(machine, state),
        truncated: (index) => this.#trace(`${id} truncated ${index}`),
        reset: (state) => this.#reset(machine, state.start.index),
        fatal: (error) => this.#fatal(machine, error),
      },
      log: silent,
    })
    const role: RoleState = { role: 'follower', term: 0, leader: null }
    const committed = machine.disk.startIndex
    machine.process = { incarnation, clock, replica, disk, met: new Map(), metMs: 0, committed, role }
    this.#trace(`${id} boots, process ${incarnation}`)
    this.guard(() => replica.start())
  }

  /** Ends the process at once; what it wrote and did not sync may be gone. */
  crash(id: NodeId): void {
    const machine = this.machine(id)
    if (machine.process === undefined) return
    machine.process.clock.die()
    machine.process = undefined
    machine.disk.crash(this.random)
    this.#trace(`${id} crashes`)
  }

  /** Another, empty disk in a machine that is down. */
  wipe(id: NodeId): void {
    const machine = this.machine(id)
    this.crash(id)
    machine.ghosts.push({ disk: machine.disk, until: machine.incarnations + 1 })
    machine.disk = new Disk(machine.disk.serial + 1)
    this.#trace(`${id} is wiped`)
  }

  propose(id: NodeId): boolean {
    const process = this.machine(id).process
    let taken = false
    process?.clock.input(() => {
      taken = process.replica.propose(++this.proposed) !== undefined
    })
    return taken
  }

  readIndex(id: NodeId): void {
    const process = this.machine(id).process
    process?.clock.input(() => {
      const least = this.highestCommit
      process.replica.readIndex().then(
        (index) => {
          if (index < least)
            this.fail(new Violation('read', `${id} reads at ${index} what was committed up to ${least}`))
        },
        () => {},
      )
    })
  }

  /** Runs until `untilMs`, letting promises settle between events. Throws the first violation. */
  async run(untilMs: number, isDone?: () => boolean): Promise<boolean> {
    while (this.scheduler.step(untilMs)) {
      await settled
      await settled
      await settled
      await settled
      if (this.violation !== undefined) throw this.violation
      if (isDone?.() === true) return true
    }
    return isDone?.() === true
  }

  guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.fail(error)
    }
  }

  fail(error: unknown): void {
    this.violation ??= error
  }

  note(line: string): void {
    this.#trace(line)
  }

  #leave(parcel: Parcel, machine: Machine): void {
    const { message } = parcel.envelope
    if (message.type === 'voteReply' && message.granted) {
      this.elections.votes(parcel.from, machine.disk.serial, message.term, parcel.to)
    }
    if (message.type === 'vote') this.elections.votes(parcel.from, machine.disk.serial, message.term, parcel.from)
    this.network.send(parcel)
    if (this.ambush?.(parcel) !== true) return
    const { incarnation } = parcel
    this.scheduler.after(0, () => {
      if (machine.process?.incarnation !== incarnation) return
      this.#trace(`-- ambush after ${message.type}`)
      this.crash(machine.id)
      this.scheduler.after(this.random.next() * 400, () => this.boot(machine.id))
    })
  }

  #arrive(parcel: Parcel): void {
    const process = this.machine(parcel.to).process
    if (process === undefined) return
    process.clock.input(() => {
      const { from, incarnation, envelope } = parcel
      if ((process.met.get(from) ?? 0) < incarnation) {
        process.met.set(from, incarnation)
        process.metMs = this.scheduler.nowMs
        process.replica.peerStarted(from, String(incarnation))
      }
      if (this.#options.traceMessages === true) this.#trace(describe(envelope))
      process.replica.receive(from, envelope)
    })
  }

  #isCommitted(machine: Machine, index: Index): void {
    const process = this.#processOf(machine)
    const from = process.committed
    if (index < from) throw new Violation('committed', `the commit of ${machine.id} goes back from ${from} to ${index}`)
    process.committed = index
    this.committed.committed(viewOf(machine), from, index, (at, entry) => this.#isOnMajority(process, at, entry))
    this.highestCommit = Math.max(this.highestCommit, index)
    process.replica.applied(index)
    this.#trace(`${machine.id} commits ${index}`)
  }

  #roleChanged(machine: Machine, role: RoleState): void {
    const process = this.#processOf(machine)
    process.role = role
    this.#trace(`${machine.id} is ${role.role} in term ${role.term}, led by ${role.leader ?? 'nobody'}`)
    if (role.role !== 'leader') return
    this.elections.leads(machine.id, role.term)
    this.committed.holdsAll(viewOf(machine))
  }

  #reset(machine: Machine, index: Index): void {
    const process = this.#processOf(machine)
    process.committed = Math.max(process.committed, index)
    this.#trace(`${machine.id} is reset to ${index}`)
  }

  #fatal(machine: Machine, error: Error): void {
    if (!error.message.startsWith('injected')) this.fail(error)
    this.#trace(`${machine.id} ends: ${error.message}`)
    this.crash(machine.id)
  }

  #processOf(machine: Machine): Process {
    if (machine.process === undefined) throw new Error(`${machine.id} speaks and is down`)
    return machine.process
  }

  #isOnMajority(leader: Process, index: Index, entry: Entry): boolean {
    const { voters, outgoing } = leader.replica.status().members
    const holds = (id: NodeId): boolean => this.#holds(leader, id, index, entry)
    const majorityOf = (ids: readonly NodeId[]): boolean => ids.filter(holds).length * 2 > ids.length
    // Membership at the leader's end may be newer than at the entry: then either may have decided.
    return (majorityOf(voters) && (outgoing.length === 0 || majorityOf(outgoing))) || this.#memberships.length > 1
  }

  #holds(leader: Process, id: NodeId, index: Index, entry: Entry): boolean {
    const machine = this.machine(id)
    if (isIn(machine.disk, index, entry)) return true
    // Its ack of before the wipe is good until the leader hears of a process after it; what is told now was decided
    // earlier in this turn.
    const met = leader.metMs === this.scheduler.nowMs ? 0 : (leader.met.get(id) ?? 0)
    return machine.ghosts.some((ghost) => met < ghost.until && isIn(ghost.disk, index, entry))
  }

  #trace(line: string): void {
    this.#options.trace?.(`${this.scheduler.nowMs.toFixed(1).padStart(9)} ${line}`)
  }
}

function isIn(disk: Disk, index: Index, entry: Entry): boolean {
  if (index <= disk.startIndex) return true
  const durable = disk.entryAt(index)
  return durable?.term === entry.term && durable.value === entry.value
}

export function viewOf(machine: Machine): ReplicaView {
  const { id, process } = machine
  if (process === undefined) throw new Error(`${id} is down`)
  return {
    id,
    startIndex: process.disk.startIndex,
    lastIndex: process.disk.lastIndex,
    entryAt: (index) => process.disk.entryAt(index),
  }
}

/** A message in one line. */
export function describe({ message, payload }: Envelope): string {
  const { type, from, to, term, ...rest } = message
  const fields = Object.entries(rest).map(([name, value]) => {
    return `${name} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`
  })
  const bytes = payload.reduce((sum, part) => sum + part.byteLength, 0)
  return `${from} > ${to} ${type} term ${term}${fields.length > 0 ? `, ${fields.join(', ')}` : ''}${bytes > 0 ? `, ${bytes} bytes` : ''}`
}
