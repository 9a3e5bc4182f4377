/** Sends to many queues as one request, on a real group of three nodes. */
import { afterEach, expect, test } from 'vitest'
import { Admin, Producer, PushConsumer } from '../../src/client/index.ts'
import { type Cluster, startCluster } from '../../src/index.ts'
import { decodePartAnswers, encodeSendParts, sendPartLength } from '../../src/message/send-parts.ts'
import { RaftmqCode } from '../../src/remoting/codes.ts'
import { withRemoting } from './admin-calls.ts'

let cluster: Cluster | undefined
afterEach(async () => {
  await cluster?.close()
  cluster = undefined
})

const TOPICS = Array.from({ length: 20 }, (_, n) => `many-${n}`)

async function start(): Promise<Cluster> {
  cluster = await startCluster()
  const admin = new Admin({ namesrv: cluster.namesrv })
  await Promise.all(TOPICS.map((topic) => admin.createTopic({ topic, queues: 2 })))
  admin.close()
  return cluster
}

/** Bodies of all topics, read until each of `wanted` came. */
async function consume(namesrv: string, wanted: readonly string[]): Promise<Set<string>> {
  const missing = new Set(wanted)
  const bodies = new Set<string>()
  const consumer = new PushConsumer({ namesrv, group: 'readers', from: 'first' })
  for (const topic of TOPICS) consumer.subscribe(topic)
  await consumer.start()
  for await (const message of consumer) {
    bodies.add(`${message.topic} ${message.body.toString()}`)
    missing.delete(`${message.topic} ${message.body.toString()}`)
    if (missing.size === 0) break
  }
  await consumer.close()
  return bodies
}

test('a producer of many topics loses nothing that was acknowledged when the leader is killed under it', {
  timeout: 60_000,
}, async () => {
  const of = await start()
  await using producer = new Producer({ namesrv: of.namesrv })
  await producer.start()
  const sent: string[] = []
  const sendAll = (turn: number): Promise<unknown> =>
    Promise.all(
      TOPICS.map(async (topic) => {
        await producer.send({ topic, body: `${turn}` })
        sent.push(`${topic} ${turn}`)
      }),
    )
  for (let turn = 0; turn < 20; turn++) await sendAll(turn)
  const leader = of.leader()
  const under = [sendAll(20), sendAll(21)]
  if (leader !== undefined) of.kill(leader)
  await Promise.all(under)
  for (let turn = 22; turn < 30; turn++) await sendAll(turn)
  expect(sent).toHaveLength(30 * TOPICS.length)
  expect((await consume(of.namesrv, sent)).size).toBe(sent.length)
})

test('a request that reaches a follower is answered by the leader, part by part', { timeout: 60_000 }, async () => {
  const of = await start()
  const parts = ['many-0', 'many-1', 'SCHEDULE_TOPIC_XXXX'].map((topic) => ({
    queue: { queueId: 0 },
    request: {
      topic,
      bornMs: 5,
      isBatch: false,
      flag: 0,
      body: Buffer.from('from a follower'),
      properties: 'UNIQ_KEY\u0001U\u0002',
    },
  }))
  const length = parts.reduce((sum, part) => sum + sendPartLength(part), 0)
  const header = { producerGroup: 'P', defaultTopic: 'TBW102', defaultTopicQueueNums: 4 }
  const request = { code: RaftmqCode.SEND_TO_MANY_QUEUES, header, body: encodeSendParts(parts, length) }
  const follower = of.nodes.find((node) => node !== of.leader())
  const answer = await withRemoting((client) => client.invoke(follower?.address ?? '', request, 5_000))
  expect(answer.code).toBe(0)
  expect(decodePartAnswers(answer.body, 3).map(({ code }) => code)).toEqual([0, 0, 16])
  const bodies = await consume(of.namesrv, ['many-0 from a follower', 'many-1 from a follower'])
  expect(bodies.size).toBe(2)
})
