/**
 * A group of replicas in which nothing happens by itself: time, disks and messages move when a script says so. What
 * happens is written down, line by line, and the simulation's checkers look on.
 */
import type { Log } from '../../src/lib/log.ts'
import { seededRandom, type Random } from '../../src/lib/prng.ts'
import { raftConfig } from '../../src/raft/config.ts'
import type { Envelope } from '../../src/raft/ports.ts'
import { Replica as RealReplica } from '../../src/raft/replica.ts'
import type { Index, Membership, NodeId } from '../../src/raft/types.ts'
import { CommittedChecker, type ReplicaView } from '../../sim/core/checkers/committed.ts'
import { ElectionChecker } from '../../sim/core/checkers/elections.ts'
import { LogMatchingChecker } from '../../sim/core/checkers/log-matching.ts'
import { Violation } from '../../sim/world/violation.ts'
import { describe } from '../../sim/core/describe.ts'
import { calmDisk, Disk, type DiskFaults, type Entry } from '../../sim/core/disk.ts'
import { OpenDisk, type DiskWork } from '../../sim/core/open-disk.ts'
import type { ReplicaClass } from '../../sim/core/simulation.ts'
import { ManualClock } from '../support/manual-clock.ts'

interface Node {
  readonly id: NodeId
  disk: Disk
  incarnation: number
  process: Process | undefined
  slowReads: boolean
}

interface Process {
  readonly incarnation: number
  readonly clock: ManualClock
  readonly replica: RealReplica<number>
  readonly disk: OpenDisk
  readonly met: Map<NodeId, number>
  /** What the disk has to do still. */
  io: { readonly work: DiskWork; readonly run: () => void }[]
  committed: Index
  alive: boolean
}

interface Parcel {
  readonly incarnation: number
  readonly envelope: Envelope
}

const slowReads: DiskFaults = { ...calmDisk, slowReadRate: 1, slowReadMs: 1 }

/** Awaited to let what is resolved go on. */
const settled = Promise.resolve()

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

/** Election timeouts are always the longest; a leader counts as alive for half of that. */
function scriptRandom(seed: number): Random {
  const random = seededRandom(seed)
  return {
    next: () => random.next(),
    integer: (low, high) => (low === MIN_MS && high === MAX_MS ? high : random.integer(low, high)),
  }
}

const MIN_MS = 500
const MAX_MS = 1000

export class ScriptedGroup {
  readonly #Replica: ReplicaClass
  readonly #nodes = new Map<NodeId, Node>()
  readonly #links = new Map<string, Parcel[]>()
  readonly #memberships: Membership[] = []
  readonly #committed = new CommittedChecker()
  readonly #elections = new ElectionChecker()
  readonly #matching = new LogMatchingChecker()
  #membership: Membership = { voters: [], outgoing: [], learners: [] }
  #lines: string[] = []
  #proposed = 0
  #boots = 0

  constructor(Replica: ReplicaClass = RealReplica) {
    this.#Replica = Replica
  }

  /** Runs one command; returns what happened. */
  async run(command: string): Promise<string[]> {
    this.#lines = []
    const [name = '', ...args] = command.trim().split(/\s+/)
    const handler = this.#commands[name]
    if (handler === undefined) throw new Error(`no command ${name}`)
    await handler(args)
    await this.#settle()
    return this.#lines
  }

