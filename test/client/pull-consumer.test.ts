import { describe, expect, test } from 'vitest'
import { PullConsumer } from '../../src/client/consumer/pull-consumer.ts'
import type { PullConsumerOptions } from '../../src/client/consumer/pull-options.ts'
import type { MessageQueue } from '../../src/client/core/message-queue.ts'
import type { ReceivedMessage } from '../../src/client/core/received-message.ts'
import { RequestCode } from '../../src/remoting/codes.ts'
import { FakeCluster } from '../support/fake-broker.ts'
import { until } from '../support/until.ts'
import { opened } from '../support/open.ts'

const queue: MessageQueue = { topic: 'T', brokerName: 'broker-a', queueId: 0 }
const second: MessageQueue = { ...queue, queueId: 1 }

/** A topic with two queues, and messages 0, 1, … in the first. */
async function clusterWith(count: number): Promise<FakeCluster> {
  const fake = opened(await FakeCluster.start())
  fake.createTopic('T', 2)
  for (let n = 0; n < count; n++) fake.put('T', 0, `${n}`)
  return fake
}

function pullConsumer(fake: FakeCluster, options: Partial<PullConsumerOptions> = {}): PullConsumer {
  const consumer = opened(new PullConsumer({ namesrv: fake.namesrv, group: 'G', from: 'first', ...options }))
  return consumer
}

const bodies = (messages: readonly ReceivedMessage[]): string[] => messages.map(({ body }) => body.toString())

describe('a poll', () => {
  test('gives what is there, and then waits for more', async () => {
    const fake = await clusterWith(3)
    const consumer = pullConsumer(fake).subscribe('T')
    expect(bodies(await consumer.poll())).toEqual(['0', '1', '2'])
    const next = consumer.poll()
    fake.put('T', 1, 'new')
    expect(bodies(await next)).toEqual(['new'])
  })

  test('gives no more than was asked for, and nothing when nothing comes in time', async () => {
    const consumer = pullConsumer(await clusterWith(5)).subscribe('T')
    expect(bodies(await consumer.poll({ maxMessages: 2 }))).toEqual(['0', '1'])
    expect(bodies(await consumer.poll())).toEqual(['2', '3', '4'])
    expect(await consumer.poll({ timeoutMs: 20 })).toEqual([])
    expect(await consumer.poll({ timeoutMs: 0 })).toEqual([])
  })

  test('gives by the filter only', async () => {
    const fake = await clusterWith(0)
    for (const tag of ['a', 'b', 'a']) fake.put('T', 0, tag, `TAGS\u0001${tag}\u0002`)
    expect(bodies(await pullConsumer(fake).subscribe('T', 'b').poll())).toEqual(['b'])
  })

  test('ends with CLIENT_ABORTED when its signal fires, and with nothing when the consumer is closed', async () => {
    const consumer = pullConsumer(await clusterWith(0)).subscribe('T')
    const controller = new AbortController()
    const aborted = consumer.poll({ signal: controller.signal })
    await until('the consumer has queues', () => consumer.assigned.length === 2)
    controller.abort()
    await expect(aborted).rejects.toMatchObject({ code: 'CLIENT_ABORTED' })
    const closed = consumer.poll()
    await consumer.close()
    expect(await closed).toEqual([])
    await expect(consumer.poll()).rejects.toMatchObject({ code: 'CLIENT_CLOSED' })
  })

  test('is refused beside another one, without a topic, and with impossible limits, each in one line', async () => {
    const fake = await clusterWith(0)
    await expect(pullConsumer(fake).poll()).rejects.toMatchObject({
      code: 'CLIENT_STATE',
      message: 'nothing is subscribed to or assigned',
    })
    const consumer = pullConsumer(fake).subscribe('T')
    const first = consumer.poll({ timeoutMs: 50 })
    await expect(consumer.poll()).rejects.toMatchObject({
      code: 'CLIENT_STATE',
      message: 'a poll is under way already',
    })
    await first
    await expect(consumer.poll({ timeoutMs: -1 })).rejects.toThrow('timeoutMs: -1 is not an integer in 0–3600000')
    await expect(consumer.poll({ maxMessages: 0 })).rejects.toThrow('maxMessages: 0 is not an integer in 1–65536')
    expect(() => pullConsumer(fake, { pollBatch: 0 })).toThrow('pollBatch: 0 is not an integer in 1–65536')
  })

  test('holds no more of a queue than the limit', async () => {
    const fake = await clusterWith(100)
    const consumer = pullConsumer(fake, { maxMessagesPerQueue: 10, pullBatch: 5 }).subscribe('T')
    await consumer.start()
    const pulls = (): number => fake.requests.filter((code) => code === RequestCode.PULL_MESSAGE).length
    await until('two pulls of the one and one of the other', () => pulls() === 3)
    expect(await consumer.poll({ maxMessages: 100 })).toHaveLength(10)
    expect(bodies(await consumer.poll({ maxMessages: 1 }))).toEqual(['10'])
  })
})

test('a poll finds no more bytes of a queue than the limit, and one message at least', async () => {
  const fake = await clusterWith(0)
  for (let n = 0; n < 6; n++) fake.put('T', 0, `${n}`.repeat(2_000))
  const consumer = pullConsumer(fake, { maxBytesPerQueue: 5_000, pullBatch: 1 }).subscribe('T')
  await consumer.start()
  const pulls = (): number => fake.requests.filter((code) => code === RequestCode.PULL_MESSAGE).length
  await until('three pulls of the one and one of the other', () => pulls() === 4)
  expect(await consumer.poll({ maxMessages: 100 })).toHaveLength(3)
  const tight = pullConsumer(fake, { group: 'H', maxBytesPerQueue: 1, pullBatch: 1 }).subscribe('T')
  expect(await tight.poll({ maxMessages: 100 })).toHaveLength(1)
})

