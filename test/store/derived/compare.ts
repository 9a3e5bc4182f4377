import { expect } from 'vitest'
import { tagsCode } from '../../../src/message/tags-code.ts'
import type { ModelMessage, ModelQueue, World } from './world.ts'

/** Compares everything the store says with the model: bounds, all messages, by tag, by key, by time. */
export async function expectEqualToModel(world: World): Promise<void> {
  for (const [topic, queues] of world.model) {
    for (const [queueId, queue] of queues) await expectQueue(world, topic, queueId, queue)
  }
  const known = [...world.model.keys()]
  for (const topic of ['a', 'b', 'c']) {
    if (!known.includes(topic)) expect(world.store.queueIds(topic)).toEqual([])
  }
}

async function expectQueue(world: World, topic: string, queueId: number, queue: ModelQueue): Promise<void> {
  const { store } = world
  const bounds = store.queueBounds(topic, queueId)
  const where = `${topic}/${queueId}`
  if (queue.next === 0) return expect(bounds ?? { min: 0, max: 0 }, where).toEqual({ min: 0, max: 0 })
  expect(bounds, where).toEqual({ min: queue.min, max: queue.next })
  expect(store.nextQueueOffset(topic, queueId)).toBe(queue.next)
  // Comparing bytes here and not in `expect` makes this test seconds instead of minutes.
  const all = await readAll(world, topic, queueId, queue.min, undefined)
  expect(all.equals(bytesOf(queue.messages)), where).toBe(true)
  const tagged = queue.messages.filter((message) => message.tag === 'red')
  const red = await readAll(world, topic, queueId, queue.min, 'red')
  expect(red.equals(bytesOf(tagged)), `red of ${where}`).toBe(true)
  if (queue.messages.length > 0) await expectTimes(world, topic, queueId, queue)
}

async function expectTimes(world: World, topic: string, queueId: number, queue: ModelQueue): Promise<void> {
  const { messages } = queue
  const chosen = messages[world.random.integer(0, messages.length - 1)]
  const timestampMs = (chosen?.timestampMs ?? 0) + world.random.integer(-1, 1)
  const lower = messages.find((message) => message.timestampMs >= timestampMs)?.queueOffset ?? queue.next
  const upper = messages.findLast((message) => message.timestampMs <= timestampMs)?.queueOffset ?? queue.min
  expect(await world.store.offsetByTime(topic, queueId, timestampMs, 'lower')).toBe(lower)
  expect(await world.store.offsetByTime(topic, queueId, timestampMs, 'upper')).toBe(upper)
  expect(await world.store.earliestTime(topic, queueId)).toBe(messages[0]?.timestampMs)
}

/** Pulls from `from` to the end as a consumer does. */
export async function readAll(
  world: World,
  topic: string,
  queueId: number,
  from: number,
  tag: string | undefined,
): Promise<Buffer> {
  const parts: Buffer[] = []
  const max = world.store.queueBounds(topic, queueId)?.max ?? 0
  for (let queueOffset = from; queueOffset < max; ) {
    const result = await world.store.pull({
      topic,
      queueId,
      queueOffset,
      maxCount: world.random.integer(1, 40),
      maxBytes: world.random.integer(1, 5000),
      ...(tag === undefined ? {} : { tagsCodes: new Set([tagsCode(tag)]) }),
    })
    expect(result.status).toBe(result.count > 0 ? 'found' : 'noMatched')
    expect(result.nextQueueOffset).toBeGreaterThan(queueOffset)
    expect(result.bytes).toBe(result.slices.reduce((sum, slice) => sum + slice.length, 0))
    parts.push(...result.slices)
    queueOffset = result.nextQueueOffset
  }
  return Buffer.concat(parts)
}

/** What a query by key must find. */
export async function expectKey(world: World, topic: string, key: string): Promise<void> {
  const all = [...(world.model.get(topic)?.values() ?? [])].flatMap((queue) => queue.messages)
  const matching = all.filter((message) => message.keys.includes(key)).sort((a, b) => a.offset - b.offset)
  const found = await world.store.byKey({ topic, key, maxCount: 64, beginMs: 0, endMs: Number.MAX_SAFE_INTEGER })
  // A record of a deleted topic is still in the log, and found as long as it is (as in RocketMQ).
  const living = found.records.filter((record) => all.some((message) => message.record.equals(record)))
  expect(living).toEqual(matching.slice(-64).map((message) => message.record))
}

const bytesOf = (messages: readonly ModelMessage[]): Buffer => Buffer.concat(messages.map((message) => message.record))
