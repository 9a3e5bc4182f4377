/**
 * Messages taken by POP, at whichever node. Verifies: what is popped is in nobody's sight until its invisible time is
 * over; what was acknowledged within it never comes again, once that was answered; what was not comes again until it is.
 *
 * Not verified while a wall clock was set: there invisible times are shifted. Nor where elections stood on logs in doubt:
 * there acknowledgements may be lost with what they were for.
 */
import type { Popped } from '../../../src/client/pop/pop-requests.ts'
import { Producer } from '../../../src/client/producer/producer.ts'
import { WALL_START_MS } from '../../world/process-clock.ts'
import { Violation } from '../../world/violation.ts'
import { bodyOf, idFor, idOf } from '../bodies.ts'
import type { Machine } from '../machine.ts'
import type { Feature, FeatureNeeds, Verdict } from './feature.ts'
import { PopClient } from './pop-client.ts'
import { type Hold, PopLedger } from './pop-ledger.ts'
import { Sends } from './sends.ts'
import { Stage } from './stage.ts'

const TOPIC = 'tasks'
const QUEUES = 2
const GROUP = 'workers'
const WORKERS = 2
const BODY_BYTES = 100
const INVISIBLE_MS = 1500
const AGAIN_MS = 100

function holdFrom(fromMs: number): Hold {
  return { fromMs, untilMs: fromMs + INVISIBLE_MS }
}

export class Pops implements Feature {
  readonly stage: Stage
  readonly #need: FeatureNeeds
  readonly #client: PopClient
  readonly #producer: Producer
  readonly #sends: Sends
  readonly #ledger = new PopLedger()
  #count = 0
  #isOver = false
  /** Everything that is popped is acknowledged. */
  #isCalm = false

  constructor(need: FeatureNeeds) {
    this.#need = need
    const { cluster, host } = need
    this.#sends = new Sends(cluster)
    this.#client = new PopClient({ ...need, group: GROUP, topic: TOPIC, isOrdered: false, invisibleMs: INVISIBLE_MS })
    this.#producer = new Producer(host.producing('clerks'))
    this.stage = new Stage({ host, topic: TOPIC, queues: QUEUES, groups: [GROUP], producer: this.#producer })
  }

  start(): void {
    void this.#produce()
    for (let at = 0; at < WORKERS; at++) void this.#work()
  }

  end(): void {
    this.#isOver = true
    this.#isCalm = true
  }

  waiting(): readonly string[] {
    return this.#sends.awaited.map(({ id }) => id).filter((id) => !this.#ledger.mayBeDone(id))
  }

  check(_machine: Machine, { isSettled }: Verdict): Promise<void> {
    if (!isSettled) return Promise.resolve()
    const isOnce = (id: string): boolean => this.#sends.all.get(id)?.mayBeTwice === false
    const broken = this.#ledger.broken(isOnce)
    return broken === undefined ? Promise.resolve() : Promise.reject(new Violation('pop', broken))
  }

  async #produce(): Promise<void> {
    const { host } = this.#need
    while (!this.#isOver) {
      const id = idFor('p', ++this.#count, BODY_BYTES)
      await this.#sends.send(id, () => this.#producer.send({ topic: TOPIC, body: bodyOf(id) }))
      await host.pause(host.random.next() * 300)
    }
  }

  async #work(): Promise<void> {
    const { cluster, host } = this.#need
    for (;;) {
      const askedMs = cluster.scheduler.nowMs
      const popped = await this.#client.pop()
      for (const one of popped ?? []) void this.#handle(one, askedMs)
      await host.pause(popped === undefined ? AGAIN_MS : 10)
    }
  }

  /** Acknowledges soon, late, or never; or keeps it for longer first. */
  async #handle(popped: Popped, askedMs: number): Promise<void> {
    const { cluster, host } = this.#need
    const { random } = host
    const { scheduler } = cluster
    let current = popped
    let hold = holdFrom(popped.popTimeMs - WALL_START_MS)
    let id = ''
    cluster.guard(() => {
      id = idOf(popped.message.body)
      this.#ledger.popped(id, askedMs, hold)
      cluster.note(`${id} is popped from ${popped.message.storedTopic}, held until ${Math.round(hold.untilMs)}`)
    })
    if (!this.#isCalm && random.next() < 0.2) return
    if (random.next() < 0.2) {
      await host.pause(random.next() * 500)
      const longer = holdFrom(scheduler.nowMs)
      const moved = await this.#client.extend(popped)
      if (moved === undefined) return
      current = moved
      hold = this.#ledger.extended(id, hold, longer, scheduler.nowMs)
    }
    const isLate = !this.#isCalm && random.next() < 0.1
    await host.pause(random.next() * (isLate ? 3000 : 300))
    this.#ledger.acknowledging(id)
    if (!(await this.#client.acknowledge(current))) return
    cluster.note(`the pop of ${id} is acknowledged`)
    this.#ledger.acknowledged(id, hold, scheduler.nowMs)
  }
}
