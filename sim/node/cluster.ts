/**
 * Whole nodes of a group, and a name server, in one process: the code that runs in production, on simulated time,
 * network and disks.
 */
import { startBroker } from '../../src/broker/main.ts'
import { errorCode, errorMessage } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import { seededRandom, type Random } from '../../src/lib/prng.ts'
import { Namesrv } from '../../src/namesrv/namesrv.ts'
import { readNamesrvOptions } from '../../src/namesrv/options.ts'
import { Counts } from '../world/counts.ts'
import { ProcessClock } from '../world/process-clock.ts'
import { Scheduler } from '../world/scheduler.ts'
import { settle } from '../world/settle.ts'
import { Trace } from '../world/trace.ts'
import { Violation } from '../world/violation.ts'
import { Copies } from './copies.ts'
import { Disk } from './disk.ts'
import { DiskView } from './disk-view.ts'
import { Dropped } from './dropped.ts'
import { Leaders } from './leaders.ts'
import { NAMESRV, type Machine, type NodeProcess, type Place } from './machine.ts'
import { expectWindow } from './memory-bounds.ts'
import { ModeWatch } from './mode-watch.ts'
import { flushBounds, nodeConfiguration, RESERVED_HOURS, type Modes, type NodeSettings } from './node-options.ts'
import type { Link } from './simulated-socket.ts'
import { StreamNetwork, type Endpoint } from './stream-network.ts'
import { WriteLog } from './write-log.ts'

export interface ClusterNeeds {
  readonly seed: number
  readonly nodes: number
  /** What the files of its nodes say. */
  readonly modes: Modes
  readonly reservedHours?: number
  readonly trace?: ((line: string) => void) | undefined
}

/** Ends of a node that its disk explains. */
const DISK_ERRORS = /EIO|ENOSPC|EROFS/
const REBOOT_MS = 300
const CLEAR_MS = 60_000

export class Cluster {
  readonly scheduler = new Scheduler()
  readonly counts = new Counts()
  readonly leaders = new Leaders()
  readonly random: Random
  readonly network: StreamNetwork
  readonly trace: Trace
  readonly modes: ModeWatch
  readonly copies: Copies
  readonly dropped = new Dropped(this.counts)
  /** Machines that lost power at some time. */
  readonly lostPower = new Set<string>()
  readonly #settings: NodeSettings
  /** The name server's files. */
  readonly #namesrvTexts = new Map<string, string>()
  #machines: readonly Machine[]
  #pids = 100
  #namesrv: Endpoint | undefined
  #violation: unknown

