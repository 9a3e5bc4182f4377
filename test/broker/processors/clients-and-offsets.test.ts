import { describe, expect, test } from 'vitest'
import { LockBatchResponseBody } from '../../../src/remoting/bodies/queue.ts'
import { topicConfig } from '../../../src/broker/tables/topics.ts'
import { refusal } from '../../../src/broker/errors.ts'
import { createHarness, FakeOrigin, type Harness, sendHeader } from './harness.ts'

const NOTICE = 40

function beat(clientID: string, group: string, given: Record<string, unknown> = {}): string {
  const subscription = { topic: 'T', subString: '*', tagsSet: [], codeSet: [], subVersion: 1, expressionType: 'TAG' }
  const consumer = {
    groupName: group,
    consumeType: 'CONSUME_PASSIVELY',
    messageModel: 'CLUSTERING',
    consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    subscriptionDataSet: [subscription],
    unitMode: false,
    ...given,
  }
  return JSON.stringify({ clientID, producerDataSet: [{ groupName: 'PG' }], consumerDataSet: [consumer] })
}

const listOf = async (harness: Harness, consumerGroup: string): Promise<unknown> => {
  const reply = await harness.ask(38, { consumerGroup })
  return reply.code === 0 ? JSON.parse(reply.bytes.toString()).consumerIdList : reply.code
}

const told = (origin: FakeOrigin): number => origin.received.filter(({ code }) => code === NOTICE).length

function withTopic(): Harness {
  const harness = createHarness()
  harness.topics.apply('create', [topicConfig('T', { readQueueNums: 4, writeQueueNums: 4 })], { timestampMs: 1 })
  return harness
}

describe('a heartbeat', () => {
  test('makes the group and its retry topic, and is answered when they are', async () => {
    const harness = withTopic()
    harness.log.isHolding = true
    const replies = harness.send(34, {}, beat('c1', 'CG'))
    await harness.turn()
    expect(replies).toHaveLength(0)
    harness.log.isHolding = false
    harness.log.release()
    for (let i = 0; i < 5; i++) await harness.turn()
    expect(replies[0]).toMatchObject({ code: 0, fields: { IS_SUPPORT_HEART_BEAT_V2: 'false', IS_SUB_CHANGE: 'true' } })
    expect(harness.groups.get('CG')).toMatchObject({ retryMaxTimes: 16 })
    expect(harness.topics.get('%RETRY%CG')).toMatchObject({ readQueueNums: 1, writeQueueNums: 1, perm: 6 })
  })

  test('again changes nothing and proposes nothing', async () => {
    const harness = withTopic()
    await harness.ask(34, {}, beat('c1', 'CG'))
    const proposed = harness.log.commands.length
    await harness.ask(34, {}, beat('c1', 'CG'))
    expect(harness.log.commands).toHaveLength(proposed)
  })

  test('on a follower is taken and shared with the leader, and proposes nothing', async () => {
    const harness = withTopic()
    harness.leadership.isReady = false
    expect((await harness.ask(34, {}, beat('c1', 'CG'))).code).toBe(0)
    expect(harness.clients.clientIds('CG')).toEqual(['c1'])
    expect(harness.relay.reports).toMatchObject([{ kind: 'heartbeat', heartbeat: { clientId: 'c1', language: 0 } }])
    expect(harness.log.commands).toHaveLength(0)
  })

  test('is answered by the leader with a digest of who is in the groups of its consumers', async () => {
    const harness = withTopic()
    const said = async (clientID: string): Promise<unknown> =>
      (await harness.ask(34, {}, beat(clientID, 'CG'), { origin: new FakeOrigin(clientID) })).fields['groupMembers']
    const alone = await said('c1')
    expect(alone).toMatch(/^\w+$/)
    expect(await said('c1')).toBe(alone)
    const both = await said('c2')
    expect(both).not.toBe(alone)
    expect(await said('c1')).toBe(both)
    harness.leadership.isReady = false
    expect(await said('c1')).toBeUndefined()
  })

  test('that another node reports makes the group, too', async () => {
    const harness = withTopic()
    const follower = withTopic()
    follower.leadership.isReady = false
    await follower.ask(34, {}, beat('c9', 'CG'))
    for (const report of follower.clients.localReports()) harness.clients.report('n1', report)
    for (let i = 0; i < 5; i++) await harness.turn()
    expect(harness.topics.has('%RETRY%CG')).toBe(true)
    expect(await listOf(harness, 'CG')).toEqual(['c9'])
  })

  test('of a body that is none is refused and nothing is registered', async () => {
    const harness = withTopic()
    expect((await harness.ask(34, {}, '{"clientID":')).code).toBe(1)
    expect((await harness.ask(34, {}, '{}')).code).toBe(1)
  })
})

