import { expect, test } from 'vitest'
import { Producer } from '../../src/client/producer/producer.ts'
import { clusterWithTopic, producerOf, isSend } from '../support/sending.ts'

/** As a program calls it that is not checked against the types. */
function called(producer: Producer, method: 'send' | 'sendOneway' | 'sendBatch' | 'request', what: unknown): unknown {
  const run: unknown = Reflect.get(producer, method)
  if (typeof run !== 'function') throw new TypeError(`no method ${method}`)
  return Reflect.apply(run, producer, [what])
}

test.each<[Record<string, unknown> | string | undefined, string]>([
  [{ topic: 'T', body: 'x', delayTimeLevel: 3 }, 'a message has no delayTimeLevel; did you mean delayLevel?'],
  [{ topic: 'T', body: 'x', tags: 'a' }, 'a message has no tags; did you mean tag?'],
  [{ topic: 'T', body: 'x', colour: undefined }, 'a message has no colour'],
  [undefined, 'a message is an object, not undefined'],
  ['hello', 'a message is an object, not hello'],
  [{}, 'topic: undefined is no text'],
  [{ body: 'x' }, 'topic: undefined is no text'],
  [{ topic: 'T' }, 'the body is neither text nor bytes'],
  [{ topic: 'T', body: { a: 1 } }, 'the body is neither text nor bytes'],
  [{ topic: 'T', body: 'x', keys: 7 }, 'keys is neither text nor a list of texts'],
  [{ topic: 'T', body: 'x', keys: [7] }, 'keys is neither text nor a list of texts'],
  [{ topic: 'T', body: 'x', tag: 7 }, 'the value of property TAGS is no text'],
  [{ topic: 'T', body: 'x', shardingKey: 7 }, 'the value of property __SHARDINGKEY is no text'],
  [{ topic: 'T', body: 'x', properties: 'a=b' }, 'properties is no object of texts'],
  [{ topic: 'T', body: 'x', properties: { a: 7 } }, 'the value of property a is no text'],
  [{ topic: 'T', body: 'x', deliverAt: 'tomorrow' }, 'deliverAt is no Date: tomorrow'],
  [{ topic: 'T', body: 'x', deliverAt: new Date(Number.NaN) }, 'deliverAt is no valid date'],
  [{ topic: 'T', body: 'x', queue: 2 }, 'queue is none: it has a topic, a brokerName and a queueId'],
])('what is no message is told so, however it is sent: %j', async (given, message) => {
  const fake = await clusterWithTopic()
  const illegal = { code: 'CLIENT_MESSAGE_ILLEGAL', message }
  for (const trace of [false, true]) {
    const producer = await producerOf(fake, { trace })
    await expect(called(producer, 'send', given)).rejects.toMatchObject(illegal)
    await expect(called(producer, 'sendOneway', given)).rejects.toMatchObject(illegal)
    await expect(called(producer, 'request', given)).rejects.toMatchObject(illegal)
    await expect(called(producer, 'sendBatch', [given ?? null])).rejects.toMatchObject({
      code: 'CLIENT_MESSAGE_ILLEGAL',
    })
  }
  expect(fake.requests.filter(isSend)).toEqual([])
})

test('a message may have all that its type has', async () => {
  const fake = await clusterWithTopic()
  const producer = await producerOf(fake)
  const [queue] = await producer.queues('T')
  const optional = { tag: 'a', keys: ['k'], properties: { colour: 'red' }, flag: 1, shardingKey: 's' }
  for (const when of [{ delayLevel: 1 }, { delayMs: 1 }, { deliverAt: new Date() }, { queue }, {}]) {
    const message = { topic: 'T', body: new Uint8Array(3), ...optional, ...when }
    expect(await called(producer, 'send', message)).toMatchObject({ status: 'SEND_OK' })
  }
})
