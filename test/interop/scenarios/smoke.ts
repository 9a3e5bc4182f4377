import assert from 'node:assert/strict'
import type { Release } from '../support/maven.ts'
import { type Scenario, until } from '../support/scenario.ts'

function smoke(release: Release, serializer: 'JSON' | 'ROCKETMQ'): Scenario {
  const stem = `${release}-${serializer}`.replaceAll('.', '-').toLowerCase()
  return {
    name: `${release} with ${serializer} headers: sync, async, one-way, cluster, broadcast, redelivery, ordered, pull, query`,
    async run(context) {
      const driver = await context.driver({ release, serializer })
      const topic = context.name(stem)
      await driver.call('producer', { id: 'p', group: context.name(`${stem}-p`) })
      const sent = await driver.send('p', { topic, body: 'sync', tags: 'A', keys: 'sync', count: 20 })
      const asynchronous = await driver.send('p', { topic, body: 'async', tags: 'B', mode: 'async', count: 20 })
      assert.ok([...sent, ...asynchronous].every(({ status }) => status === 'SEND_OK'))
      await driver.send('p', { topic, body: 'oneway', tags: 'C', mode: 'oneway', count: 20 })
      await driver.call('batch', { id: 'p', topic, body: 'batch', tags: 'D', count: 5 })
      await driver.call('push', { id: 'c', group: context.name(`${stem}-c`), topic, tags: 'A', failBelow: 1 })
      await driver.call('push', { id: 'b', group: context.name(`${stem}-b`), topic, model: 'BROADCASTING' })
      await driver.call('push', { id: 'o', group: context.name(`${stem}-o`), topic, orderly: 1 })
      await driver.call('pull', { id: 'l', group: context.name(`${stem}-l`), topic })
      const found = await driver.call<unknown[]>('poll', { id: 'l', waitMs: 10_000 })
      assert.ok(found.length > 0, 'the lite pull consumer found nothing')
      const viewed = await driver.call<{ body: string }>('view', { id: 'p', topic, msgId: sent[3]?.offsetMsgId ?? '' })
      assert.equal(viewed.body, 'sync-3')
      const counts = (): unknown => ['c', 'b', 'o'].map((id) => `${id}: ${driver.received(id).length}`)
      await until(
        'everything',
        () =>
          driver.received('b').length >= 65 && driver.received('o').length >= 65 && driver.received('c').length >= 40,
        counts,
        60_000,
      )
      const again = driver.received('c').filter(({ reconsumeTimes }) => reconsumeTimes === 1)
      assert.equal(new Set(again.map(({ body }) => body)).size, 20, 'each failed once and came again')
    },
  }
}

export const smokes: readonly Scenario[] = [
  smoke('client-5.5', 'ROCKETMQ'),
  smoke('client-5.3', 'JSON'),
  smoke('client-5.3', 'ROCKETMQ'),
  smoke('client-4.9', 'JSON'),
  smoke('client-4.9', 'ROCKETMQ'),
]
