import { mkdtempSync, rmSync, appendFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { GapMeter } from '../../src/load/gap.ts'
import { historyWriter, readHistory } from '../../src/load/history.ts'
import { LatencyMeter } from '../../src/load/latency.ts'
import { closedLoop, openLoop } from '../../src/load/rate.ts'
import { ManualClock } from '../support/manual-clock.ts'

describe('GapMeter', () => {
  test('knows the longest silence and when it began', () => {
    const meter = new GapMeter()
    for (const at of [10, 20, 120, 130]) meter.mark(at)
    expect(meter.longest(140)).toEqual({ lengthMs: 100, startMs: 20 })
  })
  test('counts a silence that has not ended', () => {
    const meter = new GapMeter(0)
    meter.mark(5)
    expect(meter.longest(2_000)).toEqual({ lengthMs: 1_995, startMs: 5 })
  })
  test('starts anew when it is reset', () => {
    const meter = new GapMeter(0)
    meter.mark(500)
    meter.reset(600)
    meter.mark(610)
    expect(meter.longest(610)).toEqual({ lengthMs: 10, startMs: 600 })
  })
})

describe('LatencyMeter', () => {
  test('sums up in milliseconds', () => {
    const meter = new LatencyMeter()
    for (let n = 1; n <= 1_000; n++) meter.record(n)
    const { p50, p99, p999, max } = meter.summary()
    expect(p50).toBeCloseTo(500, -1)
    expect(p99).toBeCloseTo(990, -1)
    expect(p999).toBeCloseTo(999, -1)
    expect(max).toBeCloseTo(1_000, -1)
  })
  test('is all zeros when empty', () => {
    expect(new LatencyMeter().summary()).toEqual({ p50: 0, p99: 0, p999: 0, max: 0 })
  })
})

describe('closedLoop', () => {
  test('keeps as many in flight as asked for and starts the next when one ends', async () => {
    const clock = new ManualClock()
    const open: (() => void)[] = []
    const loop = closedLoop({ clock, inFlight: 3, start: (_sequence, _dueMs, done) => open.push(done) })
    clock.turn()
    expect(open).toHaveLength(3)
    open.shift()?.()
    expect(loop.started).toBe(4)
    const stopped = loop.stop()
    for (const done of open) done()
    await stopped
    expect(loop).toMatchObject({ started: 4, inFlight: 0 })
  })

  test('does not recurse when pieces end in their own call, and ends after its total', async () => {
    const clock = new ManualClock()
    const loop = closedLoop({ clock, inFlight: 2, total: 100_000, start: (_sequence, _dueMs, done) => done() })
    clock.turn()
    await loop.stop()
    expect(loop.started).toBe(100_000)
  })
})

describe('openLoop', () => {
  test('starts pieces at their times, whether earlier ones ended or not', () => {
    const clock = new ManualClock()
    const dueTimes: number[] = []
    openLoop({ clock, ratePerSecond: 1_000, maxInFlight: 100, start: (_sequence, dueMs) => dueTimes.push(dueMs) })
    clock.advance(5)
    expect(dueTimes).toEqual([0, 1, 2, 3, 4, 5])
  })

  test('counts the time a piece waited for its turn, so that a stall is not omitted', () => {
    const clock = new ManualClock()
    const meter = new LatencyMeter()
    const open: (() => void)[] = []
    openLoop({
      clock,
      ratePerSecond: 1_000,
      maxInFlight: 1,
      start: (_sequence, dueMs, done) =>
        open.push(() => {
          meter.record(clock.monotonicMs() - dueMs)
          done()
        }),
    })
    clock.advance(1_000)
    for (let n = 0; n < 500; n++) {
      open.shift()?.()
      clock.advance(1)
    }
    expect(meter.summary().p50).toBeGreaterThan(900)
  })
})

describe('a history', () => {
  test('is read back as it was written, without the line a crash cut off', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'history-'))
    try {
      const path = join(folder, 'run.ndjson')
      const writer = historyWriter(path)
      writer.append({ type: 'sent', atMs: 1, producer: 0, sequence: 0 })
      writer.append({ type: 'note', atMs: 2, text: 'kill n0' })
      writer.close()
      appendFileSync(path, '{"type":"sent","atMs":3,"prod')
      const events = []
      for await (const event of readHistory(path)) events.push(event)
      expect(events.map((event) => event.type)).toEqual(['sent', 'note'])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
