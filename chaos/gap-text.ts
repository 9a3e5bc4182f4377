import { percentile } from '../src/report/statistics.ts'

/** Gaps as a text: what half of them, 99 of 100, and all do not exceed, in ms. */
export function gapText(gapsMs: readonly number[]): string {
  return gapsMs.length === 0 ? '–' : [0.5, 0.99, 1].map((share) => percentile(gapsMs, share)).join(' / ')
}
