/**
 * Messages that wait, for a level or a time of their own. Verifies: each is delivered at least once, and not before its
 * time; the broker delivers it exactly once (it is once in its topic's queues), whoever leads meanwhile.
 *
 * Not verified while a wall clock was set: there the time of a message is shifted.
 */
import { Producer } from '../../../src/client/producer/producer.ts'
import type { PushConsumer } from '../../../src/client/consumer/push-consumer.ts'
import { Violation } from '../../world/violation.ts'
import { bodyOf, idFor, idOf } from '../bodies.ts'
import type { Machine } from '../machine.ts'
import type { Feature, FeatureNeeds, Verdict } from './feature.ts'
import { expectOnce } from './once.ts'
import { Sends } from './sends.ts'
import { Stage } from './stage.ts'

const TOPIC = 'delayed'
const QUEUES = 2
const BODY_BYTES = 100
const LEVEL_MS = 1000

export class Delayed implements Feature {
  readonly stage: Stage
  readonly #need: FeatureNeeds
  readonly #producer: Producer
  readonly #consumer: PushConsumer
  readonly #sends: Sends
  readonly #delays = new Map<string, number>()
  readonly #seen = new Set<string>()
  #count = 0
  #isOver = false

  constructor(need: FeatureNeeds) {
    this.#need = need
    const { cluster, host } = need
    this.#sends = new Sends(cluster)
    this.#producer = new Producer(host.producing('schedulers'))
    this.#consumer = host.consumer('sleepers', TOPIC)
    this.stage = new Stage({
      host,
      topic: TOPIC,
      queues: QUEUES,
      producer: this.#producer,
      consumers: [this.#consumer],
    })
  }

  start(): void {
    void this.#produce()
    void this.#consumer.run(({ body }) => {
      this.#need.cluster.guard(() => this.#arrived(idOf(body)))
    })
  }

  end(): void {
    this.#isOver = true
  }

  waiting(): readonly string[] {
    return this.#sends.awaited.map(({ id }) => id).filter((id) => !this.#seen.has(id))
  }

  async check(machine: Machine, { isSettled }: Verdict): Promise<void> {
    await expectOnce(this.#need.host, machine, { topic: TOPIC, queues: QUEUES, sends: this.#sends, isSettled })
  }

  async #produce(): Promise<void> {
    const { host } = this.#need
    while (!this.#isOver) {
      const id = idFor('d', ++this.#count, BODY_BYTES)
      const delayMs = host.random.integer(200, 2500)
      const delay = host.random.next() < 0.5 ? { delayLevel: 1 } : { delayMs }
      this.#delays.set(id, delay.delayMs ?? LEVEL_MS)
      await this.#sends.send(id, () => this.#producer.send({ topic: TOPIC, body: bodyOf(id), ...delay }))
      await host.pause(host.random.next() * 300)
    }
  }

  #arrived(id: string): void {
    const { cluster } = this.#need
    const sent = this.#sends.all.get(id)
    if (sent === undefined) throw new Violation('content', `${id} is delivered, which nobody sent`)
    this.#seen.add(id)
    const dueMs = sent.beganMs + (this.#delays.get(id) ?? 0)
    if (cluster.scheduler.nowMs + 1 >= dueMs || cluster.counts.of('jumpClock') > 0) return
    throw new Violation('early', `${id} is delivered ${Math.round(dueMs - cluster.scheduler.nowMs)} ms before its time`)
  }
}