describe('the consumers of a group', () => {
  test('are listed once each, in order, whatever their connections', async () => {
    const harness = withTopic()
    await harness.ask(34, {}, beat('c2', 'CG'), { origin: new FakeOrigin('1.1.1.1') })
    await harness.ask(34, {}, beat('c1', 'CG'), { origin: new FakeOrigin('2.2.2.2') })
    harness.clients.report('n1', {
      kind: 'heartbeat',
      connectionId: 5,
      heartbeat: { ...harness.relay.reports[0], ...heartbeatOf(harness, 'c1') },
    })
    expect(await listOf(harness, 'CG')).toEqual(['c1', 'c2'])
  })

  test('of a group without any are SYSTEM_ERROR', async () => {
    expect(await listOf(withTopic(), 'Nobody')).toBe(1)
  })

  test('hear of it when one comes, leaves, or loses its connection', async () => {
    const harness = withTopic()
    const [first, second] = [new FakeOrigin('1.1.1.1'), new FakeOrigin('2.2.2.2')]
    await harness.ask(34, {}, beat('c1', 'CG'), { origin: first })
    await harness.turn()
    const before = told(first)
    await harness.ask(34, {}, beat('c2', 'CG'), { origin: second })
    await harness.turn()
    expect(told(first)).toBe(before + 1)
    expect(told(second)).toBe(1)
    await harness.ask(35, { clientID: 'c2', consumerGroup: 'CG' }, '', { origin: second })
    await harness.turn()
    expect(told(first)).toBe(before + 2)
    expect(await listOf(harness, 'CG')).toEqual(['c1'])
    await harness.ask(34, {}, beat('c2', 'CG'), { origin: second })
    second.close()
    await harness.turn()
    expect(await listOf(harness, 'CG')).toEqual(['c1'])
    expect(told(first)).toBeGreaterThanOrEqual(before + 3)
  })

  test('hear of it when their subscription changed, and not when it did not', async () => {
    const harness = withTopic()
    await harness.ask(34, {}, beat('c1', 'CG'))
    await harness.turn()
    const before = told(harness.origin)
    await harness.ask(34, {}, beat('c1', 'CG'))
    await harness.turn()
    expect(told(harness.origin)).toBe(before)
    await harness.ask(34, {}, beat('c1', 'CG', { subscriptionDataSet: [{ topic: 'Other', subVersion: 2 }] }))
    await harness.turn()
    expect(told(harness.origin)).toBe(before + 1)
  })

  test('do not hear of it in a group that broadcasts, nor from a follower', async () => {
    const harness = withTopic()
    await harness.ask(34, {}, beat('c1', 'BG', { messageModel: 'BROADCASTING' }))
    harness.leadership.isReady = false
    await harness.ask(34, {}, beat('c1', 'CG'))
    await harness.turn()
    expect(told(harness.origin)).toBe(0)
  })

  test('of a large group hear once of all that join within a while, not of each', async () => {
    const harness = withTopic()
    const origins = Array.from({ length: 80 }, (_, at) => new FakeOrigin('1.1.1.1', 1_000 + at))
    const join = async (origin: FakeOrigin, at: number): Promise<void> => {
      const consumer = { ...JSON.parse(beat(`c${at}`, 'CG')), producerDataSet: [] }
      await harness.ask(34, {}, JSON.stringify(consumer), { origin })
      await harness.turn()
    }
    for (const [at, origin] of origins.slice(0, 60).entries()) await join(origin, at)
    harness.clock.advance(1_000)
    await harness.turn()
    const [first] = origins
    if (first === undefined) throw new Error('there is a first')
    await join(new FakeOrigin('2.2.2.2'), 100)
    const before = told(first)
    for (const [at, origin] of origins.slice(60).entries()) await join(origin, 60 + at)
    expect(told(first)).toBe(before)
    harness.clock.advance(1_000)
    await harness.turn()
    expect(told(first)).toBe(before + 1)
    harness.clock.advance(1_000)
    await harness.turn()
    expect(told(first)).toBe(before + 1)
  })

  test('of a very large group are told so rarely that the lists they ask for stay bounded, and of one that comes alone at once', async () => {
    const harness = withTopic()
    const join = (node: string, connectionId: number): void =>
      harness.clients.report(node, {
        kind: 'heartbeat',
        connectionId,
        heartbeat: { ...JSON.parse(heartbeatText(`${node}-${connectionId}`)), address: '1.1.1.1:1' },
      })
    await harness.ask(34, {}, beat('c1', 'CG'))
    for (let at = 1; at < 1_000; at++) join('n1', at)
    harness.clock.advance(30_000)
    await harness.turn()
    const before = told(harness.origin)
    join('n2', 1)
    await harness.turn()
    expect(told(harness.origin)).toBe(before + 1)
    join('n2', 2)
    // A thousand members ask for a thousand names each: at 200,000 names a second that is five seconds.
    harness.clock.advance(4_000)
    await harness.turn()
    expect(told(harness.origin)).toBe(before + 1)
    harness.clock.advance(1_100)
    await harness.turn()
    expect(told(harness.origin)).toBe(before + 2)
  })

  test('are forgotten when their heartbeats stop', async () => {
    const harness = withTopic()
    await harness.ask(34, {}, beat('c1', 'CG'))
    harness.clock.advance(100_000)
    await harness.ask(34, {}, beat('c2', 'CG'), { origin: new FakeOrigin('2.2.2.2') })
    harness.clock.advance(40_000)
    expect(await listOf(harness, 'CG')).toEqual(['c2'])
  })

  test('that another node reported are forgotten with the node', async () => {
    const harness = withTopic()
    await harness.ask(34, {}, beat('c1', 'CG'))
    const report = harness.clients.localReports()[0]
    if (report?.kind !== 'heartbeat') throw new Error('a heartbeat')
    harness.clients.report('n1', { ...report, heartbeat: { ...report.heartbeat, clientId: 'c7' } })
    expect(await listOf(harness, 'CG')).toEqual(['c1', 'c7'])
    harness.clients.nodeLost('n1')
    expect(await listOf(harness, 'CG')).toEqual(['c1'])
  })
})

