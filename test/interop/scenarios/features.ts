/** What applications do less often, by the stock client. */
import assert from 'node:assert/strict'
import { areCommitted } from '../support/committed.ts'
import type { Driver, Received } from '../support/driver.ts'
import { leaderAddress } from '../support/raftmq.ts'
import { type Context, pause, type Scenario, until } from '../support/scenario.ts'
import { mqadmin } from '../support/stock.ts'

const release = 'client-5.5'
const bodiesOf = (received: readonly Received[]): string[] => received.map(({ body }) => body ?? '').sort()
const numbered = (stem: string, count: number): string[] => Array.from({ length: count }, (_, at) => `${stem}-${at}`)
const stems = (received: readonly Received[]): Set<string> =>
  new Set(received.map(({ body }) => body?.split('-')[0] ?? ''))

async function producing(context: Context, stem: string, given: Readonly<Record<string, string>> = {}) {
  const driver = await context.driver({ release })
  await driver.call('producer', { id: 'p', group: context.name(`p-${stem}`), ...given })
  return { driver, topic: context.name(stem), group: context.name(`c-${stem}`) }
}

async function came(driver: Driver, id: string, count: number): Promise<Received[]> {
  await until(
    `${count} messages`,
    () => driver.received(id).length >= count,
    () => bodiesOf(driver.received(id)),
    60_000,
  )
  return driver.received(id)
}

