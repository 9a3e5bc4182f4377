import { describe, expect, test } from 'vitest'
import { PushConsumer } from '../../src/client/consumer/push-consumer.ts'
import type { PushConsumerOptions } from '../../src/client/consumer/consumer-options.ts'
import { LOCK_RENEWAL_MS } from '../../src/client/consumer/queue-locks.ts'
import { systemClock, type Clock } from '../../src/lib/clock.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { RequestCode } from '../../src/remoting/codes.ts'
import { FakeCluster } from '../support/fake-broker.ts'
import { until } from '../support/until.ts'
import { opened } from '../support/open.ts'

/** One queue with `bodies`. */
async function clusterWith(...bodies: string[]): Promise<FakeCluster> {
  const fake = opened(await FakeCluster.start())
  fake.createTopic('T', 1)
  for (const body of bodies) fake.put('T', 0, body)
  return fake
}

/** Renews locks every 30 ms. */
const hastyClock: Clock = {
  ...systemClock,
  every: (periodMs, run) => systemClock.every(periodMs === LOCK_RENEWAL_MS ? 30 : periodMs, run),
}

function orderedConsumer(fake: FakeCluster, options: Partial<PushConsumerOptions> = {}): PushConsumer {
  const consumer = new PushConsumer({
    namesrv: fake.namesrv,
    group: 'G',
    from: 'first',
    ordered: true,
    retryPauseMs: 10,
    rebalanceIntervalMs: 60_000,
    closeTimeoutMs: 100,
    clock: hastyClock,
    ...options,
  })
  opened(consumer)
  return consumer.subscribe('T')
}

describe('a consumer in order', () => {
  test('handles a queue strictly one after the other, holding its lock', async () => {
    const fake = await clusterWith('a', 'b', 'c', 'd')
    const handled: string[] = []
    let running = 0
    const consumer = orderedConsumer(fake, { pullBatch: 1 })
    await consumer.run(async (message) => {
      running += 1
      expect(running).toBe(1)
      expect(fake.locks.clientOf.get('G T 0')).toBe(consumer.clientId)
      await new Promise(setImmediate)
      handled.push(message.body.toString())
      running -= 1
    })
    await until('all are handled', () => handled.length === 4)
    expect(handled).toEqual(['a', 'b', 'c', 'd'])
  })

  test('handles a message that failed again, and nothing of its queue before', async () => {
    const fake = await clusterWith('a', 'b', 'c')
    const tries: [string, number][] = []
    await orderedConsumer(fake).run((message, { deliveries }) => {
      tries.push([message.body.toString(), deliveries])
      if (message.body.toString() === 'b' && deliveries < 2) throw new Error('not yet')
    })
    await until('the last is handled', () => tries.length === 5)
    expect(tries).toEqual([
      ['a', 0],
      ['b', 0],
      ['b', 1],
      ['b', 2],
      ['c', 0],
    ])
    expect(fake.sentBack).toEqual([])
  })

  test('gives a message up to the dead letters after so many failures, and goes on behind it', async () => {
    const fake = await clusterWith('bad', 'good')
    const handled: string[] = []
    const consumer = orderedConsumer(fake, { maxReconsumeTimes: 2 })
    await consumer.run((message) => {
      handled.push(message.body.toString())
      if (message.body.toString() === 'bad') throw new Error('never')
    })
    await until('the good one', () => handled.includes('good'))
    expect(handled).toEqual(['bad', 'bad', 'bad', 'good'])
    expect(fake.bodies('%DLQ%G')).toEqual(['bad'])
    await consumer.close()
    expect(fake.committed('G', 'T', 0)).toBe(2)
  })

  test('gives it up at once when the handler says so', async () => {
    const fake = await clusterWith('bad', 'good')
    const handled: string[] = []
    await orderedConsumer(fake).run((message, context) => {
      handled.push(message.body.toString())
      context.delayLevel = -1
      if (message.body.toString() === 'bad') throw new Error('hopeless')
    })
    await until('the good one', () => handled.length === 2)
    expect(fake.bodies('%DLQ%G')).toEqual(['bad'])
  })

  test('handles other queues while one pauses, though it has one handler', async () => {
    const fake = await clusterWith('bad')
    fake.createTopic('U', 1)
    for (let n = 0; n < 5; n++) fake.put('U', 0, `${n}`)
    const handled: string[] = []
    const consumer = orderedConsumer(fake, { concurrency: 1, retryPauseMs: 30_000 }).subscribe('U')
    await consumer.run((message) => {
      handled.push(message.body.toString())
      if (message.body.toString() === 'bad') throw new Error('not now')
    })
    await until('the others', () => handled.length === 6)
    expect(handled.filter((body) => body !== 'bad')).toEqual(['0', '1', '2', '3', '4'])
  })

  test('ends the message in hand when its offset is reset, and goes on where it was reset to', async () => {
    const fake = await clusterWith('a', 'b', 'c')
    const handled: string[] = []
    const gate = deferred<void>()
    let running = 0
    const consumer = orderedConsumer(fake)
    await consumer.run(async (message) => {
      running += 1
      expect(running).toBe(1)
      handled.push(message.body.toString())
      if (handled.length === 2) await gate.promise
      running -= 1
    })
    await until('the second is in hand', () => handled.length === 2)
    const body = Buffer.from('{"offsetTable":{{"brokerName":"broker-a","queueId":0,"topic":"T"}:0}}')
    const header = { topic: 'T', group: 'G', timestamp: 0, isForce: true }
    fake.tellClients(RequestCode.RESET_CONSUMER_CLIENT_OFFSET, header, body)
    await until('the offset is stored', () => fake.committed('G', 'T', 0) === 0)
    expect(handled).toEqual(['a', 'b'])
    gate.resolve()
    await until('all of it again', () => handled.length === 5)
    expect(handled).toEqual(['a', 'b', 'a', 'b', 'c'])
    expect(fake.locks.clientOf.get('G T 0')).toBe(consumer.clientId)
  })

  test('only tells a handler that takes too long: its queue waits', async () => {
    const fake = await clusterWith('slow', 'next')
    const done = deferred<void>()
    const handled: string[] = []
    let signal: AbortSignal | undefined
    await orderedConsumer(fake, { handlerTimeoutMs: 20 }).run(async (message, context) => {
      handled.push(message.body.toString())
      signal ??= context.signal
      if (message.body.toString() === 'slow') await done.promise
    })
    await until('the signal', () => signal?.aborted === true)
    expect(handled).toEqual(['slow'])
    done.resolve()
    await until('the next', () => handled.length === 2)
    expect(fake.sentBack).toEqual([])
  })

  test('gives one message at a time to a loop, too', async () => {
    const fake = await clusterWith('a', 'b', 'c')
    const bodies: string[] = []
    for await (const message of orderedConsumer(fake)) if (bodies.push(message.body.toString()) === 3) break
    expect(bodies).toEqual(['a', 'b', 'c'])
  })
})

