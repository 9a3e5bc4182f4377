/**
 * A steady load that is told apart afterwards: every outcome goes to a history, what was done meanwhile as notes, and the
 * longest silence between acknowledgements is measured. For whoever breaks something under load.
 */
import { type MessageQueue, Producer } from '../client/index.ts'
import { present } from '../lib/assert.ts'
import { type Clock, sleep } from '../lib/clock.ts'
import { type Gap, GapMeter } from './gap.ts'
import type { HistoryWriter } from './history.ts'
import { SendLoad, type SendLoadNeeds, type SendReport } from './send-load.ts'
import { Workload } from './workload.ts'

export interface RecordedLoadNeeds {
  readonly clock: Clock
  readonly namesrv: string
  /** It exists. */
  readonly topic: string
  /** Sets this run's messages apart from those of others. */
  readonly run: string
  readonly ratePerSecond: number
  /** Each gets a producer of its own too, which sends a message when the one before was decided. */
  readonly orderedQueues?: readonly MessageQueue[]
  /** Closed with the load. */
  readonly history: HistoryWriter
}

export interface Note {
  /** Since the load was made. */
  readonly atMs: number
  readonly text: string
}

/** Of every message. */
export const BODY_BYTES = 128
const PRODUCERS = 2
const IN_FLIGHT = 1024
/** Numbers of the producers that send in order, for the queues as they were given. */
const FIRST_ORDERED = 100
const ORDERED_PER_SECOND = 100
const LOOK_EVERY_MS = 10
const SLOT_MS = 100

/** Which producers send in order, for `checkHistory`. */
export const wasOrdered = (producer: number): boolean => producer >= FIRST_ORDERED

export class RecordedLoad {
  /** Acknowledgements in each tenth of a second since the load was made. */
  readonly timeline: number[] = []
  readonly notes: Note[] = []
  readonly #need: RecordedLoadNeeds
  readonly #producers: readonly Producer[]
  readonly #gap = new GapMeter()
  readonly #startMs: number
  #loads: readonly SendLoad[] = []
  #acknowledged = 0

  constructor(need: RecordedLoadNeeds) {
    const { clock, namesrv } = need
    this.#need = need
    this.#producers = Array.from({ length: PRODUCERS }, () => new Producer({ namesrv, group: 'recorded', clock }))
    this.#startMs = clock.monotonicMs()
  }

  get acknowledged(): number {
    return this.#acknowledged
  }

  async start(): Promise<void> {
    const { clock, ratePerSecond, run, topic, history, orderedQueues = [] } = this.#need
    await Promise.all(this.#producers.map((producer) => producer.start()))
    const queueOf = (producer: number): MessageQueue | undefined => orderedQueues[producer - FIRST_ORDERED]
    const workload = new Workload({ clock, run, topic, bodyBytes: BODY_BYTES, history, queueOf })
    const start = (from: number, how: Pick<SendLoadNeeds, 'producers' | 'inFlight' | 'ratePerSecond'>): SendLoad =>
      new SendLoad({
        ...how,
        clock,
        message: (who, sequence) => workload.message(from + who, sequence),
        onOutcome: (who, sequence, error, result) => {
          workload.outcome(from + who, sequence, error, result)
          if (error === undefined) this.#took()
        },
      })
    const inOrder = orderedQueues.map((_, at) => present(this.#producers[at % PRODUCERS], 'a producer'))
    this.#loads = [
      start(0, { producers: this.#producers, inFlight: IN_FLIGHT, ratePerSecond }),
      ...(inOrder.length === 0
        ? []
        : [start(FIRST_ORDERED, { producers: inOrder, inFlight: 1, ratePerSecond: ORDERED_PER_SECOND })]),
    ]
  }

  /** Something was done: a line in the history, at this moment. */
  note(text: string): void {
    const { clock, history } = this.#need
    const atMs = clock.monotonicMs()
    history.append({ type: 'note', atMs, text })
    history.flush()
    this.notes.push({ atMs: atMs - this.#startMs, text })
  }

  /** From now on gaps are measured anew. */
  resetGap(): void {
    this.#gap.reset(this.#need.clock.monotonicMs())
  }

  /** The longest silence since. */
  get gap(): Gap {
    return this.#gap.longest(this.#need.clock.monotonicMs())
  }

  /** Resolves once `count` more messages were acknowledged; rejects when that takes longer than `withinMs`, or at `signal`. */
  more(count: number, withinMs: number, signal?: AbortSignal): Promise<void> {
    const { clock } = this.#need
    return soMany({ clock, count, withinMs, done: 'acknowledged', now: () => this.#acknowledged, signal })
  }

  /** Stops sending, waits until what is in flight is decided, and closes the history. Undefined: it never started. */
  async stop(): Promise<Pick<SendReport, 'acknowledged' | 'failed' | 'undecided'> | undefined> {
    await Promise.all(this.#loads.map((load) => load.stop()))
    const reports = this.#loads.map((load) => load.report())
    await Promise.all(this.#producers.map((producer) => producer.close()))
    this.#need.history.close()
    if (reports.length === 0) return undefined
    const sum = (what: 'acknowledged' | 'failed' | 'undecided'): number =>
      reports.reduce((all, one) => all + one[what], 0)
    return { acknowledged: sum('acknowledged'), failed: sum('failed'), undecided: sum('undecided') }
  }

  #took(): void {
    const nowMs = this.#need.clock.monotonicMs()
    this.#acknowledged += 1
    this.#gap.mark(nowMs)
    const slot = Math.floor((nowMs - this.#startMs) / SLOT_MS)
    while (this.timeline.length <= slot) this.timeline.push(0)
    this.timeline[slot] = (this.timeline[slot] ?? 0) + 1
  }
}

/** Resolves once `now` has risen by `count`; rejects when that takes longer than `withinMs`, or at `signal`. */
export async function soMany(need: {
  readonly clock: Clock
  readonly count: number
  readonly withinMs: number
  /** For people: what is counted. */
  readonly done: string
  readonly now: () => number
  readonly signal?: AbortSignal | undefined
}): Promise<void> {
  const { clock, count, withinMs, done, now, signal } = need
  const goal = now() + count
  const endMs = clock.monotonicMs() + withinMs
  while (now() < goal) {
    if (clock.monotonicMs() > endMs) {
      throw new Error(`${goal - now()} of ${count} messages were not ${done} in ${withinMs} ms`)
    }
    await sleep(clock, LOOK_EVERY_MS, signal)
  }
}
