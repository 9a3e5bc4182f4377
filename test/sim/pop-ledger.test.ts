import { expect, test } from 'vitest'
import { PopLedger } from '../../sim/node/features/pop-ledger.ts'

const from = (fromMs: number) => ({ fromMs, untilMs: fromMs + 1500 })
const always = (): boolean => true

test('a message that is popped again while it is held is a violation, and none once its time is over', () => {
  const ledger = new PopLedger()
  ledger.popped('p1', 0, from(10))
  ledger.popped('p1', 1400, from(1510))
  expect(ledger.broken(always)).toBeUndefined()
  ledger.popped('p1', 1500, from(2000))
  expect(ledger.broken(always)).toMatch('p1 is popped at 2000, and is held from 1510')
  expect(ledger.broken(() => false)).toBeUndefined()
})

test('whoever keeps a message for longer keeps it from the others, if it asks in time', () => {
  const ledger = new PopLedger()
  ledger.popped('p1', 0, from(10))
  ledger.extended('p1', from(10), from(1000), 1100)
  ledger.popped('p1', 1600, from(1700))
  expect(ledger.broken(always)).toMatch('p1 is popped at 1700, and is held from 1000')
  const late = new PopLedger()
  late.popped('p1', 0, from(10))
  const held = late.extended('p1', from(10), from(1600), 1650)
  late.popped('p1', 1600, from(1700))
  late.acknowledged('p1', held, 1750)
  late.popped('p1', 3200, from(3250))
  expect(late.broken(always)).toBeUndefined()
})

test('what was acknowledged in time does not come to whoever asks later', () => {
  const ledger = new PopLedger()
  ledger.popped('p1', 0, from(10))
  expect(ledger.mayBeDone('p1')).toBe(false)
  ledger.acknowledging('p1')
  expect(ledger.mayBeDone('p1')).toBe(true)
  ledger.acknowledged('p1', from(10), 500)
  ledger.popped('p1', 400, from(1600))
  expect(ledger.broken(always)).toBeUndefined()
  ledger.popped('p1', 600, from(3200))
  expect(ledger.broken(always)).toMatch('p1 is popped at 3200, and was acknowledged at 500')
})
