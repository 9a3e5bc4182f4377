/** What an application sees through the stock Java client, and through RaftMQ's own. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ClientError, type Received, type Sent } from '../support/driver.ts'
import { checkout } from '../support/places.ts'
import type { Place, Step } from './steps.ts'

const execute = promisify(execFile)

async function until(holds: () => boolean, withinMs: number): Promise<void> {
  for (const endMs = performance.now() + withinMs; !holds() && performance.now() < endMs; ) {
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

/** What of a message an application may lean on. */
function seen({ body, tags, keys, reconsumeTimes, queueOffset, properties, flag }: Received): string {
  const names = Object.keys(properties).filter((name) => name !== 'CONSUME_START_TIME')
  // Redeliveries of several messages come in any order.
  const at = reconsumeTimes === 0 ? queueOffset : 'again'
  return `${body} tags=${tags} keys=${keys} flag=${flag} times=${reconsumeTimes} at=${at} ${names.toSorted().join(',')}`
}

function sent({ status, queueId, queueOffset, msgId, offsetMsgId, recallHandle }: Sent): string {
  const ids = `${msgId.split(',').length}/${offsetMsgId.split(',').length}`
  return `${status} ${queueId}@${queueOffset} ids=${ids} recall=${recallHandle !== null}`
}

const failure = (error: unknown): string =>
  error instanceof ClientError ? `${error.failure.class} ${error.failure.code}` : String(error)

function step(name: string, run: (place: Place) => Promise<string>, waits = false): Step {
  return { name, waits, run: (place) => run(place).catch((error: unknown) => failure(error)) }
}

const topicOf = (place: Place): string => place.name('client')

/** Every message of a push consumer's first seconds, in the order of their queues. */
function consumed(name: string, given: Readonly<Record<string, string | number>>, count: number): Step {
  const run = async (place: Place): Promise<string> => {
    const id = name.replaceAll(' ', '-')
    const { driver } = place
    const messages = (): Received[] => driver.received(id)
    await driver.call('push', { id, group: place.name(`g-${id}`), topic: topicOf(place), instance: id, ...given })
    await until(() => messages().length >= count, 60_000)
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    await driver.call('close', { id })
    return messages().map(seen).toSorted().join('; ')
  }
  return step(name, run, true)
}

const sending = (values: Readonly<Record<string, string | number>>) => async (place: Place) => {
  const results = await place.driver.send('p', { topic: topicOf(place), ...values })
  return results.map((one) => (one === null ? 'sent' : sent(one))).join('; ')
}

export const clients: readonly Step[] = [
  step('a producer starts', async (place) => {
    await place.driver.call('producer', { id: 'p', group: place.name('producers'), transactions: 1 })
    return 'started'
  }),
  step('synchronous sends to one queue', sending({ body: 'sync', tags: 'A', keys: 'k', count: 3, shards: 1 })),
  step(
    'a send with a flag and a property',
    sending({ body: 'p', flag: 7, 'prop.colour': 'grün', shards: 1, count: 1 }),
  ),
  step('a batch', async (place) => {
    const one = await place.driver.call<Sent>('batch', {
      id: 'p',
      topic: topicOf(place),
      body: 'b',
      tags: 'B',
      count: 4,
    })
    return `${one.status} ids=${one.msgId.split(',').length}/${one.offsetMsgId.split(',').length}`
  }),
  // The first of its level on both sides.
  step('a send of level 2', sending({ body: 'level', delayLevel: 2, count: 1, shards: 1 })),
  step('a client’s send to a topic with an illegal name', ({ driver }) =>
    driver.send('p', { topic: 'a b', body: 'x' }).then(() => 'sent'),
  ),
  step('a transaction that is committed', async (place) => {
    const values = { id: 'p', topic: topicOf(place), body: 'committed', 'prop.first': 'COMMIT_MESSAGE' }
    const one = await place.driver.call<Sent>('transaction', values)
    return `${one.status} ${one.state}`
  }),
  step('a transaction that is rolled back', async (place) => {
    const values = { id: 'p', topic: topicOf(place), body: 'rolled back', 'prop.first': 'ROLLBACK_MESSAGE' }
    const one = await place.driver.call<Sent>('transaction', values)
    return `${one.status} ${one.state}`
  }),
  consumed('a push consumer by tag', { tags: 'A' }, 3),
  consumed('a push consumer in order', { orderly: 1, tags: 'A || B' }, 7),
  consumed('a push consumer whose listener fails once', { failBelow: 1, tags: 'A' }, 6),
  consumed('a push consumer by SQL', { sql: "colour = 'grün'" }, 1),
  step('a client’s query by key', async (place) => {
    const found = await place.driver.call<Received[]>('query', { id: 'p', topic: topicOf(place), key: 'k-1' })
    return found.map(({ body }) => body).join()
  }),
  step('a client’s query by a key that none has', async (place) => {
    const found = await place.driver.call<Received[]>('query', { id: 'p', topic: topicOf(place), key: 'none' })
    return String(found.length)
  }),
  step(
    'RaftMQ’s own client',
    async (place) => {
      const program = join(checkout, 'test/interop/node/own-client.mjs')
      const args = [program, place.namesrv, place.name('own'), place.name('own-g')]
      const { stdout } = await execute(process.execPath, args, { timeout: 120_000 })
      return stdout.trim().split('\n').join('\n          ')
    },
    true,
  ),
]
