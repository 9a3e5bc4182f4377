import { describe, expect, test } from 'vitest'
import { RouteCache } from '../../src/client/core/route-cache.ts'
import { autoCreateRoute, parseTopicRoute } from '../../src/client/core/topic-route.ts'
import type { TopicRoute } from '../../src/client/core/topic-route.ts'
import { ManualClock } from '../support/manual-clock.ts'

function routeOf(leader: string | undefined, queues = 2, perm = 6): TopicRoute {
  const brokerAddrs = leader === undefined ? { 1: 'b:1' } : { 0: leader, 1: 'b:1' }
  const body = {
    queueDatas: [{ brokerName: 'a', readQueueNums: queues, writeQueueNums: queues, perm }],
    brokerDatas: [{ cluster: 'c', brokerName: 'a', brokerAddrs }],
  }
  return parseTopicRoute('T', Buffer.from(JSON.stringify(body)))
}

function cacheOf(clock: ManualClock, answers: () => TopicRoute | undefined): { cache: RouteCache; queries: number[] } {
  const queries: number[] = []
  const cache = new RouteCache({
    clock,
    backOffMs: { first: 50, longest: 200 },
    maxTopics: 2,
    query: (_topic, fruitless) => {
      queries.push(fruitless)
      return Promise.resolve(answers())
    },
  })
  return { cache, queries }
}

async function turns(): Promise<void> {
  for (let n = 0; n < 10; n++) await Promise.resolve()
}

describe('RouteCache', () => {
  test('lets everybody who asks at the same time ride on one query', async () => {
    const { cache, queries } = cacheOf(new ManualClock(), () => routeOf('l:1'))
    await Promise.all([cache.find('T'), cache.refresh('T'), cache.refresh('T')])
    expect(queries).toHaveLength(1)
    expect(cache.leader('a')).toBe('l:1')
  })

  test('waits longer and longer while the answers stay the same, and not at all after news', async () => {
    const clock = new ManualClock()
    let leader = 'l:1'
    const { cache, queries } = cacheOf(clock, () => routeOf(leader))
    await cache.refresh('T')
    await cache.refresh('T')
    const waits = [50, 100, 200, 200]
    for (const [n, waitMs] of waits.entries()) {
      const refreshing = cache.refresh('T')
      clock.advance(waitMs - 1)
      await turns()
      expect(queries).toHaveLength(2 + n)
      clock.advance(1)
      await refreshing
      expect(queries).toHaveLength(3 + n)
    }
    leader = 'l:2'
    const refreshing = cache.refresh('T')
    clock.advance(200)
    await refreshing
    const next = cache.refresh('T')
    await next
    expect(cache.leader('a')).toBe('l:2')
  })

  test('keeps the last route of a topic that a name server does not know any more', async () => {
    let route: TopicRoute | undefined = routeOf('l:1')
    const { cache } = cacheOf(new ManualClock(), () => route)
    await cache.refresh('T')
    route = undefined
    expect(await cache.refresh('T')).toBeUndefined()
    expect(cache.get('T')?.writeQueues).toHaveLength(2)
  })

  test('passes a suspected leader over until its time is up or another one leads', async () => {
    const clock = new ManualClock()
    let leader = 'l:1'
    const { cache } = cacheOf(clock, () => routeOf(leader))
    await cache.refresh('T')
    expect(cache.isUsable('a')).toBe(true)
    cache.suspect('l:1', 100)
    expect(cache.isUsable('a')).toBe(false)
    clock.advance(101)
    expect(cache.isUsable('a')).toBe(true)
    cache.suspect('l:1', 100)
    leader = 'l:2'
    await cache.refresh('T')
    expect(cache.isUsable('a')).toBe(true)
  })

  test('tells of a route only when it is different', async () => {
    const clock = new ManualClock()
    let leader: string | undefined = 'l:1'
    const { cache } = cacheOf(clock, () => routeOf(leader))
    const seen: (string | undefined)[] = []
    cache.onChange((route) => seen.push(route.brokers.get('a')?.addresses.get(0)))
    await cache.refresh('T')
    await cache.refresh('T')
    leader = undefined
    const refreshing = cache.refresh('T')
    clock.advance(50)
    await refreshing
    expect(seen).toEqual(['l:1', undefined])
  })

  test('takes no more topics than it may', async () => {
    const { cache } = cacheOf(new ManualClock(), () => undefined)
    await cache.refresh('A')
    await cache.refresh('B')
    expect(() => cache.refresh('C')).toThrow(expect.objectContaining({ code: 'CLIENT_OPTION' }))
  })
})

describe('a topic route', () => {
  test('is read in the dialect of old name servers, too', () => {
    const text =
      '{"brokerDatas":[{"brokerAddrs":{0:"h:1",2:"h:2"},"brokerName":"a","cluster":"c"}],"queueDatas":[{"brokerName":"a","perm":6,"readQueueNums":1,"writeQueueNums":1}]}'
    expect(parseTopicRoute('T', Buffer.from(text)).brokers.get('a')?.addresses).toEqual(
      new Map([
        [0, 'h:1'],
        [2, 'h:2'],
      ]),
    )
  })

  test.each([
    [6, 2, 2],
    [4, 2, 0],
    [2, 0, 2],
    [0, 0, 0],
  ])('with permission %d has %d queues to read and %d to write', (perm, reads, writes) => {
    const route = routeOf('l:1', 2, perm)
    expect([route.readQueues.length, route.writeQueues.length]).toEqual([reads, writes])
  })

  test('keeps the queues of a group without a leader, so that sharding keys stay where they are', () => {
    expect(routeOf(undefined).writeQueues).toHaveLength(2)
  })

  test('of a topic to be created has as many queues as the broker will make', () => {
    expect(
      autoCreateRoute('New', routeOf('l:1', 8), 4).writeQueues.map((queue) => `${queue.topic}${queue.queueId}`),
    ).toEqual(['New0', 'New1', 'New2', 'New3'])
  })

  test.each([
    '',
    'null',
    '[]',
    '{"queueDatas":[{"brokerName":"a","perm":6,"writeQueueNums":99999999}],"brokerDatas":[{"brokerName":"a"}]}',
  ])('that is damaged (%s) is refused', (text) => {
    expect(() => parseTopicRoute('T', Buffer.from(text))).toThrow(expect.objectContaining({ code: 'CLIENT_PROTOCOL' }))
  })
})
