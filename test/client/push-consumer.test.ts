import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PushConsumer } from '../../src/client/consumer/push-consumer.ts'
import type { MessageContext, MessageHandler } from '../../src/client/consumer/message-context.ts'
import type { PushConsumerOptions } from '../../src/client/consumer/consumer-options.ts'
import type { ReceivedMessage } from '../../src/client/core/received-message.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { compressBody } from '../../src/message/compression.ts'
import { RequestCode } from '../../src/remoting/codes.ts'
import { FakeCluster } from '../support/fake-broker.ts'
import { opened } from '../support/open.ts'
import { clusterWithTopic } from '../support/sending.ts'

function consumerOf(fake: FakeCluster, options: Partial<PushConsumerOptions> = {}): PushConsumer {
  const consumer = opened(
    new PushConsumer({
      namesrv: fake.namesrv,
      group: 'G',
      from: 'first',
      closeTimeoutMs: 100,
      ...options,
    }),
  )
  return consumer
}

/** Bodies as they come, and a way to wait for so many of them. */
function collector(work?: MessageHandler): {
  handler: MessageHandler
  bodies: string[]
  messages: ReceivedMessage[]
  count(n: number): Promise<void>
} {
  const bodies: string[] = []
  const messages: ReceivedMessage[] = []
  const waiting: { n: number; resolve: () => void }[] = []
  return {
    bodies,
    messages,
    handler(message, context) {
      bodies.push(message.body.toString())
      messages.push(message)
      for (const { n, resolve } of waiting) if (bodies.length >= n) resolve()
      return work?.(message, context)
    },
    count(n) {
      const reached = deferred<void>()
      waiting.push({ n, resolve: () => reached.resolve() })
      if (bodies.length >= n) reached.resolve()
      return reached.promise
    },
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe('a handler', () => {
  test('gets every message, in the order of its queue, and what it handled is committed at close', async () => {
    const fake = await clusterWithTopic()
    for (let n = 0; n < 40; n++) fake.put('T', n % 4, `${n}`)
    const consumer = consumerOf(fake)
    const got = collector()
    consumer.subscribe('T')
    await consumer.run(got.handler)
    await got.count(40)
    for (let n = 40; n < 60; n++) fake.put('T', n % 4, `${n}`)
    await got.count(60)
    for (const queueId of [0, 1, 2, 3]) {
      const order = got.messages.filter((message) => message.queueId === queueId).map((message) => message.queueOffset)
      expect(order).toEqual([...order.keys()])
    }
    await consumer.close()
    expect([0, 1, 2, 3].map((queueId) => fake.committed('G', 'T', queueId))).toEqual([15, 15, 15, 15])
    expect(fake.unregistered).toEqual([consumer.clientId])
  })

  test('sees what the producer gave', async () => {
    const fake = await clusterWithTopic()
    const properties = 'UNIQ_KEY\u0001ABC\u0002TAGS\u0001red\u0002KEYS\u0001k1 k2\u0002colour\u0001blue\u0002'
    fake.put('T', 1, compressBody(Buffer.from('x'.repeat(9_999)), 'zlib'), properties, { sysFlag: 0x301, flag: 7 })
    const consumer = consumerOf(fake)
    const got = collector()
    await consumer.subscribe('T').run(got.handler)
    await got.count(1)
    const message = got.messages[0]
    expect(message?.body.toString()).toBe('x'.repeat(9_999))
    expect(message).toMatchObject({
      topic: 'T',
      queueId: 1,
      queueOffset: 0,
      brokerName: 'broker-a',
      messageId: 'ABC',
      offsetMessageId: '7F00000100002A9F0000000000000000',
      tag: 'red',
      keys: ['k1', 'k2'],
      flag: 7,
      reconsumeTimes: 0,
      bornTimestampMs: 1_700_000_000_000,
      storeTimestampMs: 1_700_000_000_000,
    })
    expect(message?.property('colour')).toBe('blue')
    expect(message?.properties.get('colour')).toBe('blue')
  })

  test('of one queue runs one at a time in order, and side by side by default', async () => {
    for (const ordered of [true, false]) {
      const fake = await clusterWithTopic()
      for (let n = 0; n < 6; n++) fake.put('T', 0, `${n}`)
      let running = 0
      let most = 0
      const gate = deferred<void>()
      const got = collector(async () => {
        running += 1
        most = Math.max(most, running)
        if (!ordered) {
          if (running === 4) gate.resolve()
          await gate.promise
        } else await new Promise((resolve) => setTimeout(resolve, 10))
        running -= 1
      })
      // One message a pull: the next arrives while the handler of the one before runs.
      const consumer = consumerOf(fake, { ...(ordered && { ordered }), concurrency: 4, pullBatch: 1 })
      await consumer.subscribe('T').run(got.handler)
      await got.count(6)
      expect(most).toBe(ordered ? 1 : 4)
      await consumer.close()
    }
  })

  test('gets only the tags it asked for, and the offsets pass over the others', async () => {
    const fake = await clusterWithTopic()
    for (let n = 0; n < 10; n++) fake.put('T', 0, `${n}`, `TAGS\u0001${n % 2 === 0 ? 'even' : 'odd'}\u0002`)
    const consumer = consumerOf(fake)
    const got = collector()
    await consumer.subscribe('T', 'even || prime').run(got.handler)
    await got.count(5)
    expect(got.bodies).toEqual(['0', '2', '4', '6', '8'])
    await consumer.close()
    expect(fake.committed('G', 'T', 0)).toBe(10)
  })

  test('that fails has its message delivered again through the retry topic, with its first topic', async () => {
    const fake = await clusterWithTopic()
    fake.put('T', 0, 'bad')
    fake.put('T', 0, 'good')
    const got = collector((message) => {
      if (message.body.toString() === 'bad' && message.reconsumeTimes < 2) throw new Error('not yet')
    })
    const consumer = consumerOf(fake)
    await consumer.subscribe('T').run(got.handler)
    await got.count(4)
    expect(got.bodies.filter((body) => body === 'bad')).toHaveLength(3)
    expect(got.messages.map((message) => message.topic)).toEqual(['T', 'T', 'T', 'T'])
    expect(fake.sentBack).toEqual([
      { group: 'G', offset: 0, delayLevel: 0, maxReconsumeTimes: 16 },
      expect.objectContaining({ group: 'G', delayLevel: 0 }),
    ])
    await consumer.close()
    expect(fake.committed('G', 'T', 0)).toBe(2)
    expect(fake.committed('G', '%RETRY%G', 0)).toBe(2)
  })

  test('may choose the delay of the next delivery', async () => {
    const fake = await clusterWithTopic()
    fake.put('T', 0, 'bad')
    const consumer = consumerOf(fake, { maxReconsumeTimes: 0 })
    await consumer.subscribe('T').run(async (_message: ReceivedMessage, context: MessageContext) => {
      context.delayLevel = 5
      await Promise.reject(new Error('later'))
    })
    await until(() => fake.sentBack.length === 1)
    expect(fake.sentBack).toEqual([{ group: 'G', offset: 0, delayLevel: 5, maxReconsumeTimes: 0 }])
  })

  test('that fails when the message cannot be sent back is called again, and nothing is committed before', async () => {
    const fake = await clusterWithTopic()
    fake.put('T', 0, 'bad')
    fake.fault = (call) => (call.code === RequestCode.CONSUMER_SEND_MSG_BACK ? { code: 1, remark: 'no' } : undefined)
    let fails = 1
    const got = collector(() => {
      if (fails-- > 0) throw new Error('not yet')
    })
    const consumer = consumerOf(fake)
    await consumer.subscribe('T').run(got.handler)
    await got.count(1)
    await consumer.commit()
    expect(fake.committed('G', 'T', 0)).toBe(0)
    await got.count(2)
    await consumer.commit()
    expect(fake.committed('G', 'T', 0)).toBe(1)
  })

  test('that takes too long loses its message and its lane goes on', async () => {
    const fake = await clusterWithTopic()
    fake.put('T', 0, 'slow')
    fake.put('T', 0, 'fast')
    const signals: AbortSignal[] = []
    const got = collector((message, context) => {
      if (message.body.toString() !== 'slow' || message.reconsumeTimes > 0) return undefined
      signals.push(context.signal)
      return new Promise(() => undefined)
    })
    const consumer = consumerOf(fake, { handlerTimeoutMs: 50 })
    await consumer.subscribe('T').run(got.handler)
    await got.count(3)
    expect(signals[0]?.aborted).toBe(true)
    expect([...got.bodies].sort()).toEqual(['fast', 'slow', 'slow'])
  })

  test('holds up pulling when it is slow: no more than the limit is held', async () => {
    const fake = await clusterWithTopic()
    for (let n = 0; n < 500; n++) fake.put('T', 0, `${n}`)
    const gate = deferred<void>()
    const got = collector(() => gate.promise)
    const consumer = consumerOf(fake, { maxMessagesPerQueue: 20, pullBatch: 10 })
    await consumer.subscribe('T').run(got.handler)
    await got.count(1)
    const pulls = (): number => fake.requests.filter((code) => code === RequestCode.PULL_MESSAGE).length
    await until(() => pulls() >= 6)
    const before = pulls()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(pulls()).toBe(before)
    gate.resolve()
    await got.count(500)
  })
})

test('behind a message that is not settled only so many are pulled, though all of them are handled', async () => {
  const fake = await clusterWithTopic()
  for (let n = 0; n < 500; n++) fake.put('T', 0, `${n}`)
  const gate = deferred<void>()
  const got = collector((message) => (message.queueOffset === 0 ? gate.promise : undefined))
  const consumer = consumerOf(fake, { maxSpanPerQueue: 40, pullBatch: 10 })
  await consumer.subscribe('T').run(got.handler)
  await got.count(40)
  await consumer.commit()
  expect(got.bodies).toHaveLength(40)
  expect(fake.committed('G', 'T', 0)).toBe(0)
  gate.resolve()
  await got.count(500)
})

describe('where a group without offsets begins', () => {
  test.each([
    ['first', 'first' as const, ['0', '1', '2', 'new']],
    ['last', 'last' as const, ['new']],
    ['a time', new Date(1_700_000_000_001), ['1', '2', 'new']],
  ])('%s', async (_, from, expected) => {
    const fake = await clusterWithTopic()
    for (let n = 0; n < 3; n++) fake.put('T', 0, `${n}`)
    const consumer = consumerOf(fake, { from })
    const got = collector()
    await consumer.subscribe('T').run(got.handler)
    await until(() => consumer.assigned.length === 5)
    fake.put('T', 0, 'new')
    await got.count(expected.length)
    expect(got.bodies).toEqual(expected)
  })

  test('does not matter to a group that has offsets', async () => {
    const fake = await clusterWithTopic()
    for (let n = 0; n < 3; n++) fake.put('T', 0, `${n}`)
    fake.offsets.set('G T 0', 2)
    const consumer = consumerOf(fake, { from: 'first' })
    const got = collector()
    await consumer.subscribe('T').run(got.handler)
    await got.count(1)
    expect(got.bodies).toEqual(['2'])
  })
})

describe('iteration', () => {
  test('settles a message when the next is asked for, and gives the last one back when the loop is left', async () => {
    const fake = await clusterWithTopic()
    for (let n = 0; n < 5; n++) fake.put('T', 0, `${n}`)
    const consumer = consumerOf(fake)
    consumer.subscribe('T')
    const bodies: string[] = []
    for await (const message of consumer) {
      bodies.push(message.body.toString())
      if (bodies.length === 3) break
    }
    expect(bodies).toEqual(['0', '1', '2'])
    await consumer.commit()
    expect(fake.committed('G', 'T', 0)).toBe(2)
    for await (const message of consumer) {
      bodies.push(message.body.toString())
      if (bodies.length === 5) break
    }
    expect(bodies).toEqual(['0', '1', '2', '2', '3'])
  })

  test('ends when the consumer is closed', async () => {
    const fake = await clusterWithTopic()
    const consumer = consumerOf(fake)
    consumer.subscribe('T')
    await consumer.start()
    const iterating = (async () => {
      for await (const message of consumer) throw new Error(`a message: ${message.body.toString()}`)
      return 'ended'
    })()
    await consumer.close()
    expect(await iterating).toBe('ended')
  })

  test('and a handler exclude each other', async () => {
    const fake = await clusterWithTopic()
    const consumer = consumerOf(fake).subscribe('T')
    await consumer.run(() => undefined)
    expect(() => consumer[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: 'CLIENT_STATE' }))
  })
})

function queuesOf(consumer: PushConsumer): number {
  return consumer.assigned.filter((queue) => queue.topic === 'T').length
}

describe('members of a group', () => {
  test('share the queues, and take over those of one that leaves, losing nothing', async () => {
    const fake = await clusterWithTopic()
    const first = consumerOf(fake)
    const second = consumerOf(fake)
    const got = collector()
    await first.subscribe('T').run(got.handler)
    await second.subscribe('T').run(got.handler)
    await until(() => queuesOf(first) === 2 && queuesOf(second) === 2)
    for (let n = 0; n < 40; n++) fake.put('T', n % 4, `${n}`)
    await got.count(40)
    await first.close()
    await until(() => queuesOf(second) === 4)
    for (let n = 40; n < 60; n++) fake.put('T', n % 4, `${n}`)
    await until(() => new Set(got.bodies).size === 60)
    expect(got.bodies).toHaveLength(60)
  })

  test('hand over what they consumed: the next owner begins behind it', async () => {
    const fake = await clusterWithTopic()
    const first = consumerOf(fake)
    const second = consumerOf(fake)
    const got = collector()
    await first.subscribe('T').run(got.handler)
    for (let n = 0; n < 40; n++) fake.put('T', n % 4, `${n}`)
    await got.count(40)
    await second.subscribe('T').run(got.handler)
    await until(() => queuesOf(first) === 2 && queuesOf(second) === 2)
    for (let n = 40; n < 60; n++) fake.put('T', n % 4, `${n}`)
    await until(() => new Set(got.bodies).size === 60)
    expect(got.bodies).toHaveLength(60)
  })

  test('keep their queues when a broker lost sight of them, and say hello again', async () => {
    const fake = await clusterWithTopic()
    const consumer = consumerOf(fake, { rebalanceIntervalMs: 20 })
    const got = collector()
    await consumer.subscribe('T').run(got.handler)
    await until(() => consumer.assigned.length === 5)
    fake.clients.clear()
    await until(() => fake.clients.has(consumer.clientId))
    expect(consumer.assigned).toHaveLength(5)
  })
})

describe('broadcast', () => {
  test('gives every member everything and keeps the offsets in a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'offsets-'))
    opened({ close: () => rmSync(folder, { recursive: true }) })
    const fake = await clusterWithTopic()
    for (let n = 0; n < 8; n++) fake.put('T', n % 4, `${n}`)
    const members = ['a', 'b'].map((name) => {
      const offsetFile = join(folder, `${name}.json`)
      return { consumer: consumerOf(fake, { model: 'broadcast', offsetFile }), got: collector(), offsetFile }
    })
    for (const { consumer, got } of members) await consumer.subscribe('T').run(got.handler)
    for (const { consumer, got, offsetFile } of members) {
      await got.count(8)
      await consumer.close()
      expect(JSON.parse(readFileSync(offsetFile, 'utf8'))).toMatchObject({ offsets: { 'T@broker-a@0': 2 } })
    }
    const again = consumerOf(fake, { model: 'broadcast', offsetFile: join(folder, 'a.json') })
    const got = collector()
    await again.subscribe('T').run(got.handler)
    await until(() => again.assigned.length === 4)
    fake.put('T', 0, 'new')
    await got.count(1)
    expect(got.bodies).toEqual(['new'])
  })
})

