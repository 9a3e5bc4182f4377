/** Consumers that live through a kill. */
import assert from 'node:assert/strict'
import { ask } from '../../support/ask.ts'
import { areCommitted } from '../../support/committed.ts'
import type { Driver, Received } from '../../support/driver.ts'
import { leaderAddress } from '../../support/raftmq.ts'
import { pause, until } from '../../support/scenario.ts'
import { bodiesOf, came, numbered, persist, type Row, sendEach, storedTwice, type World } from './row.ts'

/** Sends before and after the kill to a push consumer that takes some of it. */
function filtered(given: {
  readonly name: string
  readonly stem: string
  readonly subscription: Readonly<Record<string, string>>
  /** Whether the message of that number is wanted, and what it carries. */
  readonly drafts: readonly {
    readonly isWanted: boolean
    readonly carries: Readonly<Record<string, string | number>>
  }[]
}): Row {
  return {
    name: given.name,
    async begin({ context, one }) {
      const topic = context.name(`kill-${given.stem}`)
      const wanted: string[] = []
      const send = async (when: string): Promise<void> => {
        for (const [at, { isWanted, carries }] of given.drafts.entries()) {
          const body = `${when}-${at}`
          await sendEach(one, [body], { topic, ...carries })
          if (isWanted) wanted.push(body)
        }
      }
      await send('before')
      const group = context.name(`c-kill-${given.stem}`)
      await one.call('push', { id: given.stem, group, topic, ...given.subscription })
      await came(one, given.stem, wanted)
      return async () => {
        await send('after')
        await came(one, given.stem, wanted)
        await pause(1_000)
        assert.deepEqual([...new Set(bodiesOf(one.received(given.stem)))], wanted.toSorted())
      }
    },
  }
}

