import { describe, expect, test } from 'vitest'
import { javaHashCode } from '../../../src/message/tags-code.ts'
import { decodeRecords } from '../../../src/message/record.ts'
import { topicConfig } from '../../../src/broker/tables/topics.ts'
import { createHarness, type Harness, pullHeader, sendHeader, type TestReply } from './harness.ts'

async function filled(
  count: number,
  tagOf: (at: number) => string = () => 'A',
  options: Readonly<Record<string, boolean>> = {},
): Promise<Harness> {
  const harness = createHarness({ options })
  harness.topics.apply('create', [topicConfig('T', { readQueueNums: 4, writeQueueNums: 4 })], { timestampMs: 1 })
  for (let at = 0; at < count; at++) {
    const properties = `UNIQ_KEY\u0001U${at}\u0002TAGS\u0001${tagOf(at)}\u0002`
    await harness.ask(10, sendHeader('T', { properties }), `m${at}`)
  }
  return harness
}

const bodies = (reply: TestReply | undefined): string[] =>
  decodeRecords(reply?.bytes ?? Buffer.alloc(0)).map(({ body }) => body.toString())

const heartbeat = (group: string, given: Record<string, unknown> = {}): string =>
  JSON.stringify({
    clientID: 'c1',
    producerDataSet: [],
    consumerDataSet: [
      {
        groupName: group,
        consumeType: 'CONSUME_PASSIVELY',
        messageModel: 'CLUSTERING',
        consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
        subscriptionDataSet: [
          {
            topic: 'T',
            subString: 'A',
            tagsSet: ['A'],
            codeSet: [javaHashCode('A')],
            subVersion: 5,
            expressionType: 'TAG',
          },
        ],
        unitMode: false,
        ...given,
      },
    ],
  })

