import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, test } from 'vitest'
import { Producer } from '../../src/client/producer/producer.ts'
import { mayBeStored } from '../../src/client/core/errors.ts'
import { RequestCode } from '../../src/remoting/codes.ts'
import { until } from '../support/until.ts'
import { opened } from '../support/open.ts'
import { clusterWithTopic, producerOf, isSend } from '../support/sending.ts'

test('a producer says to its leader, again and again, that it is there', async () => {
  const fake = await clusterWithTopic()
  const producer = await producerOf(fake, { heartbeatIntervalMs: 10 })
  await producer.send({ topic: 'T', body: 'hello' })
  const beats = (): number => fake.requests.filter((code) => code === RequestCode.HEART_BEAT).length
  await until('heartbeats', () => beats() > 2)
})

describe('a send', () => {
  test('is stored, and says where', async () => {
    const fake = await clusterWithTopic()
    const producer = await producerOf(fake)
    const result = await producer.send({
      topic: 'T',
      body: 'hello',
      tag: 'A',
      keys: ['k1', 'k2'],
      properties: { colour: 'red' },
    })
    expect(result).toMatchObject({
      status: 'SEND_OK',
      queueOffset: 0,
      mayBeTwice: false,
      queue: { topic: 'T', brokerName: 'broker-a' },
    })
    expect(result.messageId).toMatch(/^[0-9A-F]{32}$/)
    const draft = fake.draftAt(0)
    expect(draft?.body.toString()).toBe('hello')
    expect(draft?.properties.toString()).toBe(
      `UNIQ_KEY\u0001${result.messageId}\u0002KEYS\u0001k1 k2\u0002TAGS\u0001A\u0002colour\u0001red\u0002`,
    )
  })

  test('goes to the queues in turn, to a chosen queue, and to the queue of its sharding key', async () => {
    const fake = await clusterWithTopic()
    const producer = await producerOf(fake)
    const turns = []
    for (let n = 0; n < 8; n++) turns.push((await producer.send({ topic: 'T', body: 'x' })).queue.queueId)
    expect([...turns].sort((a, b) => a - b)).toEqual([0, 0, 1, 1, 2, 2, 3, 3])
    const queue = (await producer.queues('T'))[2]
    if (queue === undefined) throw new Error('no queue')
    expect((await producer.send({ topic: 'T', body: 'x', queue })).queue).toEqual(queue)
    const sharded = []
    for (let n = 0; n < 4; n++)
      sharded.push((await producer.send({ topic: 'T', body: 'x', shardingKey: 'order 7' })).queue.queueId)
    expect(new Set(sharded).size).toBe(1)
  })

  test('compresses bodies over the limit, as Java does: zlib, sysFlag 0x301', async () => {
    const fake = await clusterWithTopic()
    const producer = await producerOf(fake)
    await producer.send({ topic: 'T', body: 'a'.repeat(4096) })
    await producer.send({ topic: 'T', body: 'a'.repeat(4097) })
    const [small, large] = fake.drafts('T')
    expect(small?.sysFlag).toBe(0)
    expect(large?.sysFlag).toBe(0x301)
    expect(large?.body.length).toBeLessThan(100)
  })

  test('to a topic that does not exist creates it through TBW102', async () => {
    const fake = await clusterWithTopic()
    const producer = await producerOf(fake)
    const result = await producer.send({ topic: 'Fresh', body: 'x' })
    expect(result.queueOffset).toBe(0)
    expect(fake.topics.get('Fresh')?.queues).toHaveLength(4)
  })

  test('to a topic that cannot be created fails with CLIENT_NO_ROUTE', async () => {
    const fake = await clusterWithTopic()
    fake.autoCreate = false
    const producer = await producerOf(fake)
    await expect(producer.send({ topic: 'Fresh', body: 'x' })).rejects.toMatchObject({ code: 'CLIENT_NO_ROUTE' })
  })

  test('to a topic none of whose queues may be written says so', async () => {
    const fake = await clusterWithTopic()
    fake.createTopic('Closed', 0)
    const producer = await producerOf(fake)
    await expect(producer.send({ topic: 'Closed', body: 'x' })).rejects.toMatchObject({
      code: 'CLIENT_NO_ROUTE',
      message: expect.stringContaining('no queue of Closed may be written'),
    })
  })

  test.each([
    ['an illegal topic', { topic: 'a b', body: 'x' }],
    ['an empty body', { topic: 'T', body: '' }],
    ['a body over the limit', { topic: 'T', body: Buffer.alloc(5 * 1024 * 1024) }],
    ['a property with a separator', { topic: 'T', body: 'x', properties: { a: 'b\u0002' } }],
    ['properties over 32,767 bytes', { topic: 'T', body: 'x', properties: { a: 'b'.repeat(33_000) } }],
    ['a delay level of 0', { topic: 'T', body: 'x', delayLevel: 0 }],
  ])('with %s is refused before it leaves', async (_, message) => {
    const fake = await clusterWithTopic()
    const producer = await producerOf(fake)
    await expect(producer.send(message)).rejects.toMatchObject({ code: 'CLIENT_MESSAGE_ILLEGAL' })
    expect(fake.requests.filter(isSend)).toEqual([])
  })

  test('that the broker refuses carries the response code', async () => {
    const fake = await clusterWithTopic()
    fake.fault = (call) => (isSend(call.code) ? { code: 26, remark: 'no such group' } : undefined)
    const producer = await producerOf(fake)
    await expect(producer.send({ topic: 'T', body: 'x' })).rejects.toMatchObject({
      code: 'CLIENT_REFUSED',
      cause: { responseCode: 26, remark: 'no such group' },
    })
  })

  test('before start and after close is refused', async () => {
    const fake = await clusterWithTopic()
    const producer = new Producer({ namesrv: fake.namesrv })
    await expect(producer.send({ topic: 'T', body: 'x' })).rejects.toMatchObject({ code: 'CLIENT_STATE' })
    await producer.start()
    await producer.close()
    await expect(producer.send({ topic: 'T', body: 'x' })).rejects.toMatchObject({ code: 'CLIENT_CLOSED' })
  })

  test('one-way is stored without an answer', async () => {
    const fake = await clusterWithTopic()
    const producer = await producerOf(fake)
    expect(await producer.sendOneway({ topic: 'T', body: 'x' })).toBe(true)
    await producer.send({ topic: 'T', body: 'y' })
    expect(fake.bodies('T')).toEqual(['x', 'y'])
  })

  test('over the limit of sends in flight is refused with CLIENT_OVERLOADED', async () => {
    const fake = await clusterWithTopic()
    const producer = await producerOf(fake, { maxInFlight: 2 })
    const results = await Promise.allSettled([1, 2, 3].map(() => producer.send({ topic: 'T', body: 'x' })))
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    expect(results[2]).toMatchObject({ reason: { code: 'CLIENT_OVERLOADED' } })
  })

  test('can be given up by a signal', async () => {
    const fake = await clusterWithTopic()
    fake.fault = (call) => (isSend(call.code) ? 'silence' : undefined)
    const producer = await producerOf(fake)
    const controller = new AbortController()
    const sending = producer.send({ topic: 'T', body: 'x' }, { signal: controller.signal })
    controller.abort()
    await expect(sending).rejects.toMatchObject({ code: 'CLIENT_ABORTED' })
    expect(producer.inFlight).toBe(0)
  })
})

