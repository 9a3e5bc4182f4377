import type { Driver, DriverOptions } from './driver.ts'
import type { Target } from './target.ts'

export interface Context {
  readonly target: Target
  /** A JVM with the stock client; closed when the scenario ends. */
  driver(options: Omit<DriverOptions, 'namesrv'>): Promise<Driver>
  /** A topic or group name no other scenario and no earlier run uses. */
  name(stem: string): string
  /** Something worth reading in the report: a measured gap, a rate. */
  note(text: string): void
}

export interface Scenario {
  readonly name: string
  /** Why it cannot be run against this target or on this machine; undefined where it can. */
  readonly skip?: (target: Target) => string | undefined
  readonly timeoutMs?: number
  run(context: Context): Promise<void>
}

/**
 * Waits until `holds`, asking ten times a second; the message says what was there instead. A stock client asks for a
 * route that it did not find again after 30 s, so less than that is too little.
 */
export async function until(
  what: string,
  holds: () => boolean,
  found: () => unknown,
  timeoutMs = 45_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!holds()) {
    if (performance.now() > deadline)
      throw new Error(`waited ${timeoutMs} ms for ${what}; found ${JSON.stringify(found())}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

export async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms))
}

/** The longest silence in milliseconds between neighbouring times. */
export function longestGap(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted.reduce((longest, time, i) => Math.max(longest, time - (sorted[i - 1] ?? time)), 0)
}
