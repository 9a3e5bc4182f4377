/** What a load that is told apart afterwards left so far: acknowledgements over time, the longest silence, notes. */
import { type Clock, sleep } from '../lib/clock.ts'
import { type Gap, GapMeter } from './gap.ts'
import type { HistoryWriter } from './history.ts'

export interface Note {
  /** Since the record was made. */
  readonly atMs: number
  readonly text: string
}

const LOOK_EVERY_MS = 10
const SLOT_MS = 100

export class LoadRecord {
  /** Acknowledgements in each tenth of a second since the record was made. */
  readonly timeline: number[] = []
  readonly notes: Note[] = []
  readonly #clock: Clock
  readonly #history: HistoryWriter
  readonly #gap = new GapMeter()
  readonly #startMs: number
  #acknowledged = 0

  constructor(clock: Clock, history: HistoryWriter) {
    this.#clock = clock
    this.#history = history
    this.#startMs = clock.monotonicMs()
  }

  get acknowledged(): number {
    return this.#acknowledged
  }

  /** A message was acknowledged at `atMs` of the clock; times never go back. */
  took(atMs: number): void {
    this.#acknowledged += 1
    this.#gap.mark(atMs)
    const slot = Math.max(0, Math.floor((atMs - this.#startMs) / SLOT_MS))
    while (this.timeline.length <= slot) this.timeline.push(0)
    this.timeline[slot] = (this.timeline[slot] ?? 0) + 1
  }

  /** Something was done: a line in the history, at this moment. */
  note(text: string): void {
    const atMs = this.#clock.monotonicMs()
    this.#history.append({ type: 'note', atMs, text })
    this.#history.flush()
    this.notes.push({ atMs: atMs - this.#startMs, text })
  }

  /** From now on gaps are measured anew. */
  resetGap(): void {
    this.#gap.reset(this.#clock.monotonicMs())
  }

  /** The longest silence since. */
  get gap(): Gap {
    return this.#gap.longest(this.#clock.monotonicMs())
  }

  /** Resolves once `count` more messages were acknowledged; rejects when that takes longer than `withinMs`, or at `signal`. */
  more(count: number, withinMs: number, signal?: AbortSignal): Promise<void> {
    const now = (): number => this.#acknowledged
    return soMany({ clock: this.#clock, count, withinMs, done: 'acknowledged', now, signal })
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
