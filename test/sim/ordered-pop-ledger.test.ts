import { expect, test } from 'vitest'
import { type Batch, OrderedPopLedger } from '../../sim/node/features/ordered-pop-ledger.ts'

const HELD_MS = 1500
const none = (): boolean => false

/** Popped at `fromMs`, and answered at once. */
function batch(fromMs: number, ...offsets: readonly number[]): Batch {
  const untilMs = fromMs + HELD_MS
  const taken = offsets.map((queueOffset) => ({ queueOffset, untilMs, askedDoneMs: Infinity, doneMs: Infinity }))
  return { fromMs, askedMs: fromMs, answeredMs: fromMs, taken }
}

function done(ledger: OrderedPopLedger, { taken }: Batch, nowMs: number): void {
  for (const one of taken) {
    ledger.acknowledging(one, nowMs)
    ledger.acknowledged(one, nowMs)
  }
}

test('while one of a queue is held nothing else of it is popped', () => {
  const ledger = new OrderedPopLedger()
  const first = batch(0, 0, 1)
  ledger.popped(first)
  ledger.popped(batch(1400, 2))
  expect(ledger.broken(none)).toBe('2 is popped at 1400, and 0 is held from 0 to 1500')
})

test('once all are acknowledged, or their time is over, the queue goes on', () => {
  const ledger = new OrderedPopLedger()
  const first = batch(0, 0, 1)
  ledger.popped(first)
  done(ledger, first, 100)
  ledger.popped(batch(200, 2))
  ledger.popped(batch(1800, 2))
  expect(ledger.broken(none)).toBeUndefined()
})

test('nothing is passed over that was stored before and is not acknowledged', () => {
  const ledger = new OrderedPopLedger()
  ledger.stored({ id: 'o1', queueOffset: 0, ackedMs: 10 })
  ledger.popped(batch(20, 1))
  expect(ledger.broken(none)).toBe('1 is popped at 20, and 0 before it is not acknowledged')
  expect(ledger.broken((id) => id === 'o1')).toBeUndefined()
})

test('what was acknowledged in time does not come again', () => {
  const ledger = new OrderedPopLedger()
  const first = batch(0, 0)
  ledger.popped(first)
  done(ledger, first, 100)
  ledger.popped(batch(1600, 0))
  expect(ledger.broken(none)).toBe('0 is popped after 1600, and was acknowledged at 100')
  const late = new OrderedPopLedger()
  const second = batch(0, 0)
  late.popped(second)
  done(late, second, 1600)
  late.popped(batch(1700, 0))
  expect(late.broken(none)).toBeUndefined()
})
