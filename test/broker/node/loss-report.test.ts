import { expect, test } from 'vitest'
import { LossReport } from '../../../src/broker/group/loss-report.ts'
import type { Command } from '../../../src/broker/needs.ts'
import { silentLog } from '../../../src/lib/log.ts'
import type { Early } from '../../../src/store/early-file.ts'
import { ManualClock } from '../../support/manual-clock.ts'

interface World {
  readonly report: LossReport
  readonly told: Command[]
  readonly clock: ManualClock
  readonly leadership: { isReady: boolean; term: number }
  readonly early: { value: Early }
  failures: number
  /** Resolves when all cuts of the log are done. */
  logSettled: () => Promise<void>
}

function world(earlyTerm: number, exposure: { maxBytes: number; inDoubt: boolean } | undefined): World {
  const clock = new ManualClock()
  const told: Command[] = []
  const leadership = { isReady: false, term: 0 }
  const early = {
    value: { term: earlyTerm, all: true },
    save(value: Early) {
      early.value = value
      return Promise.resolve()
    },
  }
  const made: Omit<World, 'report'> = {
    told,
    clock,
    leadership,
    early,
    failures: 0,
    logSettled: () => Promise.resolve(),
  }
  const report = new LossReport({
    ownId: 'n0',
    leadership,
    proposals: {
      command: (command) => {
        if (made.failures-- > 0) return Promise.reject(new Error('no leader'))
        told.push(command)
        return Promise.resolve(undefined)
      },
    },
    early,
    lost: { settle: () => Promise.resolve(), list: () => Promise.resolve([]) },
    logSettled: () => made.logSettled(),
    exposure: () => exposure,
    clock,
    log: silentLog,
    fatal: (error) => {
      throw error
    },
  })
  return Object.assign(made, { report })
}

async function settled(): Promise<void> {
  for (let round = 0; round < 20; round++) await Promise.resolve()
}

test('a new leader declares what its election may have lost, once', async () => {
  const { report, told, leadership } = world(0, { maxBytes: 64, inDoubt: false })
  report.settle()
  Object.assign(leadership, { isReady: true, term: 5 })
  report.settle()
  report.settle()
  await settled()
  expect(told).toEqual([{ table: 'losses', op: 'open', args: [5, 64, false] }])
})

test('who led in the term before and leads again has lost nothing', async () => {
  const { report, told, leadership } = world(4, { maxBytes: 64, inDoubt: false })
  Object.assign(leadership, { isReady: true, term: 5 })
  report.settle()
  await settled()
  expect(told).toEqual([])
})

test('a former leader tells what it set aside once an entry of a later term is applied, until it is heard', async () => {
  const made = world(4, undefined)
  made.failures = 1
  made.report.applied(4)
  await settled()
  expect(made.told).toEqual([])
  made.report.applied(6)
  await settled()
  expect(made.told).toEqual([])
  made.clock.advance(1000)
  await settled()
  expect(made.told).toEqual([{ table: 'losses', op: 'seen', args: [4, 'n0', 0, 0] }])
  expect(made.early.value.term).toBe(0)
})

test('what had rotted before it could be set aside is told with its bound', async () => {
  const { report, told, early } = world(4, undefined)
  early.value = { ...early.value, rotten: [1000, 1700] }
  report.applied(6)
  await settled()
  expect(told).toEqual([{ table: 'losses', op: 'seen', args: [4, 'n0', 0, 0, 700] }])
  expect(early.value).toEqual({ term: 0, all: false })
})

test('a former leader that leads again tells what another cut off in between', async () => {
  const { report, told, leadership, early } = world(4, undefined)
  Object.assign(leadership, { isReady: true, term: 6 })
  report.applied(6)
  await settled()
  expect(told).toEqual([{ table: 'losses', op: 'seen', args: [4, 'n0', 0, 0] }])
  expect(early.value.term).toBe(0)
})

test('a log that failed is asked once, and nothing is told: its node ends', async () => {
  const made = world(4, undefined)
  let asked = 0
  made.logSettled = () => {
    asked++
    // Asked again in the same turn, for ever, it would keep the process from ever hearing that it has to end.
    return asked < 10 ? Promise.reject(new Error('STORE_SYNC_FAILED')) : new Promise(() => undefined)
  }
  made.report.applied(6)
  for (let round = 0; round < 10; round++) await settled()
  made.clock.advance(5_000)
  made.report.applied(7)
  await settled()
  expect([asked, made.told]).toEqual([1, []])
})
