/** The load of a scenario: recorded sends, a consumer, and what must never go back: offsets and topics. */
import { lossesOf } from '../src/cli/commands/loss-text.ts'
import { Admin, PushConsumer } from '../src/client/index.ts'
import { sleep, systemClock } from '../src/lib/clock.ts'
import { GapMeter } from '../src/load/gap.ts'
import { historyWriter } from '../src/load/history.ts'
import { readTopic } from '../src/load/read-topic.ts'
import { BODY_BYTES, RecordedLoad, soMany, type Note } from '../src/load/recorded-load.ts'
import type { SendReport } from '../src/load/send-load.ts'
import { Workload } from '../src/load/workload.ts'

export interface RunLoadRequest {
  readonly namesrv: string
  readonly run: string
  readonly ratePerSecond: number
  readonly historyPath: string
}

export const TOPIC = 'chaos'
const QUEUES = 4
/** The group that `planCluster` plans first. */
const BROKER = 'broker-a'
const LOOK_EVERY_MS = 50
const LIVE_GROUP = 'chaos_live'

export class RunLoad {
  readonly #request: RunLoadRequest
  readonly #sends: RecordedLoad
  readonly #consumer: PushConsumer
  readonly #admin: Admin
  readonly #deliveries = new GapMeter()
  /** The group's offsets as seen last: they never go back. */
  readonly #offsets = new Map<string, number>()
  readonly #topics: string[] = []
  #delivered = 0

  constructor(request: RunLoadRequest) {
    const { namesrv, historyPath, run, ratePerSecond } = request
    this.#request = request
    const history = historyWriter(historyPath)
    const orderedQueues = Array.from({ length: QUEUES }, (_, queueId) => ({
      topic: TOPIC,
      brokerName: BROKER,
      queueId,
    }))
    const clock = systemClock
    this.#sends = new RecordedLoad({ clock, namesrv, topic: TOPIC, run, ratePerSecond, orderedQueues, history })
    this.#consumer = new PushConsumer({ namesrv, group: LIVE_GROUP, from: 'first' }).subscribe(TOPIC)
    this.#admin = new Admin({ namesrv })
  }

  get acknowledged(): number {
    return this.#sends.acknowledged
  }

  get delivered(): number {
    return this.#delivered
  }

  /** Acknowledgements in each tenth of a second. */
  get timeline(): readonly number[] {
    return this.#sends.timeline
  }

  get notes(): readonly Note[] {
    return this.#sends.notes
  }

  async start(): Promise<void> {
    await this.#admin.createTopic({ topic: TOPIC, queues: QUEUES })
    await this.#consumer.run(() => {
      this.#delivered += 1
      this.#deliveries.mark(systemClock.monotonicMs())
    })
    await this.#sends.start()
  }

  note(text: string): void {
    this.#sends.note(text)
  }

  /** From now on gaps are measured anew. */
  resetGaps(): void {
    this.#sends.resetGap()
    this.#deliveries.reset(systemClock.monotonicMs())
  }

  get gaps(): { readonly sendsMs: number; readonly deliveriesMs: number } {
    const deliveries = this.#deliveries.longest(systemClock.monotonicMs())
    return { sendsMs: Math.round(this.#sends.gap.lengthMs), deliveriesMs: Math.round(deliveries.lengthMs) }
  }

  /** See `RecordedLoad.more`. */
  more(count: number, withinMs: number): Promise<void> {
    return this.#sends.more(count, withinMs)
  }

  /** The same for messages that the consumer was given. */
  moreDelivered(count: number, withinMs: number): Promise<void> {
    return soMany({ clock: systemClock, count, withinMs, done: 'delivered', now: () => this.#delivered })
  }

  /** A topic that must still be there in the end, and the offsets as they are now. */
  async remember(): Promise<void> {
    const topic = `chaos_${this.#topics.length}`
    await this.#admin.createTopic({ topic, queues: 1 })
    this.#topics.push(topic)
    await this.rolledBack()
  }

  /** What went back or is gone: offsets of the live group, topics made earlier. */
  async rolledBack(): Promise<readonly string[]> {
    const found: string[] = []
    for (const { queue, consumerOffset } of await this.#admin.groupStats(LIVE_GROUP)) {
      const key = `${queue.topic}@${queue.brokerName}@${queue.queueId}`
      const before = this.#offsets.get(key) ?? 0
      if (consumerOffset < before) found.push(`the offset of ${key} went back from ${before} to ${consumerOffset}`)
      this.#offsets.set(key, Math.max(before, consumerOffset))
    }
    const topics = new Set(await this.#admin.topics())
    return [...found, ...this.#topics.filter((topic) => !topics.has(topic)).map((topic) => `${topic} is gone`)]
  }

  /** Resolves once `count` nodes have the same log, all of it committed: nobody sends any more. */
  async converged(count: number, withinMs: number): Promise<void> {
    const endMs = systemClock.monotonicMs() + withinMs
    for (;;) {
      // Who left its group is registered for a while, and does not answer.
      const alive = (await this.#admin.nodes()).flatMap(({ runtime }) => (runtime === undefined ? [] : [runtime]))
      const places = alive.map((runtime) => ['lastIndex', 'commitIndex'].map((name) => runtime.get(`raftmq.${name}`)))
      const [first] = places.flat()
      if (places.length === count && first !== undefined && places.flat().every((place) => place === first)) return
      if (systemClock.monotonicMs() > endMs) {
        throw new Error(`the nodes have different logs ${withinMs} ms later: ${JSON.stringify(places)}`)
      }
      await sleep(systemClock, LOOK_EVERY_MS)
    }
  }

  /** Messages that the group says its elections have lost, or may have. */
  async declaredLost(): Promise<number> {
    const nodes = await this.#admin.nodes()
    const told = nodes.map(({ runtime }) =>
      lossesOf(runtime?.get('raftmq.losses') ?? null).reduce(
        (sum, { found, maxBytes }) => sum + (found?.messages ?? Math.floor(maxBytes / BODY_BYTES)),
        0,
      ),
    )
    return Math.max(0, ...told)
  }

  /** Stops sending, and waits until what is in flight is decided. */
  async stop(): Promise<Pick<SendReport, 'acknowledged'> | undefined> {
    const report = await this.#sends.stop()
    await this.#consumer.close()
    return report
  }

  /** Reads the topic from its start with a group of its own; what it sees goes to `path`. */
  async readAll(path: string): Promise<void> {
    const { namesrv, run } = this.#request
    const history = historyWriter(path)
    const workload = new Workload({ clock: systemClock, run, topic: TOPIC, bodyBytes: BODY_BYTES, history })
    try {
      await readTopic({
        clock: systemClock,
        namesrv,
        topic: TOPIC,
        group: `chaos_${run}`,
        onMessage: (message) => workload.received('the consumer', message),
      })
    } finally {
      history.close()
    }
  }

  close(): void {
    this.#admin.close()
  }
}
