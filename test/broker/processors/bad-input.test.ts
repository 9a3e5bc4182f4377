/** What a client may send that no client should: RocketMQ's code, nothing stored, nothing crashed. */
import { describe, expect, test } from 'vitest'
import { encodeBatch } from '../../../src/message/batch.ts'
import { decodeProperties } from '../../../src/message/properties.ts'
import { subscriptionGroup } from '../../../src/broker/tables/subscription-groups.ts'
import { topicConfig } from '../../../src/broker/tables/topics.ts'
import { createHarness, type Harness, pullHeader, sendHeader } from './harness.ts'

async function withTopic(): Promise<Harness> {
  const harness = createHarness()
  harness.topics.apply('create', [topicConfig('T', { readQueueNums: 1, writeQueueNums: 1 })], { timestampMs: 1 })
  harness.groups.apply('create', [subscriptionGroup('CG')], { timestampMs: 1 })
  await harness.ask(10, sendHeader('T'), 'the only one')
  return harness
}

const short = { a: 'PG', b: 'T', c: 'TBW102', d: 4, e: 0, f: 0, g: 5, h: 0, m: true }

/** Two messages; the first says that its properties are so many bytes longer than they are. */
function lyingBatch(by: number): Buffer {
  const properties = 'TAGS\u0001A\u0002'
  const batch = encodeBatch([
    { flag: 0, body: Buffer.from('one'), properties },
    { flag: 0, body: Buffer.from('two'), properties },
  ])
  const at = 20 + 'one'.length
  batch.writeInt16BE(batch.readInt16BE(at) + by, at)
  return batch
}

describe('a batch', () => {
  test.each([
    ['whose property block says that it is longer', lyingBatch(7)],
    ['whose property block says that it is shorter', lyingBatch(-3)],
    ['whose property block has a negative length', lyingBatch(-1_000)],
    ['that ends in the middle', lyingBatch(0).subarray(0, -5)],
    ['of nothing', Buffer.alloc(0)],
    ['of noise', Buffer.from('no batch at all, just some text that is long enough')],
    ['whose first size is enormous', Buffer.concat([Buffer.of(0x7f, 0xff, 0xff, 0xff), lyingBatch(0).subarray(4)])],
  ])('%s is MESSAGE_ILLEGAL as a whole', async (_what, batch) => {
    const harness = await withTopic()
    expect((await harness.ask(320, short, batch)).code).toBe(13)
    expect(harness.log.messages('T', 0)).toHaveLength(1)
  })
})

describe('the properties of a send', () => {
  test.each([
    ['without separators', 'nonsense'],
    ['with a name and no value', 'KEYS\u0001\u0002TAGS\u0001A\u0002'],
    ['with a value and no name', '\u0001value\u0002TAGS\u0001A\u0002'],
    ['of separators alone', '\u0001\u0002\u0002\u0001\u0001\u0002'],
  ])('%s are stored as RocketMQ stores them, and read without harm', async (_what, properties) => {
    const harness = await withTopic()
    expect((await harness.ask(10, sendHeader('T', { properties }), 'x')).code).toBe(0)
    const [, message] = harness.log.messages('T', 0)
    expect(decodeProperties(message?.properties ?? Buffer.alloc(0)).get('CLUSTER')).toBe('DefaultCluster')
    const sql = { expressionType: 'SQL92', subscription: "CLUSTER = 'DefaultCluster'", queueOffset: 1 }
    expect((await harness.ask(11, pullHeader('T', sql))).code).toBe(0)
  })

  test('that are longer than a record can hold are MESSAGE_ILLEGAL', async () => {
    const harness = await withTopic()
    const properties = `a\u0001${'x'.repeat(33_000)}\u0002`
    expect((await harness.ask(10, sendHeader('T', { properties }), 'x')).code).toBe(13)
    expect(harness.log.messages('T', 0)).toHaveLength(1)
  })
})

const INT_MAX = 2_147_483_647

describe('a forged number of redeliveries', () => {
  test.each([-1, -2_147_483_648])('of %d is refused', async (reconsumeTimes) => {
    const harness = await withTopic()
    expect((await harness.ask(10, sendHeader('T', { reconsumeTimes }), 'x')).code).toBe(29)
    expect((await harness.ask(310, { ...short, i: '', j: reconsumeTimes, m: false }, 'x')).code).toBe(29)
    expect(harness.log.messages('T', 0)).toHaveLength(1)
  })

  test('that is enormous ends in the dead letters, and stays what it is', async () => {
    const harness = await withTopic()
    expect((await harness.ask(10, sendHeader('T', { reconsumeTimes: INT_MAX }), 'x')).code).toBe(0)
    const { offset = -1 } = harness.log.messages('T', 0)[1] ?? {}
    expect((await harness.ask(36, { group: 'CG', offset, delayLevel: 0 })).code).toBe(0)
    expect(harness.log.messages('%DLQ%CG', 0).map(({ reconsumeTimes }) => reconsumeTimes)).toEqual([INT_MAX])
    expect((await harness.ask(36, { group: 'CG', offset, delayLevel: 0, maxReconsumeTimes: INT_MAX })).code).toBe(0)
    expect(harness.log.broken).toBeUndefined()
  })

  test('to the retry topic of a group goes to its dead letters', async () => {
    const harness = await withTopic()
    const forged = sendHeader('%RETRY%CG', { reconsumeTimes: INT_MAX })
    expect((await harness.ask(10, forged, 'x')).code).toBe(0)
    expect(harness.log.messages('%DLQ%CG', 0)).toHaveLength(1)
    expect(harness.log.messages('%RETRY%CG', 0)).toEqual([])
  })
})