  readonly #commands: Readonly<Record<string, (args: readonly string[]) => unknown>> = {
    // group VOTERS [/ LEARNERS]
    group: (args) => {
      const at = args.includes('/') ? args.indexOf('/') : args.length
      this.#membership = { voters: args.slice(0, at), outgoing: [], learners: args.slice(at + 1) }
      for (const id of args) {
        if (id !== '/')
          this.#nodes.set(id, { id, disk: new Disk(0), incarnation: 0, process: undefined, slowReads: false })
      }
    },
    boot: (ids) => ids.forEach((id) => this.#boot(id)),
    crash: (ids) => ids.forEach((id) => this.#crash(id)),
    wipe: (ids) => {
      for (const id of ids) {
        this.#crash(id)
        const node = this.#node(id)
        node.disk = new Disk(node.disk.serial + 1)
      }
    },
    // power-cut NODE COUNT: in async flush; of what was durable for Raft the last COUNT entries are gone, and it knows
    'power-cut': ([id = '', count = '0']) => {
      this.#crash(id)
      this.#node(id).disk.losePower(Number(count))
    },
    'accept-doubt': (ids) => ids.forEach((id) => this.#process(id).replica.acceptDoubt()),
    // tick NODE MS
    tick: async ([id = '', ms = '0']) => {
      for (let left = Number(ms); left > 0; left -= 20) {
        this.#process(id).clock.advance(Math.min(20, left))
        await this.#settle()
      }
    },
    propose: ([id = '', count = '1']) => {
      for (let left = Number(count); left > 0; left--) {
        const { replica } = this.#process(id)
        const entry = replica.propose(++this.#proposed)
        this.#say(
          entry === undefined
            ? `refused: ${replica.proposeRefusal()}`
            : `${id} proposes (${entry.index}, ${entry.term})`,
        )
      }
    },
    // sync NODES: their disks do all they have to do
    sync: async (ids) => {
      for (const id of ids) await this.#sync(id)
    },
    // deliver FROM>TO [COUNT]
    deliver: async ([link = '', count = '1000']) => {
      for (let left = Number(count); left > 0 && (await this.#deliver(link)); left--);
    },
    drop: ([link = '']) => {
      this.#links.delete(link)
    },
    // duplicate FROM>TO: the next message is there twice
    duplicate: ([link = '']) => {
      const next = this.#links.get(link)?.[0]
      if (next !== undefined) this.#links.get(link)?.push(next)
    },
    // stabilize NODES: disks and messages among these, until nothing is left to do
    stabilize: async (ids) => {
      for (let busy = true; busy; ) {
        busy = await this.#exchange(ids)
        if (busy) continue
        // The commit that no append carries follows a moment later.
        for (const id of ids) this.#node(id).process?.clock.advance(1)
        await this.#settle()
        busy = await this.#exchange(ids)
      }
    },
    // form VOTERS [/ LEARNERS]: a group that works; how it came to be is in formation.txt
    form: async (args) => {
      for (const command of [`group ${args.join(' ')}`, `boot ${args.filter((id) => id !== '/').join(' ')}`])
        await this.run(command)
      await this.run(`stabilize ${[...this.#nodes.keys()].join(' ')}`)
      this.#lines = []
      await this.run('status')
    },
    // sync-once, save-once, read-once NODE: what its disk has to do of this kind now, and not what that leads to
    'sync-once': ([id = '']) => this.#work(id, 'sync'),
    'save-once': ([id = '']) => this.#work(id, 'save'),
    'read-once': ([id = '']) => this.#work(id, 'read'),
    // slow-reads NODE on|off: reads end when a script says so
    'slow-reads': ([id = '', state = 'on']) => {
      this.#node(id).slowReads = state === 'on'
    },
    lose: (ids) => {
      // Everything on the way to and from these is lost.
      for (const link of this.#links.keys())
        if (ids.some((id) => link.split('>').includes(id))) this.#links.delete(link)
    },
    transfer: ([from = '', to = '']) => {
      this.#process(from)
        .replica.transferLeadership(to)
        .then(
          () => this.#say(`${from} handed over to ${to}`),
          (error: Error) => this.#say(`${from} did not hand over: ${error.message}`),
        )
    },
    read: ([id = '']) => {
      const least = this.#committed.lastIndex
      this.#process(id)
        .replica.readIndex()
        .then(
          (index) => {
            this.#say(`${id} may read at ${index}`)
            if (index < least) this.#say(`VIOLATION read: ${least} was committed before`)
          },
          (error: Error) => this.#say(`${id} may not read: ${error.message}`),
        )
    },
    'drop-front': ([id = '', index = '0']) => {
      const { disk, replica } = this.#process(id)
      disk.dropUpTo(Number(index))
      replica.logStartMoved()
    },
    full: ([id = '', state = 'on']) => this.#process(id).replica.setFitness({ diskFull: state === 'on' }),
    lost: ([id = '', peer = '']) => this.#process(id).replica.peerLost(peer),
    'fail-sync': ([id = '']) => {
      this.#node(id).disk.failNextSync = true
    },
    stop: ([id = '']) => {
      void this.#process(id)
        .replica.stop()
        .then(() => this.#say(`${id} stopped`))
    },
    // change NODE VOTERS [/ LEARNERS]
    change: ([id = '', ...args]) => {
      const at = args.includes('/') ? args.indexOf('/') : args.length
      const index = this.#process(id).replica.changeMembership({
        voters: args.slice(0, at),
        learners: args.slice(at + 1),
      })
      this.#say(typeof index === 'string' ? `refused: ${index}` : `change at ${index}`)
    },
    status: () => {
      for (const { id, process } of this.#nodes.values()) {
        if (process === undefined) {
          this.#say(`${id} down`)
          continue
        }
        const { role, term, startIndex, stableIndex, commitIndex, filled, trusted } = process.replica.status()
        const terms = process.disk.state().runs.map((run) => `${run.first}..${run.last}@${run.term}`)
        this.#say(
          `${id} ${role} term ${term} start ${startIndex} commit ${commitIndex} stable ${stableIndex} log ${terms.join(' ') || '-'}${filled ? '' : ' (empty disk)'}${trusted ? '' : ' (in doubt)'}`,
        )
      }
    },
  }

  #boot(id: NodeId): void {
    const node = this.#node(id)
    const incarnation = ++node.incarnation
    const clock = new ManualClock()
    const disk = new OpenDisk(
      node.disk,
      {
        random: { next: () => 0.5, integer: (low) => low },
        later: (_delayMs, done, work) => process.io.push({ work, run: () => process.alive && done() }),
        digestAt: (index) => this.#committed.digestAt(index),
        memberships: this.#memberships,
        refused: (error) => this.#say(`VIOLATION ${error.message}`),
        wrote: (index, entry, prevTerm) => this.#matching.wrote(index, entry, prevTerm),
      },
      () => (node.slowReads ? slowReads : calmDisk),
    )
    const view = (): ReplicaView => ({
      id,
      term: replica.status().term,
      startIndex: disk.startIndex,
      lastIndex: disk.lastIndex,
      entryAt: (index) => disk.entryAt(index),
    })
    const replica = new this.#Replica<number>({
      id,
      config: raftConfig({ electionTimeoutMinMs: MIN_MS, electionTimeoutMaxMs: MAX_MS, maxAppendRuns: 1 }),
      peers: this.#membership,
      store: disk,
      stableStore: disk,
      transport: { send: (to, envelope) => this.#send(id, to, { incarnation, envelope }) },
      clock,
      random: scriptRandom(++this.#boots),
      events: {
        committed: (index) => {
          this.#say(`${id} commits ${index}`)
          this.#check(() =>
            this.#committed.committed(view(), process.committed, index, (at, entry) =>
              this.#isOnMajority(at, entry, replica.status().members),
            ),
          )
          process.committed = index
        },
        roleChanged: ({ role, term, leader }) => {
          this.#say(`${id} is ${role} in term ${term}${leader === null ? '' : `, led by ${leader}`}`)
          if (role !== 'leader') return
          this.#check(() => this.#elections.leads(id, term))
          this.#check(() => this.#committed.leads(view()))
        },
        truncated: (index) => this.#say(`${id} truncates after ${index}`),
        reset: (state) => {
          this.#say(`${id} is reset to ${state.start.index}`)
          process.committed = state.start.index
        },
        fatal: (error) => {
          this.#say(`${id} ends: ${error.message}`)
          this.#crash(id)
        },
      },
      log: silent,
    })
    const committed = node.disk.startIndex
    const process: Process = {
      incarnation,
      clock,
      replica,
      disk,
      met: new Map(),
      io: [],
      committed,
      alive: true,
    }
    node.process = process
    replica.start()
    clock.turn()
  }