describe('a consumer offset', () => {
  const commit = { consumerGroup: 'CG', topic: 'T', queueId: 1, commitOffset: 42 }

  test('is found again, also before its command is applied', async () => {
    const harness = withTopic()
    await harness.ask(34, {}, beat('c1', 'CG'))
    harness.log.isHolding = true
    await harness.ask(15, commit, '', { oneway: true })
    expect((await harness.ask(14, commit)).fields).toEqual({ offset: 42 })
    harness.clock.advance(200)
    expect((await harness.ask(14, commit)).fields).toEqual({ offset: 42 })
    harness.log.release()
    await harness.turn()
    expect(harness.offsets.get('T', 'CG', 1)).toBe(42)
  })

  test('of many queues and groups becomes one command in 200 ms', async () => {
    const harness = withTopic()
    await harness.ask(34, {}, beat('c1', 'CG'))
    await harness.ask(15, { ...commit, commitOffset: 1 }, '', { oneway: true })
    harness.clock.advance(1)
    const before = harness.log.commands.length
    for (let queueId = 0; queueId < 4; queueId++) {
      for (const commitOffset of [5, 6, 7]) {
        await harness.ask(15, { ...commit, queueId, commitOffset }, '', { oneway: true })
      }
    }
    harness.clock.advance(198)
    expect(harness.log.commands).toHaveLength(before)
    harness.clock.advance(2)
    expect(harness.log.commands).toHaveLength(before + 1)
    expect([...harness.offsets.ofTopic('T', 'CG').values()]).toEqual([7, 7, 7, 7])
  })

  test('that is committed already costs no command', async () => {
    const harness = withTopic()
    await harness.ask(34, {}, beat('c1', 'CG'))
    await harness.ask(15, commit, '', { oneway: true })
    harness.clock.advance(500)
    await harness.turn()
    const before = harness.log.commands.length
    await harness.ask(15, commit, '', { oneway: true })
    harness.clock.advance(500)
    expect(harness.log.commands).toHaveLength(before)
  })

  test('whose sender wants an answer is answered after its commit', async () => {
    const harness = withTopic()
    await harness.ask(34, {}, beat('c1', 'CG'))
    harness.log.isHolding = true
    const replies = harness.send(15, commit)
    harness.clock.advance(300)
    await harness.turn()
    expect(replies).toHaveLength(0)
    harness.log.release()
    await harness.turn()
    expect(replies[0]?.code).toBe(0)
  })

  test('that could not be proposed for lack of room is tried again, under what came since', async () => {
    const harness = withTopic()
    await harness.ask(34, {}, beat('c1', 'CG'))
    harness.log.failure = refusal('BROKER_BUSY', 'full')
    await harness.ask(15, commit, '', { oneway: true })
    await harness.ask(15, { ...commit, queueId: 2 }, '', { oneway: true })
    harness.clock.advance(0)
    await harness.turn()
    await harness.ask(15, { ...commit, commitOffset: 50 }, '', { oneway: true })
    harness.log.failure = undefined
    harness.clock.advance(200)
    await harness.turn()
    expect(harness.offsets.ofTopic('T', 'CG')).toEqual(
      new Map([
        [1, 50],
        [2, 42],
      ]),
    )
  })

  test('that came while an older one was tried in vain is not overtaken by it', async () => {
    const harness = withTopic()
    await harness.ask(34, {}, beat('c1', 'CG'))
    harness.log.isHolding = true
    await harness.ask(15, commit, '', { oneway: true })
    harness.clock.advance(0)
    await harness.ask(15, { ...commit, commitOffset: 50 }, '', { oneway: true })
    harness.log.failure = refusal('BROKER_BUSY', 'full')
    harness.log.isHolding = false
    harness.log.release()
    await harness.turn()
    harness.log.failure = undefined
    harness.clock.advance(200)
    await harness.turn()
    expect(harness.offsets.get('T', 'CG', 1)).toBe(50)
  })

  test('of a group or topic that does not exist is refused', async () => {
    const harness = withTopic()
    expect((await harness.ask(15, commit)).code).toBe(26)
    await harness.ask(34, {}, beat('c1', 'CG'))
    expect((await harness.ask(15, { ...commit, topic: 'Nope' })).code).toBe(17)
  })

  test('never committed is 0 where the queue is young, else QUERY_NOT_FOUND', async () => {
    const harness = withTopic()
    expect((await harness.ask(14, commit)).code).toBe(22)
    await harness.ask(10, sendHeader('T', { queueId: 1 }), 'x')
    expect((await harness.ask(14, commit)).fields).toEqual({ offset: 0 })
    expect((await harness.ask(14, { ...commit, setZeroIfNotFound: false })).code).toBe(22)
    harness.store.isOld = true
    expect((await harness.ask(14, commit)).code).toBe(22)
    harness.store.isOld = false
    harness.log.lowest.set('T@1', 1)
    expect((await harness.ask(14, commit)).code).toBe(22)
  })

  test('is not told by a node that is not sure to lead', async () => {
    const harness = withTopic()
    harness.leadership.readBarrier = () => Promise.reject(refusal('BROKER_NOT_LEADER', 'deposed'))
    expect((await harness.ask(14, commit)).code).toBe(14)
    expect((await harness.ask(38, { consumerGroup: 'CG' })).code).toBe(14)
    expect((await harness.ask(30, { topic: 'T', queueId: 0 })).code).toBe(14)
  })

  test('of all groups comes in fastjson’s dialect', async () => {
    const harness = withTopic()
    await harness.ask(34, {}, beat('c1', 'CG'))
    await harness.ask(15, commit, '', { oneway: true })
    harness.clock.advance(500)
    const reply = await harness.ask(43)
    expect(reply.bytes.toString()).toContain('"offsetTable":{"T@CG":{1:42}}')
  })
})

