import { describe, expect, test } from 'vitest'
import { KvTable } from '../../../src/remoting/bodies/broker.ts'
import { ConsumeStats, TopicStatsTable } from '../../../src/remoting/bodies/queue.ts'
import { RemotingCommand } from '../../../src/remoting/command.ts'
import { noFields } from '../../../src/remoting/fields.ts'
import { parseJson } from '../../../src/remoting/json-dialect.ts'
import { mayRepeat, placedCodes, whereHandled } from '../../../src/broker/processors/where.ts'
import { createHarness, FakeOrigin, type Harness, pullHeader, sendHeader, type TestReply } from './harness.ts'

const create = (topic: string, given: Record<string, string | number | boolean> = {}) => ({
  topic,
  defaultTopic: 'TBW102',
  readQueueNums: 4,
  writeQueueNums: 4,
  perm: 6,
  topicFilterType: 'SINGLE_TAG',
  topicSysFlag: 0,
  order: false,
  ...given,
})

// oxlint-disable-next-line typescript/no-explicit-any -- bodies are looked at member by member
const json = (reply: TestReply): any => parseJson(reply.bytes.toString())

async function withConsumer(harness: Harness, clientID: string, origin = new FakeOrigin()): Promise<FakeOrigin> {
  const subscription = { topic: 'T', subString: 'A || B', tagsSet: ['A', 'B'], codeSet: [65, 66], subVersion: 1 }
  const consumer = {
    groupName: 'CG',
    consumeType: 'CONSUME_PASSIVELY',
    messageModel: 'CLUSTERING',
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    subscriptionDataSet: [subscription],
  }
  const body = { clientID, producerDataSet: [{ groupName: 'PG' }], consumerDataSet: [consumer] }
  await harness.ask(34, {}, JSON.stringify(body), { origin })
  return origin
}

describe('every request code', () => {
  test('that has a route has a place, and the other way round', () => {
    const { routes } = createHarness()
    const codes = routes.map(({ code }) => code)
    const placed = placedCodes()
    expect(codes.toSorted((a, b) => a - b)).toEqual(placed.toSorted((a, b) => a - b))
  })

  test('that reads committed messages is answered locally, everything that writes by the leader', () => {
    expect([11, 361, 12, 33, 28].map(whereHandled)).toEqual(Array.from({ length: 5 }, () => 'local'))
    expect([10, 310, 320, 14, 15, 36, 41, 42, 17, 200].every((code) => whereHandled(code) === 'leader')).toBe(true)
    expect([34, 35].map(whereHandled)).toEqual(['shared', 'shared'])
    expect(whereHandled(999)).toBeUndefined()
  })

  test('that would store a message twice is not repeated', () => {
    expect([10, 310, 320, 36].some(mayRepeat)).toBe(false)
    expect([14, 15, 17, 41].every(mayRepeat)).toBe(true)
  })

  test('without a route is answered 3 with its number', async () => {
    expect(await createHarness().ask(999)).toMatchObject({ code: 3, remark: ' request type 999 not supported' })
  })
})