describe('when the leader goes away', () => {
  test('sends under way are sent again to the next leader, and say that they may be stored twice', async () => {
    const fake = await clusterWithTopic({ nodes: 2 })
    const [first, second] = fake.nodes
    if (first === undefined || second === undefined) throw new Error('two nodes wanted')
    const producer = await producerOf(fake)
    await producer.send({ topic: 'T', body: 'before' })
    fake.fault = (call, node) => (node === first && isSend(call.code) ? 'silence' : undefined)
    const under = producer.send({ topic: 'T', body: 'under way' })
    while (fake.requests.filter(isSend).length < 2) await new Promise(setImmediate)
    await fake.kill(first)
    fake.leader = second
    expect(await under).toMatchObject({ mayBeTwice: true })
    expect(await producer.send({ topic: 'T', body: 'after' })).toMatchObject({ mayBeTwice: false })
  })

  test('sends wait for the next leader, however long within sendTimeoutMs the route names the old one', async () => {
    const fake = await clusterWithTopic({ nodes: 2 })
    const [first, second] = fake.nodes
    if (first === undefined || second === undefined) throw new Error('two nodes wanted')
    const producer = await producerOf(fake)
    await producer.send({ topic: 'T', body: 'before' })
    await fake.kill(first)
    fake.leader = first
    const sends = [...Array(50).keys()].map((n) => producer.send({ topic: 'T', body: `${n}` }))
    setTimeout(() => {
      fake.leader = second
    }, 400)
    await Promise.all(sends)
    expect(fake.bodies('T').slice(1).sort()).toEqual([...Array(50).keys()].map(String).sort())
  })

  test('a node that says it does not lead is left for the one that does', async () => {
    const fake = await clusterWithTopic({ nodes: 2 })
    const [first, second] = fake.nodes
    if (first === undefined || second === undefined) throw new Error('two nodes wanted')
    const producer = await producerOf(fake)
    await producer.send({ topic: 'T', body: 'before' })
    fake.leader = second
    expect(await producer.send({ topic: 'T', body: 'after' })).toMatchObject({ mayBeTwice: false })
  })

  test('one that keeps silent without hanging up is left within a second or two', async () => {
    const fake = await clusterWithTopic({ nodes: 2 })
    const [first, second] = fake.nodes
    if (first === undefined || second === undefined) throw new Error('two nodes wanted')
    const producer = await producerOf(fake, { attemptTimeoutMs: 60_000, sendTimeoutMs: 60_000 })
    await producer.send({ topic: 'T', body: 'before' })
    fake.fault = (call, node) => (node === first && isSend(call.code) ? 'silence' : undefined)
    const sending = producer.send({ topic: 'T', body: 'under way' })
    while (fake.requests.filter(isSend).length < 2) await new Promise(setImmediate)
    fake.leader = second
    expect(await sending).toMatchObject({ mayBeTwice: true })
  })

  test('one that keeps silent, and that no other follows, is named as what it is', async () => {
    const fake = await clusterWithTopic()
    const producer = await producerOf(fake, { attemptTimeoutMs: 60_000, sendTimeoutMs: 3_000 })
    await producer.send({ topic: 'T', body: 'before' })
    fake.fault = (call) => (isSend(call.code) ? 'silence' : undefined)
    const sending = producer.send({ topic: 'T', body: 'under way' }).catch((error: unknown) => error)
    while (fake.requests.filter(isSend).length < 2) await new Promise(setImmediate)
    fake.leader = undefined
    expect(await sending).toMatchObject({
      code: 'CLIENT_UNDECIDED',
      message: expect.stringMatching(
        /failed after 1 attempt and \d+ ms: .*: connection closed: it kept silent, and leads no more; broker-a has no leader now$/,
      ),
    })
  })

  test('without a leader a send fails as certainly not stored when its time is over', async () => {
    const fake = await clusterWithTopic()
    const producer = await producerOf(fake, { sendTimeoutMs: 300 })
    await producer.send({ topic: 'T', body: 'before' })
    fake.leader = undefined
    fake.fault = (call) => (isSend(call.code) ? { code: 14, remark: 'not leader' } : undefined)
    const failure: unknown = await producer.send({ topic: 'T', body: 'x' }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: 'CLIENT_NO_LEADER' })
    expect(mayBeStored(failure)).toBe(false)
  })
})