describe('a pull', () => {
  test('gives stored records back to back, and always the four offsets', async () => {
    const harness = await filled(3)
    const reply = await harness.ask(11, pullHeader('T', { queueOffset: 1 }))
    expect(reply).toMatchObject({
      code: 0,
      remark: 'FOUND',
      fields: { suggestWhichBrokerId: 0, nextBeginOffset: 3, minOffset: 0, maxOffset: 3 },
    })
    expect(bodies(reply)).toEqual(['m1', 'm2'])
  })

  test('says where to pull next when slaves are read from: far behind at a slave, else at the master', async () => {
    const harness = await filled(6, () => 'A', { slaveReadEnable: true })
    const suggested = async (queueOffset: number): Promise<unknown> =>
      (await harness.ask(11, pullHeader('T', { queueOffset }))).fields['suggestWhichBrokerId']
    expect(await suggested(0)).toBe(1)
    expect(await suggested(5)).toBe(0)
    harness.leadership.isReady = false
    expect([await suggested(0), await suggested(5)]).toEqual([1, 0])
  })

  test('gives at most the number asked for', async () => {
    const harness = await filled(5)
    const reply = await harness.ask(11, pullHeader('T', { maxMsgNums: 2 }))
    expect(bodies(reply)).toEqual(['m0', 'm1'])
    expect(reply.fields['nextBeginOffset']).toBe(2)
  })

  test('filters by the tags of its own subscription', async () => {
    const harness = await filled(4, (at) => (at % 2 === 0 ? 'A' : 'B'))
    expect(bodies(await harness.ask(11, pullHeader('T', { subscription: 'B || C' })))).toEqual(['m1', 'm3'])
    expect(bodies(await harness.ask(361, pullHeader('T', { subscription: 'A' })))).toEqual(['m0', 'm2'])
  })

  test('that matches nothing is RETRY_IMMEDIATELY with where to go on', async () => {
    const harness = await filled(4)
    const reply = await harness.ask(11, pullHeader('T', { subscription: 'Z' }))
    expect(reply).toMatchObject({ code: 20, remark: 'NO_MATCHED_MESSAGE', fields: { nextBeginOffset: 4 } })
  })

  test('without its own subscription uses the one of the group’s heartbeat', async () => {
    const harness = await filled(2, (at) => (at === 0 ? 'A' : 'B'))
    await harness.ask(34, {}, heartbeat('CG'))
    expect(bodies(await harness.ask(11, pullHeader('T', { sysFlag: 2, subVersion: 5 })))).toEqual(['m0'])
  })

  test('of a newer subscription than is known is refused', async () => {
    const harness = await filled(1)
    await harness.ask(34, {}, heartbeat('CG'))
    expect((await harness.ask(11, pullHeader('T', { sysFlag: 2, subVersion: 6 }))).code).toBe(25)
  })

  test.each([
    ['of a group without a member', 'T', 'Other'],
    ['of a topic that the group does not subscribe to', 'BenchmarkTest', 'CG'],
  ])('%s is SUBSCRIPTION_NOT_EXIST, half a second later', async (_what, topic, consumerGroup) => {
    const harness = await filled(1)
    await harness.ask(34, {}, heartbeat('CG'))
    const replies = harness.send(11, pullHeader(topic, { sysFlag: 2, consumerGroup }))
    harness.clock.advance(499)
    expect(replies).toEqual([])
    harness.clock.advance(1)
    expect(replies[0]?.code).toBe(24)
    expect((await harness.ask(11, pullHeader(topic, { sysFlag: 0, consumerGroup }))).code).toBe(24)
  })

  test('that comes before the heartbeat of its client is answered once that is there', async () => {
    const harness = await filled(3)
    const replies = harness.send(11, pullHeader('T', { sysFlag: 2 }))
    expect(replies).toEqual([])
    await harness.ask(34, {}, heartbeat('CG'))
    expect(bodies(replies[0])).toEqual(['m0', 'm1', 'm2'])
    harness.clock.advance(1_000)
  })

  test('of an unknown client is answered at once where too many wait', async () => {
    const harness = await filled(1)
    const pull = pullHeader('T', { sysFlag: 2 })
    const waiting = [1, 2, 3].map(() => harness.send(11, pull))
    expect((await harness.ask(11, pull)).code).toBe(24)
    expect(waiting).toEqual([[], [], []])
  })

  test.each([
    ['of an unknown topic', { topic: 'Nope' }, 17],
    ['of a queue beyond the last', { queueId: 4 }, 29],
    ['of a negative queue', { queueId: -1 }, 29],
    ['by an SQL92 expression that is none', { expressionType: 'SQL92', subscription: 'a >' }, 23],
    ['by an unknown type of expression', { expressionType: 'REGEX', subscription: 'a.*' }, 23],
    ['of an expression without a tag', { subscription: '||' }, 23],
    ['by a group with an illegal name', { consumerGroup: 'a b' }, 26],
  ])('%s is refused', async (_what, given, code) => {
    expect((await (await filled(1)).ask(11, { ...pullHeader('T'), ...given })).code).toBe(code)
  })

  test('of a topic that may not be read, or by a group that may not consume, is NO_PERMISSION', async () => {
    const harness = await filled(1)
    harness.topics.apply('create', [topicConfig('W', { perm: 2 })], { timestampMs: 1 })
    expect((await harness.ask(11, pullHeader('W'))).code).toBe(16)
    await harness.ask(200, {}, JSON.stringify({ groupName: 'Off', consumeEnable: false }))
    expect((await harness.ask(11, pullHeader('T', { consumerGroup: 'Off' }))).code).toBe(16)
  })

  test('makes its group on the leader without waiting for it', async () => {
    const harness = await filled(1)
    harness.log.isHolding = true
    expect((await harness.ask(11, pullHeader('T', { consumerGroup: 'Fresh' }))).code).toBe(0)
    harness.log.release()
    expect(harness.groups.has('Fresh')).toBe(true)
  })

  test.each([
    ['below the lowest', 0, 21, 'OFFSET_TOO_SMALL', 2],
    ['at the end', 5, 19, 'OFFSET_OVERFLOW_ONE', 5],
    ['beyond the end', 9, 21, 'OFFSET_OVERFLOW_BADLY', 5],
  ])('%s answers as RocketMQ', async (_what, queueOffset, code, remark, nextBeginOffset) => {
    const harness = await filled(5)
    harness.log.lowest.set('T@0', 2)
    const reply = await harness.ask(11, pullHeader('T', { queueOffset, sysFlag: 4 }))
    expect(reply).toMatchObject({ code, remark, fields: { nextBeginOffset, minOffset: 2, maxOffset: 5 } })
  })

  test.each([
    [0, 19],
    [3, 21],
  ])('of a queue without messages from offset %d is %d', async (queueOffset, code) => {
    const reply = await (await filled(1)).ask(11, pullHeader('T', { queueId: 2, queueOffset, sysFlag: 4 }))
    expect(reply).toMatchObject({ code, fields: { nextBeginOffset: 0, minOffset: 0, maxOffset: 0 } })
  })

  test('commits the offset that it carries, when it says so', async () => {
    const harness = await filled(3)
    await harness.ask(11, pullHeader('T', { sysFlag: 1 | 2 | 4, commitOffset: 2, queueOffset: 2 }))
    await harness.ask(11, pullHeader('T', { sysFlag: 2 | 4, commitOffset: 1, queueOffset: 2 }))
    harness.clock.advance(200)
    expect(harness.offsets.get('T', 'CG', 0)).toBe(2)
  })
})

