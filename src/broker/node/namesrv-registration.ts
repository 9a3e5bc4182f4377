/**
 * Tells every name server who this node is: the ready leader as brokerId 0 with the group's topics, a follower under its
 * own number. The Raft term travels in `DataVersion.stateVersion`, which RocketMQ's name server compares too: an old
 * leader never overwrites a newer one's route (RocketMQ RouteInfoManager.registerBroker).
 */
import type { Clock, Timer } from '../../lib/clock.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import type { Request } from '../../remoting/connection.ts'
import type { RemotingCommand } from '../../remoting/command.ts'
import type { TopicConfig } from '../tables/topics.ts'
import { registerRequest, type RegisteredSelf } from './register-request.ts'

export interface RegistrationNeeds {
  readonly client: { invoke(address: string, request: Request, timeoutMs: number): Promise<RemotingCommand> }
  readonly clock: Clock
  readonly log: Log
  readonly self: RegisteredSelf
  readonly namesrvs: () => readonly string[]
  readonly leadership: { readonly isReady: boolean; readonly term: number }
  /** False while this node's disk is being filled: nobody is sent to a node that has not what the group has. */
  readonly isWhole: () => boolean
  readonly topics: {
    all(): Iterable<TopicConfig>
    get(name: string): TopicConfig | undefined
    readonly version: { readonly timestampMs: number; readonly counter: number }
  }
  /** A name server confirmed this node, or stopped to. */
  readonly changed: () => void
  readonly options: {
    readonly periodMs: number
    readonly timeoutMs: number
    /** How soon a registration that failed is tried again. */
    readonly retryMs: number
  }
}

interface Target {
  /** The role that this name server confirmed last; undefined: none, it gets all topics. */
  confirmed: string | undefined
  /** The version of the topics table that it knows. */
  counter: number
  busy: boolean
  warned: boolean
  dueMs: number
}

const MASTER_ID = 0

export class NamesrvRegistration {
  readonly #need: RegistrationNeeds
  readonly #targets = new Map<string, Target>()
  /** Topics changed lately, with the version of the table that brought the change. */
  readonly #changed = new Map<string, number>()
  readonly #timer: Timer
  #scheduled = false
  #closed = false

  constructor(need: RegistrationNeeds) {
    this.#need = need
    this.#timer = need.clock.every(need.options.retryMs, () => this.#run())
  }

  /** The role changed: registers at once. */
  roleChanged(): void {
    for (const target of this.#targets.values()) target.confirmed = undefined
    this.#schedule()
  }

  /** Topics were made, changed or deleted: what changed in one turn is registered together. */
  topicChanged(topics: Iterable<string>): void {
    for (const topic of topics) this.#changed.set(topic, this.#need.topics.version.counter)
    this.#schedule()
  }

  /**
   * The connection to a name server ended: it forgets who registered by it (RocketMQ BrokerHousekeepingService), and one
   * that was started again knows nobody.
   */
  connectionLost(address: string): void {
    const target = this.#targets.get(address)
    if (target?.confirmed === undefined) return
    target.confirmed = undefined
    this.#schedule()
  }

  /** True when every name server has confirmed this node in its present role and term. */
  get isConfirmed(): boolean {
    const role = this.#roleKey()
    return this.#need.namesrvs().every((address) => this.#targets.get(address)?.confirmed === role)
  }

  /** Takes this node out of all routes; for a clean stop. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer.cancel()
    const { self, client, options } = this.#need
    const header = {
      brokerName: self.brokerName,
      brokerAddr: self.address,
      clusterName: self.clusterName,
      brokerId: this.#brokerId(),
    }
    const request: Request = { code: RequestCode.UNREGISTER_BROKER, header }
    // A name server that cannot be reached forgets this node by itself.
    await Promise.allSettled(this.#need.namesrvs().map((address) => client.invoke(address, request, options.timeoutMs)))
  }

  #brokerId(): number {
    return this.#need.leadership.isReady ? MASTER_ID : this.#need.self.followerId
  }

  #roleKey(): string {
    return `${this.#brokerId()}/${this.#need.leadership.term}`
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    this.#need.clock.endOfTurn(() => {
      this.#scheduled = false
      this.#run()
    })
  }

  #run(): void {
    if (this.#closed || !this.#need.isWhole()) return
    const nowMs = this.#need.clock.monotonicMs()
    for (const address of this.#need.namesrvs()) {
      let target = this.#targets.get(address)
      if (target === undefined) {
        target = { confirmed: undefined, counter: 0, busy: false, warned: false, dueMs: 0 }
        this.#targets.set(address, target)
      }
      if (!target.busy && (target.dueMs <= nowMs || this.#isBehind(target))) void this.#register(address, target)
    }
  }

  #isBehind(target: Target): boolean {
    const isTold = !this.#need.leadership.isReady || target.counter === this.#need.topics.version.counter
    return target.confirmed !== this.#roleKey() || !isTold
  }

  async #register(address: string, target: Target): Promise<void> {
    const { client, options, log, clock, topics } = this.#need
    target.busy = true
    const role = this.#roleKey()
    const { counter } = topics.version
    // Now and then everything, in case the name server lost something.
    const isWhole = target.confirmed !== role || target.counter === counter
    try {
      const response = await client.invoke(address, this.#request(isWhole, target.counter), options.timeoutMs)
      if (response.code !== ResponseCode.SUCCESS) throw new Error(response.remark ?? `code ${response.code}`)
      target.confirmed = role
      target.counter = counter
      target.dueMs = clock.monotonicMs() + options.periodMs
      if (target.warned) log.info({ namesrv: address }, 'registered again with a name server')
      target.warned = false
    } catch (error) {
      target.confirmed = undefined
      // Nothing more until the timer's next round.
      target.busy = false
      if (!target.warned)
        log.warn({ namesrv: address, reason: errorMessage(error) }, 'cannot register with a name server')
      target.warned = true
      this.#need.changed()
      return
    }
    target.busy = false
    this.#need.changed()
    this.#forget()
    // What changed while it was on its way goes now.
    if (!this.#closed && this.#isBehind(target)) void this.#register(address, target)
  }

  /** Drops changes that every name server knows of. */
  #forget(): void {
    const counters = [...this.#targets.values()].map((target) =>
      target.confirmed === undefined ? Infinity : target.counter,
    )
    const known = Math.min(...counters)
    for (const [topic, counter] of this.#changed) if (counter <= known) this.#changed.delete(topic)
  }

  #request(isWhole: boolean, since: number): Request {
    const { self, topics, leadership } = this.#need
    const isLeader = leadership.isReady
    const table: Record<string, TopicConfig> = {}
    if (isWhole) for (const topic of topics.all()) table[topic.topicName] = topic
    else {
      for (const [name, counter] of this.#changed) {
        const topic = counter > since ? topics.get(name) : undefined
        if (topic !== undefined) table[name] = topic
      }
    }
    const { timestampMs, counter } = topics.version
    const version = { stateVersion: leadership.term, timestamp: timestampMs, counter }
    const brokerId = isLeader ? MASTER_ID : self.followerId
    return registerRequest(self, { brokerId, standsIn: self.isSlave, topics: table, version })
  }
}