describe('a topic', () => {
  test('is created, changed, shown and deleted', async () => {
    const harness = createHarness()
    expect((await harness.ask(17, create('T', { attributes: '+message.type=FIFO' }))).code).toBe(0)
    expect(json(await harness.ask(351, { topic: 'T' }))).toMatchObject({
      topicName: 'T',
      writeQueueNums: 4,
      perm: 6,
      attributes: { 'message.type': 'FIFO' },
    })
    await harness.ask(17, create('T', { writeQueueNums: 2, order: true }))
    expect(harness.topics.get('T')).toMatchObject({
      writeQueueNums: 2,
      order: true,
      attributes: { 'message.type': 'FIFO' },
    })
    await harness.ask(215, { topic: 'T' })
    expect((await harness.ask(351, { topic: 'T' })).code).toBe(17)
    expect((await harness.ask(215, { topic: 'T' })).code).toBe(0)
  })

  test.each([
    ['with an illegal name', create('a b'), 29],
    ['that is the system’s', create('TBW102'), 29],
    ['that is the broker’s', create('broker-a'), 29],
    ['with too many queues', create('T', { readQueueNums: 100_000 }), 29],
    ['with a negative number of queues', create('T', { writeQueueNums: -1 }), 29],
    ['with an unknown attribute', create('T', { attributes: '+colour=red' }), 1],
    ['with an attribute value that is not known', create('T', { attributes: '+message.type=ODD' }), 1],
    ['by taking an attribute from nothing', create('T', { attributes: '-message.type' }), 1],
    ['of mixed messages', create('T', { attributes: '+message.type=MIXED' }), 29],
  ])('%s is not created', async (_what, header, code) => {
    const harness = createHarness()
    expect((await harness.ask(17, header)).code).toBe(code)
    expect(harness.log.commands).toEqual([])
  })

  test('cannot change what cannot be changed', async () => {
    const harness = createHarness()
    await harness.ask(17, create('T', { attributes: '+queue.type=SimpleCQ' }))
    expect((await harness.ask(17, create('T', { attributes: '+queue.type=SimpleCQ' }))).code).toBe(1)
  })

  test('of a list is created with the others or not at all', async () => {
    const harness = createHarness()
    expect((await harness.ask(18, {}, topicList('A', 'b c'))).code).toBe(29)
    expect(harness.topics.has('A')).toBe(false)
    expect((await harness.ask(18, {}, topicList('A', 'B'))).code).toBe(0)
    expect(harness.topics.get('B')?.readQueueNums).toBe(16)
  })

  test('is in the list of all, whole or by the page, with a version that names the term', async () => {
    const harness = createHarness()
    await harness.ask(17, create('T'))
    harness.leadership.term = 7
    const all = await harness.ask(21)
    expect(json(all).topicConfigTable).toHaveProperty('T')
    expect(json(all).dataVersion).toMatchObject({ stateVersion: 7, counter: 2 })
    expect(all.fields['totalTopicNum']).toBe(harness.topics.size)
    const page = await harness.ask(21, { topicSeq: 1, maxTopicNum: 2 })
    expect(Object.keys(json(page).topicConfigTable)).toHaveLength(2)
  })

  test('shows its offsets by queue, in fastjson’s dialect', async () => {
    const harness = createHarness()
    await harness.ask(17, create('T'))
    await harness.ask(10, sendHeader('T', { queueId: 2 }), 'x')
    const reply = await harness.ask(202, { topic: 'T' })
    expect(reply.bytes.toString()).toContain('{"brokerName":"broker-a","queueId":2,"topic":"T"}:{')
    const { offsetTable } = TopicStatsTable.decode(reply.bytes)
    expect([...offsetTable].map(([{ queueId }, { maxOffset }]) => [queueId, maxOffset])).toEqual([
      [0, 0],
      [1, 0],
      [2, 1],
      [3, 0],
    ])
    expect((await harness.ask(202, { topic: 'No' })).code).toBe(17)
  })

  test('that is deleted does not get an offset that still waited', async () => {
    const harness = createHarness()
    await harness.ask(17, create('T'))
    await withConsumer(harness, 'c1')
    await harness.ask(15, { consumerGroup: 'CG', topic: 'T', queueId: 0, commitOffset: 5 }, '', { oneway: true })
    await harness.ask(215, { topic: 'T' })
    harness.clock.advance(1_000)
    await harness.turn()
    expect(harness.offsets.get('T', 'CG', 0)).toBeUndefined()
  })

  test('knows who consumes it, now or before', async () => {
    const harness = createHarness()
    await harness.ask(17, create('T'))
    await withConsumer(harness, 'c1')
    await harness.ask(200, {}, JSON.stringify({ groupName: 'Old' }))
    await harness.ask(15, { consumerGroup: 'Old', topic: 'T', queueId: 0, commitOffset: 5 }, '', { oneway: true })
    harness.clock.advance(300)
    expect(json(await harness.ask(300, { topic: 'T' }))).toEqual({ groupList: ['CG', 'Old'] })
    expect(json(await harness.ask(343, { group: 'Old' })).topicList).toEqual(['T'])
    expect(json(await harness.ask(345, { group: 'CG', topic: 'T' })).subscriptionData.subString).toBe('A || B')
  })

  test('of the system is listed as such', async () => {
    const harness = createHarness()
    await harness.ask(17, create('T'))
    const { topicList } = json(await harness.ask(305))
    expect(topicList).toEqual(expect.arrayContaining(['TBW102', 'DefaultCluster', 'broker-a', 'SCHEDULE_TOPIC_XXXX']))
    expect(topicList).not.toContain('T')
  })
})

