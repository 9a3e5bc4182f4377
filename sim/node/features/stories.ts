/**
 * Steps of many stories, each in its order (a sharding key), and handlers that fail. Verifies: within a key no step is
 * handled before all steps that were acknowledged before it was sent (order per key); a step whose handler failed comes
 * again over the retry topic, not before its delay is over, until it is handled.
 */
import { Producer } from '../../../src/client/producer/producer.ts'
import type { PushConsumer } from '../../../src/client/consumer/push-consumer.ts'
import type { MessageContext } from '../../../src/client/consumer/message-context.ts'
import type { ReceivedMessage } from '../../../src/client/core/received-message.ts'
import { Violation } from '../../world/violation.ts'
import { bodyOf, idFor, idOf } from '../bodies.ts'
import type { Machine } from '../machine.ts'
import type { Feature, FeatureNeeds, Verdict } from './feature.ts'
import { expectOnce } from './once.ts'
import { Sends } from './sends.ts'
import { Stage } from './stage.ts'

const TOPIC = 'stories'
const QUEUES = 2
const KEYS = ['a', 'b', 'c'] as const
const BODY_BYTES = 100
const AGAIN_LEVEL = 1
const AGAIN_MS = 1000

export class Stories implements Feature {
  readonly stage: Stage
  readonly #need: FeatureNeeds
  readonly #producer: Producer
  readonly #consumers: readonly PushConsumer[]
  readonly #sends: Sends
  /** Of each key: ids in the order of their sends. */
  readonly #stories = new Map<string, string[]>()
  /** Delivered to a handler, which may have failed. */
  readonly #met = new Set<string>()
  readonly #handled = new Set<string>()
  /** When a handler failed for it, first. */
  readonly #failedMs = new Map<string, number>()
  #count = 0
  #isOver = false

  constructor(need: FeatureNeeds) {
    this.#need = need
    const { cluster, host } = need
    this.#sends = new Sends(cluster)
    this.#producer = new Producer(host.producing('narrators'))
    this.#consumers = [0, 1].map(() => host.consumer('listeners', TOPIC))
    this.stage = new Stage({ host, topic: TOPIC, queues: QUEUES, producer: this.#producer, consumers: this.#consumers })
  }

  start(): void {
    for (const key of KEYS) void this.#tell(key)
    for (const consumer of this.#consumers) void consumer.run((message, context) => this.#handle(message, context))
  }

  end(): void {
    this.#isOver = true
  }

  waiting(): readonly string[] {
    return this.#sends.awaited.map(({ id }) => id).filter((id) => !this.#handled.has(id))
  }

  async check(machine: Machine, { isSettled }: Verdict): Promise<void> {
    await expectOnce(this.#need.host, machine, { topic: TOPIC, queues: QUEUES, sends: this.#sends, isSettled })
  }

  /** One step after the other: each is sent once the one before it ended. */
  async #tell(key: string): Promise<void> {
    const { host } = this.#need
    const story: string[] = []
    this.#stories.set(key, story)
    while (!this.#isOver) {
      const id = idFor(key, ++this.#count, BODY_BYTES)
      story.push(id)
      await this.#sends.send(id, () => this.#producer.send({ topic: TOPIC, body: bodyOf(id), shardingKey: key }))
      await host.pause(host.random.next() * 400)
    }
  }

  async #handle({ body, reconsumeTimes }: ReceivedMessage, context: MessageContext): Promise<void> {
    const { cluster, host } = this.#need
    const nowMs = cluster.scheduler.nowMs
    let id = ''
    cluster.guard(() => {
      id = idOf(body)
      this.#arrived(id, reconsumeTimes, nowMs)
    })
    if (!this.#isOver && reconsumeTimes === 0 && host.random.next() < 0.1) {
      if (!this.#failedMs.has(id)) this.#failedMs.set(id, nowMs)
      context.delayLevel = AGAIN_LEVEL
      throw new Error('a handler fails')
    }
    this.#handled.add(id)
  }

  #arrived(id: string, reconsumeTimes: number, nowMs: number): void {
    const { modes, counts } = this.#need.cluster
    this.#met.add(id)
    const hasJumped = counts.of('jumpClock') > 0
    const failedMs = this.#failedMs.get(id)
    if (reconsumeTimes > 0 && failedMs !== undefined && nowMs + 1 < failedMs + AGAIN_MS && !hasJumped) {
      throw new Violation('early', `${id} comes again ${Math.round(nowMs - failedMs)} ms after its handler failed`)
    }
    // What consumers have read may be gone and given again: then they are ahead of their queues.
    if (modes.wasAsync.flush) return
    const story = this.#stories.get(id[0] ?? '') ?? []
    for (const before of story.slice(0, story.indexOf(id))) {
      if (this.#met.has(before) || this.#sends.isDropped(before)) continue
      if (this.#sends.all.get(before)?.isLasting !== true) continue
      throw new Violation('order', `${id} is delivered before ${before}, acknowledged before it was sent`)
    }
  }
}
