import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { startCluster, type Cluster, type ClusterNode, type StartClusterOptions } from '../../src/index.ts'
import { systemClock } from '../../src/lib/clock.ts'
import {
  Producer,
  PushConsumer,
  TransactionProducer,
  type ReceivedMessage,
  type TransactionState,
} from '../../src/client/index.ts'
import { until } from '../support/until.ts'
import { runtime, withRemoting } from './admin-calls.ts'

let cluster: Cluster | undefined
afterEach(async () => {
  await cluster?.close()
  cluster = undefined
})

async function start(options: StartClusterOptions = {}): Promise<Cluster> {
  cluster = await startCluster(options)
  return cluster
}

function leaderOf(of: Cluster): ClusterNode {
  const leader = of.leader()
  if (leader === undefined) throw new Error('there is no leader')
  return leader
}

/** What arrives on the topic, from now on. */
async function listen(
  of: Cluster,
  topic: string,
): Promise<{ readonly received: ReceivedMessage[]; close(): Promise<void> }> {
  const received: ReceivedMessage[] = []
  const consumer = new PushConsumer({ namesrv: of.namesrv, group: `${topic}-readers`, from: 'first' })
  consumer.subscribe(topic)
  await consumer.run((message) => {
    received.push(message)
  })
  return { received, close: () => consumer.close() }
}

const bodies = (messages: readonly ReceivedMessage[]): string[] => messages.map(({ body }) => body.toString()).sort()

describe('messages that wait for their time', () => {
  test('are delivered once, not early, by the leader that leads when they are due', { timeout: 60_000 }, async () => {
    const of = await start()
    const producer = new Producer({ namesrv: of.namesrv, group: 'timed' })
    await producer.start()
    await producer.send({ topic: 'waits', body: 'now' })
    const listener = await listen(of, 'waits')
    const expected = ['now']
    const dueMs = systemClock.nowMs() + 4_000
    for (let at = 0; at < 40; at++) {
      const body = `timer ${at}`
      expected.push(body)
      await producer.send({ topic: 'waits', body, deliverAt: new Date(dueMs + at * 25) })
    }
    for (let at = 0; at < 10; at++) {
      const body = `level ${at}`
      expected.push(body)
      await producer.send({ topic: 'waits', body, delayLevel: 2 })
    }
    const first = leaderOf(of)
    await until('the first is due', () => listener.received.some(({ body }) => body.toString().startsWith('timer')))
    of.kill(first)
    await until('all have come', () => new Set(bodies(listener.received)).size === expected.length)
    await of.restart(first)
    expect([...new Set(bodies(listener.received))]).toEqual(expected.toSorted())
    // What a consumer sees twice it was handed twice: the broker delivered each once.
    const places = new Map(listener.received.map((message) => [message.body.toString(), new Set<string>()]))
    for (const message of listener.received) {
      places.get(message.body.toString())?.add(`${message.queueId}/${message.queueOffset}`)
    }
    expect([...places.values()].every((seen) => seen.size === 1)).toBe(true)
    for (const message of listener.received) {
      const out = message.properties.get('TIMER_OUT_MS')
      if (out !== undefined) expect(message.storeTimestampMs).toBeGreaterThanOrEqual(Number(out))
    }
    await listener.close()
    await producer.close()
  })

  test('outlive retention, a restart of all nodes, and the loss of an index', { timeout: 90_000 }, async () => {
    const everyHour = Array.from({ length: 24 }, (_, hour) => hour).join(';')
    const properties = { mappedFileSizeCommitLog: '65536', fileReservedTime: '0', deleteWhen: everyHour }
    const dir = await mkdtemp(join(tmpdir(), 'timed-'))
    const of = await start({ nodes: 1, dir, properties })
    const producer = new Producer({ namesrv: of.namesrv, group: 'timed' })
    await producer.start()
    const dueMs = systemClock.nowMs() + 25_000
    await producer.send({ topic: 'outlives', body: 'late', deliverAt: new Date(dueMs) })
    const filler = 'x'.repeat(1_000)
    for (let at = 0; at < 300; at++) await producer.send({ topic: 'filler', body: filler })
    await until('the log start moves past the first segment', async () => {
      const figures = await withRemoting((client) => runtime(client, leaderOf(of).address))
      return Number(figures.get('commitLogMinOffset')) > 65_536
    })
    await producer.close()
    const node = leaderOf(of)
    of.kill(node)
    await of.restart(node)
    await of.close()
    await rm(join(dir, 'broker-a', 'n0', 'store', 'timers'), { recursive: true })
    const again = await start({ nodes: 1, dir, properties })
    const listener = await listen(again, 'outlives')
    await until('it is delivered', () => listener.received.length > 0, 40_000)
    expect(bodies(listener.received)).toEqual(['late'])
    expect(listener.received[0]?.storeTimestampMs).toBeGreaterThanOrEqual(dueMs)
    await listener.close()
    await again.close()
    await rm(dir, { recursive: true })
  })
})

describe('a transaction', () => {
  test('ends once, as its producer says at the send or when asked, whoever leads', { timeout: 60_000 }, async () => {
    const properties = { transactionCheckInterval: '1000', transactionTimeOut: '500' }
    const of = await start({ properties })
    const asked: string[] = []
    const producer = new TransactionProducer({
      namesrv: of.namesrv,
      group: 'payments',
      check: (message) => {
        asked.push(message.body.toString())
        return message.body.toString().startsWith('drop') ? 'rollback' : 'commit'
      },
    })
    await producer.start()
    const say = async (body: string, state: TransactionState): Promise<void> => {
      await producer.send({ topic: 'paid', body }, () => state)
    }
    await say('first', 'commit')
    const listener = await listen(of, 'paid')
    await say('rolled back', 'rollback')
    for (let at = 0; at < 10; at++) {
      await say(`keep ${at}`, 'unknown')
      await say(`drop ${at}`, 'unknown')
    }
    await until('the first questions', () => asked.length > 0)
    of.kill(leaderOf(of))
    await say('after the failover', 'commit')
    const expected = ['after the failover', 'first', ...Array.from({ length: 10 }, (_, at) => `keep ${at}`)]
    await until('all that was committed', () => new Set(bodies(listener.received)).size === expected.length)
    expect([...new Set(bodies(listener.received))]).toEqual(expected.toSorted())
    const stored = new Set(listener.received.map(({ queueId, queueOffset }) => `${queueId}/${queueOffset}`))
    expect(stored.size).toBe(expected.length)
    await listener.close()
    await producer.close()
  })
})
