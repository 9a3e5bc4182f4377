/**
 * Messages for a time of their own that their producer takes back. Verifies: what was taken back, once that was answered,
 * is never delivered; everything else is, exactly once, and not before its time, whoever leads meanwhile.
 *
 * Not verified of a recall without an answer, of a send that may be stored twice, or while a wall clock was set: which of
 * the two came first is not known then.
 */
import { Producer } from '../../../src/client/producer/producer.ts'
import { bodyOf, idFor } from '../bodies.ts'
import type { Machine } from '../machine.ts'
import type { Feature, FeatureNeeds, Verdict } from './feature.ts'
import { expectOnce } from './once.ts'
import { Sends } from './sends.ts'
import { Stage } from './stage.ts'

const TOPIC = 'reminders'
const QUEUES = 2
const BODY_BYTES = 100
const DELAY_MAX_MS = 4000
/** From when a message is due until it is in its topic, in calm. */
const DELIVERED_WITHIN_MS = 5000
const WAITS_MS = DELAY_MAX_MS + DELIVERED_WITHIN_MS

/** What is known of a recall. */
type Recall = 'asked' | 'answered'

export class Recalls implements Feature {
  readonly stage: Stage
  readonly #need: FeatureNeeds
  readonly #producer: Producer
  readonly #sends: Sends
  readonly #recalls = new Map<string, Recall>()
  #count = 0
  #isOver = false

  constructor(need: FeatureNeeds) {
    this.#need = need
    const { cluster, host } = need
    this.#sends = new Sends(cluster)
    this.#producer = new Producer(host.producing('planners'))
    this.stage = new Stage({ host, topic: TOPIC, queues: QUEUES, producer: this.#producer })
  }

  start(): void {
    void this.#produce()
  }

  end(): void {
    this.#isOver = true
  }

  /** What waits is looked for in the queues, in the end. */
  waiting(): readonly string[] {
    const { cluster } = this.#need
    const { nowMs } = cluster.scheduler
    return this.#sends.awaited.filter(({ beganMs }) => beganMs + WAITS_MS > nowMs).map(({ id }) => id)
  }

  async check(machine: Machine, { isSettled }: Verdict): Promise<void> {
    const hasJumped = this.#need.cluster.counts.of('jumpClock') > 0
    await expectOnce(this.#need.host, machine, {
      topic: TOPIC,
      queues: QUEUES,
      sends: this.#sends,
      isSettled,
      isWanted: (id) => hasJumped || this.#recalls.get(id) !== 'answered',
      isOptional: (id) => this.#recalls.has(id),
    })
  }

  async #produce(): Promise<void> {
    const { host } = this.#need
    while (!this.#isOver) {
      void this.#remind(idFor('r', ++this.#count, BODY_BYTES))
      await host.pause(host.random.next() * 300)
    }
  }

  async #remind(id: string): Promise<void> {
    const { host } = this.#need
    const delayMs = host.random.integer(500, DELAY_MAX_MS)
    let recallHandle: string | undefined
    const sent = await this.#sends.send(id, async () => {
      const result = await this.#producer.send({ topic: TOPIC, body: bodyOf(id), delayMs })
      ;({ recallHandle } = result)
      return result
    })
    if (recallHandle === undefined || host.random.next() < 0.4) return
    await host.pause(host.random.next() * delayMs)
    await this.#takeBack({ id, recallHandle, isKnown: sent.isLasting && !sent.mayBeTwice, epoch: sent.epoch })
  }

  async #takeBack(one: {
    readonly id: string
    readonly recallHandle: string
    readonly isKnown: boolean
    readonly epoch: number | undefined
  }): Promise<void> {
    const { cluster } = this.#need
    const { id, recallHandle, isKnown, epoch } = one
    this.#recalls.set(id, 'asked')
    try {
      await this.#producer.recall({ topic: TOPIC, recallHandle })
    } catch {
      return
    }
    cluster.note(`${id} is taken back`)
    if (isKnown && epoch === cluster.modes.strictEpoch) this.#recalls.set(id, 'answered')
  }
}
