/** Requests and replies through a kill. */
import assert from 'node:assert/strict'
import type { Driver } from '../../support/driver.ts'
import { startLedElsewhere } from '../../support/led-elsewhere.ts'
import { leaderAddress } from '../../support/raftmq.ts'
import { type Context, pause, type Scenario } from '../../support/scenario.ts'
import { makeTopic } from '../../support/topics.ts'
import { persist, release, type Row } from './row.ts'

const REPLY_WITHIN_MS = 15_000

/** One JVM that answers whatever is asked over the topic. */
async function startReplier(context: Context, driver: Driver, topic: string): Promise<void> {
  await makeTopic(context, topic)
  await driver.call('producer', { id: 'replies', group: `replies-${topic}`, instance: 'replies' })
  await driver.call('push', { id: 'asked', group: `asked-${topic}`, topic, replyBy: 'replies' })
}

async function request(driver: Driver, topic: string, body: string): Promise<void> {
  const asked = { id: 'p', topic, withinMs: REPLY_WITHIN_MS, body }
  const reply = await persist(() => driver.call<{ body: string }>('request', asked), 4 * REPLY_WITHIN_MS)
  assert.equal(reply.body, `${body}!`)
}

export const requests: readonly Row[] = [
  {
    name: 'requests and replies',
    async begin({ context, one, two }) {
      const topic = context.name('kill-request')
      await startReplier(context, two, topic)
      await request(one, topic, 'before')
      return () => request(one, topic, 'after')
    },
  },
]

export const requestsOverTwoNodes: readonly Scenario[] = [
  {
    name: 'a request is answered whose requester and replier are connected to different nodes, before and after a kill of the leader',
    skip: ({ name, nodes }) => (name === 'stock' || nodes < 3 ? 'there is no other node' : undefined),
    timeoutMs: 180_000,
    async run(context) {
      const topic = context.name('two-nodes')
      const { namesrv } = context.target
      const elsewhere = await startLedElsewhere(namesrv)
      try {
        const [asking, answering] = await Promise.all([context.driver({ release }), context.driver({ release })])
        await startReplier(context, answering, topic)
        const [asked, answered] = await Promise.all([elsewhere.namesrv, namesrv].map((of) => leaderAddress(of)))
        assert.notEqual(asked, answered, 'the requester takes another node for the leader')
        await asking.call('producer', { id: 'p', group: context.name('p-two-nodes'), namesrv: elsewhere.namesrv })
        for (const body of ['one', 'two', 'three']) await request(asking, topic, body)
        await context.target.killLeader()
        await pause(2_000)
        for (const body of ['four', 'five', 'six']) await request(asking, topic, body)
      } finally {
        await elsewhere.close()
      }
    },
  },
]