describe('an answer that does not come', () => {
  test('is retried by default', async () => {
    const fake = await clusterWithTopic()
    let silent = 1
    fake.fault = (call) => (isSend(call.code) && silent-- > 0 ? 'silence' : undefined)
    const producer = await producerOf(fake, { attemptTimeoutMs: 100 })
    expect(await producer.send({ topic: 'T', body: 'x' })).toMatchObject({ mayBeTwice: true })
  })

  test('ends as CLIENT_UNDECIDED when the user does not want duplicates', async () => {
    const fake = await clusterWithTopic()
    fake.fault = (call) => (isSend(call.code) ? 'cut' : undefined)
    const producer = await producerOf(fake, { retryUndecided: false })
    await expect(producer.send({ topic: 'T', body: 'x' })).rejects.toMatchObject({ code: 'CLIENT_UNDECIDED' })
    expect(fake.requests.filter(isSend)).toHaveLength(1)
  })

  test('code 1 with UNKNOWN in its remark is such an answer', async () => {
    const fake = await clusterWithTopic()
    fake.fault = (call) => (isSend(call.code) ? { code: 1, remark: 'UNKNOWN: no quorum' } : undefined)
    const producer = await producerOf(fake, { retryUndecided: false })
    await expect(producer.send({ topic: 'T', body: 'x' })).rejects.toMatchObject({
      code: 'CLIENT_UNDECIDED',
      message: expect.stringContaining('UNKNOWN: no quorum'),
    })
  })

  test('is given up after the retries, and stays undecided although the last answer was a refusal', async () => {
    const fake = await clusterWithTopic()
    let sends = 0
    fake.fault = (call) => {
      if (!isSend(call.code)) return undefined
      sends += 1
      return sends < 3 ? 'cut' : { code: 13, remark: 'illegal' }
    }
    const producer = await producerOf(fake)
    await expect(producer.send({ topic: 'T', body: 'x' })).rejects.toMatchObject({ code: 'CLIENT_UNDECIDED' })
    expect(sends).toBe(3)
  })
})

