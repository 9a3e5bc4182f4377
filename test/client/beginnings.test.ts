import { expect, test } from 'vitest'
import { PushConsumer } from '../../src/client/consumer/push-consumer.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { FakeCluster } from '../support/fake-broker.ts'
import { opened } from '../support/open.ts'

test('a consumer that wants the last messages gets the first one of a topic that is made after it started', async () => {
  const fake = opened(await FakeCluster.start())
  const consumer = opened(
    new PushConsumer({
      namesrv: fake.namesrv,
      group: 'G',
      from: 'last',
      closeTimeoutMs: 100,
      rebalanceIntervalMs: 50,
      routeRefreshMs: 50,
    }),
  )
  const first = deferred<string>()
  await consumer.subscribe('Later').run((message) => first.resolve(message.body.toString()))
  fake.createTopic('Later')
  fake.put('Later', 0, 'the very first')
  expect(await first.promise).toBe('the very first')
})