describe('when the leader goes away', () => {
  test('pulling goes on at the next one, from where it was', async () => {
    const fake = await clusterWithTopic({ nodes: 2 })
    const [first, second] = fake.nodes
    if (first === undefined || second === undefined) throw new Error('two nodes wanted')
    const consumer = consumerOf(fake)
    const got = collector()
    await consumer.subscribe('T').run(got.handler)
    for (let n = 0; n < 20; n++) fake.put('T', n % 4, `${n}`)
    await got.count(20)
    await fake.kill(first)
    setTimeout(() => {
      fake.leader = second
      for (let n = 20; n < 40; n++) fake.put('T', n % 4, `${n}`)
    }, 300)
    await got.count(40)
    expect(got.bodies).toHaveLength(40)
    expect(new Set(got.bodies).size).toBe(40)
    await consumer.close()
    expect(fake.committed('G', 'T', 0)).toBe(10)
  })
})

describe('what brokers ask', () => {
  test('220 sets the offset back, commits it, and the messages come again', async () => {
    const fake = await clusterWithTopic()
    for (let n = 0; n < 5; n++) fake.put('T', 0, `${n}`)
    const consumer = consumerOf(fake)
    const gate = deferred<void>()
    const got = collector(() => (got.bodies.length > 5 ? gate.promise : undefined))
    await consumer.subscribe('T').run(got.handler)
    await got.count(5)
    await consumer.commit()
    expect(fake.committed('G', 'T', 0)).toBe(5)
    const body = Buffer.from('{"offsetTable":{{"brokerName":"broker-a","queueId":0,"topic":"T"}:3}}')
    fake.tellClients(
      RequestCode.RESET_CONSUMER_CLIENT_OFFSET,
      { topic: 'T', group: 'G', timestamp: 0, isForce: true },
      body,
    )
    await until(() => fake.committed('G', 'T', 0) === 3)
    await got.count(6)
    gate.resolve()
    await got.count(7)
    expect(got.bodies.slice(5)).toEqual(['3', '4'])
  })

  test('221 and 307 tell where the consumer stands, in the JSON of Java', async () => {
    const fake = await clusterWithTopic()
    fake.put('T', 0, 'x')
    const consumer = consumerOf(fake)
    const got = collector()
    await consumer.subscribe('T').run(got.handler)
    await got.count(1)
    await until(() => consumer.assigned.length === 5)
    const [connection] = fake.connections()
    const status = await connection?.invoke(
      { code: RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT, header: { topic: 'T', group: 'G' } },
      1_000,
    )
    expect(status?.body.toString()).toContain('{"brokerName":"broker-a","queueId":0,"topic":"T"}:1')
    const info = await connection?.invoke(
      { code: RequestCode.GET_CONSUMER_RUNNING_INFO, header: { consumerGroup: 'G', clientId: consumer.clientId } },
      1_000,
    )
    expect(info?.code).toBe(0)
    expect(info?.body.toString()).toMatch(
      /"mqTable":\{\{"brokerName":"broker-a".*"PROP_CONSUME_TYPE":"CONSUME_PASSIVELY"/,
    )
  })

  test('309 has a message handled at once and tells how that went', async () => {
    const fake = await clusterWithTopic()
    fake.put('T', 0, 'x')
    const consumer = consumerOf(fake)
    const got = collector((message) => {
      if (message.queueOffset === 0 && got.bodies.length > 1) throw new Error('not twice')
    })
    await consumer.subscribe('T').run(got.handler)
    await got.count(1)
    const [connection] = fake.connections()
    const result = await connection?.invoke(
      {
        code: RequestCode.CONSUME_MESSAGE_DIRECTLY,
        header: { consumerGroup: 'G', brokerName: 'broker-a' },
        body: fake.topics.get('T')?.queues[0]?.[0],
      },
      1_000,
    )
    expect(JSON.parse(result?.body.toString() ?? '')).toMatchObject({
      consumeResult: 'CR_THROW_EXCEPTION',
      remark: 'not twice',
    })
  })
})

describe('close', () => {
  test('waits for handlers that run, then commits what they did', async () => {
    const fake = await clusterWithTopic()
    fake.put('T', 0, 'x')
    const gate = deferred<void>()
    const got = collector(() => gate.promise)
    const consumer = consumerOf(fake, { closeTimeoutMs: 5_000 })
    await consumer.subscribe('T').run(got.handler)
    await got.count(1)
    const closing = consumer.close()
    gate.resolve()
    await closing
    expect(fake.committed('G', 'T', 0)).toBe(1)
  })

  test('does not wait longer than it may: the handler’s signal fires and its message is not committed', async () => {
    const fake = await clusterWithTopic()
    fake.put('T', 0, 'x')
    let signal: AbortSignal | undefined
    const got = collector((_message, context) => {
      signal = context.signal
      return new Promise(() => undefined)
    })
    const consumer = consumerOf(fake, { closeTimeoutMs: 30 })
    await consumer.subscribe('T').run(got.handler)
    await got.count(1)
    await consumer.close()
    expect(signal?.aborted).toBe(true)
    expect(fake.committed('G', 'T', 0)).toBe(0)
  })

  test('comes of a signal, too', async () => {
    const fake = await clusterWithTopic()
    const consumer = consumerOf(fake)
    const controller = new AbortController()
    await consumer.subscribe('T').run(() => undefined, { signal: controller.signal })
    controller.abort()
    await until(() => fake.unregistered.length === 1)
  })
})

test('a consumer without a subscription cannot start', async () => {
  const fake = await clusterWithTopic()
  await expect(consumerOf(fake).start()).rejects.toMatchObject({ code: 'CLIENT_STATE' })
})