test('a busy broker is asked again after a pause', async () => {
  const fake = await clusterWithTopic()
  let busy = 4
  fake.fault = (call) => (isSend(call.code) && busy-- > 0 ? { code: 2, remark: 'busy' } : undefined)
  const producer = await producerOf(fake)
  expect(await producer.send({ topic: 'T', body: 'x' })).toMatchObject({ mayBeTwice: false, queueOffset: 0 })
})

test('a broker that stays busy is asked less and less often, until the time of the send is over', async () => {
  const fake = await clusterWithTopic()
  fake.fault = (call) => (isSend(call.code) ? { code: 2, remark: 'busy' } : undefined)
  const producer = await producerOf(fake, { sendTimeoutMs: 1_000 })
  await expect(producer.send({ topic: 'T', body: 'x' })).rejects.toMatchObject({ code: 'CLIENT_BUSY' })
  const attempts = fake.requests.filter(isSend).length
  expect(attempts).toBeGreaterThanOrEqual(3)
  expect(attempts).toBeLessThanOrEqual(7)
})

describe('a batch', () => {
  test('is stored side by side in one queue, with a result for each message', async () => {
    const fake = await clusterWithTopic()
    const producer = await producerOf(fake)
    const results = await producer.sendBatch(['a', 'b', 'c'].map((body) => ({ topic: 'T', body })))
    expect(results.map((result) => result.queueOffset)).toEqual([0, 1, 2])
    expect(new Set(results.map((result) => result.queue.queueId)).size).toBe(1)
    expect(new Set(results.map((result) => result.messageId)).size).toBe(3)
    expect(fake.bodies('T')).toEqual(['a', 'b', 'c'])
  })

  test('of several topics is refused', async () => {
    const fake = await clusterWithTopic()
    const producer = await producerOf(fake)
    const mixed = [
      { topic: 'T', body: 'a' },
      { topic: 'U', body: 'b' },
    ]
    await expect(producer.sendBatch(mixed)).rejects.toMatchObject({ code: 'CLIENT_MESSAGE_ILLEGAL' })
  })

  test('is made of what one turn sends to a topic, with a result for each message', async () => {
    const fake = await clusterWithTopic()
    const producer = await producerOf(fake, { batch: { maxMessages: 10 } })
    const results = await Promise.all([...Array(25).keys()].map((n) => producer.send({ topic: 'T', body: `b${n}` })))
    expect(fake.requests.filter(isSend)).toEqual(Array(3).fill(RequestCode.SEND_BATCH_MESSAGE))
    expect(fake.bodies('T').sort()).toEqual([...Array(25).keys()].map((n) => `b${n}`).sort())
    for (const [n, result] of results.entries()) {
      const queue = fake.topics.get('T')?.queues[result.queue.queueId]
      expect(queue?.[result.queueOffset]?.includes(`b${n}`)).toBe(true)
    }
    expect(new Set(results.map(({ offsetMessageId }) => offsetMessageId)).size).toBe(25)
  })

  test('is not made of a message that is alone, nor by a producer that wants none', async () => {
    const fake = await clusterWithTopic()
    const alone = await producerOf(fake)
    await alone.send({ topic: 'T', body: 'a' })
    await Promise.all(['T', 'U'].map((topic) => alone.send({ topic, body: 'b' })))
    const plain = await producerOf(fake, { batch: false })
    await Promise.all(['c', 'd'].map((body) => plain.send({ topic: 'T', body })))
    expect(fake.requests.filter(isSend)).toEqual(Array(5).fill(RequestCode.SEND_MESSAGE_V2))
  })

  test('leaves out what asks for more than storing, and is sent before it', async () => {
    const fake = await clusterWithTopic()
    const producer = await producerOf(fake, { compressOverBytes: 1000 })
    const queue = { topic: 'T', brokerName: 'broker-a', queueId: 0 }
    const messages = [
      { body: '0' },
      { body: '1' },
      { body: '2', delayLevel: 1 },
      { body: '3' },
      { body: '4', properties: { WAIT: 'false' } },
      { body: '5', properties: { TRAN_MSG: 'true' } },
      { body: '6'.repeat(2000) },
    ]
    await Promise.all(messages.map((message) => producer.send({ topic: 'T', queue, ...message })))
    const { SEND_BATCH_MESSAGE: batch, SEND_MESSAGE_V2: one } = RequestCode
    expect(fake.requests.filter(isSend)).toEqual([batch, one, one, one, one, one])
    expect(fake.bodies('T').slice(0, 6)).toEqual(['0', '1', '2', '3', '4', '5'])
  })

  test('that is refused is sent again message by message', async () => {
    const fake = await clusterWithTopic()
    fake.fault = (call) => (call.code === RequestCode.SEND_BATCH_MESSAGE ? { code: 13, remark: 'no' } : undefined)
    const producer = await producerOf(fake)
    const results = await Promise.all(['a', 'b'].map((body) => producer.send({ topic: 'T', body })))
    expect(fake.bodies('T')).toEqual(['a', 'b'])
    expect(new Set(results.map(({ messageId }) => messageId)).size).toBe(2)
  })

  test('whose answer was lost leaves every message undecided', async () => {
    const fake = await clusterWithTopic()
    fake.fault = (call) => (isSend(call.code) ? 'cut' : undefined)
    const producer = await producerOf(fake, { retryUndecided: false })
    const sends = await Promise.allSettled(['a', 'b'].map((body) => producer.send({ topic: 'T', body })))
    for (const send of sends) expect(send).toMatchObject({ reason: { code: 'CLIENT_UNDECIDED' } })
  })

  test('counts its messages as in flight', async () => {
    const fake = await clusterWithTopic()
    const producer = await producerOf(fake, { maxInFlight: 3 })
    const sends = [1, 2, 3, 4].map(() => producer.send({ topic: 'T', body: 'x' }))
    expect(producer.inFlight).toBe(3)
    const settled = await Promise.allSettled(sends)
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected'])
    expect(producer.inFlight).toBe(0)
  })
})

