/** Where sends go: the topics that were sent to, by what route, and whose turn it is of their queues. */
import { SystemTopic } from '../../message/topic-name.ts'
import type { ClientCore } from '../core/client-core.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import type { RouteRow } from '../core/route-cache.ts'
import { autoCreateRoute, type TopicRoute } from '../core/topic-route.ts'
import type { ResolvedProducerOptions } from './producer-options.ts'
import { queueOfKey, RoundRobin } from './queue-selector.ts'
import type { SendRequest } from './send-request.ts'

/** A topic that was sent to. */
interface Topic {
  readonly row: RouteRow | undefined
  readonly turn: RoundRobin
}

/** How long the borrowed route of a topic that does not exist yet is used before the real one is asked for again. */
const BORROWED_ROUTE_MS = 1_000

export class Destinations {
  readonly #core: ClientCore
  readonly #options: ResolvedProducerOptions
  readonly #topics = new Map<string, Topic>()
  readonly #borrowed = new Map<string, { readonly route: TopicRoute; readonly untilMs: number }>()

  constructor(core: ClientCore, options: ResolvedProducerOptions) {
    this.#core = core
    this.#options = options
  }

  /** Whether the topic was sent to before. */
  knows(topic: string): boolean {
    return this.#topics.has(topic)
  }

  /** The queue that a request goes to now; undefined where none of the topic's may be written. */
  choose(request: Pick<SendRequest, 'topic' | 'choice'>): MessageQueue | 'noRoute' | undefined {
    const { topic, choice } = request
    const known = this.#topics.get(topic)
    const route = known?.row?.route ?? this.route(topic)
    if (route === undefined) return 'noRoute'
    const { turn } = known ?? this.#learn(topic)
    if (typeof choice === 'object') return choice
    if (typeof choice === 'string') return queueOfKey(route.writeQueues, choice)
    // One broker group needs no passing over: if its leader is away there is nowhere else to go.
    return turn.next(route.writeQueues, route.brokers.size > 1 ? this.#isUsable : undefined)
  }

  /** The route as it is known: the topic's own, or the borrowed one of a topic that will be created by sending. */
  route(topic: string): TopicRoute | undefined {
    const route = this.#core.routes.get(topic)
    if (route !== undefined) return route
    const borrowed = this.#borrowed.get(topic)
    if (borrowed === undefined || borrowed.untilMs > this.#options.clock.monotonicMs()) return borrowed?.route
    this.#borrowed.delete(topic)
    return undefined
  }

  /** The same, asked for where it is not known. */
  async find(topic: string): Promise<TopicRoute | undefined> {
    return this.route(topic) ?? (await this.#core.routes.refresh(topic)) ?? this.#borrow(topic)
  }

  /** Asks again, whatever is known. */
  async refresh(topic: string): Promise<TopicRoute | undefined> {
    return (await this.#core.routes.refresh(topic)) ?? this.route(topic) ?? this.#borrow(topic)
  }

  /** Asks who leads: it is the same for all topics of a broker, so one of them is asked for. */
  refreshLeaders(): void {
    const asked = new Set<string>()
    for (const [topic, { row }] of this.#topics) {
      const brokers = [...(row?.route?.brokers.keys() ?? [])]
      if (brokers.length > 0 && brokers.every((name) => asked.has(name))) continue
      for (const name of brokers) asked.add(name)
      this.#core.routes.refresh(topic).catch(() => undefined)
    }
  }

  async #borrow(topic: string): Promise<TopicRoute | undefined> {
    const { clock, autoCreateTopic, autoCreateQueues, maxTopics } = this.#options
    if (!autoCreateTopic) return undefined
    const template = await this.#core.routes.find(SystemTopic.autoCreate)
    if (template === undefined) return undefined
    const route = autoCreateRoute(topic, template, autoCreateQueues)
    if (this.#borrowed.size >= maxTopics) this.#borrowed.clear()
    this.#borrowed.set(topic, { route, untilMs: clock.monotonicMs() + BORROWED_ROUTE_MS })
    return route
  }

  #learn(name: string): Topic {
    const topic = { row: this.#core.routes.row(name), turn: new RoundRobin(this.#options.random) }
    this.#topics.set(name, topic)
    return topic
  }

  readonly #isUsable = (brokerName: string): boolean => this.#core.routes.isUsable(brokerName)
}