  #crash(id: NodeId): void {
    const node = this.#node(id)
    if (node.process === undefined) return
    node.process.alive = false
    node.process = undefined
    // Nothing that was not synced survives: the worst that can happen.
    node.disk.crash({ next: () => 1, integer: (low) => low })
  }

  async #exchange(ids: readonly NodeId[]): Promise<boolean> {
    let busy = false
    for (const id of ids) if (this.#node(id).process !== undefined) busy = (await this.#sync(id)) || busy
    for (const from of ids) {
      for (const to of ids) while (await this.#deliver(`${from}>${to}`)) busy = true
    }
    return busy
  }

  /** Everything that the disk writes; reads that a script made slow wait for it. */
  async #sync(id: NodeId): Promise<boolean> {
    let busy = false
    while ((await this.#work(id, 'save')) || (await this.#work(id, 'sync'))) busy = true
    return busy
  }

  async #work(id: NodeId, work: DiskWork): Promise<boolean> {
    const process = this.#node(id).process
    const due = process?.io.filter((each) => each.work === work) ?? []
    if (process === undefined || due.length === 0) return false
    process.io = process.io.filter((each) => each.work !== work)
    for (const each of due) each.run()
    await this.#settle()
    return true
  }

  #send(from: NodeId, to: NodeId, parcel: Parcel): void {
    const { message } = parcel.envelope
    const disk = this.#node(from).disk.serial
    this.#check(() => {
      if (message.type === 'vote') this.#elections.votes(from, disk, message.term, from)
      if (message.type === 'voteReply' && message.granted) this.#elections.votes(from, disk, message.term, to)
    })
    const link = `${from}>${to}`
    const queue = this.#links.get(link)
    if (queue === undefined) this.#links.set(link, [parcel])
    else queue.push(parcel)
  }

  async #deliver(link: string): Promise<boolean> {
    const parcel = this.#links.get(link)?.shift()
    if (parcel === undefined) return false
    const [from = '', to = ''] = link.split('>')
    const process = this.#node(to).process
    if (process === undefined) return true
    this.#say(describe(parcel.envelope))
    if ((process.met.get(from) ?? 0) < parcel.incarnation) {
      process.met.set(from, parcel.incarnation)
      process.replica.peerStarted(from, String(parcel.incarnation))
    }
    process.replica.receive(from, parcel.envelope)
    await this.#settle()
    return true
  }

  async #settle(): Promise<void> {
    for (let round = 0; round < 8; round++) {
      await settled
      for (const { process } of this.#nodes.values()) process?.clock.turn()
    }
  }

  /** By the group's first membership, or by the one in force where it is committed: a change lies between them. */
  #isOnMajority(index: Index, entry: Entry, { voters, outgoing }: Membership): boolean {
    const holds = (id: NodeId): boolean => {
      const { disk } = this.#node(id)
      const durable = disk.entryAt(index)
      return index <= disk.startIndex || (durable?.term === entry.term && durable.value === entry.value)
    }
    const isMajority = (of: readonly NodeId[]): boolean => of.filter(holds).length * 2 > of.length
    return (
      isMajority(this.#membership.voters) || (isMajority(voters) && (outgoing.length === 0 || isMajority(outgoing)))
    )
  }

  #check(look: () => void): void {
    try {
      look()
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      this.#say(`VIOLATION ${error.message}`)
    }
  }

  #say(line: string): void {
    this.#lines.push(line)
  }

  #node(id: NodeId): Node {
    const node = this.#nodes.get(id)
    if (node === undefined) throw new Error(`no node ${id}`)
    return node
  }

  #process(id: NodeId): Process {
    const { process } = this.#node(id)
    if (process === undefined) throw new Error(`${id} is down`)
    return process
  }
}
