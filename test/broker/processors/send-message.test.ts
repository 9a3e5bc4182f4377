import { describe, expect, test } from 'vitest'
import { decodeProperties } from '../../../src/message/properties.ts'
import { encodeBatch } from '../../../src/message/batch.ts'
import type { SlaveAnswer } from '../../../src/broker/log/slave-acks.ts'
import { refusal } from '../../../src/broker/errors.ts'
import { topicConfig } from '../../../src/broker/tables/topics.ts'
import { createHarness, type Harness, sendHeader } from './harness.ts'

function withTopic(
  topic = 'T',
  given: Parameters<typeof topicConfig>[1] = {},
  parts: Parameters<typeof createHarness>[0] = {},
): Harness {
  const harness = createHarness(parts)
  harness.topics.apply('create', [topicConfig(topic, { readQueueNums: 4, writeQueueNums: 4, ...given })], {
    timestampMs: 1,
  })
  return harness
}

const propertiesOf = (harness: Harness, topic: string, queueId = 0): Record<string, string> =>
  Object.fromEntries(decodeProperties(harness.log.messages(topic, queueId)[0]?.properties ?? Buffer.alloc(0)))

describe('a send', () => {
  test('is stored as it came, and answered with its ids and its place', async () => {
    const harness = withTopic()
    const reply = await harness.ask(10, sendHeader('T', { flag: 7, sysFlag: 1, queueId: 2 }), 'hello')
    expect(reply.code).toBe(0)
    expect(reply.fields).toEqual({
      msgId: '7F00000100002A9F0000000000000000',
      queueId: 2,
      queueOffset: 0,
      transactionId: 'U1',
      MSG_REGION: 'DefaultRegion',
      TRACE_ON: 'true',
    })
    const [message] = harness.log.messages('T', 2)
    expect(message).toMatchObject({ topic: 'T', queueId: 2, flag: 7, sysFlag: 1, bornTimestampMs: 1_600_000_000_000 })
    expect(message?.body.toString()).toBe('hello')
    expect([...(message?.bornHost.ip ?? [])]).toEqual([10, 0, 0, 7])
    expect(message?.bornHost.port).toBe(40_001)
    expect(propertiesOf(harness, 'T', 2)).toEqual({
      KEYS: 'k1',
      UNIQ_KEY: 'U1',
      TAGS: 'A',
      MSG_REGION: 'DefaultRegion',
      TRACE_ON: 'true',
      CLUSTER: 'DefaultCluster',
    })
  })

  test.each([
    ['says nothing', '', false],
    ['waits', 'WAIT\u0001true\u0002', false],
    ['does not wait', 'WAIT\u0001false\u0002', true],
    ['says what Java takes for false', 'WAIT\u0001no\u0002', true],
    ['has a property that merely ends like it', 'AWAIT\u0001false\u0002', false],
  ])('whose producer %s is acknowledged early: RocketMQ’s WAIT', async (_what, properties, isEarly) => {
    const harness = withTopic()
    await harness.ask(10, sendHeader('T', { properties }), 'hello')
    expect(harness.log.early).toEqual([isEarly])
  })

  test('of a transaction that is not over waits for the group, whatever WAIT says', async () => {
    const harness = withTopic()
    const properties = 'TRAN_MSG\u0001true\u0002WAIT\u0001false\u0002UNIQ_KEY\u0001U\u0002PGROUP\u0001p\u0002'
    await harness.ask(10, sendHeader('T', { properties, sysFlag: 4 }), 'hello')
    expect(harness.log.early).toEqual([false])
  })

  test.each([
    ['held', 0],
    ['unavailable', 11],
    ['late', 12],
  ] as const)('to a SYNC_MASTER whose slaves’ answer is %s is stored, and answered %i', async (answer, code) => {
    const indexes: number[] = []
    const slaveAcks = {
      confirm(index: number, done: (answer: SlaveAnswer) => void): void {
        indexes.push(index)
        done(answer)
      },
    }
    const harness = withTopic('T', {}, { slaveAcks })
    const reply = await harness.ask(10, sendHeader('T'), 'hello')
    expect(reply).toMatchObject({ code, fields: { queueId: 0, queueOffset: 0, transactionId: 'U1' } })
    expect(harness.log.messages('T', 0)).toHaveLength(1)
    // RocketMQ needHandleHA: who does not wait for the store does not wait for slaves.
    await harness.ask(10, sendHeader('T', { properties: 'WAIT\u0001false\u0002' }), 'hello')
    expect(indexes).toEqual([1])
  })

  test('in the one-letter form is the same send', async () => {
    const harness = withTopic()
    const h = sendHeader('T')
    const short = { a: h.producerGroup, b: 'T', c: 'TBW102', d: 4, e: 1, f: 0, g: 5, h: 0, i: h.properties, m: false }
    const reply = await harness.ask(310, short, 'x')
    expect(reply.fields).toMatchObject({ queueId: 1, queueOffset: 0 })
    expect(harness.log.messages('T', 1)).toHaveLength(1)
  })

  test('without a unique key gets one', async () => {
    const harness = withTopic()
    const reply = await harness.ask(10, sendHeader('T', { properties: 'a\u0001b' }), 'x')
    expect(reply.fields['transactionId']).toBe('BROKERMADE0')
    expect(propertiesOf(harness, 'T')).toMatchObject({ a: 'b', UNIQ_KEY: 'BROKERMADE0' })
  })

  test('a property that merely ends like the unique key is not taken for it', async () => {
    const harness = withTopic()
    const reply = await harness.ask(10, sendHeader('T', { properties: 'MY_UNIQ_KEY\u0001no\u0002' }), 'x')
    expect(reply.fields['transactionId']).toBe('BROKERMADE0')
  })

  test('with queue -1 goes to one of the topic’s queues', async () => {
    const harness = withTopic()
    const seen = new Set<unknown>()
    for (let i = 0; i < 64; i++)
      seen.add((await harness.ask(10, sendHeader('T', { queueId: -1 }), 'x')).fields['queueId'])
    expect(seen).toEqual(new Set([0, 1, 2, 3]))
  })

  test('to a queue that the topic does not have is INVALID_PARAMETER', async () => {
    const harness = withTopic()
    const reply = await harness.ask(10, sendHeader('T', { queueId: 4 }), 'x')
    expect(reply).toMatchObject({ code: 29, remark: expect.stringContaining('request queueId[4] is illegal') })
    expect(harness.log.queues.size).toBe(0)
  })

  test('to an unknown topic creates it like TBW102, once for all that ask', async () => {
    const harness = createHarness()
    harness.log.isHolding = true
    const first = harness.send(10, sendHeader('New'), 'a')
    const second = harness.send(10, sendHeader('New'), 'b')
    harness.log.isHolding = false
    harness.log.release()
    for (let i = 0; i < 5; i++) await harness.turn()
    expect(first[0]?.code).toBe(0)
    expect(second[0]?.code).toBe(0)
    expect(harness.topics.get('New')).toMatchObject({ readQueueNums: 4, writeQueueNums: 4, perm: 6 })
    expect(harness.log.commands).toHaveLength(1)
    expect(harness.log.messages('New', 0).map(({ body }) => body.toString())).toEqual(['a', 'b'])
  })

  test('gets no more queues than TBW102 has', async () => {
    const harness = createHarness()
    await harness.ask(10, sendHeader('New', { defaultTopicQueueNums: 100 }), 'a')
    expect(harness.topics.get('New')).toMatchObject({ readQueueNums: 8, writeQueueNums: 8 })
  })

  test('to an unknown topic is TOPIC_NOT_EXIST where topics are not created by use', async () => {
    const harness = createHarness({ autoCreate: false })
    const reply = await harness.ask(10, sendHeader('New'), 'a')
    expect(reply).toMatchObject({ code: 17, remark: expect.stringContaining('topic[New] not exist') })
  })

  test.each([
    ['with illegal characters', 'a b', 29, 'illegal characters'],
    ['that is blank', ' ', 29, 'blank'],
    ['of 128 characters', 'x'.repeat(128), 29, 'longer than topic max length: 127'],
    ['that only the broker writes to', 'SCHEDULE_TOPIC_XXXX', 16, 'is forbidden'],
  ])('to a topic %s is refused', async (_what, topic, code, remark) => {
    const reply = await createHarness().ask(10, sendHeader(topic), 'a')
    expect(reply).toMatchObject({ code, remark: expect.stringContaining(remark) })
  })

  test('to a topic that may not be written is NO_PERMISSION', async () => {
    const reply = await withTopic('T', { perm: 4 }).ask(10, sendHeader('T'), 'a')
    expect(reply.code).toBe(16)
  })

  test('of a body over the limit is MESSAGE_ILLEGAL; of the limit itself it is stored', async () => {
    const harness = withTopic()
    expect((await harness.ask(10, sendHeader('T'), Buffer.alloc(4_194_305))).code).toBe(13)
    expect(harness.log.queues.size).toBe(0)
    expect((await harness.ask(10, sendHeader('T'), Buffer.alloc(4_194_304))).code).toBe(0)
  })

  test('of properties over 32,767 bytes is MESSAGE_ILLEGAL, counted in bytes', async () => {
    const harness = withTopic()
    const reply = await harness.ask(10, sendHeader('T', { properties: `k\u0001${'é'.repeat(16_400)}\u0002` }), 'x')
    expect(reply.code).toBe(13)
    expect(harness.log.queues.size).toBe(0)
  })

  test('is not answered before it is decided', async () => {
    const harness = withTopic()
    harness.log.isHolding = true
    const replies = harness.send(10, sendHeader('T'), 'x')
    await harness.turn()
    expect(replies).toHaveLength(0)
    harness.log.release()
    expect(replies[0]?.code).toBe(0)
  })

  test.each([
    ['BROKER_NOT_LEADER', 14, 'not stored'],
    ['BROKER_BUSY', 2, 'broker busy'],
    ['BROKER_UNDECIDED', 1, 'UNKNOWN'],
  ] as const)('that fails with %s is answered %d', async (error, code, remark) => {
    const harness = withTopic()
    harness.log.failure = refusal(error, 'why')
    const reply = await harness.ask(10, sendHeader('T'), 'x')
    expect(reply).toMatchObject({ code, remark: expect.stringContaining(remark) })
    if (code === 1) expect(reply.remark?.startsWith('UNKNOWN')).toBe(true)
  })

  test('that comes while the log is full is refused before it is taken apart', async () => {
    const harness = withTopic()
    harness.log.full = refusal('BROKER_BUSY', 'full')
    const batch = { a: 'PG', b: 'T', c: 'TBW102', d: 4, e: 0, f: 0, g: 5, h: 0, m: true }
    // No batch at all: taken apart, it would be illegal.
    expect((await harness.ask(320, batch, 'x')).code).toBe(2)
    expect(harness.stats.counters.putFailed).toBe(1)
  })

  test('beyond the number that may wait is SYSTEM_BUSY, and leaves room when decided', async () => {
    const harness = createHarness({ maxSends: 2 })
    harness.topics.apply('create', [topicConfig('T')], { timestampMs: 1 })
    harness.log.isHolding = true
    harness.send(10, sendHeader('T'), 'a')
    harness.send(10, sendHeader('T'), 'b')
    expect((await harness.ask(10, sendHeader('T'), 'c')).code).toBe(2)
    harness.log.release()
    expect(harness.admission.count).toBe(0)
  })

  test('does not store a pop receipt that came along', async () => {
    const harness = withTopic()
    await harness.ask(10, sendHeader('T', { properties: 'POP_CK\u00010 1 2\u0002UNIQ_KEY\u0001U\u0002' }), 'x')
    expect(propertiesOf(harness, 'T')).not.toHaveProperty('POP_CK')
  })
})

