import { describe, expect, test } from 'vitest'
import { QueryConsumeQueueResponseBody } from '../../../src/remoting/bodies/broker.ts'
import { QueryConsumeTimeSpanBody, QueryCorrectionOffsetBody } from '../../../src/remoting/bodies/queue.ts'
import { parseJson } from '../../../src/remoting/json-dialect.ts'
import { subscriptionGroup } from '../../../src/broker/tables/subscription-groups.ts'
import { topicConfig } from '../../../src/broker/tables/topics.ts'
import { createHarness, FakeOrigin, type Harness, pullHeader, sendHeader } from './harness.ts'

async function withMessages(count: number, options: Readonly<Record<string, boolean>> = {}): Promise<Harness> {
  const harness = createHarness({ options })
  const row = topicConfig('T', { readQueueNums: 2, writeQueueNums: 2 })
  harness.topics.apply('create', [row], { timestampMs: 1 })
  for (const name of ['CG', 'Other']) harness.groups.apply('create', [subscriptionGroup(name)], { timestampMs: 1 })
  for (let at = 0; at < count; at++) {
    await harness.ask(10, sendHeader('T'), `m${at}`)
    harness.clock.advance(1_000)
  }
  return harness
}

async function consumer(harness: Harness, consumeType: string): Promise<FakeOrigin> {
  const origin = new FakeOrigin()
  const subscription = { topic: 'T', subString: '*', tagsSet: [], codeSet: [], subVersion: 0 }
  const group = { groupName: 'CG', consumeType, messageModel: 'CLUSTERING', subscriptionDataSet: [subscription] }
  const consumers = [{ ...group, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' }]
  const body = { clientID: 'c1', producerDataSet: [], consumerDataSet: consumers }
  await harness.ask(34, {}, JSON.stringify(body), { origin })
  return origin
}

const commit = (harness: Harness, consumerGroup: string, queueId: number, commitOffset: number) =>
  harness.ask(15, { consumerGroup, topic: 'T', queueId, commitOffset }, '', { oneway: false })

const reset = { group: 'CG', topic: 'T', timestamp: -1, isForce: true }

/** As `Clock.advance` of a commit's period. */
async function committed(harness: Harness, asked: Promise<unknown>): Promise<void> {
  for (let turns = 0; turns < 3; turns++) {
    await harness.turn()
    harness.clock.advance(200)
  }
  await asked
}

describe('resetting a group', () => {
  test('sets the committed offsets of all queues with no consumer online, to a time or to the end', async () => {
    const harness = await withMessages(3)
    const reply = await harness.ask(222, reset)
    expect(reply.bytes.toString()).toContain('{"brokerName":"broker-a","queueId":0,"topic":"T"}:3')
    expect([0, 1].map((queueId) => harness.offsets.get('T', 'CG', queueId))).toEqual([3, 0])
    const first = harness.log.messages('T', 0)[1]?.storeTimestampMs ?? 0
    await harness.ask(222, { ...reset, timestamp: first })
    expect(harness.offsets.get('T', 'CG', 0)).toBe(1)
  })

  test('to an offset of one queue leaves the others, and keeps within the queue', async () => {
    const harness = await withMessages(3)
    expect((await harness.ask(222, { ...reset, queueId: 0, offset: 2 })).code).toBe(0)
    expect([0, 1].map((queueId) => harness.offsets.get('T', 'CG', queueId))).toEqual([2, undefined])
    expect(await harness.ask(222, { ...reset, queueId: 0, offset: 5 })).toMatchObject({
      code: 1,
      remark: 'Target offset 5 not in consume queue range [0-3]',
    })
    expect((await harness.ask(222, { ...reset, queueId: 7, offset: 0 })).code).toBe(1)
  })

  test('of an unknown topic or group is refused', async () => {
    const harness = await withMessages(0)
    expect((await harness.ask(222, { ...reset, topic: 'No' })).code).toBe(17)
    expect((await harness.ask(222, { ...reset, group: 'No' })).code).toBe(26)
  })

  test('tells push consumers at once, and is not undone by what they committed just before', async () => {
    const harness = await withMessages(3)
    const origin = await consumer(harness, 'CONSUME_PASSIVELY')
    await harness.ask(15, { consumerGroup: 'CG', topic: 'T', queueId: 0, commitOffset: 1 }, '', { oneway: true })
    const reply = await harness.ask(222, reset)
    expect(origin.received.at(-1)).toMatchObject({ code: 220, header: { topic: 'T', group: 'CG', timestamp: -1 } })
    expect(String(origin.received.at(-1)?.body)).toBe(reply.bytes.toString())
    await committed(harness, Promise.resolve())
    expect(harness.offsets.get('T', 'CG', 0)).toBe(3)
  })

  test('moves consumers that pull by themselves with their next pull, once', async () => {
    const harness = await withMessages(3)
    await consumer(harness, 'CONSUME_ACTIVELY')
    const parked = harness.send(361, pullHeader('T', { queueOffset: 3 }))
    await harness.ask(222, { ...reset, timestamp: 0 })
    expect(parked[0]).toMatchObject({ code: 21, remark: 'OFFSET_RESET', fields: { nextBeginOffset: 0 } })
    expect((await harness.ask(361, pullHeader('T', { queueOffset: 0 }))).fields['nextBeginOffset']).toBe(3)
    expect((await harness.ask(361, pullHeader('T', { queueOffset: 1 }))).code).toBe(0)
  })

  test('goes through the online consumers alone where useServerSideResetOffset is off', async () => {
    const harness = await withMessages(3, { useServerSideResetOffset: false })
    const origin = await consumer(harness, 'CONSUME_PASSIVELY')
    expect(await harness.ask(222, reset)).toMatchObject({ code: 1, remark: 'THe consumer group <CG> not exist' })
    for (const queueId of [0, 1]) await committed(harness, commit(harness, 'CG', queueId, queueId === 0 ? 1 : 0))
    expect((await harness.ask(222, { ...reset, isForce: false })).bytes.toString()).toContain('}:1')
    expect(harness.offsets.get('T', 'CG', 0)).toBe(1)
    origin.close()
    expect((await harness.ask(222, reset)).code).toBe(206)
  })
})

test('cloning a group takes over all its offsets, or those of one topic', async () => {
  const harness = await withMessages(3)
  await committed(harness, commit(harness, 'CG', 0, 2))
  const clone = { srcGroup: 'CG', destGroup: 'Other', offline: true }
  expect((await harness.ask(314, clone)).code).toBe(0)
  expect(harness.offsets.get('T', 'Other', 0)).toBe(2)
  await committed(harness, commit(harness, 'CG', 0, 3))
  expect((await harness.ask(314, { ...clone, topic: 'No' })).code).toBe(0)
  expect(harness.offsets.get('T', 'Other', 0)).toBe(2)
  await harness.ask(314, { ...clone, topic: 'T' })
  expect(harness.offsets.get('T', 'Other', 0)).toBe(3)
})

test('cloning makes the other group, if it has a name that groups may have', async () => {
  const harness = await withMessages(3)
  await committed(harness, commit(harness, 'CG', 0, 2))
  const clone = { srcGroup: 'CG', offline: true }
  expect((await harness.ask(314, { ...clone, destGroup: 'New' })).code).toBe(0)
  expect(harness.groups.has('New')).toBe(true)
  expect(harness.offsets.get('T', 'New', 0)).toBe(2)
  expect((await harness.ask(314, { ...clone, destGroup: 'a b' })).code).toBe(26)
  expect(harness.offsets.get('T', 'a b', 0)).toBeUndefined()
})

test('a group says how long its messages wait', async () => {
  const harness = await withMessages(3)
  await committed(harness, commit(harness, 'CG', 0, 2))
  const { consumeTimeSpanSet } = QueryConsumeTimeSpanBody.decode(
    (await harness.ask(303, { topic: 'T', group: 'CG' })).bytes,
  )
  const times = harness.log.messages('T', 0).map(({ storeTimestampMs }) => storeTimestampMs)
  expect(consumeTimeSpanSet[0]).toMatchObject({
    minTimeStamp: times[0],
    maxTimeStamp: times[2],
    consumeTimeStamp: times[1],
    delayTime: harness.clock.nowMs() - (times[2] ?? 0),
  })
  expect(consumeTimeSpanSet[1]).toMatchObject({ minTimeStamp: -1, maxTimeStamp: -1 })
  expect((await harness.ask(303, { topic: 'No', group: 'CG' })).code).toBe(17)
})

test('the lowest offset of all groups is found, and those that are left out keep theirs', async () => {
  const harness = await withMessages(3)
  await committed(harness, commit(harness, 'CG', 0, 2))
  await committed(harness, commit(harness, 'Other', 0, 1))
  const offsetsOf = async (given: Record<string, string>) =>
    QueryCorrectionOffsetBody.decode((await harness.ask(308, { topic: 'T', compareGroup: 'No', ...given })).bytes)
      .correctionOffsets
  expect([...(await offsetsOf({}))]).toEqual([[0, 1]])
  expect([...(await offsetsOf({ filterGroups: 'Other' }))]).toEqual([[0, 2]])
  expect([...(await offsetsOf({ filterGroups: 'Other', compareGroup: 'Other' }))][0]?.[1]).toBeGreaterThan(1e15)
  expect(harness.offsets.get('T', 'Other', 0)).toBe(1)
})

test('the units of a queue are shown from an index on', async () => {
  const harness = await withMessages(3)
  const ask = async (given: Record<string, string | number>) =>
    harness.ask(321, { topic: 'T', queueId: 0, index: 1, count: 5, ...given })
  const body = QueryConsumeQueueResponseBody.decode((await ask({ consumerGroup: 'CG' })).bytes)
  expect(body).toMatchObject({ minQueueIndex: 0, maxQueueIndex: 3, filterData: 'CG@T is not online!' })
  const stored = harness.log.messages('T', 0).slice(1)
  expect(body.queueData.map(({ physicOffset }) => physicOffset)).toEqual(stored.map(({ offset }) => offset))
  expect(await ask({ queueId: 1 })).toMatchObject({ code: 1, remark: '1@T is not exist!' })
  expect((await ask({ index: 9 })).remark).toBe('Index 9 of 0@T is not exist!')
})

test('a topic that is forbidden to a group is not pulled by it until it is allowed again', async () => {
  const harness = await withMessages(1)
  await consumer(harness, 'CONSUME_PASSIVELY')
  const pull = () => harness.ask(11, pullHeader('T', { sysFlag: 0 }))
  const forbid = async (readable?: boolean) =>
    parseJson((await harness.ask(353, { group: 'CG', topic: 'T', readable })).bytes.toString())
  expect(await forbid(false)).toMatchObject({ readable: false })
  expect(await pull()).toMatchObject({ code: 16, remark: 'the consumer group[CG] is forbidden for topic[T]' })
  expect((await harness.ask(201)).bytes.toString()).toContain('"forbiddenTable":{"CG":{"T":4}}')
  expect(await forbid()).toMatchObject({ readable: false })
  expect(await forbid(true)).toMatchObject({ readable: true })
  expect((await pull()).code).toBe(0)
})

test('cleaning is answered, and drops expired segments at any hour', async () => {
  const harness = createHarness()
  expect([(await harness.ask(306)).code, (await harness.ask(316)).code]).toEqual([0, 0])
  expect(harness.dropped).toEqual([])
  expect((await harness.ask(329)).code).toBe(0)
  expect(harness.dropped).toHaveLength(1)
})
