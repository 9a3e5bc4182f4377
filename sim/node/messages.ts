/** The plain workload: producers, and consumers of one group, all of them RaftMQ's own clients. */
import { Producer } from '../../src/client/producer/producer.ts'
import type { PushConsumer } from '../../src/client/consumer/push-consumer.ts'
import { errorCode } from '../../src/lib/errors.ts'
import { bodyOf, idFor, idOf } from './bodies.ts'
import type { ClientHost } from './client-host.ts'
import type { Cluster } from './cluster.ts'
import { Ledger } from './ledger.ts'

export const TOPIC = 'orders'
export const QUEUES = 2
const GROUP = 'readers'
const PRODUCERS = 3
const CONSUMERS = 2
const SMALL_BYTES = 200
/** Enough of them within the bounds of a node in async mode to reach these. */
const LARGE_BYTES = 3000
/** A send that certainly stored nothing. */
const CERTAIN = new Set([
  'CLIENT_REFUSED',
  'CLIENT_OVERLOADED',
  'CLIENT_NO_LEADER',
  'CLIENT_NO_ROUTE',
  'CLIENT_NO_NAMESRV',
])

export class Messages {
  readonly ledger: Ledger
  readonly #cluster: Cluster
  readonly #host: ClientHost
  readonly #producer: Producer
  readonly #consumers: PushConsumer[] = []
  readonly #bodyBytes: number
  #sends = 0
  #isOver = false

  constructor(cluster: Cluster, host: ClientHost) {
    this.#cluster = cluster
    this.#host = host
    this.ledger = new Ledger(cluster.modes)
    this.#bodyBytes = host.random.next() < 0.2 ? LARGE_BYTES : SMALL_BYTES
    this.#producer = new Producer({
      ...host.producing('writers'),
      sendTimeoutMs: 4000,
      retryUndecided: host.random.next() < 0.7,
    })
  }

  /** Resolves when the topic is there. */
  async prepare(): Promise<void> {
    await this.#producer.start()
    await this.#host.patiently(() => this.#host.admin.createTopic({ topic: TOPIC, queues: QUEUES }))
  }

  start(): void {
    for (let at = 0; at < PRODUCERS; at++) void this.#produce()
    for (let at = 0; at < CONSUMERS; at++) void this.#consume()
  }

  /** Producers send no more. */
  end(): void {
    this.#isOver = true
  }

  async close(): Promise<void> {
    this.end()
    await Promise.allSettled([this.#producer, ...this.#consumers].map((client) => client.close()))
  }

  /** One send; resolves with whether it was acknowledged. */
  async send(): Promise<boolean> {
    const { ledger } = this
    const nowMs = (): number => this.#cluster.scheduler.nowMs
    const id = idFor('m', ++this.#sends, this.#bodyBytes)
    const sent = ledger.began(id, nowMs(), this.#bodyBytes)
    const { copies } = this.#cluster
    const begun = copies.began(id)
    try {
      const result = await this.#producer.send({ topic: TOPIC, body: bodyOf(id) })
      const { queue, queueOffset, mayBeTwice } = result
      sent.mayBeTwice = mayBeTwice
      this.#cluster.note(`${id} is acknowledged at ${queue.queueId}/${queueOffset}`)
      this.#cluster.guard(() => {
        ledger.acked(sent, `${queue.topic}/${queue.queueId}`, queueOffset, nowMs())
        copies.acknowledged(begun, result)
      })
      return true
    } catch (error) {
      const code = errorCode(error) ?? 'thrown'
      sent.outcome = CERTAIN.has(code) ? 'failed' : 'undecided'
      this.#cluster.note(`${id} is ${sent.outcome}: ${code}`)
      return false
    }
  }

  async #produce(): Promise<void> {
    while (!this.#isOver) {
      await this.send()
      await this.#host.pause(this.#host.random.next() * 60)
    }
  }

  async #consume(): Promise<void> {
    const consumer = this.#host.consumer(GROUP, TOPIC)
    this.#consumers.push(consumer)
    await consumer.run(({ topic, queueId, queueOffset, body }) => {
      this.#cluster.guard(() => this.ledger.saw(`${topic}/${queueId}`, queueOffset, idOf(body)))
      return Promise.resolve()
    })
  }
}