describe('the offsets of a queue', () => {
  test('are its lowest, one above its highest, and those of a time', async () => {
    const harness = withTopic()
    const startMs = harness.clock.nowMs()
    for (let at = 0; at < 3; at++) {
      await harness.ask(10, sendHeader('T'), 'x')
      harness.clock.advance(1_000)
    }
    harness.log.lowest.set('T@0', 1)
    const queue = { topic: 'T', queueId: 0 }
    expect((await harness.ask(30, queue)).fields).toEqual({ offset: 3 })
    expect((await harness.ask(31, queue)).fields).toEqual({ offset: 1 })
    expect((await harness.ask(29, { ...queue, timestamp: startMs + 500 })).fields).toEqual({ offset: 1 })
    expect((await harness.ask(29, { ...queue, timestamp: startMs + 500, boundaryType: 'upper' })).fields).toEqual({
      offset: 0,
    })
    expect((await harness.ask(32, queue)).fields).toEqual({ timestamp: startMs })
  })

  test('of a queue without messages are 0, its earliest time -1', async () => {
    const harness = withTopic()
    const queue = { topic: 'T', queueId: 3 }
    expect((await harness.ask(30, queue)).fields).toEqual({ offset: 0 })
    expect((await harness.ask(31, queue)).fields).toEqual({ offset: 0 })
    expect((await harness.ask(32, queue)).fields).toEqual({ timestamp: -1 })
  })
})

