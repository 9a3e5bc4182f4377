/**
 * What this client believes of topics and brokers. Asked by every send, so reads are plain map look-ups; refreshed when
 * something says that it is stale, many askers riding on one query, with a back-off while the answers stay the same.
 */
import type { Clock } from '../../lib/clock.ts'
import { sleep } from '../../lib/clock.ts'
import { clientErrors } from './errors.ts'
import { leaderOf, readerOf, sameRoute } from './topic-route.ts'
import type { BrokerGroup, TopicRoute } from './topic-route.ts'

export interface RouteCacheNeeds {
  readonly clock: Clock
  /**
   * Asks a name server. Undefined: the topic does not exist. Rejects when none answers. `fruitless`: how many queries in a
   * row brought nothing new before this one.
   */
  query(topic: string, fruitless: number): Promise<TopicRoute | undefined>
  /** First and longest pause between two queries that brought nothing new. */
  readonly backOffMs: { readonly first: number; readonly longest: number }
  /** Topics kept at most; one more is refused. */
  readonly maxTopics: number
}

/** What is known of a topic: for who asks often, to keep. */
export interface RouteRow {
  /** The route as last heard. */
  readonly route: TopicRoute | undefined
}

interface Row extends RouteRow {
  route: TopicRoute | undefined
  pending: Promise<TopicRoute | undefined> | undefined
  /** Queries in a row that brought nothing new. */
  fruitless: number
  endedAtMs: number
}

/** A leader that could not be reached is passed over for so long, unless the route changes. */
const SUSPECT_MS = 300

export class RouteCache {
  readonly #needs: RouteCacheNeeds
  readonly #rows = new Map<string, Row>()
  readonly #brokers = new Map<string, BrokerGroup>()
  readonly #suspects = new Map<string, number>()
  readonly #listeners = new Set<(route: TopicRoute) => void>()

  constructor(needs: RouteCacheNeeds) {
    this.#needs = needs
  }

  /** The route as last heard, without asking. */
  get(topic: string): TopicRoute | undefined {
    return this.#rows.get(topic)?.route
  }

  /** Of a topic that was asked for; it stays the same. */
  row(topic: string): RouteRow | undefined {
    return this.#rows.get(topic)
  }

  broker(brokerName: string): BrokerGroup | undefined {
    return this.#brokers.get(brokerName)
  }

  /** `host:port` of the group's leader, as last heard. */
  leader(brokerName: string): string | undefined {
    return leaderOf(this.#brokers.get(brokerName))
  }

  /** `host:port` at which the group's messages are read, as last heard. */
  reader(brokerName: string): string | undefined {
    return readerOf(this.#brokers.get(brokerName))
  }

  brokers(): readonly BrokerGroup[] {
    return [...this.#brokers.values()]
  }

  topics(): readonly string[] {
    return [...this.#rows.keys()]
  }

  /** Whether the group has a leader that is not under suspicion. */
  isUsable(brokerName: string): boolean {
    const address = this.leader(brokerName)
    if (address === undefined) return false
    const untilMs = this.#suspects.get(address)
    if (untilMs === undefined) return true
    if (untilMs > this.#needs.clock.monotonicMs()) return false
    this.#suspects.delete(address)
    return true
  }

  /** The address did not answer, or said that it does not lead. */
  suspect(address: string, forMs = SUSPECT_MS): void {
    if (this.#suspects.size >= 1_024) this.#suspects.clear()
    this.#suspects.set(address, this.#needs.clock.monotonicMs() + forMs)
  }

  /** Calls `listener` whenever a route is new or different. */
  onChange(listener: (route: TopicRoute) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The cached route, or that of a first query. */
  async find(topic: string): Promise<TopicRoute | undefined> {
    return this.get(topic) ?? (await this.refresh(topic))
  }

  /**
   * Asks again. Joins a query that waits or is under way: whoever reports a stale route gets an answer that was asked for
   * after at most one back-off. Errors: those of `query`, `CLIENT_OPTION` over `maxTopics`.
   */
  refresh(topic: string): Promise<TopicRoute | undefined> {
    const row = this.#rows.get(topic) ?? this.#newRow(topic)
    row.pending ??= this.#ask(topic, row).finally(() => {
      row.pending = undefined
    })
    return row.pending
  }

  #newRow(topic: string): Row {
    if (this.#rows.size >= this.#needs.maxTopics) {
      throw clientErrors.create('CLIENT_OPTION', `more than ${this.#needs.maxTopics} topics in one client (maxTopics)`)
    }
    const row: Row = { route: undefined, pending: undefined, fruitless: 0, endedAtMs: Number.NEGATIVE_INFINITY }
    this.#rows.set(topic, row)
    return row
  }

  async #ask(topic: string, row: Row): Promise<TopicRoute | undefined> {
    const { clock, backOffMs } = this.#needs
    const sinceLastMs = clock.monotonicMs() - row.endedAtMs
    if (sinceLastMs > 4 * backOffMs.longest) row.fruitless = 0
    const pauseMs = row.fruitless === 0 ? 0 : Math.min(backOffMs.first * 2 ** (row.fruitless - 1), backOffMs.longest)
    if (pauseMs > sinceLastMs) await sleep(clock, pauseMs - sinceLastMs)
    try {
      const route = await this.#needs.query(topic, row.fruitless)
      this.#learn(row, route)
      return route
    } catch (error) {
      row.fruitless += 1
      throw error
    } finally {
      row.endedAtMs = clock.monotonicMs()
    }
  }

  #learn(row: Row, route: TopicRoute | undefined): void {
    const isSame = sameRoute(row.route, route)
    row.fruitless = isSame ? row.fruitless + 1 : 0
    // A topic that is gone keeps its last route: a name server that was just restarted knows no topic for a moment.
    if (route === undefined) return
    row.route = route
    for (const group of route.brokers.values()) {
      if (leaderOf(group) !== this.leader(group.brokerName)) this.#suspects.clear()
      this.#brokers.set(group.brokerName, group)
    }
    if (!isSame) for (const listener of this.#listeners) listener(route)
  }
}
