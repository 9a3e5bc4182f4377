/**
 * What producers, consumers and the admin client share: connections, name servers, routes, heartbeats. Knows nothing of
 * messages.
 */
import { setMaxListeners } from 'node:events'
import { sleep } from '../../lib/clock.ts'
import type { Timer } from '../../lib/clock.ts'
import { errorCode, errorMessage } from '../../lib/errors.ts'
import { RemotingClient } from '../../remoting/client.ts'
import { LanguageCode } from '../../remoting/codes.ts'
import type { RemotingCommand } from '../../remoting/command.ts'
import type { Connection } from '../../remoting/connection.ts'
import { Router } from '../../remoting/route.ts'
import type { Route } from '../../remoting/route.ts'
import { heartbeat, queryRoute, unregister } from './broker-api.ts'
import type { HeartbeatData, Invoke, InvokeOptions, Request, Unregistration } from './broker-api.ts'
import { channels } from './diagnostics.ts'
import type { RouteEvent } from './diagnostics.ts'
import { abortedError, clientErrors, noNamesrv, responseCodeOf } from './errors.ts'
import type { ClientErrorCode } from './errors.ts'
import { newClientId } from './identity.ts'
import type { Identity } from './identity.ts'
import { keepAlive } from './keep-alive.ts'
import type { ResolvedClientOptions } from './options.ts'
import { RouteCache } from './route-cache.ts'
import { LEADER_ID, leaderOf } from './topic-route.ts'
import type { TopicRoute } from './topic-route.ts'

export interface ClientCoreNeeds {
  readonly options: ResolvedClientOptions
  /** Answers to what servers ask of this client. */
  readonly routes?: readonly Route<unknown>[]
  /** What the heartbeats say; undefined: there is nothing to say. */
  readonly heartbeatData?: (clientId: string) => HeartbeatData | undefined
  /** Whether followers get heartbeats too, as consumers give them: they may serve pulls. */
  readonly isFollowerTold?: boolean
  readonly onConnectionLost?: (address: string) => void
  /** A broker answered a heartbeat; `members` is what it says of who is in the groups, if it does. */
  readonly onHeartbeat?: (address: string, members: string | undefined) => void
}

export type BrokerCall<T> = (address: string, options: InvokeOptions) => Promise<T>

export interface LeaderCallOptions {
  /** All attempts together. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

const ROUTE_BACK_OFF_MS = { first: 25, longest: 150 }
/** One of several name servers that keeps silent is passed over after this. */
const NAMESRV_PATIENCE_MS = 1_000
/** Requests written to one connection that its broker has not taken: what it takes in a fraction of an attempt's time. */
const OUTGOING_BYTES = 8 * 1024 * 1024
/** Every so many queries without news another name server is asked: this one may be cut off from the brokers. */
const NAMESRV_TURNS = 3

/** Errors of the remoting room in the words of this one. */
const remotingCodes: Readonly<Record<string, ClientErrorCode>> = {
  REMOTING_CONNECT_FAILED: 'CLIENT_CONNECT',
  REMOTING_CONNECTION_CLOSED: 'CLIENT_CONNECTION_LOST',
  REMOTING_TIMEOUT: 'CLIENT_TIMEOUT',
  REMOTING_TOO_MANY_REQUESTS: 'CLIENT_OVERLOADED',
  REMOTING_CLIENT_CLOSED: 'CLIENT_CLOSED',
}

/** Answers that mean: not here, ask for the leader again. */
const notHere: ReadonlySet<string> = new Set(['CLIENT_CONNECT', 'CLIENT_CONNECTION_LOST', 'CLIENT_TIMEOUT'])

export class ClientCore {
  readonly options: ResolvedClientOptions
  readonly identity: Identity
  readonly clientId: string
  readonly routes: RouteCache
  readonly remoting: RemotingClient
  readonly #needs: ClientCoreNeeds
  readonly #closing = new AbortController()
  readonly #timers: Timer[] = []
  readonly #introduced = new WeakSet<Connection>()
  /** The name server asked first. */
  #namesrv: number
  #alive: { release(): void } | undefined