describe('a group', () => {
  test('is created, changed, shown and deleted', async () => {
    const harness = createHarness()
    const policy = { type: 'EXPONENTIAL', exponentialRetryPolicy: { max: 7 } }
    await harness.ask(200, {}, JSON.stringify({ groupName: 'G', retryMaxTimes: 3, groupRetryPolicy: policy }))
    expect(json(await harness.ask(352, { group: 'G' }))).toMatchObject({
      groupName: 'G',
      retryMaxTimes: 3,
      consumeEnable: true,
      groupRetryPolicy: policy,
    })
    const all = await harness.ask(201)
    expect(json(all).subscriptionGroupTable.G).toMatchObject({ retryMaxTimes: 3 })
    expect(all.fields['totalGroupNum']).toBe(harness.groups.size)
    await harness.ask(207, { groupName: 'G', cleanOffset: true })
    expect((await harness.ask(352, { group: 'G' })).code).toBe(26)
  })

  test('of a list is created with the others or not at all', async () => {
    const harness = createHarness()
    expect((await harness.ask(225, {}, groupList('A', 'b c'))).code).toBe(29)
    expect(harness.groups.has('A')).toBe(false)
    expect((await harness.ask(225, {}, groupList('A', 'B'))).code).toBe(0)
    expect(harness.groups.has('B')).toBe(true)
  })

  test('shows how far it is behind in every queue', async () => {
    const harness = createHarness()
    await harness.ask(17, create('T', { readQueueNums: 2 }))
    await withConsumer(harness, 'c1')
    for (let at = 0; at < 3; at++) await harness.ask(10, sendHeader('T'), 'x')
    await harness.ask(15, { consumerGroup: 'CG', topic: 'T', queueId: 0, commitOffset: 2 }, '', { oneway: true })
    const read = async (): Promise<unknown> => {
      const reply = await harness.ask(208, { consumerGroup: 'CG', topic: 'T' })
      return ConsumeStats.decode(reply.bytes).offsetTable
    }
    const timeMs = harness.clock.nowMs()
    const expected = [
      [
        { brokerName: 'broker-a', queueId: 0, topic: 'T' },
        { brokerOffset: 3, consumerOffset: 2, lastTimestamp: timeMs, pullOffset: 2 },
      ],
      [
        { brokerName: 'broker-a', queueId: 1, topic: 'T' },
        { brokerOffset: 0, consumerOffset: 0, lastTimestamp: 0, pullOffset: 0 },
      ],
    ]
    expect(await read()).toEqual(expected)
    harness.clock.advance(300)
    expect(await read()).toEqual(expected)
    const all = json(await harness.ask(317, { isOrder: false }))
    expect(all).toMatchObject({ brokerAddr: '127.0.0.1:10911', totalDiff: 1 })
  })

  test('shows no topic that its members do not subscribe to any more', async () => {
    const harness = createHarness()
    await harness.ask(17, create('Other'))
    await withConsumer(harness, 'c1')
    await harness.ask(15, { consumerGroup: 'CG', topic: 'Other', queueId: 0, commitOffset: 2 }, '', { oneway: true })
    harness.clock.advance(300)
    expect(json(await harness.ask(208, { consumerGroup: 'CG' })).offsetTable).toEqual({})
  })
})