describe('the lock of a queue', () => {
  test('that another member has is waited for', async () => {
    const fake = await clusterWith('a')
    fake.locks.clientOf.set('G T 0', 'somebody else')
    const handled: string[] = []
    const consumer = orderedConsumer(fake)
    await consumer.run((message) => handled.push(message.body.toString()))
    await until('the retry topic is begun', () => consumer.assigned.length === 1)
    expect(handled).toEqual([])
    fake.locks.clientOf.delete('G T 0')
    await until('the message', () => handled.length === 1)
  })

  test('that is lost ends the handler, stores nothing, and the queue begins where the other member got to', async () => {
    const fake = await clusterWith('a', 'b', 'c')
    const handled: string[] = []
    const reasons: unknown[] = []
    const consumer = orderedConsumer(fake, { commitIntervalMs: 60_000 })
    await consumer.run(async (message, { signal }) => {
      handled.push(message.body.toString())
      if (message.body.toString() !== 'b') return
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      reasons.push(signal.reason)
    })
    await until('the second', () => handled.length === 2)
    fake.locks.clientOf.set('G T 0', 'somebody else')
    await until('the handler is told', () => reasons.length === 1)
    expect(reasons).toMatchObject([{ code: 'CLIENT_QUEUE_LOST' }])
    expect(fake.committed('G', 'T', 0)).toBeUndefined()
    fake.offsets.set('G T 0', 2)
    fake.locks.clientOf.delete('G T 0')
    await until('what the other member left', () => handled.length === 3)
    expect(handled).toEqual(['a', 'b', 'c'])
  })

  test('goes to a member that joins once the handler is done and its offset is stored', async () => {
    const fake = await clusterWith()
    fake.createTopic('T', 2)
    for (let n = 0; n < 8; n++) fake.put('T', n % 2, `${n}`)
    const running = new Map<number, number>()
    const handled: string[] = []
    const gate = deferred<void>()
    const handler = async (message: { queueId: number; body: Buffer; storedTopic: string }): Promise<void> => {
      const { queueId } = message
      running.set(queueId, (running.get(queueId) ?? 0) + 1)
      expect(running.get(queueId)).toBe(1)
      await gate.promise
      handled.push(message.body.toString())
      running.set(queueId, 0)
    }
    const first = orderedConsumer(fake)
    await first.run(handler)
    await until('both queues are in hand', () => running.size === 2)
    const second = orderedConsumer(fake)
    await second.run(handler)
    await until('one is given up', () => first.assigned.filter(({ topic }) => topic === 'T').length === 1)
    expect([...fake.locks.clientOf.values()].filter((client) => client === second.clientId).length).toBeLessThan(2)
    gate.resolve()
    await until('the other begins', () => second.assigned.some(({ topic }) => topic === 'T'))
    await until('all are handled', () => handled.length === 8)
    expect(handled.filter((body) => Number(body) % 2 === 0)).toEqual(['0', '2', '4', '6'])
    expect(handled.filter((body) => Number(body) % 2 === 1)).toEqual(['1', '3', '5', '7'])
  })

  test('is renewed while a consumer that closes waits for its handler', async () => {
    const fake = await clusterWith('slow')
    const done = deferred<void>()
    const handled: string[] = []
    const consumer = orderedConsumer(fake, { closeTimeoutMs: 10_000 })
    await consumer.run((message) => {
      handled.push(message.body.toString())
      return done.promise
    })
    await until('the message is in hand', () => handled.length === 1)
    const closing = consumer.close()
    const renewals = (): number => fake.requests.filter((code) => code === RequestCode.LOCK_BATCH_MQ).length
    const before = renewals()
    await until('two more renewals', () => renewals() >= before + 2)
    done.resolve()
    await closing
    expect([fake.locks.clientOf.size, fake.committed('G', 'T', 0)]).toEqual([0, 1])
  })

  test('is free when the consumer is closed', async () => {
    const fake = await clusterWith('a')
    const consumer = orderedConsumer(fake)
    await consumer.run(() => undefined)
    await until('the lock', () => fake.locks.clientOf.has('G T 0'))
    await consumer.close()
    expect(fake.locks.clientOf.size).toBe(0)
  })

  test('is not asked for by consumers that keep no order, nor in broadcast', async () => {
    const fake = await clusterWith('a')
    const handled: string[] = []
    await orderedConsumer(fake, { ordered: false }).run((message) => handled.push(message.body.toString()))
    await until('the message', () => handled.length === 1)
    expect(fake.locks.clientOf.size).toBe(0)
  })
})