export const consumers: readonly Row[] = [
  {
    name: 'broadcast',
    async begin({ context, one, two }) {
      const topic = context.name('kill-broadcast')
      const group = context.name('c-kill-broadcast')
      await sendEach(one, numbered('before', 20), { topic })
      for (const driver of [one, two]) {
        await driver.call('push', { id: 'broadcast', group, topic, model: 'BROADCASTING' })
      }
      for (const driver of [one, two]) await came(driver, 'broadcast', numbered('before', 20))
      return async () => {
        await sendEach(one, numbered('after', 20), { topic })
        for (const driver of [one, two]) {
          const received = await came(driver, 'broadcast', numbered('after', 20))
          assert.equal(received.length, 40, 'each takes every message, once')
        }
      }
    },
  },
  filtered({
    name: 'filters by tag',
    stem: 'tags',
    subscription: { tags: 'A || C' },
    drafts: ['A', 'B', 'C', 'D'].map((tags) => ({ isWanted: 'AC'.includes(tags), carries: { tags } })),
  }),
  filtered({
    name: 'filters by SQL92',
    stem: 'sql',
    subscription: { sql: "amount BETWEEN 100 AND 300 AND country IN ('CH', 'AT') OR country STARTSWITH 'F'" },
    drafts: [
      { isWanted: false, carries: { 'prop.amount': 50, 'prop.country': 'CH' } },
      { isWanted: true, carries: { 'prop.amount': 150, 'prop.country': 'CH' } },
      { isWanted: true, carries: { 'prop.amount': 350, 'prop.country': 'FR' } },
      { isWanted: false, carries: {} },
    ],
  }),
  {
    name: 'retries and dead letters',
    async begin({ context, one }) {
      const topic = context.name('kill-retry')
      const group = context.name('c-kill-retry')
      const all = numbered('again', 20)
      const sent = await sendEach(one, all, { topic })
      await one.call('push', { id: 'retry', group, topic, failBelow: 99, maxReconsumeTimes: 1 })
      await came(one, 'retry', all)
      const again = (): Received[] => one.received('retry').filter(({ reconsumeTimes }) => reconsumeTimes === 1)
      return async () => {
        await until(
          'all of them again',
          () => new Set(bodiesOf(again())).size === all.length,
          () => bodiesOf(again()),
          90_000,
        )
        assert.deepEqual(storedTwice(again()), [], 'the broker stored each retry once')
        const dead = { id: 'p', topic: `%DLQ%${group}`, broker: sent[0]?.broker ?? '', queueId: 0, of: 'max' }
        let count = 0
        for (let tries = 0; tries < 100 && count < all.length; tries++) {
          count = await one.call<number>('offset', dead).catch(() => 0)
          if (count < all.length) await pause(200)
        }
        assert.equal(count, all.length, 'dead letters')
      }
    },
  },
  {
    name: 'lite pulls',
    async begin({ context, one }) {
      const topic = context.name('kill-lite')
      const group = context.name('c-kill-lite')
      await sendEach(one, numbered('before', 20), { topic })
      await one.call('pull', { id: 'lite', group, topic, manual: 1 })
      const polled = new Set<string>()
      const poll = async (least: number): Promise<void> => {
        for (let tries = 0; tries < 60 && polled.size < least; tries++) {
          for (const body of bodiesOf(await one.call<Received[]>('poll', { id: 'lite', waitMs: 1_000 })))
            polled.add(body)
        }
        assert.equal(polled.size, least)
      }
      await poll(20)
      await one.call('commit', { id: 'lite' })
      return async () => {
        await sendEach(one, numbered('after', 10), { topic })
        await poll(30)
        await persist(() => one.call('seek', { id: 'lite', topic }))
        polled.clear()
        await poll(30)
      }
    },
  },
  {
    name: 'resets of offsets',
    begin: (world) => resets(world),
  },
  {
    name: 'namespaces',
    async begin({ context, one, two }) {
      const topic = context.name('kill-spaced')
      const group = context.name('c-kill-spaced')
      const namespace = context.name('NS')
      await two.call('producer', { id: 'p', group: context.name('p-kill-inside'), namespace })
      const send = async (when: string): Promise<void> => {
        await sendEach(one, [`outside-${when}`], { topic })
        await sendEach(two, [`inside-${when}`], { topic })
      }
      await send('before')
      await one.call('push', { id: 'spaced', group, topic })
      await two.call('push', { id: 'spaced', group, topic, namespace })
      await came(one, 'spaced', ['outside-before'])
      await came(two, 'spaced', ['inside-before'])
      return async () => {
        await send('after')
        const outside = await came(one, 'spaced', ['outside-after'])
        const inside = await came(two, 'spaced', ['inside-after'])
        assert.ok(outside.every(({ body }) => body?.startsWith('outside')))
        assert.ok(inside.every(({ body }) => body?.startsWith('inside')))
      }
    },
  },
]

/** One group is reset before the kill, while nobody is there; another after it, while it consumes. */
async function resets({ context, one }: World): Promise<() => Promise<void>> {
  const topic = context.name('kill-reset')
  const all = numbered('again', 12)
  const leader = (): Promise<string> => leaderAddress(context.target.namesrv)
  const reset = async (group: string): Promise<void> => {
    const asked = { topic, group, timestamp: '0', isForce: 'true' }
    const { code, remark } = await persist(async () => ask(await leader(), 222, asked))
    assert.equal(code, 0, remark ?? '')
  }
  const consume = async (driver: Driver, id: string, group: string): Promise<void> => {
    await driver.call('push', { id, group, topic, instance: id })
    await came(driver, id, all)
    await areCommitted(await leader(), topic, group)
  }
  await one.send('p', { topic, body: 'again', count: all.length })
  const [offline, online] = [context.name('c-kill-offline'), context.name('c-kill-online')]
  await Promise.all([consume(one, 'offline', offline), consume(one, 'online', online)])
  await one.call('close', { id: 'offline' })
  await pause(500)
  await reset(offline)
  return async () => {
    await one.call('push', { id: 'offline again', group: offline, topic, instance: 'offline again' })
    assert.equal((await came(one, 'offline again', all)).length, all.length)
    await reset(online)
    await until(
      'all of them again',
      () => one.received('online').length >= 2 * all.length,
      () => one.received('online').length,
      60_000,
    )
    assert.equal(new Set(bodiesOf(one.received('online'))).size, all.length)
  }
}
