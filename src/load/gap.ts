/** The longest silence between two marks: how long a failover was felt. */
export interface Gap {
  readonly lengthMs: number
  /** When it began, on the caller's clock. */
  readonly startMs: number
}

export class GapMeter {
  #lastMs: number | undefined
  #longest: Gap = { lengthMs: 0, startMs: 0 }

  /** `startMs`: the silence before the first mark counts, too. Without it measuring begins at the first mark. */
  constructor(startMs?: number) {
    this.#lastMs = startMs
  }

  /** Something arrived. Times never go back. */
  mark(nowMs: number): void {
    if (this.#lastMs !== undefined && nowMs - this.#lastMs > this.#longest.lengthMs) {
      this.#longest = { lengthMs: nowMs - this.#lastMs, startMs: this.#lastMs }
    }
    this.#lastMs = nowMs
  }

  /** The longest gap so far, an open one up to `nowMs` included. */
  longest(nowMs: number): Gap {
    const open = this.#lastMs === undefined ? 0 : nowMs - this.#lastMs
    return open > this.#longest.lengthMs ? { lengthMs: open, startMs: this.#lastMs ?? nowMs } : this.#longest
  }

  /** Forgets what was measured and begins anew at `nowMs`. */
  reset(nowMs: number): void {
    this.#lastMs = nowMs
    this.#longest = { lengthMs: 0, startMs: nowMs }
  }
}