const delayed = (level: string) => sendHeader('T', { properties: `DELAY\u0001${level}\u0002` })

describe('a delay level that is none', () => {
  test.each(['NaN', '1.5', '1e3', ' 1', '2147483648', '-2147483649', '99999999999999999999'])(
    '%j is refused, and nothing is stored',
    async (level) => {
      const harness = await withTopic()
      expect((await harness.ask(10, delayed(level), 'x')).code).toBe(1)
      expect(harness.log.all()).toHaveLength(1)
    },
  )

  test.each(['19', '2147483647'])('%s is the highest there is', async (level) => {
    const harness = await withTopic()
    expect((await harness.ask(10, delayed(level), 'x')).code).toBe(0)
    expect(harness.log.messages('SCHEDULE_TOPIC_XXXX', 17)).toHaveLength(1)
  })

  test.each(['0', '-1', '-2147483648'])('%s is no delay', async (level) => {
    const harness = await withTopic()
    expect((await harness.ask(10, delayed(level), 'x')).code).toBe(0)
    expect(harness.log.messages('T', 0)).toHaveLength(2)
  })

  test('is the highest there is, or the dead letters, for a message that is sent back', async () => {
    const harness = await withTopic()
    const { offset = -1 } = harness.log.messages('T', 0)[0] ?? {}
    expect((await harness.ask(36, { group: 'CG', offset, delayLevel: INT_MAX })).code).toBe(0)
    expect((await harness.ask(36, { group: 'CG', offset, delayLevel: -INT_MAX })).code).toBe(0)
    expect((await harness.ask(36, { group: 'CG', offset, delayLevel: 'NaN' })).code).toBe(1)
    expect(harness.log.messages('SCHEDULE_TOPIC_XXXX', 17)).toHaveLength(1)
    expect(harness.log.messages('%DLQ%CG', 0)).toHaveLength(1)
  })
})

const locking = (group: string, mqSet: readonly object[]) =>
  JSON.stringify({ clientId: 'c', consumerGroup: group, mqSet })

describe('a lock', () => {
  test('of queues that are none is not granted, and leaves no row', async () => {
    const harness = await withTopic()
    const brokerName = 'broker-a'
    const queues = [
      { topic: 'T', brokerName, queueId: 0 },
      { topic: 'T', brokerName, queueId: 7 },
      { topic: 'T', brokerName, queueId: -1 },
      { topic: 'Made up', brokerName, queueId: 0 },
    ]
    const reply = await harness.ask(41, {}, locking('CG', queues))
    expect(JSON.parse(reply.bytes.toString())).toEqual({ lockOKMQSet: [queues[0]] })
    expect([...harness.locks.rows()]).toHaveLength(1)
  })

  test('of a group with an illegal name is refused', async () => {
    const harness = await withTopic()
    const queue = { topic: 'T', brokerName: 'broker-a', queueId: 0 }
    expect((await harness.ask(41, {}, locking('a@T', [queue]))).code).toBe(29)
    expect([...harness.locks.rows()]).toEqual([])
  })
})

describe('a group that is not there', () => {
  test.each([
    ['committing an offset', 15, { queueId: 0, commitOffset: 1 }, 26],
    ['being deleted', 207, { groupName: 'Nobody' }, 0],
    ['being shown', 352, { group: 'Nobody' }, 26],
    ['being reset', 222, { group: 'Nobody', timestamp: -1, isForce: true }, 26],
    ['being cloned', 314, { srcGroup: 'Nobody', destGroup: 'CG' }, 0],
    ['being forbidden a topic', 353, { group: 'Nobody', readable: false }, 26],
    ['being listed', 203, {}, 206],
  ])('%s is answered with code', async (_what, code, given, expected) => {
    const harness = await withTopic()
    const before = harness.groups.size
    expect((await harness.ask(code, { consumerGroup: 'Nobody', topic: 'T', ...given })).code).toBe(expected)
    expect(harness.groups.size).toBe(before)
    expect(harness.offsets.groupsOfTopic('T')).toEqual([])
  })
})