describe('a queue lock', () => {
  test('has one holder, who renews it without a command', async () => {
    const harness = withTopic()
    expect(await lock(harness, 'c1', [0, 1])).toEqual([0, 1])
    const proposed = harness.log.commands.length
    expect(await lock(harness, 'c1', [0, 1])).toEqual([0, 1])
    expect(harness.log.commands).toHaveLength(proposed)
    expect(await lock(harness, 'c2', [0, 1, 2])).toEqual([2])
  })

  test('is proposed by the node that granted it, and never handed to another leader', async () => {
    const harness = withTopic()
    harness.log.command = () => Promise.reject(new Error('handed on'))
    expect(await lock(harness, 'c1', [0])).toEqual([0])
    harness.log.failure = refusal('BROKER_NOT_LEADER', 'leadership moved')
    expect((await harness.ask(41, {}, lockBody('c1', [1]))).code).toBe(14)
    harness.log.failure = undefined
    expect(await lock(harness, 'c2', [0, 1])).toEqual([1])
  })

  test('passes on when it is given back, or not renewed for 60 s', async () => {
    const harness = withTopic()
    await lock(harness, 'c1', [0, 1])
    await harness.ask(42, {}, lockBody('c1', [0]))
    expect(await lock(harness, 'c2', [0, 1])).toEqual([0])
    harness.clock.advance(60_001)
    expect(await lock(harness, 'c2', [1])).toEqual([1])
    expect(await lock(harness, 'c1', [1])).toEqual([])
  })

  test('is not given to two that ask at the same time', async () => {
    const harness = withTopic()
    harness.log.isHolding = true
    const first = harness.send(41, {}, lockBody('c1', [0]))
    const second = harness.send(41, {}, lockBody('c2', [0]))
    for (let i = 0; i < 5; i++) await harness.turn()
    harness.log.release()
    for (let i = 0; i < 5; i++) await harness.turn()
    expect(first[0]?.bytes.toString()).toContain('"queueId":0')
    expect(second[0]?.bytes.toString()).toBe('{"lockOKMQSet":[]}')
  })

  test('begins anew with a new leader, so that no queue has two holders', async () => {
    const harness = withTopic()
    await lock(harness, 'c1', [0])
    harness.clock.advance(60_000)
    harness.leadership.term = 2
    expect(await lock(harness, 'c2', [0])).toEqual([])
    harness.clock.advance(59_000)
    expect(await lock(harness, 'c2', [0])).toEqual([])
    harness.clock.advance(2_000)
    expect(await lock(harness, 'c2', [0])).toEqual([0])
  })

  test('of somebody else is not given back', async () => {
    const harness = withTopic()
    await lock(harness, 'c1', [0])
    await harness.ask(42, {}, lockBody('c2', [0]))
    expect(await lock(harness, 'c2', [0])).toEqual([])
  })
})

function heartbeatText(clientId: string): string {
  const { consumerDataSet } = JSON.parse(beat(clientId, 'CG'))
  const consumers = consumerDataSet
  return JSON.stringify({
    clientId,
    language: 0,
    version: 0,
    producerGroups: [],
    consumers,
    withoutSubscriptions: false,
  })
}

function heartbeatOf(harness: Harness, clientId: string) {
  for (const report of harness.relay.reports) {
    if (report.kind === 'heartbeat' && report.heartbeat.clientId === clientId) return report.heartbeat
  }
  throw new Error(`no heartbeat of ${clientId}`)
}

function lockBody(clientId: string, queueIds: number[]): string {
  const mqSet = queueIds.map((queueId) => ({ topic: 'T', brokerName: 'broker-a', queueId }))
  return JSON.stringify({ consumerGroup: 'CG', clientId, mqSet })
}

async function lock(harness: Harness, clientId: string, queueIds: number[]): Promise<number[]> {
  const reply = await harness.ask(41, {}, lockBody(clientId, queueIds))
  const { lockOKMQSet } = LockBatchResponseBody.decode(reply.bytes)
  return lockOKMQSet.map(({ queueId }) => queueId).sort((a, b) => a - b)
}
