import { expect, test } from 'vitest'
import { type FaultSeen, outcomesOf, unexplained } from '../../src/compare/outcomes.ts'
import { TIMELINE } from '../../src/compare/results.ts'
import type { HistoryEvent } from '../../src/load/history.ts'

const acknowledged = (sequence: number, atMs: number): HistoryEvent => ({
  type: 'acknowledged',
  atMs,
  producer: 0,
  sequence,
  queue: 'T@broker-a@0',
  queueOffset: sequence,
  mayBeTwice: false,
})
const named = (sequence: number) => ({ producer: 0, sequence })
const fault = (atMs: number, startMs: number, lengthMs: number): FaultSeen => ({
  atMs,
  gap: { startMs, lengthMs },
  declared: [],
})

test('a lost message belongs to the fault that it may have been lost by', () => {
  const events = [100, 900, 990, 1_010, 1_400, 2_600, 2_990, 3_500].map((atMs, at) => acknowledged(at, atMs))
  // The acknowledgement at 1,010 was on its way when the leader died at 1,000: the silence begins behind it.
  const faults = [fault(1_000, 1_010, 390), fault(3_000, 2_990, 510)]
  const lost = [2, 3, 6].map(named)
  const [first, second] = outcomesOf({ events, lost, faults, windowMs: 500 })
  expect(first).toMatchObject({ gapMs: 390, acknowledged: 4, lost: 2, oldestLostMs: 10, atRisk: 3 })
  expect(second).toMatchObject({ gapMs: 510, acknowledged: 3, lost: 1, oldestLostMs: 10, atRisk: 2 })
  expect(unexplained({ events, lost, faults })).toBe(0)
})

test('what was lost long before a fault shows how old it was', () => {
  const events = [acknowledged(0, 100), acknowledged(1, 2_000)]
  const [only] = outcomesOf({ events, lost: [named(0)], faults: [fault(2_100, 2_000, 300)], windowMs: 1_000 })
  expect(only).toMatchObject({ lost: 1, oldestLostMs: 2_000, atRisk: 1 })
})

test('a loss that no fault explains is counted by itself', () => {
  const events = [acknowledged(0, 100), acknowledged(1, 2_000)]
  const faults = [fault(500, 500, 300)]
  expect(unexplained({ events, lost: [named(1)], faults })).toBe(1)
  expect(unexplained({ events, lost: [named(1)], faults: [] })).toBe(1)
})

test('the timeline has the acknowledgements around the fault, up to the next one', () => {
  const { fromMs, stepMs } = TIMELINE
  const events = [1_000 + fromMs - 1, 1_000 + fromMs, 1_000, 1_000 + stepMs - 1, 90_000].map((atMs, at) =>
    acknowledged(at, atMs),
  )
  const [only] = outcomesOf({ events, lost: [], faults: [fault(1_000, 1_000, 1)], windowMs: 0 })
  const filled = [...(only?.timeline.entries() ?? [])].filter(([, count]) => count > 0)
  expect(only?.timeline).toHaveLength((TIMELINE.toMs - fromMs) / stepMs)
  expect(filled).toEqual([
    [0, 1],
    [-fromMs / stepMs, 2],
  ])
  const faults = [fault(1_000, 1_000, 1), fault(2_020, 2_000, 1)]
  const [first] = outcomesOf({ events, lost: [], faults, windowMs: 0 })
  expect(first?.timeline).toHaveLength((1_000 - fromMs) / stepMs)
})
