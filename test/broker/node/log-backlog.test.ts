/** The rule by which sends are refused, on a modelled log: one flush in flight that carries all that came before it. */
import { describe, expect, test } from 'vitest'
import { LogBacklog } from '../../../src/broker/log/log-backlog.ts'

const RECORD_BYTES = 350
const WAIT_MS = 200

interface Record {
  readonly arrivedMs: number
  loggedMs: number
}

interface Seen {
  stored: number
  refused: number
  /** Refused after they had waited in the queue. */
  late: number
  /** How long the last of those waited. */
  lateMs: number
  longestMs: number
}

/** Arrivals, queue, log and disk in steps of a millisecond. */
class Model {
  readonly backlog = new LogBacklog(WAIT_MS)
  /** What the disk writes in a second, and what each flush takes beside. */
  bytesPerSecond: number
  flushMs: number
  nowMs = 0
  #queue: Record[] = []
  #log: Record[] = []
  #flush: { readonly count: number; readonly endMs: number } | undefined
  #seen: Seen = nothing()

  constructor(disk: { readonly bytesPerSecond: number; readonly flushMs: number }) {
    this.bytesPerSecond = disk.bytesPerSecond
    this.flushMs = disk.flushMs
  }

  get waiting(): number {
    return this.#queue.length + this.#log.length
  }

  /** Runs for `ms` with so many arrivals a second, or with so many kept in flight; tells what it saw meanwhile. */
  run(ms: number, load: { readonly perSecond?: number; readonly inFlight?: number }): Seen {
    this.#seen = nothing()
    let due = 0
    for (const endMs = this.nowMs + ms; this.nowMs < endMs; this.nowMs++) {
      due += (load.perSecond ?? 0) / 1_000
      for (; due >= 1; due--) this.#arrive()
      for (let missing = (load.inFlight ?? 0) - this.waiting; missing > 0; missing--) this.#arrive()
      this.#finish()
      this.#expire()
      this.#propose()
      this.#begin()
    }
    return this.#seen
  }

  #arrive(): void {
    if (!this.backlog.admits(RECORD_BYTES, this.nowMs)) {
      this.#seen.refused++
      return
    }
    this.backlog.queued(RECORD_BYTES, this.nowMs)
    this.#queue.push({ arrivedMs: this.nowMs, loggedMs: 0 })
  }

  #expire(): void {
    this.backlog.look(this.nowMs)
    for (;;) {
      const waitedMs = this.nowMs - (this.#queue[0]?.arrivedMs ?? this.nowMs)
      if (waitedMs < this.backlog.patienceMs) break
      this.#queue.shift()
      this.backlog.withdrawn(RECORD_BYTES, this.nowMs)
      this.#seen.late++
      this.#seen.lateMs = Math.max(this.#seen.lateMs, waitedMs)
    }
    const oldest = this.#log[0]
    if (oldest !== undefined) this.backlog.waited(oldest.loggedMs, this.nowMs)
  }

  #propose(): void {
    let taken = 0
    const room = this.backlog.room(this.nowMs)
    for (; taken < this.#queue.length && (taken + 1) * RECORD_BYTES <= room; taken++) {
      this.backlog.logged(RECORD_BYTES, this.nowMs)
    }
    for (const record of this.#queue.splice(0, taken)) this.#log.push({ ...record, loggedMs: this.nowMs })
  }

  #begin(): void {
    if (this.#flush !== undefined || this.#log.length === 0) return
    const count = this.#log.length
    this.#flush = { count, endMs: this.nowMs + this.flushMs + (count * RECORD_BYTES * 1_000) / this.bytesPerSecond }
  }

  #finish(): void {
    if (this.#flush === undefined || this.#flush.endMs > this.nowMs) return
    for (const { arrivedMs, loggedMs } of this.#log.splice(0, this.#flush.count)) {
      this.backlog.drained(RECORD_BYTES, loggedMs, this.nowMs)
      this.#seen.stored++
      this.#seen.longestMs = Math.max(this.#seen.longestMs, this.nowMs - arrivedMs)
    }
    this.#flush = undefined
  }
}

const nothing = (): Seen => ({ stored: 0, refused: 0, late: 0, lateMs: 0, longestMs: 0 })
/** Takes 5,000 records a second. */
const slow = { bytesPerSecond: 5_000 * RECORD_BYTES, flushMs: 1 }
/** Takes 100,000 a second. */
const fast = { bytesPerSecond: 100_000 * RECORD_BYTES, flushMs: 1 }

