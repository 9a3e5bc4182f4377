/** What clients do: a producer, consumers of one group, a committer of offsets, all of them RaftMQ's own client room. */
import { Admin } from '../../src/client/admin/admin.ts'
import { queryOffset, updateOffset, type Invoke } from '../../src/client/core/broker-api.ts'
import type { ClientOptions } from '../../src/client/core/options.ts'
import { Producer } from '../../src/client/producer/producer.ts'
import { PushConsumer } from '../../src/client/consumer/push-consumer.ts'
import { errorCode } from '../../src/lib/errors.ts'
import { seededRandom, type Random } from '../../src/lib/prng.ts'
import { RemotingClient } from '../../src/remoting/client.ts'
import { silentLog } from '../../src/lib/log.ts'
import { Violation } from '../world/violation.ts'
import type { Cluster } from './cluster.ts'
import { CommittedOffsets } from './committed-offsets.ts'
import { Ledger } from './ledger.ts'
import { addressOf, CLIENT_HOST, NAMESRV } from './machine.ts'
import type { Endpoint } from './stream-network.ts'

export const TOPIC = 'orders'
export const QUEUES = 2
const GROUP = 'readers'
const OFFSETS_GROUP = 'committers'
const BODY_BYTES = 200
/** A send that certainly stored nothing. */
const CERTAIN = new Set([
  'CLIENT_REFUSED',
  'CLIENT_OVERLOADED',
  'CLIENT_NO_LEADER',
  'CLIENT_NO_ROUTE',
  'CLIENT_NO_NAMESRV',
])