describe('connections', () => {
  test('of a consumer group are shown with what it subscribes to', async () => {
    const harness = createHarness()
    await withConsumer(harness, 'c1')
    expect(json(await harness.ask(203, { consumerGroup: 'CG' }))).toMatchObject({
      connectionSet: [{ clientAddr: '10.0.0.7:40001', clientId: 'c1', language: 'JAVA', version: 479 }],
      consumeType: 'CONSUME_PASSIVELY',
      messageModel: 'CLUSTERING',
      subscriptionTable: { T: { subString: 'A || B' } },
    })
    expect((await harness.ask(203, { consumerGroup: 'No' })).code).toBe(206)
  })

  test('of producers are shown by group', async () => {
    const harness = createHarness()
    await withConsumer(harness, 'c1')
    expect(json(await harness.ask(204, { producerGroup: 'PG' })).connectionSet).toHaveLength(1)
    expect((await harness.ask(204, { producerGroup: 'No' })).code).toBe(1)
    expect(json(await harness.ask(328)).data.PG).toMatchObject([{ clientId: 'c1', remoteIP: '10.0.0.7:40001' }])
  })
})

describe('a message', () => {
  test('is found by its place and by its keys', async () => {
    const harness = createHarness()
    await harness.ask(10, sendHeader('T', { properties: 'KEYS\u0001k1 k2\u0002UNIQ_KEY\u0001U\u0002' }), 'x')
    const [record] = harness.log.all()
    expect((await harness.ask(33, { offset: 0 })).bytes).toEqual(record)
    expect(await harness.ask(33, { offset: 77 })).toMatchObject({ code: 1, remark: expect.stringContaining('77') })
    const query = { topic: 'T', maxNum: 8, beginTimestamp: 0, endTimestamp: Number.MAX_SAFE_INTEGER }
    const byKey = await harness.ask(12, { ...query, key: 'k2' })
    expect(byKey).toMatchObject({ code: 0, fields: { indexLastUpdateTimestamp: 1, indexLastUpdatePhyoffset: 2 } })
    expect(byKey.bytes).toEqual(record)
    expect((await harness.ask(12, { ...query, key: 'U', _UNIQUE_KEY_QUERY: 'true' })).bytes).toEqual(record)
    expect((await harness.ask(12, { ...query, key: 'k3' })).code).toBe(22)
  })
})

describe('a request to a consumer', () => {
  test('for its running info goes to it with the fields that came, and its answer comes back as it is', async () => {
    const harness = createHarness()
    const origin = await withConsumer(harness, 'c1')
    origin.answer = answer('{"info":1}')
    const reply = await harness.ask(307, { consumerGroup: 'CG', clientId: 'c1', jstackEnable: 'true', extra: 'e' })
    expect(reply).toMatchObject({ code: 0 })
    expect(reply.bytes.toString()).toBe('{"info":1}')
    expect(origin.received.at(-1)).toMatchObject({
      code: 307,
      header: { clientId: 'c1', jstackEnable: 'true', extra: 'e' },
    })
    expect((await harness.ask(307, { consumerGroup: 'CG', clientId: 'c9' })).code).toBe(1)
  })

  test('to consume a message brings the message along', async () => {
    const harness = createHarness()
    const origin = await withConsumer(harness, 'c1')
    origin.answer = answer('{}')
    const { fields } = await harness.ask(10, sendHeader('T'), 'x')
    await harness.ask(309, { consumerGroup: 'CG', clientId: 'c1', msgId: String(fields['msgId']), topic: 'T' })
    expect(origin.received.at(-1)).toMatchObject({
      code: 309,
      header: { brokerName: 'broker-a', topicSysFlag: 0, groupSysFlag: 0 },
      body: harness.log.all()[0],
    })
  })

  test('for its places asks all members and names each', async () => {
    const harness = createHarness()
    const origin = await withConsumer(harness, 'c1')
    const table = '{{"brokerName":"broker-a","queueId":0,"topic":"T"}:4}'
    origin.answer = answer(`{"messageQueueTable":${table},"consumerTable":{}}`)
    const reply = await harness.ask(223, { topic: 'T', group: 'CG' })
    expect(reply.bytes.toString()).toContain(`"consumerTable":{"c1":${table}}`)
  })
})