describe('a delayed send', () => {
  test('waits in the schedule topic, with its own place in properties', async () => {
    const harness = withTopic()
    const properties = 'DELAY\u00013\u0002UNIQ_KEY\u0001U1\u0002TIMER_DELAY_SEC\u00019\u0002'
    const reply = await harness.ask(10, sendHeader('T', { queueId: 2, properties }), 'x')
    expect(reply.fields).toMatchObject({ queueId: 2, transactionId: 'U1' })
    expect(harness.log.messages('T', 2)).toHaveLength(0)
    const waiting = propertiesOf(harness, 'SCHEDULE_TOPIC_XXXX', 2)
    expect(waiting).toMatchObject({ DELAY: '3', REAL_TOPIC: 'T', REAL_QID: '2' })
    expect(waiting).not.toHaveProperty('TIMER_DELAY_SEC')
  })

  test('of a level beyond the last waits the longest', async () => {
    const harness = withTopic()
    await harness.ask(10, sendHeader('T', { properties: 'DELAY\u000199\u0002' }), 'x')
    expect(propertiesOf(harness, 'SCHEDULE_TOPIC_XXXX', 17)).toMatchObject({ DELAY: '18' })
  })

  test('of level 0 does not wait', async () => {
    const harness = withTopic()
    await harness.ask(10, sendHeader('T', { properties: 'DELAY\u00010\u0002' }), 'x')
    expect(harness.log.messages('T', 0)).toHaveLength(1)
  })
})

