/**
 * A group of Raft replicas (core and driver as they are) on simulated machines. One seed gives one run.
 *
 * A run has two parts: trouble, drawn from the seed, while everything is checked that must always hold; then calm, in
 * which everything that must happen at last has to happen.
 */
import type { Log } from '../../src/lib/log.ts'
import { seededRandom, type Random } from '../../src/lib/prng.ts'
import { raftConfig, type RaftConfig } from '../../src/raft/config.ts'
import type { FlushDemand } from '../../src/raft/flush-rule.ts'
import { Replica as RealReplica } from '../../src/raft/replica.ts'
import type { RoleState } from '../../src/raft/ports.ts'
import type { Index, Membership, NodeId } from '../../src/raft/types.ts'
import { CommittedChecker } from './checkers/committed.ts'
import { ElectionChecker } from './checkers/elections.ts'
import { LogMatchingChecker } from './checkers/log-matching.ts'
import { Violation } from '../world/violation.ts'
import { Disk } from './disk.ts'
import { describe } from './describe.ts'
import { Holdings } from './holdings.ts'
import { Machine, viewOf, type Process } from './machine.ts'
import { OpenDisk } from './open-disk.ts'
import { quick } from './quick.ts'
import { Network, type Parcel } from './network.ts'
import { Requests } from './requests.ts'
import { Counts } from '../world/counts.ts'
import { ProcessClock } from '../world/process-clock.ts'
import { Scheduler } from '../world/scheduler.ts'
import { Trace } from '../world/trace.ts'

/** The driver under test: the real one, or one with a planted fault. */
export type ReplicaClass = typeof RealReplica

export interface SimulationOptions {
  readonly seed: number
  readonly membership: Membership
  readonly config?: Partial<RaftConfig>
  readonly Replica?: ReplicaClass
  /** Told of what happens, one line an event, and every message. */
  readonly trace?: ((line: string) => void) | undefined
}

/** Awaited to let what is resolved go on. */
const settled = Promise.resolve()

const LOOK_EVERY_MS = 10

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

export class Simulation {
  readonly scheduler = new Scheduler()
  readonly random: Random
  readonly network: Network
  readonly machines = new Map<NodeId, Machine>()
  readonly committed = new CommittedChecker()
  readonly elections = new ElectionChecker()
  readonly matching = new LogMatchingChecker()
  readonly holdings: Holdings
  readonly requests: Requests
  readonly counts = new Counts()
  readonly trace: Trace
  readonly #options: SimulationOptions
  readonly #config: RaftConfig
  readonly #memberships: Membership[] = []
  /** Highest commit anybody was told of: a read asked for later must not see less. */
  highestCommit: Index = 0
  violation: unknown
  #demand: FlushDemand = 'durable'
  /** Processes of which nothing arrives any more. */
  readonly #lost = new Set<string>()
  /** Asked after every message that leaves: whether its sender crashes right then. */
  ambush: ((parcel: Parcel) => boolean) | undefined

  constructor(options: SimulationOptions) {
    this.#options = options
    this.#config = raftConfig({ ...quick, ...options.config })
    this.random = seededRandom(options.seed)
    this.trace = new Trace(options.trace)
    const { scheduler, random, counts } = this
    this.network = new Network({ scheduler, random, counts, deliver: (parcel) => this.#arrive(parcel) })
    this.holdings = new Holdings({
      machine: (id) => this.machine(id),
      committed: this.committed,
      nowMs: () => scheduler.nowMs,
      hasChanged: () => this.#memberships.length > 1,
    })
    this.requests = new Requests({
      processOf: (id) => this.machine(id).process,
      highestCommit: () => this.highestCommit,
      fail: (error) => this.fail(error),
    })
    const { voters, learners } = options.membership
    for (const id of [...voters, ...learners]) this.machines.set(id, new Machine(id))
    this.scheduler.after(LOOK_EVERY_MS, () => this.#lookAround())
  }

  get ids(): readonly NodeId[] {
    return [...this.machines.keys()]
  }

  machine(id: NodeId): Machine {
    const machine = this.machines.get(id)
    if (machine === undefined) throw new Error(`no machine ${id}`)
    return machine
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
    const disk = new OpenDisk(
      machine.disk,
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
        truncated: (index) => this.note(`${id} truncated ${index}`),
        reset: (state) => this.#reset(machine, state.start.index),
        fatal: (error) => this.#fatal(machine, error),
      },
      log: silent,
    })
    const role: RoleState = { role: 'follower', term: 0, leader: null }
    const committed = machine.disk.startIndex
    machine.process = {
      incarnation,
      clock,
      replica,
      disk,
      met: new Map(),
      metMs: 0,
      committed,
      role,
      atCommit: undefined,
    }
    this.note(`${id} boots, process ${incarnation}`)
    this.guard(() => replica.start())
  }

  /** What a process sent and did not arrive yet never does. */
  lose(id: NodeId): void {
    this.#lost.add(`${id}/${this.machine(id).process?.incarnation}`)
  }

  /** Calls `then` when the process that runs on `id` now tells of its next commit, before anything else happens. */
  atCommit(id: NodeId, then: () => void): void {
    const { process: running } = this.machine(id)
    if (running !== undefined) running.atCommit = then
  }

  /** Ends the process at once; what it wrote and did not sync may be gone. */
  crash(id: NodeId): void {
    const machine = this.machine(id)
    if (machine.process === undefined) return
    machine.process.clock.die()
    machine.process = undefined
    machine.disk.crash(this.random)
    this.note(`${id} crashes`)
  }

  /** The machine goes down, whether a process runs on it or not; what was only written may be gone. */
  cutPower(id: NodeId): void {
    const machine = this.machine(id)
    machine.process?.clock.die()
    machine.process = undefined
    machine.disk.cutPower(this.random)
    this.note(`${id} loses power`)
  }

  /** What leaders ask of what they commit, from now on. */
  demand(demand: FlushDemand): void {
    this.#demand = demand
    if (demand !== 'durable') this.holdings.hasBuffered = true
    const running = this.leader?.process
    running?.clock.input(() => this.#demandOf(running))
  }

  /** Another, empty disk in a machine that is down. */
  wipe(id: NodeId): void {
    const machine = this.machine(id)
    this.crash(id)
    machine.ghosts.push({ disk: machine.disk, until: machine.incarnations + 1 })
    machine.disk = new Disk(machine.disk.serial + 1)
    this.note(`${id} is wiped`)
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
      this.note(`-- ambush after ${message.type}`)
      this.counts.add('crash after a promise')
      this.crash(machine.id)
      this.scheduler.after(this.random.next() * 400, () => this.boot(machine.id))
    })
  }

