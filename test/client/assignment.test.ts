import { expect, test } from 'vitest'
import { PushConsumer } from '../../src/client/consumer/push-consumer.ts'
import { RequestCode } from '../../src/remoting/codes.ts'
import { FakeCluster } from '../support/fake-broker.ts'
import { until } from '../support/until.ts'

test('a consumer asks once for all of its topics who is in its group', async () => {
  const fake = await FakeCluster.start()
  for (const topic of ['T', 'U', 'V']) fake.createTopic(topic)
  const consumer = new PushConsumer({
    namesrv: fake.namesrv,
    group: 'G',
    rebalanceIntervalMs: 60_000,
    closeTimeoutMs: 100,
  })
  const asked = (): number => fake.requests.filter((code) => code === RequestCode.GET_CONSUMER_LIST_BY_GROUP).length
  await consumer
    .subscribe('T')
    .subscribe('U')
    .subscribe('V')
    .run(() => Promise.resolve())
  await until('all queues', () => consumer.assigned.length === 13)
  const before = asked()
  consumer.unsubscribe('V')
  await until('those of two topics', () => consumer.assigned.length === 9)
  expect(asked()).toBe(before + 1)
  await consumer.close()
  await fake.close()
})
