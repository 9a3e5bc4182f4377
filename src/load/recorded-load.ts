/**
 * A steady load that is told apart afterwards: every outcome goes to a history, what was done meanwhile as notes, and the
 * longest silence between acknowledgements is measured. For whoever breaks something under load.
 */
import { Producer } from '../client/index.ts'
import { type Clock, sleep } from '../lib/clock.ts'
import { type Gap, GapMeter } from './gap.ts'
import type { HistoryWriter } from './history.ts'
import { SendLoad, type SendReport } from './send-load.ts'
import { Workload } from './workload.ts'

export interface RecordedLoadNeeds {
  readonly clock: Clock
  readonly namesrv: string
  /** It exists. */
  readonly topic: string
  /** Sets this run's messages apart from those of others. */
  readonly run: string
  readonly ratePerSecond: number
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
const LOOK_EVERY_MS = 10
const SLOT_MS = 100

export class RecordedLoad {
  /** Acknowledgements in each tenth of a second since the load was made. */
  readonly timeline: number[] = []
  readonly notes: Note[] = []
  readonly #need: RecordedLoadNeeds
  readonly #producers: readonly Producer[]
  readonly #gap = new GapMeter()
  readonly #startMs: number
  #load: SendLoad | undefined
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
    const { clock, ratePerSecond, run, topic, history } = this.#need
    await Promise.all(this.#producers.map((producer) => producer.start()))
    const workload = new Workload({ clock, run, topic, bodyBytes: BODY_BYTES, history })
    this.#load = new SendLoad({
      clock,
      producers: this.#producers,
      inFlight: IN_FLIGHT,
      ratePerSecond,
      message: (who, sequence) => workload.message(who, sequence),
      onOutcome: (who, sequence, error, result) => {
        workload.outcome(who, sequence, error, result)
        if (error === undefined) this.#took()
      },
    })
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
  async more(count: number, withinMs: number, signal?: AbortSignal): Promise<void> {
    const { clock } = this.#need
    const goal = this.#acknowledged + count
    const endMs = clock.monotonicMs() + withinMs
    while (this.#acknowledged < goal) {
      if (clock.monotonicMs() > endMs) {
        throw new Error(`${goal - this.#acknowledged} of ${count} messages were not acknowledged in ${withinMs} ms`)
      }
      await sleep(clock, LOOK_EVERY_MS, signal)
    }
  }

  /** Stops sending, waits until what is in flight is decided, and closes the history. Undefined: it never started. */
  async stop(): Promise<SendReport | undefined> {
    await this.#load?.stop()
    const report = this.#load?.report()
    await Promise.all(this.#producers.map((producer) => producer.close()))
    this.#need.history.close()
    return report
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
