/**
 * Messages that wait for nobody (`WAIT` = false): acknowledged once the leader has written them, in every mode. Verifies,
 * as for messages in async replication: what a consumer read stays where it was; what was acknowledged and is gone was
 * declared, within the bound, and set aside, unless whoever acknowledged it may be gone with its disk; nothing is there
 * twice but what may be, nothing that nobody sent.
 */
import { Producer } from '../../../src/client/producer/producer.ts'
import type { PushConsumer } from '../../../src/client/consumer/push-consumer.ts'
import { bodyOf, idFor, idOf } from '../bodies.ts'
import { Holding } from '../holding.ts'
import { Ledger } from '../ledger.ts'
import type { Machine } from '../machine.ts'
import { readQueue } from '../read-queue.ts'
import { expectSetAside } from '../set-aside.ts'
import type { Feature, FeatureNeeds, Verdict } from './feature.ts'
import { Stage } from './stage.ts'

const TOPIC = 'hurried'
const QUEUES = 2
const BODY_BYTES = 300

export class Unwaited implements Feature {
  readonly stage: Stage
  readonly #need: FeatureNeeds
  readonly #producer: Producer
  readonly #consumer: PushConsumer
  readonly #ledger: Ledger
  #count = 0
  #isOver = false

  constructor(need: FeatureNeeds) {
    this.#need = need
    const { cluster, host } = need
    this.#ledger = new Ledger({
      strictEpoch: undefined,
      get wasAsync() {
        return { ...cluster.modes.wasAsync, replication: true }
      },
    })
    this.#producer = new Producer(host.producing('runners'))
    this.#consumer = host.consumer('watchers', TOPIC)
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
    void this.#consumer.run(({ topic, queueId, queueOffset, body }) => {
      this.#need.cluster.guard(() => this.#ledger.saw(`${topic}/${queueId}`, queueOffset, idOf(body)))
    })
  }

  end(): void {
    this.#isOver = true
  }

  waiting(): readonly string[] {
    return []
  }

  async check(machine: Machine, { declared }: Verdict): Promise<void> {
    const { cluster, host } = this.#need
    this.#ledger.close()
    const held = new Holding()
    for (let queueId = 0; queueId < QUEUES; queueId++) {
      held.add(`${TOPIC}/${queueId}`, await readQueue(host, machine, { topic: TOPIC, queueId }))
    }
    const lost = this.#ledger.holds(machine.id, held, declared)
    if (!this.#mayBeGone) expectSetAside(cluster, lost)
  }

  /** Who left, or lost its disk, before its log was compared sets nothing aside. */
  get #mayBeGone(): boolean {
    const { counts, machines } = this.#need.cluster
    return counts.of('removeMember') + counts.of('replaceMember') > 0 || machines.some(({ disk }) => disk.isReplacement)
  }

  async #produce(): Promise<void> {
    const { host } = this.#need
    while (!this.#isOver) {
      await this.#send(idFor('h', ++this.#count, BODY_BYTES))
      await host.pause(host.random.next() * 100)
    }
  }

  /** Of a send that failed nothing is known. */
  async #send(id: string): Promise<void> {
    const { cluster } = this.#need
    const { scheduler } = cluster
    const sent = this.#ledger.began(id, scheduler.nowMs, BODY_BYTES)
    const begun = cluster.copies.began(id, { waits: false })
    try {
      const message = { topic: TOPIC, body: bodyOf(id), properties: { WAIT: 'false' } }
      const result = await this.#producer.send(message)
      const { queue, queueOffset, mayBeTwice } = result
      sent.mayBeTwice = mayBeTwice
      cluster.note(`${id} is acknowledged early at ${queue.queueId}/${queueOffset}`)
      cluster.guard(() => {
        this.#ledger.acked(sent, `${queue.topic}/${queue.queueId}`, queueOffset, scheduler.nowMs)
        cluster.copies.acknowledged(begun, result)
      })
    } catch {
      sent.outcome = 'undecided'
    }
  }
}