describe('an offset that the queue has not', () => {
  test.each([
    ['beyond the end', 9, 21, 1],
    ['just behind the last', 1, 19, 1],
    ['below zero', -3, 21, 0],
    ['that no Java long is a safe number for', Number.MAX_SAFE_INTEGER, 21, 1],
  ])('%s is answered with where to go on', async (_what, queueOffset, code, nextBeginOffset) => {
    const harness = await withTopic()
    const reply = await harness.ask(11, pullHeader('T', { queueOffset, sysFlag: 4 }))
    expect(reply).toMatchObject({ code, fields: { nextBeginOffset, minOffset: 0, maxOffset: 1 } })
  })

  test('is no place to reset a group to, and none to commit below zero', async () => {
    const harness = await withTopic()
    const reset = { group: 'CG', topic: 'T', timestamp: 0, isForce: true, queueId: 0, offset: 99 }
    expect((await harness.ask(222, reset)).code).toBe(1)
    const commit = { consumerGroup: 'CG', topic: 'T', queueId: 0, commitOffset: -1 }
    expect((await harness.ask(15, commit)).code).toBe(29)
    expect(harness.offsets.get('T', 'CG', 0)).toBeUndefined()
  })
})

describe('a header', () => {
  const commit = { consumerGroup: 'CG', topic: 'T', queueId: '0', commitOffset: '1' }
  const { commitOffset: _offset, ...withoutOffset } = commit
  const { queueId: _queue, ...withoutQueue } = commit
  test.each([
    [
      'a commit of what is no number',
      15,
      { ...commit, commitOffset: 'x' },
      29,
      '<commitOffset> is not a 64-bit integer: x',
    ],
    ['a commit in what is no queue', 15, { ...commit, queueId: 'x' }, 29, '<queueId> is not a 32-bit integer: x'],
    ['a commit of nothing', 15, withoutOffset, 29, '<commitOffset> is null'],
    ['a commit in no queue', 15, withoutQueue, 29, '<queueId> is null'],
    ['a deletion of no topic', 215, {}, 29, '<topic> is null'],
    [
      'a search in what is no queue',
      29,
      { topic: 'T', queueId: 'x', timestamp: 1 },
      1,
      '<queueId> is not a 32-bit integer: x',
    ],
    ['a send without a default topic', 310, { ...short, c: undefined }, 1, '<c> is null'],
  ])(
    'that cannot be read is refused by the code that RocketMQ has for it: %s',
    async (_what, code, header, answer, remark) => {
      const harness = await withTopic()
      const fields = Object.fromEntries(Object.entries(header).filter(([, value]) => value !== undefined))
      expect(await harness.ask(code, fields)).toMatchObject({ code: answer, remark: `the custom field ${remark}` })
      expect(harness.offsets.get('T', 'CG', 0)).toBeUndefined()
      expect(harness.log.messages('T', 0)).toHaveLength(1)
    },
  )
})

describe('an SQL92 expression', () => {
  test.each([
    ['that is enormous', `a IN (${Array.from({ length: 5_000 }, (_, at) => `'v${at}'`).join(',')})`],
    ['that is deep', `${'('.repeat(5_000)}a = 1${')'.repeat(5_000)}`],
    ['of noise', 'a \u0000\u0001 b'],
    ['of signs without end', `${'-'.repeat(8_000)}1 = a`],
    ['of NOT without end', `${'NOT '.repeat(4_000)}a`],
    ['of comparisons chained without end', `a${' = b'.repeat(4_000)}`],
    ['of IS NULL chained without end', `a${' IS NULL'.repeat(1_500)}`],
  ])('%s is refused with the code of a bad subscription', async (_what, subscription) => {
    const harness = await withTopic()
    const reply = await harness.ask(11, pullHeader('T', { expressionType: 'SQL92', subscription }))
    expect(reply).toMatchObject({ code: 23, remark: expect.stringContaining('column') })
    const pop = { consumerGroup: 'CG', topic: 'T', queueId: 0, maxMsgNums: 1, invisibleTime: 1_000, pollTime: 0 }
    const popping = { ...pop, bornTime: 0, initMode: 0, expType: 'SQL92', exp: subscription }
    expect((await harness.ask(200_050, popping)).code).toBe(23)
    const data = { topic: 'T', expressionType: 'SQL92', subString: subscription }
    const check = JSON.stringify({ clientId: 'c', group: 'CG', subscriptionData: data })
    expect((await harness.ask(46, {}, check)).code).toBe(23)
    const consumer = { groupName: 'CG', subscriptionDataSet: [data] }
    const heartbeat = JSON.stringify({ clientID: 'c', producerDataSet: [], consumerDataSet: [consumer] })
    expect((await harness.ask(34, {}, heartbeat)).code).toBe(0)
    // Nothing is pulled by it: the expression is not readable.
    expect((await harness.ask(11, pullHeader('T', { sysFlag: 2 }))).code).not.toBe(0)
  })

  test('as long as it may be, and as wide, is evaluated', async () => {
    const harness = await withTopic()
    const terms = Array.from({ length: 1_000 }, (_, at) => `a <> ${at}`)
    for (const word of [' AND ', ' OR ']) {
      const subscription = terms.join(word)
      const reply = await harness.ask(11, pullHeader('T', { expressionType: 'SQL92', subscription, sysFlag: 4 }))
      expect(reply.code).toBe(20)
    }
  })
})