describe('what a node tells of itself', () => {
  test('has every key that tools parse as a number', async () => {
    const harness = createHarness()
    await harness.ask(10, sendHeader('T'), 'x')
    await harness.ask(11, pullHeader('T'))
    harness.clock.advance(10_000)
    const table = Object.fromEntries(KvTable.decode((await harness.ask(28)).bytes).table)
    const numbers = [
      ...['send', 'pull', 'query', 'ack', 'litePull'].flatMap((name) => [
        `${name}ThreadPoolQueueSize`,
        `${name}ThreadPoolQueueCapacity`,
        `${name}ThreadPoolQueueHeadWaitTimeMills`,
      ]),
      'commitLogDiskRatio',
      'earliestMessageTimeStamp',
      'pageCacheLockTimeMills',
      'msgPutTotalTodayNow',
      'msgGetTotalTodayNow',
      'timerReadBehind',
      'timerOffsetBehind',
      'timerCongestNum',
      'timerEnqueueTps',
      'timerDequeueTps',
      'bootTimestamp',
      'dispatchBehindBytes',
    ]
    for (const key of numbers) expect(Number(table[key]), key).not.toBeNaN()
    for (const key of ['putTps', 'getTransferredTps', 'getTransferedTps', 'getTotalTps', 'getFoundTps', 'getMissTps']) {
      expect(table[key]?.split(' ').map(Number), key).toHaveLength(3)
    }
    expect(table).toMatchObject({
      brokerVersionDesc: 'V5_3_3',
      msgPutTotalTodayNow: '1',
      msgGetTotalTodayNow: '1',
      commitLogDiskRatio: '0.25',
      commitLogDirCapacity: 'Total : 4.0 GiB, Free : 3.0 GiB.',
      remainHowManyDataToFlush: '3.9 KiB',
      dispatchBehindBytes: '1000',
      runtime: '[ 1 days, 1 hours, 1 minutes, 1 seconds ]',
      'raftmq.nodeId': 'n0',
    })
    expect(Number(table['putTps']?.split(' ')[0])).toBeCloseTo(0.1, 1)
  })

  test('is its configuration as a properties file', async () => {
    const reply = await createHarness().ask(26)
    expect(reply.bytes.toString()).toBe('a=b\n')
    expect(JSON.parse(String(reply.fields['version']))).toEqual({ counter: 1, stateVersion: 0, timestamp: 2 })
  })

  test('are figures of a topic over a minute, an hour and a day', async () => {
    const harness = createHarness()
    for (let at = 0; at < 20; at++) await harness.ask(10, sendHeader('T'), 'x')
    harness.clock.advance(20_000)
    const stats = json(await harness.ask(315, { statsName: 'TOPIC_PUT_NUMS', statsKey: 'T' }))
    expect(stats.statsMinute).toEqual({ avgpt: 1, sum: 20, tps: 1 })
    expect(stats.statsDay.sum).toBe(20)
    harness.clock.advance(120_000)
    const later = json(await harness.ask(315, { statsName: 'TOPIC_PUT_NUMS', statsKey: 'T' }))
    expect(later.statsMinute.sum).toBe(0)
    expect(later.statsHour.sum).toBe(20)
    expect((await harness.ask(315, { statsName: 'TOPIC_PUT_NUMS', statsKey: 'No' })).code).toBe(1)
  })
})

function topicList(...names: string[]): string {
  return JSON.stringify({ topicConfigList: names.map((topicName) => ({ topicName, attributes: {} })) })
}

function groupList(...names: string[]): string {
  return JSON.stringify({ groupConfigList: names.map((groupName) => ({ groupName })) })
}

/** What a client answers. */
function answer(body: string): RemotingCommand {
  const head = { form: 0, code: 0, language: 0, version: 1, opaque: 1, flag: 1 } as const
  return new RemotingCommand({ ...head, remark: undefined, fields: noFields, body: Buffer.from(body) })
}
