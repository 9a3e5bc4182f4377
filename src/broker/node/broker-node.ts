/**
 * One broker node: builds its parts, starts and stops them in order. No logic of its own.
 *
 *   start   folder taken → ports open (requests are forwarded) → log, tables and queues open → Raft → name servers
 *   stop    leadership handed over → routes withdrawn → requests in flight answered → everything flushed → folder left
 */
import { deferred } from '../../lib/deferred.ts'
import { refusal } from '../errors.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { Command, Proposals } from '../needs.ts'
import { AutoCreate } from '../tables/auto-create.ts'
import { isModeCommand } from '../group/group-mode.ts'
import { Leadership } from '../group/leadership.ts'
import { announced } from './announced.ts'
import { NamesrvRegistration } from './namesrv-registration.ts'
import { NodeCore } from './node-core.ts'
import { NodeNetwork } from './node-network.ts'
import { NodeServices } from './node-services.ts'
import { openFolder, openNodeState, type NodeState } from './node-state.ts'
import { NodeTables } from './node-tables.ts'
import { selfOf } from './register-request.ts'
import { LiveConfiguration } from '../options/live-configuration.ts'
import { MASTER_NODE_ID, type BrokerConfiguration, type BrokerOptions } from '../options/options.ts'
import { formatAddress, type Address } from '../options/options-values.ts'
import { QueueLocks } from '../tables/queue-locks.ts'
import type { BrokerParts, BrokerStatus, RunningBroker } from '../running-broker.ts'
import { TimerRemovals } from '../timed/timer-removals.ts'
import type { AppliedEntry } from '../log/state-machine.ts'
import { systemTopics } from '../tables/topics.ts'
import type { DataFolder } from '../../store/folder.ts'

const LOCK_LEASE_MS = 60_000
const DRAIN_MS = 1_000
const RETRY_REGISTRATION_MS = 500

export class BrokerNode implements RunningBroker {
  readonly #configuration: LiveConfiguration
  /** Of the live configuration: some change while the node runs. */
  readonly #options: BrokerOptions
  readonly #parts: BrokerParts
  readonly #leadership: Leadership
  readonly #network: NodeNetwork
  readonly #ended = deferred<Error | undefined>()
  #folder: DataFolder | undefined
  #state: NodeState | undefined
  #core: NodeCore | undefined
  #services: NodeServices | undefined
  #registration: NamesrvRegistration | undefined
  #closing: Promise<void> | undefined
  #isFormed = false
  #loggedRole = ''
  #toldStatus = ''

