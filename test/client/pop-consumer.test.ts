import { expect, test } from 'vitest'
import { PopConsumer } from '../../src/client/pop/pop-consumer.ts'
import type { PopContext } from '../../src/client/pop/pop-consumer.ts'
import { RequestCode } from '../../src/remoting/codes.ts'
import { FakeCluster } from '../support/fake-broker.ts'
import { opened } from '../support/open.ts'
import { until } from '../support/until.ts'

/** A cluster that a consumer is connected to; it gives nothing to pops. */
async function connected(handle: (body: string, context: PopContext) => unknown) {
  const fake = opened(await FakeCluster.start())
  fake.createTopic('T')
  fake.put('T', 0, 'x')
  const consumer = new PopConsumer({ namesrv: fake.namesrv, group: 'G', closeTimeoutMs: 100 })
  opened(consumer)
  await consumer.subscribe('T', 'a || b').run((message, context) => handle(message.body.toString(), context))
  await until('the consumer is connected', () => fake.connections().length > 0)
  const [connection] = fake.connections()
  const header = { consumerGroup: 'G', clientId: consumer.clientId, brokerName: 'broker-a' }
  const ask = (code: number, body?: Buffer) => connection?.invoke({ code, header, body }, 1_000)
  return { ask, record: fake.topics.get('T')?.queues[0]?.[0] }
}

test('a pop consumer tells how it is when a broker asks (307)', async () => {
  const { ask } = await connected(() => undefined)
  const info = await ask(RequestCode.GET_CONSUMER_RUNNING_INFO)
  expect(info?.code).toBe(0)
  expect(info?.body.toString()).toContain('"PROP_CONSUME_TYPE":"CONSUME_POP"')
  expect(info?.body.toString()).toContain('"subString":"a || b"')
})

test('a pop consumer handles a message that a broker hands it, and says how that went (309)', async () => {
  const handled: string[] = []
  const { ask, record } = await connected(async (body, context) => {
    handled.push(body)
    await context.extend(1_000)
    if (handled.length > 1) throw new Error('not twice')
  })
  const first = await ask(RequestCode.CONSUME_MESSAGE_DIRECTLY, record)
  expect(JSON.parse(first?.body.toString() ?? '')).toMatchObject({ consumeResult: 'CR_SUCCESS' })
  const second = await ask(RequestCode.CONSUME_MESSAGE_DIRECTLY, record)
  expect(JSON.parse(second?.body.toString() ?? '')).toMatchObject({
    consumeResult: 'CR_THROW_EXCEPTION',
    remark: 'not twice',
  })
  expect(handled).toEqual(['x', 'x'])
})
