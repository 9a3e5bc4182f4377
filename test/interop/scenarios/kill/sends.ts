/** What was sent before a kill, and is asked for after it. */
import assert from 'node:assert/strict'
import { ClientError, type Received, type Sent } from '../../support/driver.ts'
import { pause } from '../../support/scenario.ts'
import { makeTopic } from '../../support/topics.ts'
import { bodiesOf, came, numbered, persist, type Row, sendEach, storedTwice } from './row.ts'

const codecs = ['ZLIB', 'LZ4', 'ZSTD'] as const
const BATCH = 10

export const sends: readonly Row[] = [
  {
    name: 'batches',
    async begin({ context, one }) {
      const topic = context.name('kill-batch')
      const send = (body: string): Promise<Sent> =>
        persist(() => one.call<Sent>('batch', { id: 'p', topic, body, count: BATCH }))
      const before = await send('before')
      assert.equal(before.msgId.split(',').length, BATCH)
      return async () => {
        const after = await send('after')
        await one.call('push', { id: 'batch', group: context.name('c-kill-batch'), topic })
        const wanted = [...numbered('before', BATCH), ...numbered('after', BATCH)]
        const received = await came(one, 'batch', wanted)
        assert.deepEqual(storedTwice(received), [])
        for (const [stem, sent] of [['before', before] as const, ['after', after] as const]) {
          const offsets = new Map(
            received.filter(({ body }) => body?.startsWith(stem)).map((m) => [m.body, [m.queueId, m.queueOffset]]),
          )
          const first = sent.queueOffset
          for (let at = 0; at < BATCH; at++) {
            assert.deepEqual(offsets.get(`${stem}-${at}`), [sent.queueId, first + at], 'one place after the other')
          }
        }
      }
    },
  },
  {
    name: 'bodies compressed with zlib, lz4 and zstd',
    async begin({ context, one }) {
      const topic = context.name('kill-compressed')
      const ids = codecs.map((codec) => `kill-${codec.toLowerCase()}`)
      for (const [at, compress] of codecs.entries()) {
        const id = ids[at] ?? ''
        await one.call('producer', { id, group: context.name(id), instance: id, compress })
        await one.send(id, { topic, bodyBytes: 100_000, tags: 'before' })
      }
      return async () => {
        for (const id of ids) await persist(() => one.send(id, { topic, bodyBytes: 100_000, tags: 'after' }))
        await one.call('push', { id: 'compressed', group: context.name('c-kill-compressed'), topic })
        const received = await comeOf(() => one.received('compressed'), 2 * codecs.length)
        assert.equal(new Set(received.map(({ bodyHash }) => bodyHash)).size, 1)
        assert.ok(received.every(({ bodyBytes }) => bodyBytes === 100_000))
      }
    },
  },
  {
    name: 'queries by key, unique id and offset id',
    async begin({ context, one }) {
      const topic = context.name('kill-query')
      const [before] = await one.send('p', { topic, body: 'before', keys: 'order', tags: 'T' })
      return async () => {
        const [after] = await sendEach(one, ['after'], { topic, keys: 'order' })
        const found = await foundBy(() => one.call<Received[]>('query', { id: 'p', topic, key: 'order' }), 2)
        assert.deepEqual(bodiesOf(found), ['after', 'before'])
        for (const [sent, body] of [[before, 'before'] as const, [after, 'after'] as const]) {
          for (const msgId of [sent?.msgId ?? '', sent?.offsetMsgId ?? '']) {
            // An offset id names the node that stored the message; a killed one is started again.
            const viewed = await persist(() => one.call<Received>('view', { id: 'p', topic, msgId }))
            assert.equal(viewed.body, body)
          }
        }
      }
    },
  },
  {
    name: 'message traces',
    async begin({ context, one }) {
      const topic = context.name('kill-traced')
      await one.call('producer', { id: 'traced', group: context.name('p-kill-traced'), instance: 'traced', trace: '1' })
      const sendTraced = async (body: string): Promise<void> => {
        const [sent] = await persist(() => one.send('traced', { topic, body }))
        const asked = { id: 'p', topic: 'RMQ_SYS_TRACE_TOPIC', key: sent?.msgId ?? '' }
        const found = await foundBy(() => one.call<Received[]>('query', asked), 1)
        assert.deepEqual(
          found.map((trace) => trace.body?.slice(0, 3)),
          ['Pub'],
        )
      }
      await sendTraced('before')
      return () => sendTraced('after')
    },
  },
  {
    name: 'levels of delay, times of their own, and recalls',
    async begin({ context, one }) {
      const topic = context.name('kill-timed')
      await one.send('p', { topic, body: 'first' })
      await one.call('push', { id: 'timed', group: context.name('c-kill-timed'), topic })
      await came(one, 'timed', ['first'])
      const recall = async (sent: Sent | undefined): Promise<void> => {
        const handle = sent?.recallHandle ?? ''
        assert.equal(await persist(() => one.call('recall', { id: 'p', topic, handle })), sent?.msgId)
      }
      const due = Date.now() + 60_000
      const timed = (body: string): Promise<Sent[]> => one.send('p', { topic, body, setDeliverTimeMs: due })
      const [early] = await timed('recalled before')
      const [late] = await timed('recalled after')
      await timed('timed')
      await one.send('p', { topic, body: 'level', delayLevel: 4 })
      await recall(early)
      return async () => {
        await recall(late)
        await came(one, 'timed', ['timed', 'level'], 90_000)
        await pause(2_000)
        const received = one.received('timed')
        assert.deepEqual([...new Set(bodiesOf(received))], ['first', 'level', 'timed'])
        assert.deepEqual(storedTwice(received), [])
        const times = new Map(received.map(({ body, storeTimestamp }) => [body, storeTimestamp]))
        assert.ok((times.get('timed') ?? 0) >= due, 'not early')
      }
    },
  },
  {
    name: 'types of messages',
    async begin({ context, one }) {
      const topic = context.name('kill-typed')
      await makeTopic(context, topic, '+message.type=NORMAL')
      const isRefused = async (): Promise<void> => {
        const refused = await one.send('p', { topic, body: 'late', delayLevel: 1 }).catch((error: unknown) => error)
        assert.ok(refused instanceof ClientError && refused.failure.code === 13, String(refused))
      }
      await isRefused()
      return async () => {
        await sendEach(one, ['plain'], { topic })
        await isRefused()
      }
    },
  },
]

async function comeOf(received: () => Received[], count: number): Promise<Received[]> {
  for (let tries = 0; tries < 600 && received().length < count; tries++) await pause(100)
  assert.ok(received().length >= count, `${received().length} of ${count} came`)
  return received()
}

/** What a query finds, once it is as much as that. */
async function foundBy(query: () => Promise<Received[]>, count: number): Promise<Received[]> {
  let found: Received[] = []
  for (let tries = 0; tries < 100 && found.length < count; tries++) {
    found = await query().catch(() => [])
    if (found.length < count) await pause(200)
  }
  return found
}