  constructor(configuration: BrokerConfiguration, parts: BrokerParts) {
    this.#configuration = new LiveConfiguration(configuration, parts.clock)
    const { options } = this.#configuration
    this.#options = options
    this.#parts = parts
    const incarnation = `${parts.clock.nowMs().toString(36)}-${parts.random.integer(0, 2 ** 31).toString(36)}`
    this.#leadership = new Leadership({
      readIndex: () => this.#openCore().replica.readIndex(),
      whenApplied: (index) => this.#openCore().machine.whenApplied(index),
      isSlave: options.role === 'slave',
    })
    this.#network = new NodeNetwork({
      options,
      parts,
      identity: () => ({
        group: options.dLegerGroup,
        id: options.nodeId,
        clusterId: this.#folder?.clusterId ?? undefined,
        incarnation,
      }),
      leadership: this.#leadership,
    })
  }

  get listens(): RunningBroker['listens'] {
    return { host: this.#options.bindAddress, port: this.#network.server.port }
  }

  get status(): BrokerStatus {
    const { role, term, leader } = this.#leadership.view
    const isReady =
      role === 'leader'
        ? this.#leadership.isReady && this.#isFormed && (this.#registration?.isConfirmed ?? false)
        : this.#core !== undefined && this.#network.locator.current() !== undefined
    return { role, term, leader, isReady, mode: this.#services?.need.tables.mode.current ?? null }
  }

  get ended(): Promise<Error | undefined> {
    return this.#ended.promise
  }

  /** Of a slave: where its master is dialled from now on. */
  dialMaster(address: Address): void {
    this.#network.dial(MASTER_NODE_ID, address)
  }

  /** Of a slave: it hears its master, and can answer. */
  get hasMaster(): boolean {
    return this.#leadership.view.leader !== null && this.#network.peers.isReachable(MASTER_NODE_ID)
  }

  get id(): string {
    return this.#options.nodeId
  }

  get clusterId(): string | null {
    return this.#folder?.clusterId ?? null
  }

  async start(): Promise<void> {
    const { log } = this.#parts
    this.#folder = await openFolder(this.#options, this.#parts)
    try {
      await this.#network.start()
      const tables = this.#tables()
      this.#state = await openNodeState(this.#folder, {
        options: this.#options,
        parts: this.#parts,
        tables,
        onDiskFull: (full) => this.#diskFull(full),
        onRot: ({ first, last }) => log.error({ first, last }, 'entries are damaged on disk; a peer is asked for them'),
        fatal: (error) => this.#fatal(error),
      })
      this.#build(this.#folder, this.#state, tables)
    } catch (error) {
      await this.#network.close(0)
      await this.#state?.abandon()
      await this.#folder.close()
      throw error
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close(undefined)
    return this.#closing
  }

  kill(): void {
    if (this.#closing !== undefined) return
    this.#closing = this.#abandon(undefined)
  }

  #tables(): NodeTables {
    const { clock } = this.#parts
    const proposals: Pick<Proposals, 'commandWithRecords'> = {
      commandWithRecords: (...entry) => this.#openCore().proposals.commandWithRecords(...entry),
    }
    const locks = new QueueLocks({ proposals, leadership: this.#leadership, clock, leaseMs: LOCK_LEASE_MS })
    // Entries are applied only once the state is open.
    const timers = new TimerRemovals(() => this.#state?.timers)
    return new NodeTables({
      locks,
      timers,
      topicDeleted: (topic, index) => this.#state?.store.deleteTopic(topic, index),
    })
  }

  #build(folder: DataFolder, state: NodeState, tables: NodeTables): void {
    const { clock, log } = this.#parts
    const leadership = this.#leadership
    const options = this.#options
    const network = this.#network
    const core = new NodeCore({
      options,
      parts: this.#parts,
      state,
      tables,
      network,
      leadership,
      applied: (entry, command) => this.#applied(entry, command),
      removed: () => this.#removed(),
      settled: () => this.#services?.arrived(state.store.takeTouched()),
      fatal: (error) => this.#fatal(error),
    })
    this.#core = core
    const autoCreate = new AutoCreate({
      topics: tables.topics,
      groups: tables.groups,
      proposals: core.proposals,
      options,
    })
    this.#services = new NodeServices({
      options,
      parts: this.#parts,
      state,
      tables,
      core,
      network,
      leadership,
      autoCreate,
      configuration: this.#configuration,
      fatal: (error) => this.#fatal(error),
    })
    this.#registration = new NamesrvRegistration({
      client: network.client,
      clock,
      log,
      self: selfOf(options),
      namesrvs: () => options.namesrvAddr.map(formatAddress),
      leadership: announced(leadership, { isFormed: () => this.#isFormed, isSlave: options.role === 'slave' }),
      isWhole: () => core.replica.status().filled,
      topics: tables.topics,
      changed: () => this.#tell(),
      options: {
        periodMs: options.registerNameServerPeriod,
        timeoutMs: options.registerBrokerTimeoutMills,
        retryMs: RETRY_REGISTRATION_MS,
      },
    })
    network.onNamesrvLost((address) => this.#registration?.connectionLost(address))
    leadership.onChange(() => this.#roleChanged(folder))
    network.locator.onChange(() => this.#tell())
    network.peers.onRemoved(() => this.#removed())
    network.door.open(this.#services.routes())
    core.replica.setFitness({ diskFull: state.log.isDiskFull })
    core.start()
    this.#services.start()
  }

  #roleChanged(folder: DataFolder): void {
    this.#logRole()
    const { clusterId } = this.#openCore().replica
    if (clusterId !== null && folder.clusterId === null) {
      folder.join(clusterId).catch((error: unknown) => this.#fatal(toError(error)))
    }
    if (this.#leadership.isReady) this.#form()
    else this.#isFormed = false
    this.#services?.roleChanged()
    this.#registration?.roleChanged()
    this.#tell()
  }

  #logRole(): void {
    const { role, term, leader } = this.#leadership.view
    const text = `${role} ${term} ${leader ?? ''}`
    if (text === this.#loggedRole) return
    this.#loggedRole = text
    this.#parts.log.info({ role, term, leader }, 'the role changed')
  }

  /** On a ready leader: adds what every group begins with, once in the group's life and after an upgrade. */
  #form(): void {
    const core = this.#openCore()
    const { topics } = this.#services?.need.tables ?? {}
    if (topics === undefined || this.#isFormed) return
    const missing = systemTopics({ ...this.#options, clusterName: this.#options.brokerClusterName }).filter(
      ({ topicName }) => !topics.has(topicName),
    )
    const formed = (): void => {
      this.#isFormed = true
      this.#registration?.roleChanged()
      this.#tell()
    }
    if (missing.length === 0) return formed()
    const { term } = this.#leadership
    core.proposals.command(topics.commands.form(missing)).then(
      () => {
        if (this.#leadership.isReady && this.#leadership.term === term) formed()
      },
      (error: unknown) => {
        this.#parts.log.warn({ reason: errorMessage(error) }, 'the system topics are not made yet')
        this.#parts.clock.after(RETRY_REGISTRATION_MS, () => {
          if (this.#leadership.isReady && this.#leadership.term === term) this.#form()
        })
      },
    )
  }

  #applied({ id }: AppliedEntry, command: Command | undefined): void {
    this.#services?.appliedOf(id.term)
    if (command === undefined) return
    this.#services?.applied(command)
    if (isModeCommand(command)) this.#tell()
    if (command.table === 'topics')
      this.#registration?.topicChanged(this.#services?.need.tables.topics.namesIn(command) ?? [])
  }

  #diskFull(full: boolean): void {
    const text = full ? 'the disk is full: this node takes no writes until there is room' : 'the disk has room again'
    this.#parts.log.warn({}, text)
    this.#core?.replica.setFitness({ diskFull: full })
  }

  /** Tells what changed, at the end of the turn and only if it did. */
  #tell(): void {
    this.#parts.clock.endOfTurn(() => {
      const { status } = this
      const text = JSON.stringify(status)
      if (text === this.#toldStatus) return
      this.#toldStatus = text
      this.#parts.onStatus?.(status)
    })
  }

  /** The group goes on without this node: what its clients wait for is answered, then it ends. */
  #removed(): void {
    if (this.#closing !== undefined) return
    const { nodeId, dLegerGroup } = this.#options
    const reason = refusal('BROKER_REMOVED', `${nodeId} was removed from ${dLegerGroup}, for good; this node stops`)
    this.#parts.log.warn({}, reason.message)
    // Nobody waits for this: what its end meets is the reason of its end.
    this.#closing = this.#close(reason).catch((error: unknown) => {
      this.#parts.log.error({ reason: errorMessage(error) }, 'this node cannot end in order')
      return this.#abandon(toError(error))
    })
  }

  async #close(reason: Error | undefined): Promise<void> {
    await this.#services?.settle()
    await this.#core?.stop()
    await this.#registration?.close()
    await this.#services?.close()
    await this.#network.close(DRAIN_MS)
    await this.#state?.close()
    await this.#folder?.close()
    this.#ended.resolve(reason)
  }

  /** The disk or an invariant failed: nothing is answered any more, nothing more is written. */
  #fatal(error: Error): void {
    if (this.#closing !== undefined) return
    this.#parts.log.error({ reason: error.message }, 'this node cannot go on and stops')
    this.#closing = this.#abandon(error)
  }

  async #abandon(error: Error | undefined): Promise<void> {
    const services = this.#services?.close()
    const network = this.#network.close(0)
    await this.#core?.abandon().catch(() => undefined)
    await network.catch(() => undefined)
    await services?.catch(() => undefined)
    await this.#state?.abandon().catch(() => undefined)
    await this.#folder?.close().catch(() => undefined)
    this.#ended.resolve(error)
  }

  #openCore(): NodeCore {
    if (this.#core === undefined) throw new Error('the node is not open yet')
    return this.#core
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
