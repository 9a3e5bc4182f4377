import assert from 'node:assert/strict'
import { pause, type Scenario, until } from '../support/scenario.ts'
import type { Received } from '../support/driver.ts'

const release = 'client-5.5'
const bodiesOf = (received: readonly Received[]): string[] => received.map(({ body }) => body ?? '').sort()
const numbered = (stem: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${stem}-${i}`).sort()

export const consume: readonly Scenario[] = [
  {
    name: 'two push consumers of a group share the queues and take every message once',
    async run(context) {
      const topic = context.name('cluster')
      const group = context.name('c-cluster')
      const one = await context.driver({ release })
      const two = await context.driver({ release })
      await one.call('producer', { id: 'p', group: context.name('p-cluster') })
      await one.send('p', { topic, body: 'first' })
      await one.call('push', { id: 'c', group, topic })
      await two.call('push', { id: 'c', group, topic })
      await until(
        'the first',
        () => one.received('c').length + two.received('c').length > 0,
        () => 0,
      )
      // The notice (40) makes both rebalance at once instead of after 20 s.
      await pause(3_000)
      await one.send('p', { topic, body: 'shared', count: 100 })
      const all = (): Received[] => [...one.received('c'), ...two.received('c')]
      await until(
        '101 messages',
        () => all().length >= 101,
        () => all().length,
      )
      await pause(500)
      // The first may come again: its queue can change hands before the offset is committed.
      const shared = all().filter(({ body }) => body !== 'first')
      assert.deepEqual(bodiesOf(shared), numbered('shared', 100))
      for (const driver of [one, two]) {
        const queues = new Set(
          driver
            .received('c')
            .filter(({ body }) => body !== 'first')
            .map(({ queueId }) => queueId),
        )
        assert.equal(queues.size, 2, 'each consumer has half of the four queues')
      }
    },
  },
  {
    name: 'broadcast consumers take every message each',
    async run(context) {
      const topic = context.name('broadcast')
      const group = context.name('c-broadcast')
      const one = await context.driver({ release })
      const two = await context.driver({ release })
      await one.call('producer', { id: 'p', group: context.name('p-broadcast') })
      await one.send('p', { topic, body: 'told', count: 20 })
      for (const driver of [one, two]) await driver.call('push', { id: 'c', group, topic, model: 'BROADCASTING' })
      for (const driver of [one, two]) {
        await until(
          '20 messages',
          () => driver.received('c').length >= 20,
          () => driver.received('c').length,
        )
        assert.deepEqual(bodiesOf(driver.received('c')), numbered('told', 20))
      }
    },
  },
  {
    name: 'a failing listener is given the message again with reconsumeTimes, then it goes to the dead letters',
    async run(context) {
      const topic = context.name('failing')
      const group = context.name('c-failing')
      const driver = await context.driver({ release })
      await driver.call('producer', { id: 'p', group: context.name('p-failing') })
      const [sent] = await driver.send('p', { topic, body: 'again', keys: 'k' })
      await driver.call('push', { id: 'c', group, topic, failBelow: 99, maxReconsumeTimes: 1 })
      await until(
        'a redelivery',
        () => driver.received('c').length >= 2,
        () => driver.received('c'),
        75_000,
      )
      const [first, second] = driver.received('c')
      assert.ok(first !== undefined && second !== undefined)
      assert.deepEqual([first.reconsumeTimes, second.reconsumeTimes], [0, 1])
      assert.deepEqual([second.topic, second.body, second.keys], [topic, 'again', 'k'])
      assert.equal(second.properties['ORIGIN_MESSAGE_ID'], sent?.offsetMsgId)
      context.note(`redelivered after ${((second.t - first.t) / 1_000).toFixed(1)} s`)
      assert.ok(second.t - first.t > 9_000, 'the first redelivery waits 10 s')
      const dead = { id: 'p', topic: `%DLQ%${group}`, broker: sent?.broker ?? '', queueId: 0, of: 'max' }
      let count = 0
      for (let i = 0; i < 50 && count === 0; i++) {
        count = await driver.call<number>('offset', dead).catch(() => 0)
        if (count === 0) await pause(200)
      }
      assert.equal(count, 1, 'dead letters')
    },
  },
  {
    name: 'an orderly consumer sees each shard in the order it was sent',
    async run(context) {
      const topic = context.name('orderly')
      const driver = await context.driver({ release })
      await driver.call('producer', { id: 'p', group: context.name('p-orderly') })
      await driver.send('p', { topic, body: 'step', count: 120, shards: 4 })
      await driver.call('push', { id: 'c', group: context.name('c-orderly'), topic, orderly: 1 })
      await until(
        '120 messages',
        () => driver.received('c').length >= 120,
        () => driver.received('c').length,
        60_000,
      )
      for (const shard of [0, 1, 2, 3]) {
        const steps = driver
          .received('c')
          .map(({ body }) => Number(body?.split('-')[1]))
          .filter((step) => step % 4 === shard)
        assert.deepEqual(
          steps,
          Array.from({ length: 30 }, (_, i) => i * 4 + shard),
        )
      }
    },
  },
  {
    name: 'a subscription by tags takes only those',
    async run(context) {
      const topic = context.name('tags')
      const driver = await context.driver({ release })
      await driver.call('producer', { id: 'p', group: context.name('p-tags') })
      await driver.send('p', { topic, body: 'tagged', tags: 'A,B,C', count: 60 })
      await driver.call('push', { id: 'c', group: context.name('c-tags'), topic, tags: 'A || C' })
      await until(
        '40 messages',
        () => driver.received('c').length >= 40,
        () => driver.received('c').length,
      )
      await pause(500)
      assert.equal(driver.received('c').length, 40)
      assert.deepEqual(new Set(driver.received('c').map(({ tags }) => tags)), new Set(['A', 'C']))
    },
  },
  {
    name: 'a lite pull consumer polls, commits and goes on where it stopped',
    async run(context) {
      const topic = context.name('lite')
      const group = context.name('c-lite')
      const driver = await context.driver({ release })
      const poll = async (id: string, least: number): Promise<string[]> => {
        const bodies: string[] = []
        for (let i = 0; i < 20 && bodies.length < least; i++) {
          const found = await driver.call<Received[]>('poll', { id, waitMs: 1_500 })
          bodies.push(...found.map(({ body }) => body ?? ''))
        }
        return bodies.sort()
      }
      await driver.call('producer', { id: 'p', group: context.name('p-lite') })
      await driver.send('p', { topic, body: 'one', count: 30 })
      await driver.call('pull', { id: 'l', group, topic, manual: 1 })
      assert.deepEqual(await poll('l', 30), numbered('one', 30))
      await driver.call('commit', { id: 'l' })
      await driver.call('close', { id: 'l' })
      await driver.send('p', { topic, body: 'two', count: 8 })
      await driver.call('pull', { id: 'm', group, topic, manual: 1, instance: 'again' })
      assert.deepEqual(await poll('m', 8), numbered('two', 8))
      await driver.call('pull', { id: 'a', group: context.name('c-assign'), topic, assign: 1, instance: 'assigned' })
      await driver.call('seek', { id: 'a', topic })
      assert.deepEqual(await poll('a', 38), [...numbered('one', 30), ...numbered('two', 8)].sort())
    },
  },
  {
    name: 'a restarted consumer goes on at its committed offsets',
    async run(context) {
      const topic = context.name('resume')
      const group = context.name('c-resume')
      const before = await context.driver({ release })
      await before.call('producer', { id: 'p', group: context.name('p-resume') })
      await before.send('p', { topic, body: 'old', count: 40 })
      await before.call('push', { id: 'c', group, topic })
      await until(
        '40 messages',
        () => before.received('c').length >= 40,
        () => before.received('c').length,
      )
      await pause(500)
      await before.call('close', { id: 'c' })
      await before.send('p', { topic, body: 'new', count: 10 })
      const after = await context.driver({ release })
      await after.call('push', { id: 'c', group, topic })
      await until(
        '10 messages',
        () => after.received('c').length >= 10,
        () => bodiesOf(after.received('c')),
      )
      await pause(1_000)
      assert.deepEqual(bodiesOf(after.received('c')), numbered('new', 10))
    },
  },
  {
    name: 'a message sent while a consumer waits is delivered at once',
    async run(context) {
      const topic = context.name('long-poll')
      const driver = await context.driver({ release })
      await driver.call('producer', { id: 'p', group: context.name('p-long-poll') })
      await driver.send('p', { topic, body: 'first', count: 4 })
      await driver.call('push', { id: 'c', group: context.name('c-long-poll'), topic })
      await until(
        'the first',
        () => driver.received('c').length >= 4,
        () => driver.received('c').length,
      )
      await pause(2_000)
      const delays: number[] = []
      for (let i = 0; i < 20; i++) {
        const known = driver.received('c').length
        const sent = Date.now()
        await driver.send('p', { topic, body: `ping-${i}` })
        await until(
          'a ping',
          () => driver.received('c').length > known,
          () => known,
        )
        delays.push((driver.received('c').at(-1)?.t ?? 0) - sent)
        await pause(30)
      }
      const sorted = delays.toSorted((a, b) => a - b)
      context.note(`median ${sorted[10]} ms, longest ${sorted.at(-1)} ms`)
      assert.ok((sorted[10] ?? 0) < 200, `delays ${delays.join()}`)
    },
  },
]