describe('close', () => {
  test('waits for what is in flight and says goodbye', async () => {
    const fake = await clusterWithTopic()
    const producer = await producerOf(fake)
    const sends = [...Array(100).keys()].map((n) => producer.send({ topic: 'T', body: `${n}` }))
    await producer.close()
    expect((await Promise.allSettled(sends)).every((result) => result.status === 'fulfilled')).toBe(true)
    expect(fake.unregistered).toEqual([producer.clientId])
  })

  test('with a signal fails what is still in flight', async () => {
    const fake = await clusterWithTopic()
    fake.fault = (call) => (isSend(call.code) ? 'silence' : undefined)
    const producer = await producerOf(fake)
    const sending = producer.send({ topic: 'T', body: 'x' })
    sending.catch(() => undefined)
    while (!fake.requests.some(isSend)) await new Promise(setImmediate)
    await producer.close({ signal: AbortSignal.abort() })
    await expect(sending).rejects.toMatchObject({ code: 'CLIENT_UNDECIDED' })
  })
})

test('no name server: the send fails with CLIENT_NO_NAMESRV when its time is over', async () => {
  const producer = new Producer({ namesrv: '127.0.0.1:1', sendTimeoutMs: 200 })
  await producer.start()
  opened(producer)
  await expect(producer.send({ topic: 'T', body: 'x' })).rejects.toMatchObject({ code: 'CLIENT_NO_NAMESRV' })
})

test('several name servers: one that is down is passed over', async () => {
  const fake = await clusterWithTopic()
  const producer = new Producer({ namesrv: `127.0.0.1:1;${fake.namesrv}` })
  await producer.start()
  opened(producer)
  expect(await producer.send({ topic: 'T', body: 'x' })).toMatchObject({ status: 'SEND_OK' })
})

test('diagnostics channels tell of sends and their ends', async () => {
  const fake = await clusterWithTopic()
  const producer = await producerOf(fake)
  const seen: unknown[] = []
  const listen = (event: unknown, name: string | symbol): void => void seen.push([name, event])
  const names = ['raftmq:client:send', 'raftmq:client:acknowledged']
  for (const name of names) subscribe(name, listen)
  try {
    const { messageId } = await producer.send({ topic: 'T', body: 'x' })
    expect(seen).toEqual([
      [names[0], expect.objectContaining({ messageId, topic: 'T', attempt: 1 })],
      [names[1], expect.objectContaining({ messageId, durationMs: expect.any(Number) })],
    ])
  } finally {
    for (const name of names) unsubscribe(name, listen)
  }
})

test.each([
  [{ namesrv: '' }, 'namesrv'],
  [{ namesrv: 'nowhere' }, 'host:port'],
  [{ namesrv: 'a:1', sendTimeoutMs: 0 }, 'sendTimeoutMs'],
  [{ namesrv: 'a:1', retries: 1.5 }, 'retries'],
  [{ namesrv: 'a:1', group: 'a b' }, 'illegal'],
  [{ namesrv: 'a:1', batch: { maxMessages: 0 } }, 'maxMessages'],
])('the options %j are refused, naming what is wrong', (options, word) => {
  expect(() => new Producer(options)).toThrow(
    expect.objectContaining({ code: 'CLIENT_OPTION', message: expect.stringContaining(word) }),
  )
})