describe('a batch', () => {
  const batch = encodeBatch(
    ['a', 'b', 'c'].map((text) => ({
      flag: 3,
      body: Buffer.from(text),
      properties: `UNIQ_KEY\u0001${text}\u0002`,
    })),
  )
  test('is stored as records of their own at consecutive places', async () => {
    const harness = withTopic()
    const reply = await harness.ask(320, short('T'), batch)
    expect(reply).toMatchObject({ code: 0, fields: { queueId: 1, queueOffset: 0, transactionId: 'batch' } })
    const ids = String(reply.fields['msgId']).split(',')
    const messages = harness.log.messages('T', 1)
    expect(messages.map(({ queueOffset, flag, body }) => [queueOffset, flag, body.toString()])).toEqual([
      [0, 3, 'a'],
      [1, 3, 'b'],
      [2, 3, 'c'],
    ])
    expect(ids.map((id) => Number.parseInt(id.slice(-16), 16))).toEqual(messages.map(({ offset }) => offset))
    expect(messages.map(({ properties }) => properties.toString())).toEqual(
      ['a', 'b', 'c'].map((text) => `UNIQ_KEY\u0001${text}\u0002`),
    )
  })

  test('that is cut off is MESSAGE_ILLEGAL, and nothing of it is stored', async () => {
    const harness = withTopic()
    expect((await harness.ask(320, short('T'), batch.subarray(0, -1))).code).toBe(13)
    expect(harness.log.queues.size).toBe(0)
  })

  test('to a retry topic is MESSAGE_ILLEGAL', async () => {
    expect((await createHarness().ask(320, short('%RETRY%CG'), batch)).code).toBe(13)
  })
})

