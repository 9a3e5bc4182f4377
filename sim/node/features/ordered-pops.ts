/**
 * Messages taken by POP in order, at whichever node, and acknowledged one after the other. Verifies, of each queue: while
 * one that was given is invisible and not acknowledged nothing else is given; nothing is passed over; what was
 * acknowledged within its time never comes again, once that was answered; what was not comes again until it is.
 *
 * Not verified where plain pops are not (`pops.ts`), nor of acknowledgements in another order: there what lies behind the
 * first that is missing comes again.
 */
import type { Popped } from '../../../src/client/pop/pop-requests.ts'
import { Producer } from '../../../src/client/producer/producer.ts'
import { WALL_START_MS } from '../../world/process-clock.ts'
import { Violation } from '../../world/violation.ts'
import { bodyOf, idFor, idOf } from '../bodies.ts'
import type { Machine } from '../machine.ts'
import type { Feature, FeatureNeeds, Verdict } from './feature.ts'
import { OrderedPopLedger, type Taken } from './ordered-pop-ledger.ts'
import { PopClient } from './pop-client.ts'
import { Sends } from './sends.ts'
import { Stage } from './stage.ts'

const TOPIC = 'turns'
const QUEUES = 2
const GROUP = 'queuers'
const WORKERS = 2
const BODY_BYTES = 100
const INVISIBLE_MS = 1500
const AGAIN_MS = 100

/** A message that was given, by the receipt that counts. */
interface Turn {
  readonly popped: Popped
  readonly taken: Taken
}

export class OrderedPops implements Feature {
  readonly stage: Stage
  readonly #need: FeatureNeeds
  readonly #client: PopClient
  readonly #producer: Producer
  readonly #sends: Sends
  readonly #ledgers = Array.from({ length: QUEUES }, () => new OrderedPopLedger())
  /** Of what lasts: where it lies. */
  readonly #places = new Map<string, { readonly queueId: number; readonly queueOffset: number }>()
  #count = 0
  #isOver = false

  constructor(need: FeatureNeeds) {
    this.#need = need
    const { cluster, host } = need
    this.#sends = new Sends(cluster)
    this.#client = new PopClient({ ...need, group: GROUP, topic: TOPIC, isOrdered: true, invisibleMs: INVISIBLE_MS })
    this.#producer = new Producer(host.producing('ushers'))
    this.stage = new Stage({ host, topic: TOPIC, queues: QUEUES, groups: [GROUP], producer: this.#producer })
  }

  start(): void {
    void this.#produce()
    for (let at = 0; at < WORKERS; at++) void this.#work()
  }

  end(): void {
    this.#isOver = true
  }

  waiting(): readonly string[] {
    const isOpen = (id: string): boolean => {
      const place = this.#places.get(id)
      return place === undefined || this.#ledgers[place.queueId]?.mayBeDone(place.queueOffset) === false
    }
    return this.#sends.awaited.map(({ id }) => id).filter(isOpen)
  }

  check(_machine: Machine, { isSettled }: Verdict): Promise<void> {
    if (!isSettled) return Promise.resolve()
    for (const [queueId, ledger] of this.#ledgers.entries()) {
      const broken = ledger.broken((id) => this.#sends.isDropped(id))
      if (broken !== undefined) return Promise.reject(new Violation('pop', `in the queue ${queueId}: ${broken}`))
    }
    return Promise.resolve()
  }

  async #produce(): Promise<void> {
    const { cluster, host } = this.#need
    while (!this.#isOver) {
      const id = idFor('o', ++this.#count, BODY_BYTES)
      const sent = await this.#sends.send(id, async () => {
        const stored = await this.#producer.send({ topic: TOPIC, body: bodyOf(id) })
        this.#places.set(id, { queueId: stored.queue.queueId, queueOffset: stored.queueOffset })
        return stored
      })
      const place = this.#places.get(id)
      if (place !== undefined && sent.isLasting) {
        const { queueOffset } = place
        this.#ledgers[place.queueId]?.stored({ id, queueOffset, ackedMs: cluster.scheduler.nowMs })
      }
      await host.pause(host.random.next() * 200)
    }
  }

  async #work(): Promise<void> {
    const { cluster, host } = this.#need
    for (;;) {
      const askedMs = cluster.scheduler.nowMs
      const popped = await this.#client.pop()
      for (let queueId = 0; queueId < QUEUES; queueId++) {
        const batch = (popped ?? []).filter(({ message }) => message.queueId === queueId)
        if (batch.length > 0) void this.#handle(queueId, this.#taken(queueId, batch, askedMs))
      }
      await host.pause(popped === undefined ? AGAIN_MS : 10)
    }
  }

  #taken(queueId: number, batch: readonly Popped[], askedMs: number): readonly Turn[] {
    const { cluster } = this.#need
    const fromMs = (batch[0]?.popTimeMs ?? 0) - WALL_START_MS
    const turns = batch.map((popped) => {
      const { queueOffset, body } = popped.message
      cluster.guard(() => void idOf(body))
      const taken = { queueOffset, untilMs: fromMs + INVISIBLE_MS, askedDoneMs: Infinity, doneMs: Infinity }
      return { popped, taken }
    })
    const offsets = turns.map(({ taken }) => taken.queueOffset)
    cluster.note(`${offsets.join(', ')} of ${queueId} are popped in order, at ${fromMs}`)
    cluster.guard(() => {
      if (offsets.some((offset, at) => at > 0 && offset <= (offsets[at - 1] ?? 0))) {
        throw new Violation('pop', `a pop in order of the queue ${queueId} gave ${offsets.join(', ')}`)
      }
    })
    const answeredMs = cluster.scheduler.nowMs
    this.#ledgers[queueId]?.popped({ fromMs, askedMs, answeredMs, taken: turns.map(({ taken }) => taken) })
    return turns
  }

  /** Acknowledges one after the other, soon or late; keeps some for longer first, and may stop at any of them. */
  async #handle(queueId: number, turns: readonly Turn[]): Promise<void> {
    const { cluster, host } = this.#need
    const { random } = host
    const { scheduler } = cluster
    for (const { popped, taken } of turns) {
      if (!this.#isOver && random.next() < 0.1) return
      const current = random.next() < 0.1 ? await this.#extend(popped, taken) : popped
      if (current === undefined) return
      const isLate = !this.#isOver && random.next() < 0.05
      await host.pause(random.next() * (isLate ? 3000 : 60))
      const ledger = this.#ledgers[queueId]
      ledger?.acknowledging(taken, scheduler.nowMs)
      if (!(await this.#client.acknowledge(current))) return
      cluster.note(`${taken.queueOffset} of ${queueId} is acknowledged`)
      ledger?.acknowledged(taken, scheduler.nowMs)
    }
  }

  async #extend(popped: Popped, taken: Taken): Promise<Popped | undefined> {
    const { scheduler } = this.#need.cluster
    const untilMs = scheduler.nowMs + INVISIBLE_MS
    const moved = await this.#client.extend(popped)
    // Where that was too late, it may have been given to somebody else by then.
    if (moved !== undefined && scheduler.nowMs < taken.untilMs) taken.untilMs = untilMs
    return moved
  }
}
