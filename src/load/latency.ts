/** Latencies in a histogram of fixed size (HDR, three digits), in microseconds inside, milliseconds outside. */
import { createHistogram } from 'node:perf_hooks'

export interface LatencySummary {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** An hour: what takes longer counts as an hour. */
const HIGHEST_US = 3_600_000_000

export class LatencyMeter {
  readonly #histogram = createHistogram({ lowest: 1, highest: HIGHEST_US, figures: 3 })

  get count(): number {
    return this.#histogram.count
  }

  record(milliseconds: number): void {
    this.#histogram.record(Math.min(HIGHEST_US, Math.max(1, Math.round(milliseconds * 1_000))))
  }

  /** Milliseconds, zeros when nothing was recorded. */
  summary(): LatencySummary {
    if (this.count === 0) return { p50: 0, p99: 0, p999: 0, max: 0 }
    const at = (percentile: number): number => this.#histogram.percentile(percentile) / 1_000
    return { p50: at(50), p99: at(99), p999: at(99.9), max: this.#histogram.max / 1_000 }
  }

  reset(): void {
    this.#histogram.reset()
  }
}
