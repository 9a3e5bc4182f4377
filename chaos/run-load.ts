/** The load of a scenario: recorded sends, a consumer, and what must never go back: offsets and topics. */
import { lossesOf } from '../src/cli/commands/loss-text.ts'
import { Admin } from '../src/client/index.ts'
import { queueKey } from '../src/client/core/message-queue.ts'
import { sleep, systemClock } from '../src/lib/clock.ts'
import { type HistoryWriter, historyWriter } from '../src/load/history.ts'
import { LoadRecord, type Note, soMany } from '../src/load/load-record.ts'
import { readTopic } from '../src/load/read-topic.ts'
import { BODY_BYTES } from '../src/load/recorded-load.ts'
import { Workload } from '../src/load/workload.ts'
import { Deliveries, type Traffic, type WorkloadName } from './traffic.ts'
import { workloads } from './workloads.ts'

export interface RunLoadRequest {
  readonly workload: WorkloadName
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
/** A leader writes what consumers commit one-way every 200 ms. */
const OFFSETS_LOGGED_WITHIN_MS = 500

export class RunLoad {
  readonly #request: RunLoadRequest
  readonly #traffic: Traffic
  readonly #history: HistoryWriter
  readonly #record: LoadRecord
  readonly #deliveries = new Deliveries()
  readonly #admin: Admin
  /** The group's offsets as they were committed: they never go back. */
  readonly #offsets = new Map<string, number>()
  readonly #topics: string[] = []
  #isStopped = false

  constructor(request: RunLoadRequest) {
    const { namesrv, historyPath, run, ratePerSecond, workload } = request
    this.#request = request
    this.#history = historyWriter(historyPath)
    this.#record = new LoadRecord(systemClock, this.#history)
    this.#traffic = workloads[workload].traffic({
      namesrv,
      topic: TOPIC,
      brokerName: BROKER,
      queues: QUEUES,
      group: LIVE_GROUP,
      run,
      ratePerSecond,
      history: this.#history,
      record: this.#record,
      deliveries: this.#deliveries,
    })
    this.#admin = new Admin({ namesrv })
  }

  get acknowledged(): number {
    return this.#record.acknowledged
  }

  /** Places that the consumer was given. */
  get delivered(): number {
    return this.#deliveries.count
  }

  /** Acknowledgements in each tenth of a second. */
  get timeline(): readonly number[] {
    return this.#record.timeline
  }

  get notes(): readonly Note[] {
    return this.#record.notes
  }

  async start(): Promise<void> {
    await this.#admin.createTopic({ topic: TOPIC, queues: QUEUES })
    await this.#traffic.start()
  }

  note(text: string): void {
    this.#record.note(text)
  }

  /** From now on gaps are measured anew. */
  resetGaps(): void {
    this.#record.resetGap()
    this.#deliveries.resetGap(systemClock.monotonicMs())
  }

  get gaps(): { readonly sendsMs: number; readonly deliveriesMs: number } {
    const deliveriesMs = this.#deliveries.longestGapMs(systemClock.monotonicMs())
    return { sendsMs: Math.round(this.#record.gap.lengthMs), deliveriesMs: Math.round(deliveriesMs) }
  }

  /** See `LoadRecord.more`. */
  more(count: number, withinMs: number): Promise<void> {
    return this.#record.more(count, withinMs)
  }

  /** The same for messages that the consumer was given. */
  moreDelivered(count: number, withinMs: number): Promise<void> {
    return soMany({ clock: systemClock, count, withinMs, done: 'delivered', now: () => this.delivered })
  }

  /** A topic that must still be there in the end, and offsets that must not go back. */
  async remember(): Promise<void> {
    const topic = `chaos_${this.#topics.length}`
    await this.#admin.createTopic({ topic, queues: 1 })
    this.#topics.push(topic)
    const shown = await this.#shownOffsets()
    // What a leader shows may be on its way to the log still.
    await sleep(systemClock, OFFSETS_LOGGED_WITHIN_MS)
    for (const [key, offset] of shown) this.#offsets.set(key, Math.max(this.#offsets.get(key) ?? 0, offset))
  }

  /** What went back or is gone: offsets of the live group, topics made earlier. */
  async rolledBack(): Promise<readonly string[]> {
    const shown = await this.#shownOffsets()
    const found = [...this.#offsets].flatMap(([key, before]) => {
      const offset = shown.get(key) ?? 0
      return offset < before ? [`the offset of ${key} went back from ${before} to ${offset}`] : []
    })
    const topics = new Set(await this.#admin.topics())
    return [...found, ...this.#topics.filter((topic) => !topics.has(topic)).map((topic) => `${topic} is gone`)]
  }

  async #shownOffsets(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#admin.groupStats(LIVE_GROUP)
    return new Map(rows.map(({ queue, consumerOffset }) => [queueKey(queue), consumerOffset]))
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

  /** Stops sending, waits until what is in flight is decided, and so long until the consumer has what there is. */
  async stop(deliveredWithinMs: number): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    try {
      await this.#traffic.stopSends()
      await this.#drained(deliveredWithinMs)
    } finally {
      await this.#traffic.close()
      this.#history.close()
    }
  }

  async #drained(withinMs: number): Promise<void> {
    const endMs = systemClock.monotonicMs() + withinMs
    for (;;) {
      const ends = await this.#admin.topicStats(TOPIC)
      const missing = ends.reduce((sum, { minOffset, maxOffset }) => sum + maxOffset - minOffset, 0) - this.delivered
      if (missing <= 0) return
      if (systemClock.monotonicMs() > endMs) {
        throw new Error(`the consumer was not given ${missing} messages, ${withinMs} ms after the last one was sent`)
      }
      await sleep(systemClock, LOOK_EVERY_MS)
    }
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
