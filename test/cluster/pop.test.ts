import { describe, expect, test } from 'vitest'
import { type Cluster, startCluster } from '../../src/index.ts'
import { Producer } from '../../src/client/index.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { decodeRecords } from '../../src/message/record.ts'
import { RemotingClient } from '../../src/remoting/client.ts'
import { RequestCode } from '../../src/remoting/codes.ts'
import type { RemotingCommand } from '../../src/remoting/command.ts'
import { tablesState } from './admin-calls.ts'
import { until } from '../support/until.ts'
import { opened } from '../support/open.ts'

const INVISIBLE_MS = 6_000

/** RocketMQ's kinds of retry topics: how one is named, and its flag in receipts. */
const retryTopics = [
  { version: 'V1', retry: '%RETRY%poppers_Popped', flag: '1' },
  { version: 'V2', retry: '%RETRY%poppers+Popped', flag: '2' },
] as const

/** Pops what is there; undefined while nobody leads. */
async function pop(client: RemotingClient, of: Cluster, pollTime = 500): Promise<RemotingCommand | undefined> {
  const header = {
    consumerGroup: 'poppers',
    topic: 'Popped',
    queueId: -1,
    maxMsgNums: 32,
    invisibleTime: INVISIBLE_MS,
    pollTime,
    bornTime: 0,
    initMode: 0,
  }
  const address = of.leader()?.address
  if (address === undefined) return undefined
  return client.invoke(address, { code: RequestCode.POP_MESSAGE, header }, 5_000).catch(() => undefined)
}

const bodiesOf = (answer: RemotingCommand | undefined): string[] =>
  answer?.code === 0 ? decodeRecords(answer.body).map(({ body }) => body.toString()) : []

async function acknowledge(client: RemotingClient, of: Cluster, answer: RemotingCommand): Promise<void> {
  const { popTime, invisibleTime, reviveQid, startOffsetInfo } = answer.fields.toRecord()
  const starts = (startOffsetInfo ?? '').split(';').map((part) => part.split(' '))
  for (const { topic, queueId, queueOffset } of decodeRecords(answer.body)) {
    const flag = retryTopics.find(({ retry }) => retry === topic)?.flag ?? '0'
    const start = starts.find(([of, id]) => of === flag && Number(id) === queueId)?.[2]
    const extraInfo = `${start} ${popTime} ${invisibleTime} ${reviveQid} ${flag} broker-a ${queueId} ${queueOffset}`
    const header = { consumerGroup: 'poppers', topic, queueId, offset: queueOffset, extraInfo }
    const ack = await client.invoke(of.leader()?.address ?? '', { code: RequestCode.ACK_MESSAGE, header }, 5_000)
    expect([ack.code, ack.remark]).toEqual([0, undefined])
  }
}

describe.each(retryTopics)('messages that were popped, with retry topics $version', ({ version, retry }) => {
  test('stay acknowledged over the death of the leader, and come again in time when they are not', {
    timeout: 60_000,
  }, async () => {
    const of = opened(await startCluster({ nodes: 3, properties: { enableRetryTopicV2: String(version === 'V2') } }))
    const producer = opened(new Producer({ namesrv: of.namesrv, group: 'p' }))
    await producer.start()
    const numbered = Array.from({ length: 20 }, (_, at) => `m${at}`)
    for (const body of numbered) await producer.send({ topic: 'Popped', body })
    const client = opened(new RemotingClient({ clock: systemClock, log: silentLog }))
    const first = await pop(client, of)
    if (first === undefined) throw new Error('the leader answers')
    const acked = bodiesOf(first)
    await acknowledge(client, of, first)
    for (const body of ['n0', 'n1', 'n2']) await producer.send({ topic: 'Popped', body })
    const lost = bodiesOf(await pop(client, of))
    expect(lost.length).toBeGreaterThan(0)
    const dueMs = systemClock.monotonicMs() + INVISIBLE_MS
    const leader = of.leader()
    if (leader === undefined) throw new Error('there is a leader')
    of.kill(leader)
    const again: string[] = []
    const topics = new Set<string>()
    await until(
      'all that was lost came again',
      async () => {
        const answer = await pop(client, of)
        again.push(...bodiesOf(answer))
        if (answer?.code === 0) {
          for (const { topic } of decodeRecords(answer.body)) topics.add(topic)
          await acknowledge(client, of, answer)
        }
        return [...numbered, 'n0', 'n1', 'n2'].every((body) => acked.includes(body) || again.includes(body))
      },
      30_000,
    )
    expect(systemClock.monotonicMs()).toBeLessThan(dueMs + 8_000)
    expect(topics).toContain(retry)
    expect(new Set(again).size).toBe(again.length)
    expect(again.filter((body) => acked.includes(body))).toEqual([])
    await of.restart(leader)
    await until('the replicas are equal', async () => {
      const states = await Promise.all(of.nodes.map((node) => tablesState(client, node.address).catch(() => undefined)))
      return states.every((state) => state !== undefined && state.digest === states[0]?.digest)
    })
  })
})
