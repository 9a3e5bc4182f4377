import assert from 'node:assert/strict'
import { ClientError, type Sent } from '../support/driver.ts'
import { type Scenario, until } from '../support/scenario.ts'

const release = 'client-5.5'

/** Every queue's offsets are 0, 1, 2, … in the order they were acknowledged. */
function assertDense(sent: readonly Sent[]): void {
  const next = new Map<number, number>()
  for (const { queueId, queueOffset } of sent) {
    assert.equal(queueOffset, next.get(queueId) ?? 0, `the next offset of queue ${queueId}`)
    next.set(queueId, queueOffset + 1)
  }
}

export const produce: readonly Scenario[] = [
  {
    name: 'a first send creates its topic, with as many queues as the producer asks for',
    async run(context) {
      const driver = await context.driver({ release })
      const topic = context.name('created-by-send')
      await driver.call('producer', { id: 'p', group: context.name('p') })
      const sent = await driver.send('p', { topic, body: 'hello', count: 40 })
      assert.ok(sent.every(({ status }) => status === 'SEND_OK'))
      assertDense(sent)
      assert.equal(new Set(sent.map(({ offsetMsgId }) => offsetMsgId)).size, 40)
      assert.match(sent[0]?.offsetMsgId ?? '', /^7F000001[0-9A-F]{24}$/)
      await driver.call('producer', { id: 'q', group: context.name('q'), instance: 'fresh' })
      const queues = await driver.call<{ broker: string; queueId: number }[]>('queues', { id: 'q', topic })
      assert.deepEqual(
        queues.map(({ queueId }) => queueId).sort((a, b) => a - b),
        [0, 1, 2, 3],
      )
    },
  },
  {
    name: 'asynchronous sends are all acknowledged, once each',
    async run(context) {
      const driver = await context.driver({ release })
      const topic = context.name('async')
      await driver.call('producer', { id: 'p', group: context.name('p-async') })
      await driver.send('p', { topic, body: 'first' })
      const sent = await driver.send('p', { topic, body: 'async', mode: 'async', count: 500 })
      assert.deepEqual(
        sent.filter(({ status }) => status !== 'SEND_OK'),
        [],
      )
      assert.equal(new Set(sent.map((one) => `${one.queueId}/${one.queueOffset}`)).size, 500)
    },
  },
  {
    name: 'one-way sends arrive',
    async run(context) {
      const driver = await context.driver({ release })
      const topic = context.name('oneway')
      await driver.call('producer', { id: 'p', group: context.name('p-oneway') })
      await driver.send('p', { topic, body: 'first' })
      await driver.send('p', { topic, body: 'oneway', mode: 'oneway', count: 50 })
      await driver.call('push', { id: 'c', group: context.name('c-oneway'), topic })
      await until(
        '51 messages',
        () => driver.received('c').length >= 51,
        () => driver.received('c').length,
      )
    },
  },
  {
    name: 'a batch is stored as messages of their own',
    async run(context) {
      const driver = await context.driver({ release })
      const topic = context.name('batch')
      await driver.call('producer', { id: 'p', group: context.name('p-batch') })
      await driver.send('p', { topic, body: 'first' })
      const sent = await driver.call<Sent>('batch', {
        id: 'p',
        topic,
        body: 'batched',
        keys: 'key',
        tags: 'A,B',
        count: 10,
      })
      assert.equal(sent.status, 'SEND_OK')
      assert.equal(sent.msgId.split(',').length, 10)
      assert.equal(sent.offsetMsgId.split(',').length, 10)
      await driver.call('push', { id: 'c', group: context.name('c-batch'), topic, tags: 'A' })
      await until(
        'the five tagged A',
        () => driver.received('c').length >= 5,
        () => driver.received('c'),
      )
      const bodies = driver.received('c').map(({ body }) => body ?? '')
      assert.deepEqual(bodies.sort(), ['batched-0', 'batched-2', 'batched-4', 'batched-6', 'batched-8'])
    },
  },
  {
    name: 'a message keeps keys, tags, flag, properties, times and every byte',
    async run(context) {
      const driver = await context.driver({ release })
      const topic = context.name('whole')
      await driver.call('producer', { id: 'p', group: context.name('p-whole') })
      const before = Date.now()
      const body = 'größer, 你好, 🚀'
      const [sent] = await driver.send('p', { topic, body, tags: 'T', keys: 'k1 k2', flag: 77, 'prop.colour': 'grün' })
      await driver.call('push', { id: 'c', group: context.name('c-whole'), topic })
      await until(
        'the message',
        () => driver.received('c').length > 0,
        () => driver.received('c'),
      )
      const [got] = driver.received('c')
      assert.ok(got !== undefined && sent !== undefined)
      assert.deepEqual(
        [got.body, got.tags, got.keys, got.flag, got.properties['colour'], got.msgId, got.queueId, got.queueOffset],
        [body, 'T', 'k1 k2', 77, 'grün', sent.msgId, sent.queueId, sent.queueOffset],
      )
      assert.ok(got.bornTimestamp >= before && got.storeTimestamp >= before)
      assert.equal(got.reconsumeTimes, 0)
    },
  },
  {
    name: 'a body of 1 MiB goes through, compressed and as it is',
    async run(context) {
      const driver = await context.driver({ release })
      const topic = context.name('mebibyte')
      await driver.call('producer', { id: 'z', group: context.name('p-zip') })
      await driver.call('producer', { id: 'r', group: context.name('p-raw'), instance: 'raw', compressOver: 8 << 20 })
      await driver.send('z', { topic, body: 'first' })
      await driver.send('z', { topic, bodyBytes: 1 << 20, tags: 'zip' })
      await driver.send('r', { topic, bodyBytes: 1 << 20, tags: 'raw' })
      await driver.call('push', { id: 'c', group: context.name('c-mebibyte'), topic, tags: 'zip || raw' })
      await until(
        'both',
        () => driver.received('c').length >= 2,
        () => driver.received('c').length,
      )
      const [first, second] = driver.received('c')
      assert.equal(first?.bodyBytes, 1 << 20)
      assert.equal(second?.bodyBytes, 1 << 20)
      assert.equal(first?.bodyHash, second?.bodyHash)
    },
  },
  {
    name: 'a body over 4 MiB is refused with code 13, and nothing is stored',
    async run(context) {
      const driver = await context.driver({ release })
      const topic = context.name('too-large')
      await driver.call('producer', {
        id: 'p',
        group: context.name('p-large'),
        maxMessageBytes: 8 << 20,
        compressOver: 8 << 20,
      })
      const [sent] = await driver.send('p', { topic, body: 'first' })
      await assert.rejects(
        driver.send('p', { topic, bodyBytes: (4 << 20) + 1 }),
        (error) => error instanceof ClientError && error.failure.code === 13,
      )
      let stored = 0
      for (const queueId of [0, 1, 2, 3]) {
        const at = { id: 'p', topic, broker: sent?.broker ?? '', queueId, of: 'max' }
        stored += await driver.call<number>('offset', at)
      }
      assert.equal(stored, 1)
    },
  },
  {
    name: 'messages are found by key, by unique id and by offset id',
    async run(context) {
      const driver = await context.driver({ release })
      const topic = context.name('query')
      await driver.call('producer', { id: 'p', group: context.name('p-query') })
      const sent = await driver.send('p', { topic, body: 'searched', keys: 'order', count: 20 })
      const seventh = sent[7]
      assert.ok(seventh !== undefined)
      let found: { body: string; keys: string }[] = []
      // The index may trail the acknowledgement a little.
      for (let i = 0; i < 30 && found.length === 0; i++) {
        found = await driver.call<typeof found>('query', { id: 'p', topic, key: 'order-7' }).catch(() => [])
        if (found.length === 0) await new Promise((resolve) => setTimeout(resolve, 100))
      }
      assert.deepEqual(
        found.map(({ body }) => body),
        ['searched-7'],
      )
      for (const msgId of [seventh.msgId, seventh.offsetMsgId]) {
        const viewed = await driver.call<{ body: string }>('view', { id: 'p', topic, msgId })
        assert.equal(viewed.body, 'searched-7')
      }
      const none = await driver.call<unknown[]>('query', { id: 'p', topic, key: 'nobody' }).catch((error: unknown) => {
        assert.ok(error instanceof ClientError && error.failure.code === 208, String(error))
        return []
      })
      assert.deepEqual(none, [])
    },
  },
  {
    name: 'queue offsets are answered: least, next, by time, earliest store time',
    async run(context) {
      const driver = await context.driver({ release })
      const topic = context.name('offsets')
      await driver.call('producer', { id: 'p', group: context.name('p-offsets') })
      const begun = Date.now()
      const sent = await driver.send('p', { topic, body: 'counted', count: 12, shards: 1 })
      const queue = { id: 'p', topic, broker: sent[0]?.broker ?? '', queueId: sent[0]?.queueId ?? 0 }
      assert.equal(await driver.call('offset', { ...queue, of: 'min' }), 0)
      assert.equal(await driver.call('offset', { ...queue, of: 'max' }), 12)
      assert.equal(await driver.call('offset', { ...queue, of: 'time', timestamp: begun - 60_000 }), 0)
      const earliest = await driver.call<number>('offset', { ...queue, of: 'earliest' })
      assert.ok(Math.abs(earliest - begun) < 10_000, `earliest store time ${earliest}, sent at ${begun}`)
    },
  },
]
