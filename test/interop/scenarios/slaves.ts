import assert from 'node:assert/strict'
import { ask } from '../support/ask.ts'
import type { Sent } from '../support/driver.ts'
import { type Context, pause, type Scenario } from '../support/scenario.ts'
import { makePair, PAIR, type Pair } from '../support/slaves.ts'
import { mqadmin } from '../support/stock.ts'

const release = 'client-5.5'

/** Tries until it holds: the pair comes, goes and is noticed in its own time. */
async function comes<T>(what: string, pair: Pair, look: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < 150; tries++) {
    const found = await look().catch(() => undefined)
    if (found !== undefined) return found
    await pause(200)
  }
  throw new Error(`it never came: ${what}\n${pair.said()}`)
}

async function withPair(context: Context, use: (pair: Pair) => Promise<void>): Promise<void> {
  const pair = await makePair(context.target.namesrv)
  try {
    await use(pair)
  } finally {
    await pair.close()
  }
}

const statuses = (sent: readonly Sent[]): readonly string[] => [...new Set(sent.map(({ status }) => status))]

export const slaves: readonly Scenario[] = [
  {
    name: 'RocketMQ’s 2m-2s-sync: a stock producer is told whether the slave has its message, and consumers read on without the master',
    timeoutMs: 180_000,
    run: (context) =>
      withPair(context, async (pair) => {
        const { master, slave } = pair
        const { namesrv } = context.target
        const topic = context.name('slaves')
        master.start()
        await comes('the master is registered', pair, async () => {
          const answer = await ask(namesrv, 105, { topic: PAIR })
          return answer.code === 0 ? true : undefined
        })
        await mqadmin(namesrv, 'updateTopic', '-b', master.address, '-t', topic, '-r', '4', '-w', '4')
        const driver = await context.driver({ release })
        await driver.call('producer', { id: 'p', group: context.name('p-slaves') })
        const send = async (body: string, count = 10): Promise<readonly string[]> =>
          statuses(await driver.send('p', { topic, body, count }))
        const answers = (status: string, body: string): Promise<true> =>
          comes(`a send that is answered ${status}`, pair, async () =>
            (await send(body, 1)).join() === status ? true : undefined,
          )

        assert.deepEqual(await send('alone'), ['SLAVE_NOT_AVAILABLE'])
        slave.start()
        await answers('SEND_OK', 'coming')
        assert.deepEqual(await send('both', 50), ['SEND_OK'])

        slave.signal('SIGSTOP')
        assert.deepEqual(await send('still', 1), ['FLUSH_SLAVE_TIMEOUT'])
        slave.signal('SIGCONT')
        await answers('SEND_OK', 'going on')

        slave.signal('SIGKILL')
        await answers('SLAVE_NOT_AVAILABLE', 'gone')
        assert.deepEqual(await send('without', 50), ['SLAVE_NOT_AVAILABLE'])
        slave.start()
        await answers('SEND_OK', 'back')
        assert.deepEqual(await send('again', 50), ['SEND_OK'])
        const listed = await mqadmin(namesrv, 'clusterList')
        assert.ok(listed.includes(slave.address), `mqadmin lists the slave: ${listed}`)

        master.signal('SIGKILL')
        await comes('the name server forgets the master', pair, async () => {
          const answer = await ask(namesrv, 105, { topic })
          return answer.body.toString().includes(master.address) ? undefined : true
        })
        const reader = await context.driver({ release })
        await reader.call('push', { id: 'c', group: context.name('c-slaves'), topic })
        const expected = ['alone-0', 'alone-9', 'both-49', 'without-0', 'without-49', 'again-49']
        await comes('everything is read from the slave', pair, async () => {
          const bodies = new Set(reader.received('c').map(({ body }) => body))
          return expected.every((body) => bodies.has(body)) ? true : undefined
        })
      }),
  },
]
