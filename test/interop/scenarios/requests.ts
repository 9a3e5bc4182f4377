import assert from 'node:assert/strict'
import type { Scenario } from '../support/scenario.ts'
import { makeTopic } from '../support/topics.ts'

const release = 'client-5.5'

export const requests: readonly Scenario[] = [
  {
    name: 'a request of one client is answered by another',
    async run(context) {
      const topic = context.name('request')
      await makeTopic(context, topic)
      const asking = await context.driver({ release })
      const answering = await context.driver({ release })
      await answering.call('producer', { id: 'r', group: context.name('p-replies') })
      await answering.call('push', { id: 'c', group: context.name('c-replies'), topic, replyBy: 'r' })
      await asking.call('producer', { id: 'p', group: context.name('p-asks') })
      const ask = { id: 'p', topic, withinMs: 15_000 }
      const first = await asking.call<{ body: string }>('request', { ...ask, body: 'how' })
      assert.equal(first.body, 'how!')
      const bodies = Array.from({ length: 20 }, (_, at) => `q${at}`)
      const replies = await Promise.all(
        bodies.map((body) => asking.call<{ body: string }>('request', { ...ask, body })),
      )
      assert.deepEqual(
        replies.map(({ body }) => body),
        bodies.map((body) => `${body}!`),
      )
    },
  },
]
