import { describe, expect, test } from 'vitest'
import { Producer } from '../../src/client/producer/producer.ts'
import { PushConsumer } from '../../src/client/consumer/push-consumer.ts'
import { seededRandom } from '../../src/lib/prng.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { checkHistory } from '../../src/load/checkers.ts'
import type { Report } from '../../src/load/checkers.ts'
import { ConsumeLoad } from '../../src/load/consume-load.ts'
import type { HistoryEvent } from '../../src/load/history.ts'
import { SendLoad } from '../../src/load/send-load.ts'
import { Workload, parseWorkloadBody, workloadBody } from '../../src/load/workload.ts'
import { RequestCode } from '../../src/remoting/codes.ts'
import { FakeCluster } from '../support/fake-broker.ts'
import type { Fault } from '../support/fake-broker.ts'
import { opened } from '../support/open.ts'

/** Sends 400 messages through two producers under a fault, reads everything back, and judges. */
async function judged(fault: Fault | undefined): Promise<Report> {
  const fake = opened(await FakeCluster.start())
  fake.createTopic('T', 2)
  fake.fault = fault
  const events: HistoryEvent[] = []
  const history = { append: (event: HistoryEvent): void => void events.push(event) }
  const producers = [0, 1].map(() => new Producer({ namesrv: fake.namesrv, attemptTimeoutMs: 100, retries: 20 }))
  for (const producer of producers) await opened(producer).start()
  const workload = new Workload({
    clock: systemClock,
    run: 'run',
    topic: 'T',
    bodyBytes: 64,
    history,
    queueOf: (producer) => ({ topic: 'T', brokerName: 'broker-a', queueId: producer }),
  })
  const load = new SendLoad({
    clock: systemClock,
    producers,
    inFlight: 1,
    message: (producer, sequence) => workload.message(producer, sequence),
    onOutcome: (producer, sequence, error, result) => workload.outcome(producer, sequence, error, result),
  })
  while (load.report().acknowledged < 400) await new Promise((resolve) => setTimeout(resolve, 5))
  await load.stop()
  fake.fault = undefined
  const stored = fake.drafts('T').length
  const consumer = new PushConsumer({ namesrv: fake.namesrv, group: 'G', from: 'first' })
  consumer.subscribe('T')
  opened(consumer)
  const reading = new ConsumeLoad({
    clock: systemClock,
    consumers: [consumer],
    onMessage: (message) => workload.received('reader', message),
  })
  await reading.start()
  while (reading.messages < stored) await new Promise((resolve) => setTimeout(resolve, 5))
  return checkHistory(events, { isOrdered: () => true, isComplete: true })
}

const isSend = (code: number): boolean => code === RequestCode.SEND_MESSAGE_V2

describe('a workload', () => {
  test('against a broker that cuts connections, is busy and does not answer has no findings', async () => {
    const random = seededRandom(7)
    const report = await judged((call) => {
      if (!isSend(call.code) || random.next() > 0.04) return undefined
      return random.next() < 0.5 ? 'cut' : { code: random.next() < 0.5 ? 2 : 1, remark: 'UNKNOWN' }
    })
    expect(report.findings).toEqual([])
    expect(report.acknowledged).toBeGreaterThanOrEqual(400)
  })

  test('finds a message that was acknowledged and not stored', async () => {
    let sends = 0
    const report = await judged((call) => {
      if (!isSend(call.code)) return undefined
      sends += 1
      const header = { msgId: '', queueId: call.fields.get('e'), queueOffset: 1_000_000, transactionId: '' }
      return sends === 100 ? { code: 0, header } : undefined
    })
    expect(report.findings.map((finding) => finding.kind)).toContain('lost')
  })
})

test('the name in a body is read back, and bodies of others are not', () => {
  const body = workloadBody('run', { producer: 3, sequence: 12_345 }, 128)
  expect(body).toHaveLength(128)
  expect(parseWorkloadBody('run', body)).toEqual({ producer: 3, sequence: 12_345 })
  expect(parseWorkloadBody('ru', body)).toBeUndefined()
  expect(parseWorkloadBody('other', body)).toBeUndefined()
  expect(parseWorkloadBody('run', Buffer.from('run/x/y/'))).toBeUndefined()
})
