import { describe, expect, test } from 'vitest'
import { checkHistory } from '../../src/load/checkers.ts'
import type { FindingKind, Report } from '../../src/load/checkers.ts'
import type { HistoryEvent } from '../../src/load/history.ts'

const queue = 'T@broker-a@0'
const sent = (sequence: number): HistoryEvent => ({ type: 'sent', atMs: sequence, producer: 1, sequence })
const acknowledged = (sequence: number, queueOffset: number, mayBeTwice = false): HistoryEvent => ({
  type: 'acknowledged',
  atMs: sequence,
  producer: 1,
  sequence,
  queue,
  queueOffset,
  mayBeTwice,
})
const received = (sequence: number, queueOffset: number, reader = 'r'): HistoryEvent => ({
  type: 'received',
  atMs: 100,
  reader,
  producer: 1,
  sequence,
  queue,
  queueOffset,
})
const ended = (type: 'failed' | 'undecided', sequence: number): HistoryEvent => ({
  type,
  atMs: sequence,
  producer: 1,
  sequence,
  code: 'CLIENT_X',
})

const check = (events: readonly HistoryEvent[]): Promise<Report> =>
  checkHistory(events, { isOrdered: () => true, isComplete: true })
const found = (report: Report): FindingKind[] => report.findings.map((finding) => finding.kind)

describe('a clean history', () => {
  test('has no findings', async () => {
    const report = await check([
      sent(0),
      sent(1),
      acknowledged(0, 0),
      acknowledged(1, 1),
      received(0, 0),
      received(1, 1),
    ])
    expect(report.findings).toEqual([])
    expect(report).toMatchObject({ sent: 2, acknowledged: 2, received: 2, redelivered: 0, doubled: 0 })
  })

  test('may deliver a place again and may hold an undecided message twice', async () => {
    const report = await check([acknowledged(0, 1, true), received(0, 0), received(0, 1), received(0, 1)])
    expect(report.findings).toEqual([])
    expect(report).toMatchObject({ redelivered: 1, doubled: 1 })
  })

  test('may or may not hold an undecided message', async () => {
    expect((await check([ended('undecided', 0), acknowledged(1, 0), received(1, 0)])).findings).toEqual([])
    expect((await check([ended('undecided', 0), received(0, 0)])).findings).toEqual([])
  })
})

const checkLate = (events: readonly HistoryEvent[]): Promise<Report> =>
  checkHistory(events, { isOrdered: () => true, isComplete: true, beginsLate: true })

describe('where retention drops what lies in front', () => {
  const late = [sent(1), acknowledged(1, 0), sent(2), acknowledged(2, 1), sent(3), acknowledged(3, 2)]

  test('a reader is asked for nothing below its first place', async () => {
    expect((await checkLate([...late, received(2, 1), received(3, 2)])).findings).toEqual([])
  })

  test('but for everything behind it, and for a queue of which it saw nothing', async () => {
    expect(found(await checkLate([...late, received(2, 1)]))).toEqual(['lost'])
    const elsewhere: HistoryEvent = {
      type: 'received',
      atMs: 9,
      reader: 'r',
      producer: 1,
      sequence: 9,
      queue: 'T@b@1',
      queueOffset: 0,
    }
    expect(found(await checkLate([...late, elsewhere]))).toEqual(['lost', 'lost', 'lost'])
  })
})

describe('each breach is found', () => {
  const breaches: [FindingKind, HistoryEvent[]][] = [
    ['lost', [acknowledged(0, 0), acknowledged(1, 1), received(0, 0)]],
    ['duplicated', [acknowledged(0, 0), received(0, 0), received(0, 1)]],
    ['resurrected', [ended('failed', 0), received(0, 0)]],
    ['moved', [acknowledged(0, 7), received(0, 6)]],
    ['changed', [acknowledged(0, 0), received(0, 0), received(1, 0)]],
    ['disordered', [acknowledged(0, 5), acknowledged(1, 4), received(0, 5), received(1, 4)]],
    ['hole', [received(0, 0), received(1, 2)]],
  ]
  test.each(breaches)('%s', async (kind, events) => {
    const report = await check(events)
    expect(found(report)).toEqual([kind])
    expect(report.counts[kind]).toBe(1)
  })

  test('lost, by name, once however many readers miss it', async () => {
    const report = await check([acknowledged(0, 0), acknowledged(1, 1), received(0, 0), received(0, 0, 's')])
    expect(report.lost).toEqual([{ producer: 1, sequence: 1 }])
    expect(report.counts.lost).toBe(2)
  })

  test('changed, when two readers saw different messages at one place', async () => {
    const report = await checkHistory([received(0, 0, 'a'), received(1, 0, 'b')], {
      isOrdered: () => false,
      isComplete: false,
    })
    expect(found(report)).toEqual(['changed'])
  })

  test('the list of findings is bounded, the counts are not', async () => {
    const events = Array.from({ length: 50 }, (_, n) => acknowledged(n, n))
    const report = await checkHistory([...events, received(0, 0)], {
      isOrdered: () => true,
      isComplete: true,
      maxFindings: 3,
    })
    expect(report.findings).toHaveLength(3)
    expect(report.counts.lost).toBe(49)
  })
})
