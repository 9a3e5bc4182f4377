import { describe, expect, test } from 'vitest'
import { readTrace } from '../../src/client/admin/message-traces.ts'
import { MessageTrace, type TraceMessage } from '../../src/client/core/message-trace.ts'
import { Producer, PullConsumer, PushConsumer } from '../../src/client/index.ts'
import { silentLog } from '../../src/lib/log.ts'
import { FakeCluster } from '../support/fake-broker.ts'
import { takeParts } from '../support/fake-parts.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { until } from '../support/until.ts'
import { opened } from '../support/open.ts'

function gathering(): { trace: MessageTrace; sent: TraceMessage[]; clock: ManualClock } {
  const sent: TraceMessage[] = []
  const clock = new ManualClock()
  const trace = new MessageTrace({
    clock,
    log: silentLog,
    send: (message) => {
      sent.push(message)
      return Promise.resolve()
    },
  })
  return { trace, sent, clock }
}

const handled = { group: 'G', messageId: 'ID', keys: ['a', 'b'], requestId: 'R', startMs: 1_000, reconsumeTimes: 2 }
const published = {
  group: 'P',
  topic: 'T',
  messageId: 'ID',
  keys: [],
  tag: undefined,
  storeHost: '127.0.0.1:10911',
  bodyBytes: 5,
  startMs: 1_000,
  costMs: 2.6,
  kind: 'normal',
  offsetMessageId: '0A',
  isSuccess: true,
} as const

describe('the rows of a trace', () => {
  test('are those of RocketMQ’s TraceDataEncoder, field by field', async () => {
    const { trace, sent } = gathering()
    trace.published(published)
    trace.handling(handled)
    trace.handled({ ...handled, costMs: 7, isSuccess: false })
    const place = { group: 'P', topic: 'T', messageId: 'ID', keys: [], tag: 'A', storeHost: '127.0.0.1:10911' }
    trace.ended({ ...place, atMs: 2_000, state: 'rollback', isFromCheck: true })
    trace.recalled({ ...place, atMs: 3_000, isSuccess: false })
    await trace.flush()
    const rows = [
      'Pub 1000 DefaultRegion P T ID null null 127.0.0.1:10911 5 3 0 0A true',
      'SubBefore 1000 DefaultRegion G R ID 2 a,b',
      'SubAfter R ID 7 false a,b 4 1007 G',
      'EndTransaction 2000 DefaultRegion P T ID A null 127.0.0.1:10911 2 ID ROLLBACK_MESSAGE true',
      'Recall 3000 DefaultRegion P T ID false',
    ]
    const body = rows.map((row) => `${row.replaceAll(' ', '\u0001').replace('a,b', 'a b')}\u0002`).join('')
    expect(sent).toEqual([{ topic: 'RMQ_SYS_TRACE_TOPIC', body, keys: ['ID', 'a', 'b'] }])
    expect(readTrace(body).map(({ id, event }) => [id, event.what, event.isSuccess])).toEqual([
      ['ID', 'sent', true],
      ['ID', 'handler began', undefined],
      ['ID', 'handler ended', false],
      ['ID', 'rolled back', undefined],
      ['ID', 'taken back', false],
    ])
  })

  test('are gathered for a moment, and leave in messages that are not too large', () => {
    const { trace, sent, clock } = gathering()
    for (let n = 0; n < 99; n++) trace.handling({ ...handled, messageId: `${n}` })
    expect(sent).toHaveLength(0)
    clock.advance(100)
    expect(sent).toHaveLength(1)
    for (let n = 0; n < 100; n++) trace.handling({ ...handled, keys: ['x'.repeat(1_000)] })
    expect(sent).toHaveLength(1 + 15)
    expect(Math.max(...sent.map(({ keys }) => keys.join(' ').length))).toBeLessThan(8_000)
  })

  test('are dropped when those before them do not leave: a trace holds nothing up', async () => {
    const clock = new ManualClock()
    let messages = 0
    const send = (): Promise<void> => {
      messages += 1
      return new Promise(() => undefined)
    }
    const trace = new MessageTrace({ clock, log: silentLog, send })
    for (let n = 0; n < 10_000; n++) trace.handling({ ...handled, messageId: `${n}` })
    clock.advance(100)
    expect(messages).toBe(64)
  })
})

