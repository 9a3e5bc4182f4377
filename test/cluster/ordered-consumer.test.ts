import { expect, test } from 'vitest'
import { startCluster } from '../../src/index.ts'
import { Producer, PushConsumer, type ReceivedMessage } from '../../src/client/index.ts'
import { until } from '../support/until.ts'
import { opened } from '../support/open.ts'

/** What handlers saw of each key: steps are numbers from 0. */
class Book {
  readonly #last = new Map<string, number>()
  readonly #running = new Set<string>()
  readonly faults: string[] = []

  async handle(message: ReceivedMessage): Promise<void> {
    const [key = '', step = ''] = message.body.toString().split(' ')
    const last = this.#last.get(key) ?? -1
    if (this.#running.has(key)) this.faults.push(`two handlers of ${key} at once`)
    // A step may come again; none comes before the one ahead of it.
    if (Number(step) > last + 1) this.faults.push(`${key}: ${step} after ${last}`)
    this.#running.add(key)
    await new Promise(setImmediate)
    this.#running.delete(key)
    this.#last.set(key, Math.max(last, Number(step)))
  }

  isThrough(keys: readonly string[], steps: number): boolean {
    return keys.every((key) => this.#last.get(key) === steps - 1)
  }
}

const keys = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank']

test('the order of each key holds while members come and go and the leader is killed', {
  timeout: 120_000,
}, async () => {
  const cluster = opened(await startCluster({ nodes: 3 }))
  const producer = opened(new Producer({ namesrv: cluster.namesrv, group: 'p', batch: false }))
  await producer.start()
  const book = new Book()
  const join = async (): Promise<PushConsumer> => {
    const options = { namesrv: cluster.namesrv, group: 'g', from: 'first', ordered: true } as const
    const member = opened(new PushConsumer({ ...options, rebalanceIntervalMs: 500 })).subscribe('T')
    await member.run((message) => book.handle(message))
    return member
  }
  const send = async (from: number, to: number): Promise<void> => {
    for (let step = from; step < to; step++) {
      await Promise.all(keys.map((key) => producer.send({ topic: 'T', body: `${key} ${step}`, shardingKey: key })))
    }
  }

  const first = await join()
  await send(0, 20)
  const second = await join()
  await Promise.all([
    send(20, 40),
    until('both have queues', () => first.assigned.length > 0 && second.assigned.length > 0, 30_000),
  ])
  const leader = cluster.leader()
  if (leader === undefined) throw new Error('a leader is wanted')
  cluster.kill(leader)
  await send(40, 60)
  await first.close()
  await send(60, 80)
  await until('every step of every key', () => book.isThrough(keys, 80), 60_000)
  expect(book.faults).toEqual([])
})