describe('a pull that finds nothing', () => {
  test('waits for a message, and is answered with it', async () => {
    const harness = await filled(1)
    const replies = harness.send(11, pullHeader('T', { queueOffset: 1 }))
    await harness.turn()
    expect(replies).toHaveLength(0)
    await harness.ask(10, sendHeader('T'), 'late')
    expect(bodies(replies[0])).toEqual(['late'])
  })

  test('is answered PULL_NOT_FOUND when its time is up', async () => {
    const harness = await filled(1)
    const replies = harness.send(11, pullHeader('T', { queueOffset: 1, suspendTimeoutMillis: 5_000 }))
    harness.clock.advance(4_900)
    expect(replies).toHaveLength(0)
    harness.clock.advance(500)
    expect(replies[0]).toMatchObject({ code: 19, fields: { nextBeginOffset: 1, maxOffset: 1 } })
    expect(harness.hold.parkedCount).toBe(0)
  })

  test('does not wait when it does not ask to', async () => {
    const harness = await filled(1)
    expect((await harness.ask(11, pullHeader('T', { queueOffset: 1, sysFlag: 4 }))).code).toBe(19)
  })

  test('does not wait when too many do', async () => {
    const harness = await filled(1)
    for (let i = 0; i < 3; i++) harness.send(11, pullHeader('T', { queueOffset: 1 }))
    expect((await harness.ask(11, pullHeader('T', { queueOffset: 1 }))).code).toBe(19)
  })

  test('is not woken by a message of another queue', async () => {
    const harness = await filled(1)
    const replies = harness.send(11, pullHeader('T', { queueOffset: 1 }))
    await harness.ask(10, sendHeader('T', { queueId: 1 }), 'elsewhere')
    expect(replies).toHaveLength(0)
  })

  test('sees a message that came while the disk was read', async () => {
    const harness = await filled(1)
    harness.store.isSlow = true
    const replies = harness.send(11, pullHeader('T', { queueOffset: 1 }))
    await harness.ask(10, sendHeader('T'), 'meanwhile')
    harness.store.read()
    await harness.turn()
    harness.store.read()
    await harness.turn()
    expect(bodies(replies[0])).toEqual(['meanwhile'])
  })
})

test('a parked pull whose topic is deleted is told so', async () => {
  const harness = await filled(1)
  const replies = harness.send(11, pullHeader('T', { queueOffset: 1 }))
  await harness.ask(215, { topic: 'T' })
  harness.hold.wakeAll('T')
  expect(replies[0]?.code).toBe(17)
})

describe('a pull beyond the commit that this node knows', () => {
  test('waits, and is then answered PULL_NOT_FOUND with the offset asked for, never PULL_OFFSET_MOVED', async () => {
    const harness = await filled(2)
    harness.leadership.isReady = false
    const replies = harness.send(11, pullHeader('T', { queueOffset: 7, suspendTimeoutMillis: 1_000 }))
    await harness.turn()
    expect(replies).toHaveLength(0)
    harness.clock.advance(1_500)
    expect(replies[0]).toMatchObject({ code: 19, fields: { nextBeginOffset: 7, minOffset: 0, maxOffset: 7 } })
  })

  test('goes on waiting while messages below it arrive', async () => {
    const harness = await filled(2)
    harness.leadership.isReady = false
    const replies = harness.send(11, pullHeader('T', { queueOffset: 3 }))
    await harness.ask(10, sendHeader('T'), 'm2')
    expect(replies).toHaveLength(0)
    await harness.ask(10, sendHeader('T'), 'm3')
    expect(bodies(replies[0])).toEqual(['m3'])
  })

  test('of a queue of which this node has nothing is answered the same way', async () => {
    const harness = await filled(0)
    harness.leadership.isReady = false
    const reply = await harness.ask(11, pullHeader('T', { queueOffset: 7, sysFlag: 4 }))
    expect(reply).toMatchObject({ code: 19, fields: { nextBeginOffset: 7 } })
  })

  test('is decided when this node leads', async () => {
    const harness = await filled(2)
    harness.leadership.isReady = false
    const replies = harness.send(11, pullHeader('T', { queueOffset: 7 }))
    harness.leadership.isReady = true
    harness.hold.wakeAll()
    expect(replies[0]).toMatchObject({ code: 21, fields: { nextBeginOffset: 2 } })
  })
})
