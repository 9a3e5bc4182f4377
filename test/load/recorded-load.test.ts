import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { checkHistory } from '../../src/load/checkers.ts'
import type { HistoryEvent } from '../../src/load/history.ts'
import { LoadRecord } from '../../src/load/load-record.ts'
import { readTopic } from '../../src/load/read-topic.ts'
import { RecordedLoad, wasOrdered } from '../../src/load/recorded-load.ts'
import { Workload } from '../../src/load/workload.ts'
import { FakeCluster } from '../support/fake-broker.ts'

const clock = systemClock
let fake: FakeCluster | undefined
afterEach(async () => {
  await fake?.close()
  fake = undefined
})

test('a recorded load and a reader to the end of the topic account for every message', async () => {
  fake = await FakeCluster.start()
  fake.createTopic('T', 3)
  const { namesrv } = fake
  const events: HistoryEvent[] = []
  const history = { append: (event: HistoryEvent) => void events.push(event), flush: () => {}, close: () => {} }
  const record = new LoadRecord(clock, history)
  const load = new RecordedLoad({ clock, namesrv, topic: 'T', run: 'run', ratePerSecond: 2_000, history, record })
  await load.start()
  await record.more(200, 20_000)
  record.resetGap()
  record.note('nothing is broken')
  await record.more(100, 20_000)
  expect(record.gap.lengthMs).toBeGreaterThan(0)
  const sent = await load.stop()
  const reading = new Workload({ clock, run: 'run', topic: 'T', bodyBytes: 64, history })
  const onMessage = (message: Parameters<Workload['received']>[1]): boolean => reading.received('reader', message)
  const count = await readTopic({ clock, namesrv, topic: 'T', group: 'G', onMessage })
  const report = await checkHistory(events, { isOrdered: wasOrdered, isComplete: true })
  expect(report.findings).toEqual([])
  expect(report.acknowledged).toBe(sent?.acknowledged)
  expect(count).toBe(report.received)
  expect(record.timeline.reduce((sum, acks) => sum + acks, 0)).toBe(report.acknowledged)
  expect(record.notes.map(({ text }) => text)).toEqual(['nothing is broken'])
})

test('a reader gives up, and says so, when a queue cannot be read to its end', async () => {
  fake = await FakeCluster.start()
  fake.createTopic('T', 1)
  const { namesrv } = fake
  const events: HistoryEvent[] = []
  const history = { append: (event: HistoryEvent) => void events.push(event), flush: () => {}, close: () => {} }
  const record = new LoadRecord(clock, history)
  const load = new RecordedLoad({ clock, namesrv, topic: 'T', run: 'run', ratePerSecond: 1_000, history, record })
  await load.start()
  await record.more(10, 20_000)
  await load.stop()
  fake.fault = (call) => (call.code === 11 ? { code: 1, remark: 'not now' } : undefined)
  const reading = readTopic({ clock, namesrv, topic: 'T', group: 'G', onMessage: () => {}, silenceMs: 200 })
  await expect(reading).rejects.toThrow('T could not be read to its end: nothing came for 200 ms')
})