describe('a log that is offered three times what it takes', () => {
  test('stores what it can, refuses the rest at the door, and keeps nobody waiting', () => {
    const model = new Model(slow)
    model.run(5_000, { perSecond: 15_000 })
    const seen = model.run(20_000, { perSecond: 15_000 })
    expect(seen.stored).toBeGreaterThan(0.95 * 100_000)
    expect(seen.longestMs).toBeLessThan(800)
    expect(seen.lateMs).toBeLessThanOrEqual(50)
    expect(seen.stored + seen.refused + seen.late).toBeGreaterThan(299_000)
  })

  test('tells those that it does not take within 100 ms, from the first moment on', () => {
    const model = new Model(slow)
    model.run(5_000, { perSecond: 2_000 })
    expect(model.run(20_000, { perSecond: 15_000 }).lateMs).toBeLessThan(100)
  })

  test('leaves nobody undecided when that begins', () => {
    const model = new Model(slow)
    model.run(5_000, { perSecond: 2_000 })
    const seen = model.run(3_000, { perSecond: 15_000 })
    expect(seen.longestMs).toBeLessThan(2_000)
    expect(seen.stored).toBeGreaterThan(0.9 * 15_000)
  })

  test('is quick again soon after the load went back, and refuses nobody then', () => {
    const model = new Model(slow)
    model.run(20_000, { perSecond: 15_000 })
    model.run(1_000, { perSecond: 2_500 })
    const seen = model.run(5_000, { perSecond: 2_500 })
    expect(seen).toMatchObject({ refused: 0, late: 0 })
    expect(seen.longestMs).toBeLessThan(50)
  })

  test('does not swing: every second of it stores as much as the disk takes', () => {
    const model = new Model(slow)
    model.run(5_000, { perSecond: 15_000 })
    const seconds = Array.from({ length: 30 }, () => model.run(1_000, { perSecond: 15_000 }))
    for (const { stored, longestMs } of seconds) {
      expect(stored).toBeGreaterThan(0.8 * 5_000)
      expect(longestMs).toBeLessThan(800)
    }
  })

  test('does the same for producers that keep many sends in flight', () => {
    const model = new Model(slow)
    model.run(5_000, { inFlight: 7_000 })
    const seen = model.run(10_000, { perSecond: 15_000 })
    expect(seen.stored).toBeGreaterThan(0.95 * 50_000)
    expect(seen.longestMs).toBeLessThan(800)
  })
})

describe('a log that keeps up', () => {
  test('refuses nobody at full load, with 4,096 in flight and with 20,000', () => {
    for (const inFlight of [4_096, 20_000]) {
      const seen = new Model(fast).run(10_000, { inFlight })
      expect(seen).toMatchObject({ refused: 0, late: 0 })
      expect(seen.stored).toBeGreaterThan(0.9 * 1_000_000)
    }
  })

  test('takes a burst after quiet times, however low the rate was before', () => {
    const model = new Model(fast)
    model.run(10_000, { perSecond: 20 })
    const seen = model.run(1, { perSecond: 20_000_000 })
    const after = model.run(1_000, { perSecond: 20 })
    expect([seen.refused, after.refused, seen.late + after.late]).toEqual([0, 0, 0])
    expect(after.longestMs).toBeLessThan(300)
  })

  test('refuses nobody for a round trip that is long', () => {
    const seen = new Model({ ...fast, flushMs: 100 }).run(20_000, { perSecond: 5_000 })
    expect(seen).toMatchObject({ refused: 0, late: 0 })
  })

  test('is believed again when a slow disk became fast', () => {
    const model = new Model(slow)
    model.run(10_000, { perSecond: 15_000 })
    model.bytesPerSecond = fast.bytesPerSecond
    model.run(3_000, { perSecond: 15_000 })
    expect(model.run(5_000, { perSecond: 15_000 })).toMatchObject({ refused: 0, late: 0 })
    expect(model.backlog.isBehind).toBe(false)
  })
})

describe('a log that stands still', () => {
  test('refuses at once what it cannot take, tries a little, and goes on when it moves', () => {
    const model = new Model(fast)
    model.run(1_000, { perSecond: 5_000 })
    model.bytesPerSecond = 0.001
    model.run(3_000, { perSecond: 5_000 })
    const still = model.run(5_000, { perSecond: 5_000 })
    expect(still.refused).toBeGreaterThan(0.95 * 25_000)
    expect(still.late).toBeLessThan(1_250)
  })

  test('takes something of a slow load, whatever the disk does', () => {
    const seen = new Model({ bytesPerSecond: 10_000, flushMs: 0 }).run(60_000, { perSecond: 1_000 })
    expect(seen.stored).toBeGreaterThan((0.8 * 600_000) / RECORD_BYTES)
  })
})