  constructor(needs: ClientCoreNeeds) {
    const { options } = needs
    const { clock, log, random, sockets, identity } = options
    // Whatever waits here listens: with many queues they are many, and that is no leak.
    setMaxListeners(0, this.#closing.signal)
    this.#needs = needs
    this.options = options
    this.identity = identity
    this.clientId = newClientId(this.identity, clock.nowMs(), options.instanceName)
    this.#namesrv = random.integer(0, options.namesrv.length - 1)
    this.remoting = new RemotingClient({
      clock,
      log,
      sockets,
      router: new Router({ routes: needs.routes ?? [], log }),
      connectTimeoutMs: options.connectTimeoutMs,
      limits: { invocationsMax: 1_000_000, outgoingBytesRequestMax: OUTGOING_BYTES },
      onConnection: (connection, address) => this.#watch(connection, address),
    })
    this.routes = new RouteCache({
      clock,
      backOffMs: ROUTE_BACK_OFF_MS,
      maxTopics: options.maxTopics,
      query: (topic, fruitless) => this.#queryRoute(topic, fruitless),
    })
    this.routes.onChange((route) => this.#routeChanged(route))
  }

  /** Fires when `close` begins. */
  get closing(): AbortSignal {
    return this.#closing.signal
  }

  start(): void {
    const { clock, heartbeatIntervalMs, routeRefreshMs } = this.options
    this.#alive = keepAlive()
    this.#timers.push(
      clock.every(heartbeatIntervalMs, () => this.heartbeatAll()),
      clock.every(routeRefreshMs, () => this.#refreshAll()),
    )
  }

  /** Cuts all connections; what waits for an answer fails. */
  close(): void {
    if (this.#closing.signal.aborted) return
    this.#closing.abort(clientErrors.create('CLIENT_CLOSED', 'the client is closed'))
    for (const timer of this.#timers) timer.cancel()
    this.remoting.close()
    this.#alive?.release()
  }

  /** One request to one address. */
  readonly invoke: Invoke = async (address: string, request: Request, options?: InvokeOptions) => {
    const { timeoutMs = this.options.requestTimeoutMs, signal } = options ?? {}
    if (signal?.aborted === true) throw abortedError(signal)
    const answer = this.remoting.invoke(address, { ...request, language: LanguageCode.OTHER }, timeoutMs)
    try {
      return await (signal === undefined ? answer : unlessAborted(answer, signal))
    } catch (error) {
      throw clientError(error)
    }
  }

  /** Tells a server something that needs no answer. Best effort. */
  tell(address: string, request: Request): void {
    this.remoting.invokeOneway(address, { ...request, language: LanguageCode.OTHER }).catch((error: unknown) => {
      this.options.log.debug({ address, error: errorMessage(error) }, 'a one-way request could not be sent')
    })
  }

  /** One request to whichever name server answers. Errors: `CLIENT_NO_NAMESRV`. */
  async invokeNamesrv(request: Request, options?: InvokeOptions): Promise<RemotingCommand> {
    return this.#anyNamesrv((address, timeoutMs) => this.invoke(address, request, { ...options, timeoutMs }))
  }

  /**
   * Calls the leader of a broker group, following leadership: on a lost connection, a silent or a deposed leader the route
   * is asked for again and the call repeated until `timeoutMs` is over. For requests that may be made twice.
   */
  async callLeader<T>(
    at: { readonly topic: string; readonly brokerName: string },
    call: BrokerCall<T>,
    { timeoutMs, signal }: LeaderCallOptions,
  ): Promise<T> {
    const { clock } = this.options
    const deadlineMs = clock.monotonicMs() + timeoutMs
    let failure: unknown = clientErrors.create('CLIENT_NO_LEADER', `${at.brokerName} has no leader now`)
    if (this.routes.leader(at.brokerName) === undefined) await this.#tryRefresh(at.topic)
    for (;;) {
      if (this.closing.aborted) throw clientErrors.create('CLIENT_CLOSED', 'the client is closed')
      if (signal?.aborted === true) throw abortedError(signal)
      const leftMs = deadlineMs - clock.monotonicMs()
      if (leftMs <= 0) throw failure
      const address = this.routes.leader(at.brokerName)
      if (address !== undefined) {
        try {
          const attemptMs = Math.min(leftMs, this.options.requestTimeoutMs)
          return await call(address, { timeoutMs: attemptMs, signal })
        } catch (error) {
          if (!isElsewhere(error)) throw error
          failure = error
          this.routes.suspect(address)
        }
      }
      await this.#tryRefresh(at.topic)
    }
  }

  /** A heartbeat to every broker of every route: leaders always, followers if this client is told to. */
  heartbeatAll(): void {
    for (const group of this.routes.brokers()) {
      for (const [brokerId, address] of group.addresses) {
        if (brokerId === LEADER_ID || this.#needs.isFollowerTold === true) void this.heartbeatTo(address)
      }
    }
  }

  /** As `heartbeatTo`, unless this connection to it had one. */
  async heartbeatOnce(address: string): Promise<void> {
    const connection = this.remoting.existing(address)
    if (connection !== undefined && this.#introduced.has(connection)) return
    if (!(await this.heartbeatTo(address))) return
    const made = this.remoting.existing(address)
    if (made !== undefined) this.#introduced.add(made)
  }

  /** Resolves when the broker has it, or has not: heartbeats are best effort. */
  async heartbeatTo(address: string): Promise<boolean> {
    const data = this.#needs.heartbeatData?.(this.clientId)
    if (data === undefined || this.closing.aborted) return false
    try {
      const members = await heartbeat(this.invoke, address, data)
      // Asked for by itself: where nobody listens, an argument of the call would never be.
      this.#needs.onHeartbeat?.(address, members)
      return true
    } catch (error) {
      this.options.log.debug({ address, error: errorMessage(error) }, 'heartbeat failed')
      return false
    }
  }

  /** Says goodbye to every broker this client is connected to. Best effort. */
  async unregisterAll(who: Omit<Unregistration, 'clientId'>): Promise<void> {
    const addresses = this.routes
      .brokers()
      .flatMap((group) => [...group.addresses.values()])
      .filter((address) => this.remoting.existing(address) !== undefined)
    await Promise.allSettled(
      [...new Set(addresses)].map((address) => unregister(this.invoke, address, { ...who, clientId: this.clientId })),
    )
  }

  async #tryRefresh(topic: string): Promise<void> {
    try {
      await this.routes.refresh(topic)
    } catch (error) {
      if (errorCode(error) === 'CLIENT_CLOSED') throw error
      await sleep(this.options.clock, ROUTE_BACK_OFF_MS.first)
    }
  }

  #refreshAll(): void {
    for (const topic of this.routes.topics()) {
      this.routes.refresh(topic).catch((error: unknown) => {
        this.options.log.debug({ topic, error: errorMessage(error) }, 'the route could not be refreshed')
      })
    }
  }

  async #queryRoute(topic: string, fruitless: number): Promise<TopicRoute | undefined> {
    if (fruitless % NAMESRV_TURNS === NAMESRV_TURNS - 1) this.#namesrv += 1
    let found: TopicRoute | undefined
    // A name server that was started a moment ago knows no topic yet: "does not exist" is true when all say so.
    for (let tries = 0; tries < this.options.namesrv.length && found === undefined; tries++) {
      found = await this.#anyNamesrv((address, timeoutMs) => queryRoute(this.invoke, address, topic, { timeoutMs }))
      if (found === undefined) this.#namesrv += 1
    }
    return found
  }

  async #anyNamesrv<T>(call: (address: string, timeoutMs: number) => Promise<T>): Promise<T> {
    const { namesrv, requestTimeoutMs } = this.options
    const timeoutMs = namesrv.length === 1 ? requestTimeoutMs : Math.min(requestTimeoutMs, NAMESRV_PATIENCE_MS)
    let failure: unknown
    for (let tries = 0; tries < namesrv.length; tries++) {
      const address = namesrv[this.#namesrv % namesrv.length] ?? ''
      try {
        return await call(address, timeoutMs)
      } catch (error) {
        if (!isElsewhere(error)) throw error
        failure = error
        this.#namesrv += 1
      }
    }
    throw noNamesrv(namesrv, failure)
  }

  #routeChanged(route: TopicRoute): void {
    if (channels.route.hasSubscribers) {
      const leaders = Object.fromEntries(
        [...route.brokers.values()].map((group) => [group.brokerName, leaderOf(group)]),
      )
      const event: RouteEvent = { topic: route.topic, leaders }
      channels.route.publish(event)
    }
    this.heartbeatAll()
  }

  #watch(connection: Connection, address: string): void {
    connection.onClose(() => {
      if (!this.closing.aborted) this.#needs.onConnectionLost?.(address)
    })
  }
}

/** Whatever was thrown, as an error of this room. */
export function clientError(error: unknown): unknown {
  const code = errorCode(error)
  const own = code === undefined || !Object.hasOwn(remotingCodes, code) ? undefined : remotingCodes[code]
  return own === undefined ? error : clientErrors.create(own, errorMessage(error), error)
}

/** Response codes of a broker that does not lead, or not yet. */
const elsewhereResponses: ReadonlySet<number> = new Set([2, 14, 215, 501, 1500])

function isElsewhere(error: unknown): boolean {
  const code = errorCode(error)
  if (code !== undefined && notHere.has(code)) return true
  const responseCode = responseCodeOf(error)
  return responseCode !== undefined && elsewhereResponses.has(responseCode)
}

function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortedError(signal))
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