test('clients with a trace tell of their sends and of their handlers, and of nothing else', async () => {
  const fake = opened(await FakeCluster.start())
  fake.createTopic('T', 1)
  fake.createTopic('RMQ_SYS_TRACE_TOPIC', 1)
  const producer = new Producer({ namesrv: fake.namesrv, group: 'P', trace: true })
  await producer.start()
  const { messageId } = await producer.send({ topic: 'T', body: 'hello', keys: 'k' })
  await producer.sendBatch([{ topic: 'T', body: 'one' }])
  await producer.close()
  const consumer = opened(
    new PushConsumer({ namesrv: fake.namesrv, group: 'G', from: 'first', trace: true, ordered: true }),
  )
  let failures = 1
  let count = 0
  await consumer.subscribe('T').run((message) => {
    count += 1
    if (message.messageId === messageId && failures-- > 0) throw new Error('not yet')
  })
  await until('all are handled', () => count === 3)
  await consumer.close()
  const events = fake
    .bodies('RMQ_SYS_TRACE_TOPIC')
    .flatMap(readTrace)
    .filter(({ id }) => id === messageId)
    .map(({ event: { what, group, isSuccess, redeliveries } }) => [what, group, isSuccess, redeliveries])
  expect(events).toEqual([
    ['sent', 'P', true, undefined],
    ['handler began', 'G', undefined, 0],
    ['handler ended', 'G', false, undefined],
    ['handler began', 'G', undefined, 1],
    ['handler ended', 'G', true, undefined],
  ])
  expect(fake.bodies('RMQ_SYS_TRACE_TOPIC').flatMap(readTrace)).toHaveLength(2 + 3 * 2)
})

/** What of a trace tells one row from another. */
function rows(fake: FakeCluster): unknown[] {
  return fake
    .bodies('RMQ_SYS_TRACE_TOPIC')
    .flatMap(readTrace)
    .map(({ event: { what, group, isSuccess, redeliveries } }) => [what, group, isSuccess, redeliveries])
}

test('messages that an iteration or a poll gives are told of until they are settled, or given back', async () => {
  const fake = opened(await FakeCluster.start())
  for (const topic of ['T', 'RMQ_SYS_TRACE_TOPIC']) fake.createTopic(topic, 1)
  for (const body of ['a', 'b']) fake.put('T', 0, body)
  const push = new PushConsumer({ namesrv: fake.namesrv, group: 'G', from: 'first', trace: true }).subscribe('T')
  let count = 0
  for await (const _message of push) if (++count === 2) break
  await push.close()
  expect(rows(fake)).toEqual([
    ['handler began', 'G', undefined, 0],
    ['handler ended', 'G', true, undefined],
    ['handler began', 'G', undefined, 0],
    ['handler ended', 'G', false, undefined],
  ])
  const pull = new PullConsumer({ namesrv: fake.namesrv, group: 'P', from: 'first', trace: true }).subscribe('T')
  await pull.poll({ maxMessages: 1 })
  await pull.poll({ maxMessages: 1 })
  await pull.close()
  expect(rows(fake).slice(4)).toEqual([
    ['handler began', 'P', undefined, 0],
    ['handler ended', 'P', true, undefined],
    ['handler began', 'P', undefined, 0],
    ['handler ended', 'P', true, undefined],
  ])
})

test('a message that an iteration has in hand when its consumer is closed is told of as given back', async () => {
  const fake = opened(await FakeCluster.start())
  for (const topic of ['T', 'RMQ_SYS_TRACE_TOPIC']) fake.createTopic(topic, 1)
  fake.put('T', 0, 'a')
  const options = { namesrv: fake.namesrv, group: 'G', from: 'first', trace: true } as const
  const consumer = new PushConsumer(options).subscribe('T')
  for await (const _message of consumer) await consumer.close()
  expect(rows(fake)).toEqual([
    ['handler began', 'G', undefined, 0],
    ['handler ended', 'G', false, undefined],
  ])
  const next = new PushConsumer(options).subscribe('T')
  for await (const message of next) {
    expect(message.body.toString()).toBe('a')
    break
  }
  await next.close()
})

test('sends that leave as parts of one request are told of each by itself', async () => {
  const fake = opened(await FakeCluster.start())
  for (const topic of ['T', 'U', 'RMQ_SYS_TRACE_TOPIC']) fake.createTopic(topic, 1)
  const cameMany = takeParts(fake)
  const producer = new Producer({ namesrv: fake.namesrv, group: 'P', trace: true })
  await producer.start()
  const sent: { messageId: string; offsetMessageId: string }[] = []
  for (let turn = 0; turn < 3; turn++) {
    sent.push(...(await Promise.all(['T', 'U'].map((topic) => producer.send({ topic, body: `${turn}` })))))
  }
  await producer.close()
  expect(cameMany()).toBe(true)
  const told = fake.bodies('RMQ_SYS_TRACE_TOPIC').flatMap(readTrace)
  expect(told.map(({ id, event: { what, isSuccess } }) => [id, what, isSuccess])).toEqual(
    sent.map(({ messageId }) => [messageId, 'sent', true]),
  )
})