export class Workload {
  readonly ledger: Ledger
  readonly invoke: Invoke
  readonly #cluster: Cluster
  readonly #random: Random
  readonly #endpoint: Endpoint
  readonly #producer: Producer
  readonly #consumers: PushConsumer[] = []
  readonly #remoting: RemotingClient
  readonly #admin: Admin
  readonly #topics: string[] = []
  #sends = 0
  #consumed = 0
  #commits = 0
  readonly #committed = new CommittedOffsets()
  #isOver = false

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.ledger = new Ledger(cluster.modes.replication === 'sync')
    this.#random = seededRandom(cluster.random.integer(0, 0xffffffff))
    this.#endpoint = cluster.endpoint(CLIENT_HOST)
    this.#producer = new Producer({
      ...this.#options(),
      group: 'writers',
      sendTimeoutMs: 4000,
      attemptTimeoutMs: 800,
      retryUndecided: this.#random.next() < 0.7,
    })
    this.#admin = new Admin(this.#options())
    const { clock } = this.#endpoint
    this.#remoting = new RemotingClient({ clock, log: silentLog, sockets: cluster.network.socketsOf(this.#endpoint) })
    this.invoke = (address, request, options) => this.#remoting.invoke(address, request, options?.timeoutMs ?? 1500)
  }

  get consumed(): number {
    return this.#consumed
  }

  /** Resolves when the topic and the group are there. */
  async prepare(): Promise<void> {
    await this.#producer.start()
    for (;;) {
      try {
        await this.#admin.createTopic({ topic: TOPIC, queues: QUEUES })
        await this.#admin.createGroup(OFFSETS_GROUP)
        return
      } catch {
        await this.pause(100)
      }
    }
  }

  start(): void {
    for (let at = 0; at < 3; at++) void this.#produce()
    for (let at = 0; at < 2; at++) void this.#consume()
    void this.#commitOffsets()
  }

  /** Producers and committers do no more. */
  end(): void {
    this.#isOver = true
  }

  /** Resolves when the clients let go of everything, in simulated time. */
  async close(): Promise<void> {
    this.end()
    await Promise.allSettled([this.#producer, ...this.#consumers].map((client) => client.close()))
    this.#admin.close()
    this.#remoting.close()
    this.#endpoint.clock.die()
  }

  /** One send; resolves with whether it was acknowledged. */
  async send(): Promise<boolean> {
    const { ledger } = this
    const nowMs = (): number => this.#cluster.scheduler.nowMs
    const id = `m${++this.#sends}`
    const sent = ledger.began(id, nowMs())
    try {
      const { queue, queueOffset, mayBeTwice } = await this.#producer.send({ topic: TOPIC, body: bodyOf(id) })
      sent.mayBeTwice = mayBeTwice
      this.#cluster.note(`${id} is acknowledged at ${queue.queueId}/${queueOffset}`)
      this.#cluster.guard(() => ledger.acked(sent, `${queue.topic}/${queue.queueId}`, queueOffset, nowMs()))
      return true
    } catch (error) {
      const code = errorCode(error) ?? 'thrown'
      sent.outcome = CERTAIN.has(code) ? 'failed' : 'undecided'
      this.#cluster.note(`${id} is ${sent.outcome}: ${code}`)
      return false
    }
  }

  /** A topic is made; once that is acknowledged, it must be there for ever. */
  async createTopic(): Promise<void> {
    const topic = `topic-${this.#topics.length}-${this.#sends}`
    try {
      await this.#admin.createTopic({ topic, queues: 1 })
      this.#topics.push(topic)
      this.#cluster.note(`${topic} is made`)
    } catch {
      // It may be there or not.
    }
  }

  /** In the end: every topic and every offset that was acknowledged is there. */
  async checkTables(address: string): Promise<void> {
    const queue = { topic: TOPIC, brokerName: 'broker-a', queueId: 0 }
    const offset = (await queryOffset(this.invoke, address, { group: OFFSETS_GROUP, queue })) ?? -1
    const lost = this.#committed.lostAt(offset)
    if (lost !== undefined) {
      throw new Violation('rollback', `the offset ${lost} was acknowledged, and now it is ${offset}`)
    }
    for (const topic of this.#topics) {
      if ((await this.#admin.route(topic)) === undefined) throw new Violation('rollback', `${topic} is gone`)
    }
  }

  async #produce(): Promise<void> {
    while (!this.#isOver) {
      await this.send()
      await this.pause(this.#random.next() * 60)
    }
  }

  async #consume(): Promise<void> {
    const consumer = new PushConsumer({
      ...this.#options(),
      group: GROUP,
      from: 'first',
      commitIntervalMs: 300,
      rebalanceIntervalMs: 1000,
      suspendTimeoutMs: 1000,
    }).subscribe(TOPIC)
    this.#consumers.push(consumer)
    await consumer.run(({ topic, queueId, queueOffset, body }) => {
      this.#consumed++
      this.#cluster.guard(() => this.ledger.saw(`${topic}/${queueId}`, queueOffset, idOf(body)))
      return Promise.resolve()
    })
  }

  /** A higher offset than before, to whichever node; resolves with whether it was acknowledged. */
  async commit(): Promise<boolean> {
    const queue = { topic: TOPIC, brokerName: 'broker-a', queueId: 0 }
    const { machines } = this.#cluster
    const machine = machines[this.#random.integer(0, machines.length - 1)]
    if (machine === undefined) return false
    const queueOffset = ++this.#commits
    const acknowledged = this.#committed.began(queueOffset)
    try {
      await updateOffset(this.invoke, addressOf(machine), { group: OFFSETS_GROUP, queue, queueOffset })
      acknowledged()
      this.#cluster.note(`the offset ${queueOffset} is acknowledged`)
      return true
    } catch {
      return false
    }
  }

  async #commitOffsets(): Promise<void> {
    while (!this.#isOver) {
      await this.pause(50 + this.#random.next() * 200)
      await this.commit()
    }
  }

  #options(): ClientOptions {
    const { clock } = this.#endpoint
    let clients = 0
    return {
      namesrv: `${NAMESRV.host}:${NAMESRV.port}`,
      clock,
      random: seededRandom(this.#random.integer(0, 0xffffffff)),
      sockets: this.#cluster.network.socketsOf(this.#endpoint),
      identity: { ip: Uint8Array.of(10, 0, 2, 1), pid: this.#random.integer(1, 60_000), nextClient: () => ++clients },
      connectTimeoutMs: 500,
      requestTimeoutMs: 1000,
      routeRefreshMs: 1000,
      heartbeatIntervalMs: 1000,
    }
  }

  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#endpoint.clock.after(delayMs, resolve)
    })
  }
}

/** The id, and what only this message has behind it. */
function bodyOf(id: string): Buffer {
  return Buffer.from(`${id} ${id.repeat(BODY_BYTES)}`.slice(0, BODY_BYTES))
}

/** Throws when the body is not that of the message it names. */
export function idOf(body: Buffer): string {
  const id = body.toString().split(' ', 1)[0] ?? ''
  if (!bodyOf(id).equals(body)) throw new Violation('content', `a body is not what was sent: ${body.toString()}`)
  return id
}
