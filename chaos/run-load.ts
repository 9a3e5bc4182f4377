/** The load of a scenario: messages that can be told apart, a record of each outcome, and how long nothing came. */
import { Admin, Producer, PushConsumer } from '../src/client/index.ts'
import { sleep, systemClock } from '../src/lib/clock.ts'
import { GapMeter } from '../src/load/gap.ts'
import { historyWriter, type HistoryWriter } from '../src/load/history.ts'
import { SendLoad, type SendReport } from '../src/load/send-load.ts'
import { Workload } from '../src/load/workload.ts'

export interface RunLoadRequest {
  readonly namesrv: string
  readonly run: string
  readonly ratePerSecond: number
  readonly historyPath: string
}

export const TOPIC = 'chaos'
const BODY_BYTES = 128
const PRODUCERS = 2
const IN_FLIGHT = 1024
const LIVE_GROUP = 'chaos_live'
const LOOK_EVERY_MS = 10
/** A consumer that was given nothing for so long has all there is. */
const SILENCE_MS = 3_000

export class RunLoad {
  readonly #request: RunLoadRequest
  readonly #history: HistoryWriter
  readonly #producers: readonly Producer[]
  readonly #consumer: PushConsumer
  readonly #admin: Admin
  readonly #gap = new GapMeter()
  readonly #deliveries = new GapMeter()
  /** Acknowledgements in each tenth of a second since the start. */
  readonly timeline: number[] = []
  readonly notes: { readonly atMs: number; readonly text: string }[] = []
  readonly #startMs = systemClock.monotonicMs()
  /** The group's offsets as seen last: they never go back. */
  readonly #offsets = new Map<string, number>()
  readonly #topics: string[] = []
  #load: SendLoad | undefined
  #acknowledged = 0
  #delivered = 0

  constructor(request: RunLoadRequest) {
    const { namesrv, historyPath } = request
    this.#request = request
    this.#history = historyWriter(historyPath)
    this.#producers = Array.from({ length: PRODUCERS }, () => new Producer({ namesrv, group: 'chaos' }))
    this.#consumer = new PushConsumer({ namesrv, group: LIVE_GROUP, from: 'first' }).subscribe(TOPIC)
    this.#admin = new Admin({ namesrv })
  }

  get acknowledged(): number {
    return this.#acknowledged
  }

  get delivered(): number {
    return this.#delivered
  }

  async start(): Promise<void> {
    const { run, ratePerSecond } = this.#request
    await this.#admin.createTopic({ topic: TOPIC, queues: 4 })
    await Promise.all(this.#producers.map((producer) => producer.start()))
    const workload = this.#workload(this.#history)
    await this.#consumer.run(() => {
      this.#delivered += 1
      this.#deliveries.mark(systemClock.monotonicMs())
    })
    this.#load = new SendLoad({
      clock: systemClock,
      producers: this.#producers,
      inFlight: IN_FLIGHT,
      ratePerSecond,
      message: (who, sequence) => workload.message(who, sequence),
      onOutcome: (who, sequence, error, result) => {
        workload.outcome(who, sequence, error, result)
        if (error === undefined) this.#took()
      },
    })
    void run
  }

  note(text: string): void {
    const atMs = systemClock.monotonicMs()
    this.#history.append({ type: 'note', atMs, text })
    this.#history.flush()
    this.notes.push({ atMs: atMs - this.#startMs, text })
  }

  /** From now on gaps are measured anew. */
  resetGaps(): void {
    this.#gap.reset(systemClock.monotonicMs())
    this.#deliveries.reset(systemClock.monotonicMs())
  }

  get gaps(): { readonly sendsMs: number; readonly deliveriesMs: number } {
    const nowMs = systemClock.monotonicMs()
    return {
      sendsMs: Math.round(this.#gap.longest(nowMs).lengthMs),
      deliveriesMs: Math.round(this.#deliveries.longest(nowMs).lengthMs),
    }
  }

  /** Resolves once `count` more messages were acknowledged; rejects when that takes longer than `withinMs`. */
  async more(count: number, withinMs: number): Promise<void> {
    const goal = this.#acknowledged + count
    const endMs = systemClock.monotonicMs() + withinMs
    while (this.#acknowledged < goal) {
      if (systemClock.monotonicMs() > endMs) {
        throw new Error(`${goal - this.#acknowledged} of ${count} messages were not acknowledged in ${withinMs} ms`)
      }
      await sleep(systemClock, LOOK_EVERY_MS)
    }
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

  /** Stops sending, and waits until what is in flight is decided. */
  async stop(): Promise<SendReport | undefined> {
    await this.#load?.stop()
    const report = this.#load?.report()
    await this.#consumer.close()
    await Promise.all(this.#producers.map((producer) => producer.close()))
    this.#history.close()
    return report
  }

  /** Reads the topic from its start with a group of its own; what it sees goes to `path`. */
  async readAll(path: string): Promise<number> {
    const { namesrv, run } = this.#request
    const history = historyWriter(path)
    const workload = this.#workload(history)
    const consumer = new PushConsumer({ namesrv, group: `chaos_${run}`, from: 'first' }).subscribe(TOPIC)
    let lastMs = systemClock.monotonicMs() + SILENCE_MS
    let count = 0
    await consumer.run((message) => {
      count += 1
      lastMs = systemClock.monotonicMs()
      workload.received('the consumer', message)
    })
    while (systemClock.monotonicMs() - lastMs < SILENCE_MS) await sleep(systemClock, LOOK_EVERY_MS)
    await consumer.close()
    history.close()
    return count
  }

  close(): void {
    this.#admin.close()
  }

  #workload(history: HistoryWriter): Workload {
    return new Workload({
      clock: systemClock,
      run: this.#request.run,
      topic: TOPIC,
      bodyBytes: BODY_BYTES,
      history,
    })
  }

  #took(): void {
    const nowMs = systemClock.monotonicMs()
    this.#acknowledged += 1
    this.#gap.mark(nowMs)
    const slot = Math.floor((nowMs - this.#startMs) / 100)
    while (this.timeline.length <= slot) this.timeline.push(0)
    this.timeline[slot] = (this.timeline[slot] ?? 0) + 1
  }
}