  constructor(need: ClusterNeeds) {
    this.#settings = { ...need.modes, reservedHours: need.reservedHours ?? RESERVED_HOURS }
    this.modes = new ModeWatch(need.modes)
    this.random = seededRandom(need.seed)
    this.trace = new Trace(need.trace)
    const { scheduler, random, counts, trace } = this
    const onUnread = (link: Link, bytes: number): void => this.guard(() => expectWindow(link, bytes))
    this.network = new StreamNetwork({ scheduler, random, counts, trace, onUnread })
    this.copies = new Copies({ scheduler, modes: this.modes, machines: () => this.#machines, voters: need.nodes })
    const group = Array.from({ length: need.nodes }, (_, at) => placeOf(at))
    this.#machines = group.map((place) => this.#machine(place, group))
  }

  /** All there ever were. */
  get machines(): readonly Machine[] {
    return this.#machines
  }

  /** Another machine for the group, which knows nothing of it yet. */
  addMachine(): Machine {
    const place = placeOf(this.#machines.length)
    const group = this.#machines.filter(({ isGone }) => !isGone).map(({ id, host }) => ({ id, host }))
    const machine = this.#machine(place, [...group, place])
    this.#machines = [...this.#machines, machine]
    return machine
  }

  #machine({ id, host }: Place, group: readonly Place[]): Machine {
    const disk = this.newDisk()
    const writes = new WriteLog(() => this.scheduler.nowMs, flushBounds)
    return { id, host, group, disk, writes, process: undefined, isGone: false, boots: 0, ambushIn: undefined }
  }

  newDisk(): Disk {
    return new Disk(this.random, this.counts)
  }

  get hosts(): readonly string[] {
    return this.machines.map(({ host }) => host)
  }

  /** The node that leads and takes traffic, if there is one. */
  get leader(): Machine | undefined {
    return this.machines.find(({ process: running }) => {
      const status = running?.broker?.status
      return status?.role === 'leader' && status.isReady
    })
  }

  endpoint(host: string): Endpoint {
    return { host, clock: new ProcessClock(this.scheduler, (work) => this.guard(work)) }
  }

  async startNamesrv(): Promise<void> {
    if (this.#namesrv !== undefined) return
    const endpoint = this.endpoint(NAMESRV.host)
    this.#namesrv = endpoint
    const texts = this.#namesrvTexts
    const values = { listenPort: NAMESRV.port, bindAddress: NAMESRV.host, kvConfigPath: '/kv.json' }
    const entries = Object.entries(values).map(([key, value]) => ({ key, value: String(value), line: 0 }))
    const machine = { homeFolder: '/', configFile: '/namesrv.properties' }
    const namesrv = new Namesrv({
      options: readNamesrvOptions({ source: 'the simulator', entries }, machine).options,
      files: { read: (path) => texts.get(path), write: (path, text) => void texts.set(path, text) },
      clock: endpoint.clock,
      log: silentLog,
      sockets: this.network.socketsOf(endpoint),
    })
    await namesrv.start()
  }

  /** It forgets all routes; brokers tell them to the next one. */
  killNamesrv(): void {
    if (this.#namesrv === undefined) return
    this.#namesrv.clock.die()
    this.network.die(this.#namesrv)
    this.#namesrv = undefined
    this.note('the name server is killed')
  }

  boot(machine: Machine): void {
    if (machine.process !== undefined) return
    const { host, id, disk, writes } = machine
    const pid = this.#pids++
    const clock = new ProcessClock(this.scheduler, (work) => this.guard(work))
    const running: NodeProcess = { pid, host, clock, broker: undefined }
    machine.process = running
    const view = new DiskView({
      disk,
      writes,
      dropped: this.dropped,
      clock,
      scheduler: this.scheduler,
      ambush: () => this.#isAmbushed(machine, running),
    })
    this.note(`${id} boots, process ${pid}`)
    clock.input(() => {
      startBroker(nodeConfiguration(machine, this.#settings), {
        log: silentLog,
        clock,
        random: seededRandom(this.random.integer(0, 0xffffffff)),
        pid,
        bootId: () => `${id}-${machine.boots}`,
        fileSystem: view,
        openDatabase: view.openDatabase,
        processes: { pid, isAlive: (other) => this.machines.some((each) => each.process?.pid === other) },
        sockets: this.network.socketsOf(running),
        onStatus: ({ role, term, leader, isReady }) => {
          this.note(`${id} is ${role}${isReady ? ', ready,' : ''} in term ${term}, led by ${leader ?? 'nobody'}`)
          if (role === 'leader') this.guard(() => this.leaders.leads(id, term))
        },
      }).then(
        (broker) => {
          running.broker = broker
          void broker.ended.then((reason) => this.#ended(machine, running, reason))
        },
        (error: unknown) => this.#ended(machine, running, error),
      )
    })
  }

  /** The process ends at once; what it wrote lives on in the system's cache. */
  kill(machine: Machine): void {
    const { process: running } = machine
    if (running === undefined) return
    this.#end(machine, running)
    this.network.die(running)
    this.note(`${machine.id} is killed`)
  }

  /** The machine loses power, whether a process runs on it or not: of what was not synced, pieces survive. */
  powerLoss(machine: Machine): void {
    const { process: running } = machine
    if (running !== undefined) {
      this.#end(machine, running)
      this.network.vanish(running)
    }
    machine.disk.powerLoss()
    machine.writes.powerLost(machine.disk)
    machine.boots++
    this.lostPower.add(machine.id)
    this.note(`${machine.id} loses power`)
  }

  /** Another, empty disk. */
  wipe(machine: Machine): void {
    this.kill(machine)
    machine.disk = this.newDisk()
    machine.disk.isReplacement = true
    machine.writes.replaced()
    this.note(`${machine.id} is wiped`)
  }

  /** Runs until `untilMs` or until `isDone`, letting promises settle between events. Throws the first violation. */
  async run(untilMs: number, isDone?: () => boolean): Promise<boolean> {
    while (this.scheduler.step(untilMs)) {
      await settle()
      if (this.#violation !== undefined) throw this.#violation
      if (isDone?.() === true) return true
    }
    return isDone?.() === true
  }

  /** After the verdict: lets what is left end. */
  async clear(isDone: () => boolean): Promise<void> {
    const endMs = this.scheduler.nowMs + CLEAR_MS
    while (!isDone() && this.scheduler.step(endMs)) await settle()
  }

  guard(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.fail(error)
    }
  }

  fail(error: unknown): void {
    this.#violation ??= error
  }

  note(line: string): void {
    this.trace.write(this.scheduler.nowMs, line)
  }

  #end(machine: Machine, running: NodeProcess): void {
    running.clock.die()
    machine.process = undefined
    machine.ambushIn = undefined
  }

  #ended(machine: Machine, running: NodeProcess, reason: unknown): void {
    if (machine.process !== running) return
    this.note(`${machine.id} ends: ${errorMessage(reason)}`)
    const text = `${errorCode(reason) ?? ''} ${errorMessage(reason)}`
    if (errorCode(reason) === 'BROKER_REMOVED') machine.isGone = true
    else if (!DISK_ERRORS.test(text)) this.fail(new Violation('ended', `${machine.id} ended by itself: ${text}`))
    this.kill(machine)
    if (!machine.isGone) this.scheduler.after(REBOOT_MS, () => this.boot(machine))
  }

  #isAmbushed(machine: Machine, running: NodeProcess): boolean {
    if (machine.process !== running || machine.ambushIn === undefined) return false
    if (--machine.ambushIn > 0) return false
    this.counts.add('crash in the middle of a write')
    const isPowerLoss = this.random.next() < 0.5
    if (isPowerLoss) this.powerLoss(machine)
    else this.kill(machine)
    this.scheduler.after(this.random.next() * 1500, () => this.boot(machine))
    return true
  }
}

function placeOf(at: number): Place {
  return { id: `n${at}`, host: `10.0.0.${at + 1}` }
}