export const features: readonly Scenario[] = [
  {
    name: 'consumers of a group share queues by every strategy of the stock client',
    timeoutMs: 120_000,
    async run(context) {
      await Promise.all(
        ['Averagely', 'AveragelyByCircle', 'ConsistentHash'].map(async (strategy) => {
          const { driver, topic, group } = await producing(context, `by-${strategy.toLowerCase()}`)
          const other = await context.driver({ release })
          await driver.send('p', { topic, body: 'first' })
          for (const one of [driver, other]) await one.call('push', { id: 'c', group, topic, strategy })
          // The notice (40) makes both rebalance at once instead of after 20 s.
          await pause(4_000)
          await driver.send('p', { topic, body: 'shared', count: 40 })
          const all = (): Received[] => [...driver.received('c'), ...other.received('c')]
          const shared = (): string[] => bodiesOf(all().filter(({ body }) => body !== 'first'))
          await until('40 messages', () => shared().length >= 40, shared, 60_000)
          assert.equal(new Set(shared()).size, 40)
          assert.equal(shared().length, 40, 'nobody takes a queue that another has')
        }),
      )
    },
  },
  {
    name: 'a lite pull consumer seeks to the end, to a time, and to the beginning',
    async run(context) {
      const { driver, topic, group } = await producing(context, 'seek')
      await driver.send('p', { topic, body: 'old', count: 12 })
      await pause(1_500)
      const between = Date.now()
      await pause(1_500)
      await driver.send('p', { topic, body: 'new', count: 8 })
      await driver.call('pull', { id: 'l', group, topic, assign: 1, manual: 1 })
      const poll = async (least: number): Promise<string[]> => {
        const found: Received[] = []
        for (let i = 0; i < 20 && found.length < least; i++) {
          found.push(...(await driver.call<Received[]>('poll', { id: 'l', waitMs: 1_000 })))
        }
        return bodiesOf(found)
      }
      await driver.call('seek', { id: 'l', topic, timestamp: between })
      assert.deepEqual(await poll(8), numbered('new', 8).toSorted())
      await driver.call('seek', { id: 'l', topic })
      assert.deepEqual(await poll(20), [...numbered('old', 12), ...numbered('new', 8)].sort())
      await driver.call('seek', { id: 'l', topic, end: 1 })
      await driver.send('p', { topic, body: 'newest' })
      assert.deepEqual(await poll(1), ['newest'])
    },
  },
  {
    name: 'bodies that producers compress with zlib, lz4 and zstd arrive as they were',
    async run(context) {
      const { driver, topic, group } = await producing(context, 'compressed')
      await driver.send('p', { topic, body: 'first' })
      for (const compress of ['ZLIB', 'LZ4', 'ZSTD']) {
        const id = compress.toLowerCase()
        await driver.call('producer', { id, group: context.name(`p-${id}`), instance: id, compress })
        await driver.send(id, { topic, bodyBytes: 200_000, tags: id })
      }
      await driver.call('producer', { id: 'raw', group: context.name('p-raw'), instance: 'raw', compressOver: 1 << 20 })
      await driver.send('raw', { topic, bodyBytes: 200_000, tags: 'raw' })
      await driver.call('push', { id: 'c', group, topic, tags: 'zlib || lz4 || zstd || raw' })
      const received = await came(driver, 'c', 4)
      assert.deepEqual(new Set(received.map(({ tags }) => tags)), new Set(['zlib', 'lz4', 'zstd', 'raw']))
      assert.equal(new Set(received.map(({ bodyHash }) => bodyHash)).size, 1)
    },
  },
  {
    name: 'keys and tags whose hashes collide are told apart',
    async run(context) {
      const { driver, topic, group } = await producing(context, 'collide')
      // "Aa" and "BB" have one hash code in Java.
      for (const name of ['Aa', 'BB']) await driver.send('p', { topic, body: name, tags: name, keys: name })
      await driver.call('push', { id: 'c', group, topic, tags: 'Aa' })
      assert.deepEqual(bodiesOf(await came(driver, 'c', 1)), ['Aa'])
      for (const key of ['Aa', 'BB']) {
        let found: Received[] = []
        // The index of a stock broker may trail the acknowledgement a little.
        for (let i = 0; i < 30 && found.length === 0; i++) {
          found = await driver.call<Received[]>('query', { id: 'p', topic, key }).catch(() => [])
          if (found.length === 0) await pause(100)
        }
        assert.deepEqual(bodiesOf(found), [key])
      }
      await pause(1_000)
      assert.equal(driver.received('c').length, 1)
    },
  },
  {
    name: 'a group whose offsets are reset while it consumes begins again where it was told',
    timeoutMs: 120_000,
    async run(context) {
      const { driver, topic, group } = await producing(context, 'reset')
      await driver.send('p', { topic, body: 'again', count: 10 })
      await driver.call('push', { id: 'c', group, topic })
      await came(driver, 'c', 10)
      await areCommitted(await leaderAddress(context.target.namesrv), topic, group)
      const printed = await mqadmin(context.target.namesrv, 'resetOffsetByTime', '-g', group, '-t', topic, '-s', '0')
      context.note(printed.trim().split('\n')[0] ?? '')
      const received = await came(driver, 'c', 20)
      assert.equal(new Set(bodiesOf(received)).size, 10)
    },
  },
  {
    name: 'a namespace keeps its topics and groups apart from those of the same names outside',
    async run(context) {
      const { driver, topic, group } = await producing(context, 'spaced')
      const namespace = context.name('NS')
      const inside = await context.driver({ release })
      await inside.call('producer', { id: 'p', group: context.name('p-inside'), namespace })
      await driver.send('p', { topic, body: 'outside', count: 5 })
      const sent = await inside.send('p', { topic, body: 'inside', count: 5 })
      assert.ok(sent.every(({ status }) => status === 'SEND_OK'))
      await driver.call('push', { id: 'c', group, topic })
      await inside.call('push', { id: 'c', group, topic, namespace })
      assert.deepEqual(stems(await came(driver, 'c', 5)), new Set(['outside']))
      assert.deepEqual(stems(await came(inside, 'c', 5)), new Set(['inside']))
      await pause(500)
      assert.deepEqual(
        [driver, inside].map((one) => one.received('c').length),
        [5, 5],
      )
    },
  },
  {
    name: 'the traces of a send and of its consumption are found by the message’s id',
    timeoutMs: 120_000,
    async run(context) {
      const { driver, topic, group } = await producing(context, 'traced', { trace: '1' })
      const [sent] = await driver.send('p', { topic, body: 'traced' })
      await driver.call('push', { id: 'c', group, topic, trace: 1 })
      await came(driver, 'c', 1)
      const key = sent?.msgId ?? ''
      const traces = async (): Promise<string[]> => {
        const ask = { id: 'p', topic: 'RMQ_SYS_TRACE_TOPIC', key }
        const found = await driver.call<Received[]>('query', ask).catch(() => [])
        return found.map(({ body }) => /^(Pub|SubBefore|SubAfter)/.exec(body ?? '')?.[0] ?? '')
      }
      let kinds: string[] = []
      for (let i = 0; i < 60 && !(kinds.includes('Pub') && kinds.some((kind) => kind.startsWith('Sub'))); i++) {
        await pause(500)
        kinds = await traces()
      }
      assert.ok(kinds.includes('Pub') && kinds.some((kind) => kind.startsWith('Sub')), kinds.join())
    },
  },
]
