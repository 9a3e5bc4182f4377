import { expect, test } from 'vitest'
import { isClockMessage, SkewedClock } from '../../src/faults/skewed-clock.ts'
import { systemClock } from '../../src/lib/clock.ts'

const HOUR_MS = 3_600_000

/** What the clock shows, between two looks at the system's own. */
function wrongBy(clock: SkewedClock): number {
  const beforeMs = systemClock.nowMs()
  const shownMs = clock.nowMs()
  expect(systemClock.nowMs() - beforeMs).toBeLessThan(HOUR_MS)
  return Math.round((shownMs - beforeMs) / HOUR_MS)
}

test('a clock is wrong by what it was told last, and right before that', () => {
  const clock = new SkewedClock()
  expect(wrongBy(clock)).toBe(0)
  clock.set(-2 * HOUR_MS)
  expect(wrongBy(clock)).toBe(-2)
  clock.set(HOUR_MS)
  expect(wrongBy(clock)).toBe(1)
})

test('timeouts stand on a time that nobody sets', () => {
  const clock = new SkewedClock()
  const beforeMs = clock.monotonicMs()
  clock.set(HOUR_MS)
  expect(clock.monotonicMs() - beforeMs).toBeLessThan(HOUR_MS)
})

test('a message of another kind sets no clock', () => {
  expect([{ type: 'clock', wrongByMs: 1 }, { type: 'disk' }, null, 'clock'].map(isClockMessage)).toEqual([
    true,
    false,
    false,
    false,
  ])
})
