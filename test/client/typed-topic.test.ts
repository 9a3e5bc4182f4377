import { describe, expect, test } from 'vitest'
import { json, Producer, PushConsumer, text, TypedTopic } from '../../src/client/index.ts'
import type { Codec, ReceivedMessage } from '../../src/client/index.ts'
import { FakeCluster } from '../support/fake-broker.ts'
import { until } from '../support/until.ts'
import { opened } from '../support/open.ts'

async function started(): Promise<{ fake: FakeCluster; producer: Producer; consumer: PushConsumer }> {
  const fake = opened(await FakeCluster.start())
  fake.createTopic('T', 1)
  const producer = new Producer({ namesrv: fake.namesrv })
  const consumer = new PushConsumer({ namesrv: fake.namesrv, group: 'G', from: 'first', closeTimeoutMs: 100 })
  opened(producer)
  opened(consumer)
  await producer.start()
  return { fake, producer, consumer }
}

interface Order {
  readonly id: number
}

function order(value: unknown): Order {
  if (typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'number') {
    return { id: value.id }
  }
  throw new Error('an order has an id')
}

describe('a typed topic', () => {
  test('carries payloads through a codec, with its content type', async () => {
    const { producer, consumer } = await started()
    const orders = new TypedTopic('T', json(order))
    await producer.send(orders.message({ id: 7 }, { tag: 'new', properties: { a: 'b' } }))
    const seen: [Order, ReceivedMessage][] = []
    await consumer.subscribe(orders.name).run(orders.handler((value, message) => seen.push([value, message])))
    await until('the order', () => seen.length === 1)
    expect(seen[0]?.[0]).toEqual({ id: 7 })
    expect(seen[0]?.[1].property('content-type')).toBe('application/json')
    expect(seen[0]?.[1].property('a')).toBe('b')
  })

  test('reads what a foreign producer sent without a content type', async () => {
    const { fake, consumer } = await started()
    fake.put('T', 0, 'plain')
    const notes = new TypedTopic('T', text)
    const seen: string[] = []
    await consumer.subscribe('T').run(notes.handler((value) => seen.push(value)))
    await until('the note', () => seen.length === 1)
    expect(seen).toEqual(['plain'])
  })

  test('sends what cannot be read to the dead letters at once, without calling the handler', async () => {
    const { fake, consumer } = await started()
    fake.put('T', 0, '{"id":"seven"}')
    fake.put('T', 0, 'no json')
    fake.put('T', 0, 'x', 'content-type\u0001application/xml\u0002')
    const orders = new TypedTopic('T', json(order))
    const seen: Order[] = []
    await consumer.subscribe('T').run(orders.handler((value) => seen.push(value)))
    await until('three dead letters', () => (fake.topics.get('%DLQ%G')?.queues[0] ?? []).length === 3)
    expect(seen).toEqual([])
    expect(fake.sentBack.map(({ delayLevel }) => delayLevel)).toEqual([-1, -1, -1])
  })

  test('takes any codec, and says what it cannot write', () => {
    const numbers: Codec<number> = {
      contentType: 'application/x-number',
      encode: (value) => Buffer.of(value),
      decode: (body) => body[0] ?? Number.NaN,
    }
    expect(new TypedTopic('T', numbers).message(7)).toMatchObject({
      topic: 'T',
      body: Buffer.of(7),
      properties: { 'content-type': 'application/x-number' },
    })
    expect(() => new TypedTopic('T', json()).message(undefined)).toThrow(
      expect.objectContaining({ code: 'CLIENT_PAYLOAD', message: 'undefined cannot be written as JSON' }),
    )
    expect(() => new TypedTopic('a b', text)).toThrow(expect.objectContaining({ code: 'CLIENT_MESSAGE_ILLEGAL' }))
  })
})
