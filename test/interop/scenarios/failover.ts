import assert from 'node:assert/strict'
import type { LoadEvent } from '../support/driver.ts'
import { mqadmin } from '../support/stock.ts'
import { longestGap, pause, type Scenario, until } from '../support/scenario.ts'

const bars = { sendMs: 5_000, deliveryMs: 8_000 }

export const failover: readonly Scenario[] = [
  {
    name: 'kill -9 of the leader under a stock producer and push consumer: nothing acknowledged is missing',
    timeoutMs: 180_000,
    async run(context) {
      const topic = context.name('failover')
      const producing = await context.driver({ release: 'client-5.5' })
      const consuming = await context.driver({ release: 'client-5.5' })
      await producing.call('producer', { id: 'p', group: context.name('p-failover') })
      await producing.send('p', { topic, body: 'first' })
      await consuming.call('push', { id: 'c', group: context.name('c-failover'), topic })
      await until(
        'the first',
        () => consuming.received('c').length > 0,
        () => 0,
      )
      await producing.call('load', { id: 'p', topic, perSecond: 400, threads: 4 })
      await pause(4_000)
      await context.target.killLeader()
      const killed = Date.now()
      await pause(20_000)
      const { acked } = await producing.call<{ acked: number }>('stopLoad', { id: 'p' })
      const loads = producing.events.filter((event): event is LoadEvent => event.ev !== 'message')
      const acks = loads.filter(({ ev }) => ev === 'ack')
      const nacks = loads.filter(({ ev }) => ev === 'nack')
      const missing = (): string[] => {
        const got = new Set(consuming.received('c').map(({ body }) => body))
        return acks.map(({ body }) => body).filter((body) => !got.has(body))
      }
      await until(
        'every acknowledged message',
        () => missing().length === 0,
        () => missing().slice(0, 20),
        60_000,
      )
      const received = consuming.received('c')
      const duplicates = received.length - new Set(received.map(({ body }) => body)).size
      const around = (times: number[]): number => longestGap(times.filter((t) => t > killed - 2_000))
      const sends = around(acks.map(({ t }) => t))
      const deliveries = around(received.map(({ t }) => t))
      context.note(
        `${acked} acknowledged, ${nacks.length} failed, ${duplicates} delivered again, gap ${sends} ms in sends, ${deliveries} ms in deliveries`,
      )
      for (const text of new Set(nacks.map(({ error }) => `${error?.class} ${error?.code}`)))
        context.note(`failed with ${text}`)
      assert.ok(
        acks.some(({ t }) => t > killed + 15_000),
        'sends go on after the kill',
      )
      if (context.target.name === 'stock') return
      assert.ok(sends <= bars.sendMs, `gap in sends of ${sends} ms, at most ${bars.sendMs}`)
      assert.ok(deliveries <= bars.deliveryMs, `gap in deliveries of ${deliveries} ms, at most ${bars.deliveryMs}`)
    },
  },
  {
    name: 'topics and consumer offsets acknowledged before a kill are there after it',
    skip: ({ name }) =>
      name === 'stock' ? 'a stock broker writes consumer offsets every five seconds only' : undefined,
    timeoutMs: 120_000,
    async run(context) {
      const { target } = context
      const topic = context.name('kept')
      const group = context.name('kept-group')
      const before = await context.driver({ release: 'client-5.5' })
      await mqadmin(target.namesrv, 'updateTopic', '-c', target.cluster, '-t', topic, '-r', '3', '-w', '3')
      await before.call('producer', { id: 'p', group: context.name('p-kept'), retries: 20 })
      await before.send('p', { topic, body: 'old', count: 30 })
      await before.call('push', { id: 'c', group, topic })
      await until(
        '30 messages',
        () => before.received('c').length >= 30,
        () => before.received('c').length,
      )
      await pause(500)
      // A consumer that closes commits its offsets, one-way.
      await before.call('close', { id: 'c' })
      await pause(500)
      await target.killLeader()
      await pause(12_000)
      await before.send('p', { topic, body: 'new', count: 12 })
      const after = await context.driver({ release: 'client-5.5' })
      await after.call('push', { id: 'c', group, topic })
      const bodies = (): string[] => after.received('c').map(({ body }) => body ?? '')
      await until('12 messages', () => bodies().length >= 12, bodies, 60_000)
      await pause(1_000)
      assert.deepEqual(bodies().sort(), Array.from({ length: 12 }, (_, i) => `new-${i}`).sort())
      assert.deepEqual(new Set(after.received('c').map(({ queueId }) => queueId)), new Set([0, 1, 2]))
    },
  },
]
