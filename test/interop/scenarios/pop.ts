import assert from 'node:assert/strict'
import { ask } from '../support/ask.ts'
import type { Driver, Received } from '../support/driver.ts'
import { leaderAddress } from '../support/raftmq.ts'
import { type Context, pause, type Scenario, until } from '../support/scenario.ts'

const release = 'client-5.5'

/** A push consumer that lets the broker assign, of a group that is set to POP. */
async function popping(
  context: Context,
  driver: Driver,
  given: { readonly topic: string; readonly group: string; readonly failBelow?: number },
): Promise<void> {
  const { topic, group } = given
  const leader = await leaderAddress(context.target.namesrv)
  await ask(leader, 200, {}, JSON.stringify({ groupName: group }))
  const mode = { topic, consumerGroup: group, mode: 'POP', popShareQueueNum: 0 }
  const set = await ask(leader, 401, {}, JSON.stringify(mode))
  assert.equal(set.code, 0)
  await driver.call('push', { id: 'c', serverRebalance: 1, ...given })
}

const bodiesOf = (received: readonly Received[]): string[] => received.map(({ body }) => body ?? '').sort()

export const pop: readonly Scenario[] = [
  {
    name: 'pop consumers of a group take every message once, whatever their number',
    async run(context) {
      const topic = context.name('pop')
      const group = context.name('c-pop')
      const one = await context.driver({ release })
      const two = await context.driver({ release })
      await one.call('producer', { id: 'p', group: context.name('p-pop') })
      await one.send('p', { topic, body: 'early', count: 10 })
      await popping(context, one, { topic, group })
      await popping(context, two, { topic, group })
      await pause(3_000)
      await one.send('p', { topic, body: 'popped', count: 60 })
      const all = (): Received[] => [...one.received('c'), ...two.received('c')]
      await until(
        '70 messages',
        () => all().length >= 70,
        () => all().length,
        60_000,
      )
      await pause(11_000)
      assert.equal(new Set(bodiesOf(all())).size, 70)
      assert.equal(all().length, 70, 'nothing comes twice once it is acknowledged')
      assert.ok(all().every(({ properties }) => properties['POP_CK'] !== undefined))
    },
  },
  {
    name: 'a popped message whose listener fails comes again, counted',
    async run(context) {
      const topic = context.name('pop-again')
      const driver = await context.driver({ release })
      await driver.call('producer', { id: 'p', group: context.name('p-pop-again') })
      await driver.send('p', { topic, body: 'again' })
      await popping(context, driver, { topic, group: context.name('c-pop-again'), failBelow: 1 })
      await until(
        'a redelivery',
        () => driver.received('c').length >= 2,
        () => driver.received('c'),
        60_000,
      )
      const [first, second] = driver.received('c')
      assert.deepEqual([first?.reconsumeTimes, second?.reconsumeTimes], [0, 1])
      assert.deepEqual([second?.topic, second?.body], [topic, 'again'])
      context.note(`came again after ${(((second?.t ?? 0) - (first?.t ?? 0)) / 1_000).toFixed(1)} s`)
    },
  },
]

export const popFailover: readonly Scenario[] = [
  {
    name: 'pop consumers go on after the leader is killed: nothing is lost, and what was acknowledged stays away',
    skip: (target) => (target.nodes < 3 ? 'there is no other node' : undefined),
    timeoutMs: 180_000,
    async run(context) {
      const topic = context.name('pop-failover')
      const driver = await context.driver({ release })
      await driver.call('producer', { id: 'p', group: context.name('p-pop-failover') })
      await driver.send('p', { topic, body: 'before', count: 50 })
      await popping(context, driver, { topic, group: context.name('c-pop-failover') })
      await until(
        '50 messages',
        () => driver.received('c').length >= 50,
        () => driver.received('c').length,
      )
      await pause(1_000)
      await context.target.killLeader()
      // The stock producer gives up within milliseconds while nobody leads.
      for (let at = 0; at < 50; ) {
        const sent = await driver.send('p', { topic, body: `after-${at}` }).catch(() => undefined)
        if (sent === undefined) await pause(200)
        else at++
      }
      const seen = (): Set<string> => new Set(bodiesOf(driver.received('c')))
      await until(
        '100 messages',
        () => seen().size >= 100,
        () => seen().size,
        60_000,
      )
      await pause(12_000)
      const twice = driver.received('c').length - seen().size
      const before = driver.received('c').filter(({ body }) => body?.startsWith('before') === true)
      assert.equal(before.length, 50, 'what was acknowledged does not come again')
      context.note(`${twice} of 100 came twice`)
    },
  },
]