  #arrive(parcel: Parcel): void {
    if (this.#lost.has(`${parcel.from}/${parcel.incarnation}`)) return
    const running = this.machine(parcel.to).process
    if (running === undefined) return
    running.clock.input(() => {
      const { from, incarnation, envelope } = parcel
      if ((running.met.get(from) ?? 0) < incarnation) {
        running.met.set(from, incarnation)
        running.metMs = this.scheduler.nowMs
        running.replica.peerStarted(from, String(incarnation))
      }
      // Costs more than all the rest: only for who looks.
      if (this.#options.trace !== undefined) this.note(describe(envelope))
      running.replica.receive(from, envelope)
    })
  }

  #isCommitted(machine: Machine, index: Index): void {
    const running = this.#processOf(machine)
    const from = running.committed
    if (index < from) throw new Violation('committed', `the commit of ${machine.id} goes back from ${from} to ${index}`)
    running.committed = index
    this.committed.committed(viewOf(machine), from, index, (at, entry) =>
      this.holdings.isOnMajority(running, at, entry),
    )
    this.highestCommit = Math.max(this.highestCommit, index)
    running.replica.applied(index)
    this.note(`${machine.id} commits ${index}`)
    this.#demandOf(running)
    const { atCommit } = running
    running.atCommit = undefined
    atCommit?.()
  }

  /** A new leader is strict until an entry of its own is committed, as the owner of a replica has it. */
  #demandOf({ role: { role, term }, committed, disk, replica }: Process): void {
    if (role === 'leader' && disk.entryAt(committed)?.term === term) replica.demand(this.#demand)
  }

  /** What was committed from `first` on is gone, as it may be. */
  #lose(first: Index | undefined): void {
    if (first === undefined) return
    this.note(`what was committed from ${first} on is lost`)
    this.counts.add('committed entries lost with power')
    this.committed.loseAfter(first - 1)
    this.highestCommit = Math.min(this.highestCommit, first - 1)
  }

  /** What replicas say of themselves, which is more than what they tell. */
  #lookAround(): void {
    for (const machine of this.machines.values()) {
      const { id, process: running } = machine
      if (running === undefined) continue
      const { commitIndex } = running.replica.status()
      if (commitIndex < running.committed)
        this.fail(new Violation('committed', `${id} knows ${commitIndex} after ${running.committed} was committed`))
    }
    this.scheduler.after(LOOK_EVERY_MS, () => this.#lookAround())
  }

  #roleChanged(machine: Machine, role: RoleState): void {
    const running = this.#processOf(machine)
    running.role = role
    this.note(`${machine.id} is ${role.role} in term ${role.term}, led by ${role.leader ?? 'nobody'}`)
    if (role.role !== 'leader') return
    this.elections.leads(machine.id, role.term)
    if (running.replica.status().electedInDoubt) this.#lose(this.holdings.lackedByElected(machine))
    this.committed.leads(viewOf(machine))
  }

  #reset(machine: Machine, index: Index): void {
    const running = this.#processOf(machine)
    running.committed = Math.max(running.committed, index)
    this.note(`${machine.id} is reset to ${index}`)
  }

  #fatal(machine: Machine, error: Error): void {
    if (!error.message.startsWith('injected')) this.fail(error)
    this.note(`${machine.id} ends: ${error.message}`)
    this.crash(machine.id)
  }

  #processOf(machine: Machine): Process {
    if (machine.process === undefined) throw new Error(`${machine.id} speaks and is down`)
    return machine.process
  }

  note(line: string): void {
    this.trace.write(this.scheduler.nowMs, line)
  }
}
