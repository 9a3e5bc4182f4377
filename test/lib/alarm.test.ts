import { expect, test } from 'vitest'
import { Alarm } from '../../src/lib/alarm.ts'
import { ManualClock } from '../support/manual-clock.ts'

function setup(): { readonly clock: ManualClock; readonly alarm: Alarm; readonly rings: number[] } {
  const clock = new ManualClock()
  const rings: number[] = []
  return { clock, alarm: new Alarm(clock, () => rings.push(clock.monotonicMs())), rings }
}

test('an alarm rings for the earliest of what was asked for, once', () => {
  const { clock, alarm, rings } = setup()
  for (const dueMs of [300, 100, 200]) alarm.before(dueMs)
  clock.advance(1_000)
  expect(rings).toEqual([100])
})

test('an alarm that rang is asked anew; for what is due already it rings at once', () => {
  const { clock, alarm, rings } = setup()
  alarm.before(100)
  clock.advance(500)
  alarm.before(200)
  clock.advance(0)
  alarm.before(600)
  clock.advance(500)
  expect(rings).toEqual([100, 500, 600])
})

test('an alarm that is cancelled does not ring', () => {
  const { clock, alarm, rings } = setup()
  alarm.before(100)
  alarm.cancel()
  clock.advance(1_000)
  expect(rings).toEqual([])
})
