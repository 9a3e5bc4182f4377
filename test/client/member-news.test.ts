import { describe, expect, test } from 'vitest'
import { MemberNews } from '../../src/client/consumer/member-news.ts'
import { PushConsumer } from '../../src/client/consumer/push-consumer.ts'
import { RequestCode } from '../../src/remoting/codes.ts'
import { FakeCluster } from '../support/fake-broker.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { until } from '../support/until.ts'

describe('what heartbeats say of the members of a group', () => {
  test('is news the first time and whenever it differs', () => {
    const news = new MemberNews(new ManualClock(), 1_000)
    expect(['x', 'x', 'y', 'x'].map((digest) => news.heard('a:1', digest))).toEqual([true, false, true, true])
    expect(news.heard('b:1', 'x')).toBe(true)
  })

  test('is known while every leader said it of late', () => {
    const clock = new ManualClock()
    const news = new MemberNews(clock, 1_000)
    news.heard('a:1', 'x')
    expect(news.isTold(['a:1'])).toBe(true)
    expect([news.isTold(['a:1', 'b:1']), news.isTold(['a:1', undefined]), news.isTold([])]).toEqual([
      false,
      false,
      false,
    ])
    clock.advance(1_500)
    expect(news.isTold(['a:1'])).toBe(true)
    clock.advance(1)
    expect(news.isTold(['a:1'])).toBe(false)
  })

  test('is not known of a broker that ceased to say it', () => {
    const news = new MemberNews(new ManualClock(), 1_000)
    news.heard('a:1', 'x')
    expect(news.heard('a:1', undefined)).toBe(false)
    expect(news.isTold(['a:1'])).toBe(false)
    expect(news.heard('a:1', 'x')).toBe(true)
  })
})

test('a consumer asks who is in its group when heartbeats say otherwise, and at every interval only where they do not say', async () => {
  const fake = await FakeCluster.start()
  fake.createTopic('T')
  fake.groupMembers = 'x'
  const times = (code: number): number => fake.requests.filter((one) => one === code).length
  const asked = (): number => times(RequestCode.GET_CONSUMER_LIST_BY_GROUP)
  const beats = async (more: number): Promise<void> => {
    const before = times(RequestCode.HEART_BEAT)
    await until('heartbeats', () => times(RequestCode.HEART_BEAT) >= before + more)
  }
  const intervals = { heartbeatIntervalMs: 40, rebalanceIntervalMs: 10 }
  const consumer = new PushConsumer({ namesrv: fake.namesrv, group: 'G', closeTimeoutMs: 100, ...intervals })
  await consumer.subscribe('T').run(() => Promise.resolve())
  await until('all queues', () => consumer.assigned.length === 5)
  await beats(2)
  const before = asked()
  await beats(3)
  expect(asked()).toBe(before)
  fake.groupMembers = 'y'
  await until('the list is asked for', () => asked() === before + 1)
  await beats(3)
  expect(asked()).toBe(before + 1)
  fake.groupMembers = undefined
  await until('the list is asked for again and again', () => asked() > before + 3)
  await consumer.close()
  await fake.close()
})