describe('what was polled', () => {
  test('counts as consumed with the next poll, and is committed at close', async () => {
    const fake = await clusterWith(4)
    const consumer = pullConsumer(fake).subscribe('T')
    await consumer.poll({ maxMessages: 2 })
    await consumer.poll({ maxMessages: 1 })
    await until('a commit', async () => {
      await consumer.commit()
      return fake.committed('G', 'T', 0) === 3
    })
    await consumer.poll()
    await consumer.close()
    expect(fake.committed('G', 'T', 0)).toBe(4)
    expect(fake.unregistered).toEqual([consumer.clientId])
  })

  test('is committed by the program alone when it wants that', async () => {
    const fake = await clusterWith(4)
    const consumer = pullConsumer(fake, { autoCommit: false, commitIntervalMs: 5 }).subscribe('T')
    await consumer.poll({ maxMessages: 2 })
    await consumer.commit()
    await consumer.poll()
    await consumer.poll({ timeoutMs: 30 })
    await consumer.close()
    expect(fake.committed('G', 'T', 0)).toBe(2)
  })

  test('is given again by an iteration that was left, and not by one that asked for the next', async () => {
    const consumer = pullConsumer(await clusterWith(3)).subscribe('T')
    const seen: string[] = []
    for await (const message of consumer) if (seen.push(message.body.toString()) === 2) break
    for await (const message of consumer) if (seen.push(message.body.toString()) === 4) break
    expect(seen).toEqual(['0', '1', '1', '2'])
  })
})

describe('a queue', () => {
  test('goes on where it is sought: an offset, a time, the beginning, the end', async () => {
    const fake = await clusterWith(5)
    const consumer = pullConsumer(fake).subscribe('T')
    await consumer.poll()
    expect(await consumer.seek(queue, 3)).toBe(3)
    expect(bodies(await consumer.poll())).toEqual(['3', '4'])
    expect(await consumer.seekToTime(queue, new Date(1_700_000_000_002))).toBe(2)
    expect(bodies(await consumer.poll())).toEqual(['2', '3', '4'])
    expect(await consumer.seekToBegin(queue)).toBe(0)
    expect(consumer.position(queue)).toBe(0)
    expect(bodies(await consumer.poll({ maxMessages: 1 }))).toEqual(['0'])
    expect(consumer.position(queue)).toBe(1)
    expect(await consumer.seekToEnd(queue)).toBe(5)
    expect(await consumer.poll({ timeoutMs: 20 })).toEqual([])
    await consumer.commit()
    expect(await consumer.committed(queue)).toBe(5)
  })

  test('that is not held yet begins where it is sought, whatever the group committed', async () => {
    const fake = await clusterWith(5)
    fake.offsets.set('G T 0', 1)
    const consumer = pullConsumer(fake).assign([queue])
    await consumer.seek(queue, 4)
    expect(bodies(await consumer.poll())).toEqual(['4'])
  })

  test('cannot be sought outside its messages, nor at a time that is none', async () => {
    const consumer = pullConsumer(await clusterWith(5)).assign([queue])
    await expect(consumer.seek(queue, 6)).rejects.toMatchObject({
      code: 'CLIENT_OPTION',
      message: 'queueOffset in T@broker-a@0: 6 is not an integer in 0–5',
    })
    await expect(consumer.seekToTime(queue, new Date('x'))).rejects.toThrow('time: the date is no date')
  })

  test('gives nothing while it is paused, and goes on where it was', async () => {
    const fake = await clusterWith(3)
    fake.put('T', 1, 'other')
    const consumer = pullConsumer(fake).assign([queue, second])
    consumer.pause(queue)
    expect(bodies(await consumer.poll())).toEqual(['other'])
    expect(await consumer.poll({ timeoutMs: 20 })).toEqual([])
    const next = consumer.poll()
    consumer.resume(queue)
    expect(bodies(await next)).toEqual(['0', '1', '2'])
  })
})

describe('assignment', () => {
  test('takes the queues that are named, and others later without losing a place', async () => {
    const fake = await clusterWith(3)
    fake.put('T', 1, 'other')
    const consumer = pullConsumer(fake)
    const queues = await consumer.queues('T')
    expect(queues).toEqual([queue, second])
    consumer.assign([queue])
    expect(bodies(await consumer.poll())).toEqual(['0', '1', '2'])
    expect(consumer.assigned).toEqual([queue])
    consumer.assign(queues)
    expect(bodies(await consumer.poll())).toEqual(['other'])
  })

  test('and subscription exclude each other', async () => {
    const fake = await clusterWith(0)
    expect(() => pullConsumer(fake).subscribe('T').assign([queue])).toThrow('this consumer’s queues are shared out')
    expect(() => pullConsumer(fake).assign([queue]).subscribe('T')).toThrow('this consumer’s queues are assigned')
  })

  test('by subscription shares the queues with the group', async () => {
    const fake = await clusterWith(0)
    const members = [pullConsumer(fake), pullConsumer(fake)]
    for (const member of members) await member.subscribe('T').start()
    await until('each has one', () => members.every((member) => member.assigned.length === 1))
    for (let n = 0; n < 10; n++) fake.put('T', n % 2, `${n}`)
    for (const member of members) {
      const got: ReceivedMessage[] = []
      while (got.length < 5) got.push(...(await member.poll()))
      expect(new Set(got.map(({ queueId }) => queueId)).size).toBe(1)
    }
  })
})
