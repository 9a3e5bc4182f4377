/**
 * Pops in order by the stock client. Its consumers never ask for them; its public `MQClientAPIExt` does, by which
 * RocketMQ's proxy serves FIFO groups.
 */
import assert from 'node:assert/strict'
import { ask } from '../support/ask.ts'
import { OrderedPopper } from '../support/ordered-popper.ts'
import { leaderAddress } from '../support/raftmq.ts'
import { type Context, type Scenario, pause } from '../support/scenario.ts'

const NONE = 'POLLING_NOT_FOUND'

/** Messages m-0, m-1, … in the one queue of a topic. */
async function popperOf(context: Context, stem: string, count: number): Promise<OrderedPopper> {
  const { namesrv } = context.target
  const [topic, group] = [context.name(stem), context.name(`c-${stem}`)]
  const leader = await leaderAddress(namesrv)
  const queues = { readQueueNums: '1', writeQueueNums: '1', perm: '6', topicFilterType: 'SINGLE_TAG' }
  const made = { topic, defaultTopic: 'TBW102', topicSysFlag: '0', order: 'false', ...queues }
  assert.equal((await ask(leader, 17, made)).code, 0)
  assert.equal((await ask(leader, 200, {}, JSON.stringify({ groupName: group, consumeMessageOrderly: true }))).code, 0)
  const driver = await context.driver({ release: 'client-5.5' })
  await driver.call('producer', { id: 'p', group: context.name(`p-${stem}`) })
  await driver.send('p', { topic, body: 'm', count, shards: 1 })
  return OrderedPopper.start({ namesrv, topic, group })
}

export const orderedPop: readonly Scenario[] = [
  {
    name: 'a stock client’s ordered pop gives nothing more until all that it gave is acknowledged',
    async run(context) {
      const popper = await popperOf(context, 'ordered-pop', 6)
      try {
        assert.equal(await popper.pop(2), '0 m-0 0; 1 m-1 0')
        assert.equal(await popper.pop(2), NONE)
        assert.equal(await popper.acknowledge(0), 'OK')
        assert.equal(await popper.pop(2), NONE)
        assert.equal(await popper.acknowledge(1), 'OK')
        assert.equal(await popper.pop(2), '2 m-2 0; 3 m-3 0')
        assert.equal(await popper.acknowledge(2), 'OK')
        assert.equal(await popper.hide(3, 1_000), 'OK')
        assert.equal(await popper.pop(2), NONE)
        await pause(1_500)
        assert.equal(await popper.pop(2), '4 m-3 1; 5 m-4 0')
        assert.equal(await popper.acknowledgeAll(4, 5), 'OK')
        assert.equal(await popper.pop(2), '6 m-5 0')
        assert.equal(await popper.acknowledgeAll(6), 'OK')
        assert.equal(await popper.pop(2), NONE)
      } finally {
        await popper.close()
      }
    },
  },
]

export const orderedPopFailover: readonly Scenario[] = [
  {
    name: 'a stock client’s ordered pop waits for its acknowledgements over kills of the leader, and goes on behind them',
    skip: (target) => (target.nodes < 3 ? 'there is no other node' : undefined),
    timeoutMs: 120_000,
    async run(context) {
      const popper = await popperOf(context, 'ordered-pop-failover', 5)
      try {
        assert.equal(await popper.pop(2), '0 m-0 0; 1 m-1 0')
        await context.target.killLeader()
        assert.equal(await popper.pop(2), NONE)
        assert.equal(await popper.acknowledge(0), 'OK')
        await context.target.killLeader()
        assert.equal(await popper.pop(2), NONE)
        assert.equal(await popper.acknowledge(1), 'OK')
        assert.equal(await popper.pop(2), '2 m-2 0; 3 m-3 0')
        for (const n of [2, 3]) assert.equal(await popper.acknowledge(n), 'OK')
        await context.target.killLeader()
        assert.equal(await popper.pop(2), '4 m-4 0')
      } finally {
        await popper.close()
      }
    },
  },
]