describe('a send to a retry topic', () => {
  test('makes the topic, and keeps its number of retries', async () => {
    const harness = createHarness()
    const reply = await harness.ask(10, sendHeader('%RETRY%CG', { reconsumeTimes: 3, maxReconsumeTimes: 16 }), 'x')
    expect(reply.code).toBe(0)
    expect(harness.log.messages('%RETRY%CG', 0)[0]?.reconsumeTimes).toBe(3)
  })

  test('that was retried too often ends in the dead-letter topic, undelayed', async () => {
    const harness = createHarness()
    const properties = 'DELAY\u00015\u0002UNIQ_KEY\u0001U\u0002'
    await harness.ask(10, sendHeader('%RETRY%CG', { reconsumeTimes: 17, properties }), 'x')
    expect(harness.log.messages('%DLQ%CG', 0)).toHaveLength(1)
    expect(harness.log.queues.size).toBe(1)
    expect(harness.topics.get('%DLQ%CG')).toMatchObject({ readQueueNums: 1, perm: 6 })
  })

  test('by a group that consumes in order ends in the dead-letter topic', async () => {
    const harness = createHarness()
    await harness.locks.lock('CG', 'c1', [{ topic: 'T', queueId: 0 }])
    await harness.ask(10, sendHeader('%RETRY%CG', { reconsumeTimes: 1 }), 'x')
    expect(harness.log.messages('%DLQ%CG', 0)).toHaveLength(1)
  })
})

/** The header of a batch in the one-letter form. */
function short(topic: string): Record<string, string | number | boolean> {
  return { a: 'PG', b: topic, c: 'TBW102', d: 4, e: 1, f: 0, g: 5, h: 0, i: 'UNIQ_KEY\u0001batch\u0002', m: true }
}
