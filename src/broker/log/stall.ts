/** Looking at what is late, in a process that now and then stands still. */
import type { Clock, Timer } from '../../lib/clock.ts'

/** Calls so many periods apart: the process stood still between them. */
const STALL_PERIODS = 3

/**
 * As `clock.every`, but for the first call after the process stood still: what ended meanwhile has not been read yet, and
 * nothing counts as late before it is. Two such calls in a row are a busy process, and the second one is made.
 */
export function everyUnlessStalled(clock: Clock, periodMs: number, run: () => void): Timer {
  let lastMs = clock.monotonicMs()
  let wasStalled = false
  return clock.every(periodMs, () => {
    const nowMs = clock.monotonicMs()
    wasStalled = nowMs - lastMs > STALL_PERIODS * periodMs && !wasStalled
    lastMs = nowMs
    if (!wasStalled) run()
  })
}
