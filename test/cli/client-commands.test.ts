import { describe, expect, test } from 'vitest'
import { Producer } from '../../src/client/producer/producer.ts'
import { PushConsumer } from '../../src/client/consumer/push-consumer.ts'
import { register as bench } from '../../src/cli/commands/bench.ts'
import { register as consume } from '../../src/cli/commands/consume.ts'
import { register as group } from '../../src/cli/commands/group.ts'
import { register as produce } from '../../src/cli/commands/produce.ts'
import { register as status } from '../../src/cli/commands/status.ts'
import { register as topic } from '../../src/cli/commands/topic.ts'
import { register as transferLeader } from '../../src/cli/commands/transfer-leader.ts'
import { RequestCode } from '../../src/remoting/codes.ts'
import { FakeCluster } from '../support/fake-broker.ts'
import { runWith, terminal } from '../support/terminal.ts'
import { until } from '../support/until.ts'
import { opened } from '../support/open.ts'
import { clusterWithTopic } from '../support/sending.ts'

const run = runWith([produce, consume, status, topic, group, transferLeader, bench])

describe('produce', () => {
  test('sends a message per line and says how many were acknowledged', async () => {
    const fake = await clusterWithTopic()
    const at = terminal('one\ntwo\r\n\nthree')
    const { out, notes, error } = await run(['produce', '-n', fake.namesrv, '-t', 'T', '--tag', 'A', '--key', 'k'], at)
    expect(error).toBeUndefined()
    expect(out).toBe('')
    expect(notes).toMatch(/^3 messages acknowledged in \d+\.\d s, \d+\/s\n$/)
    expect(fake.bodies('T').sort()).toEqual(['one', 'three', 'two'])
    expect(fake.drafts('T')[0]?.properties.toString()).toContain('KEYS\u0001k\u0002TAGS\u0001A\u0002')
  })

  test('fails with one line when messages were not acknowledged', async () => {
    const fake = await clusterWithTopic()
    const sends: readonly number[] = [RequestCode.SEND_MESSAGE_V2, RequestCode.SEND_BATCH_MESSAGE]
    fake.fault = (call) => (sends.includes(call.code) ? { code: 13, remark: 'no' } : undefined)
    const { notes, error } = await run(['produce', '-n', fake.namesrv, '-t', 'T'], terminal('one\ntwo\n'))
    expect(notes).toContain('0 messages acknowledged')
    expect(error).toMatch(/^2 not acknowledged; the first: .*code 13: no$/)
  })
})

describe('consume', () => {
  test('prints so many messages, commits them, and goes on after them', async () => {
    const fake = await clusterWithTopic()
    for (let n = 0; n < 5; n++) fake.put('T', 0, `line ${n}`)
    const words = ['consume', '-n', fake.namesrv, '-t', 'T', '-g', 'G']
    expect(await run([...words, '--count', '3'])).toMatchObject({ out: 'line 0\nline 1\nline 2\n', error: undefined })
    expect(fake.committed('G', 'T', 0)).toBe(3)
    const second = await run([...words, '--count', '2', '--json'])
    expect(
      second.out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { topic: 'T', queueOffset: 3, body: 'line 3' },
      { topic: 'T', queueOffset: 4, body: 'line 4' },
    ])
  })

  test('ends cleanly when it is interrupted', async () => {
    const fake = await clusterWithTopic()
    fake.put('T', 0, 'only')
    const at = terminal()
    const running = run(['consume', '-n', fake.namesrv, '-t', 'T', '-g', 'G'], at)
    while (at.text().out === '') await new Promise((resolve) => setTimeout(resolve, 5))
    at.interrupt.abort()
    expect(await running).toMatchObject({ out: 'only\n', error: undefined })
    expect(fake.unregistered).toHaveLength(1)
  })

  test.each([
    ['--from', 'yesterday'],
    ['--count', '0'],
    ['--count', 'many'],
  ])('refuses %s %s in one line', async (...words) => {
    const { error } = await run(['consume', '-n', 'a:1', '-t', 'T', '-g', 'G', ...words])
    expect(error).toMatch(/^error: option .* is invalid\. It .*\n$/)
  })

  test('says so when nothing came', async () => {
    const fake = await clusterWithTopic()
    const at = terminal()
    const running = run(['consume', '-n', fake.namesrv, '-t', 'T', '-g', 'G'], at)
    await until('a heartbeat', () => fake.clients.size > 0)
    at.interrupt.abort()
    const { notes } = await running
    expect(notes).toBe('no messages came for group G\n')
  })
})

describe('before anything else', () => {
  const commands = [['produce'], ['consume', '-g', 'G'], ['bench', 'send'], ['bench', 'consume']]

  test.each(commands)('%s %s fails at once when no name server answers', async (...words) => {
    const at = terminal()
    expect((await run([...words, '-n', '127.0.0.1:1', '-t', 'T'], at)).error).toBe(
      'no name server answers at 127.0.0.1:1: nothing listens there',
    )
    expect((await run([...words, '-n', 'no-such-host.invalid:1', '-t', 'T'], terminal())).error).toMatch(
      /^no name server answers at no-such-host\.invalid:1: (no such host|the name of the host cannot be looked up now)$/,
    )
  })

  test.each(commands)(
    '%s %s fails at once when the topic cannot be one, though there is no input',
    async (...words) => {
      const fake = await clusterWithTopic()
      expect((await run([...words, '-n', fake.namesrv, '-t', 'a b'])).error).toContain('illegal characters')
    },
  )

  test.each([...commands.map((words) => [...words, '-t', 'T']), ['status'], ['topic', 'list']])(
    '%s %s says that a broker is not a name server',
    async (...words) => {
      const fake = await clusterWithTopic()
      const broker = fake.nodes[0]?.address ?? ''
      fake.fault = (call, node) => (node === fake.nodes[0] ? { code: 3, remark: `code ${call.code}?` } : undefined)
      expect((await run([...words, '-n', broker])).error).toBe(`${broker}: that is not a name server`)
    },
  )
})

function runtime(fake: FakeCluster): void {
  fake.runtime = (node) => {
    const id = `n${fake.nodes.indexOf(node)}`
    const isLeader = node === fake.leader
    const followers = [
      { id: 'n1', matchIndex: 90, lagEntries: 10, lagBytes: 2_500, lastContactMs: 3 },
      { id: 'n2', matchIndex: 100, lagEntries: 0, lagBytes: 0, lastContactMs: 3 },
      { id: 'n3', matchIndex: 50, lagEntries: 50, lagBytes: 5_000, lastContactMs: 60_000 },
    ]
    return {
      'raftmq.nodeId': id,
      'raftmq.pid': '4711',
      'raftmq.role': isLeader ? 'leader' : 'follower',
      'raftmq.term': '7',
      'raftmq.lastIndex': '100',
      'raftmq.commitIndex': '99',
      'raftmq.stableIndex': '100',
      'raftmq.leader': 'n0',
      'raftmq.mode.flush': 'sync',
      'raftmq.mode.replication': 'async',
      'raftmq.flushedOffset': '123456',
      'raftmq.bytesOnDisk': '2000000000',
      'raftmq.clusterId': 'c1',
      ...(isLeader ? { 'raftmq.followers': JSON.stringify(followers) } : {}),
    }
  }
}

describe('status', () => {
  test('shows groups, nodes, roles, lag and disk', async () => {
    const fake = await clusterWithTopic({ nodes: 2 })
    runtime(fake)
    const { out, error } = await run(['status', '-n', fake.namesrv])
    expect(error).toBeUndefined()
    const lines = out.trimEnd().split('\n')
    expect(lines[0]).toBe('broker-a (DefaultCluster): term 7, flush sync, replication async')
    expect(lines[2]).toMatch(/^ {2}n0 +4711 +127\.0\.0\.1:\d+ +leader +100 +99 +123456 +– +2\.0 GB$/)
    expect(lines[3]).toMatch(/^ {2}n1 +4711 +127\.0\.0\.1:\d+ +follower +100 +99 +123456 +10 \(2\.5 kB\) +2\.0 GB$/)
    expect(lines[1]).toMatch(/^ {2}node +pid +address +role +last index +committed index +flushed bytes +lag entries/)
    expect(lines[4]).toMatch(/^ {2}n2 +– +– +not registered/)
    expect(lines[5]).toMatch(/^ {2}n3 +– +– +down /)
  })

  test('gives the same as JSON', async () => {
    const fake = await clusterWithTopic({ nodes: 2 })
    runtime(fake)
    const { out } = await run(['status', '-n', fake.namesrv, '--json'])
    expect(JSON.parse(out).nodes[0]).toMatchObject({
      broker: 'broker-a',
      id: 'n0',
      pid: 4711,
      role: 'leader',
      term: 7,
      lastIndex: 100,
      commitIndex: 99,
      bytesOnDisk: 2_000_000_000,
      mode: { flush: 'sync', replication: 'async' },
      followers: [{ id: 'n1', lagEntries: 10 }, { id: 'n2' }, { id: 'n3' }],
      error: null,
    })
  })

  test('shows a node that does not answer', async () => {
    const fake = await clusterWithTopic({ nodes: 2 })
    const second = fake.nodes[1]
    if (second === undefined) throw new Error('two nodes wanted')
    void second.address
    await second.server.close(0)
    const { out } = await run(['status', '-n', fake.namesrv])
    expect(out).toMatch(/^ {2}brokerId 1 +– +127\.0\.0\.1:\d+ +no answer +– /m)
    expect(out).toMatch(/\n {2}brokerId 1: cannot connect .*\n$/)
    const follower = { id: 'n7', matchIndex: 1, lagEntries: 9, lagBytes: 90, lastContactMs: 9_000 }
    fake.runtime = () => ({
      'raftmq.nodeId': 'n0',
      'raftmq.role': 'leader',
      'raftmq.followers': JSON.stringify([follower]),
    })
    const named = (await run(['status', '-n', fake.namesrv])).out
    expect(named).toMatch(/^ {2}n7 +– +127\.0\.0\.1:\d+ +down +– .* 9 \(90 B\)/m)
    expect(named).toMatch(/\n {2}n7: cannot connect .*\n$/)
  })
})

describe('topic', () => {
  test('is created, listed, shown and deleted', async () => {
    const fake = await clusterWithTopic()
    const at = ['-n', fake.namesrv]
    expect((await run(['topic', 'create', 'New', '--queues', '2', ...at])).notes).toBe('New: 2 queues in broker-a\n')
    fake.put('New', 1, 'x')
    expect((await run(['topic', 'list', ...at])).out).toBe('New\nT\n')
    expect((await run(['topic', 'list', '--all', ...at])).out).toBe('New\nT\nTBW102\nbroker-a\n')
    expect((await run(['topic', 'list', '--json', ...at])).out).toBe('["New","T"]\n')
    expect((await run(['topic', 'show', 'New', ...at])).out).toMatch(
      /^New: 1 message in 2 queues at broker-a \(127.*\n.*\n.*\nbroker-a +1 +0 +1 +1/,
    )
    expect(JSON.parse((await run(['topic', 'show', 'New', '--json', ...at])).out)).toMatchObject({
      topic: 'New',
      queues: [{ queueId: 0 }, { queueId: 1, maxOffset: 1 }],
    })
    expect((await run(['topic', 'delete', 'New', ...at])).notes).toBe('New: deleted\n')
    expect((await run(['topic', 'show', 'New', ...at])).error).toBe('the topic New does not exist')
  })

  test('with an illegal name or an unknown broker is refused', async () => {
    const fake = await clusterWithTopic()
    expect((await run(['topic', 'create', 'a b', '-n', fake.namesrv])).error).toContain('illegal characters')
    expect((await run(['topic', 'create', 'A', '--broker', 'nope', '-n', fake.namesrv])).error).toBe(
      'there is no broker group nope',
    )
  })
})

describe('group', () => {
  test('is listed and shown with its members and its lag', async () => {
    const fake = await clusterWithTopic()
    for (let n = 0; n < 5; n++) fake.put('T', 0, `${n}`)
    const consumer = opened(new PushConsumer({ namesrv: fake.namesrv, group: 'G', from: 'last' }))
    await consumer.subscribe('T').run(() => undefined)
    fake.offsets.set('G T 0', 3)
    const at = ['-n', fake.namesrv]
    expect((await run(['group', 'list', ...at])).out).toBe('G\n')
    expect((await run(['group', 'list', '--all', ...at])).out).toBe('G\nTOOLS_CONSUMER\n')
    const { out } = await run(['group', 'show', 'G', ...at])
    expect(out).toContain('G: 1 member, 2 messages behind')
    expect(out).toMatch(/^T +broker-a +0 +3 +5 +2$/m)
    expect(JSON.parse((await run(['group', 'show', 'G', '--json', ...at])).out)).toMatchObject({ group: 'G', lag: 2 })
    fake.offsets.set('G T 0', 4)
    expect((await run(['group', 'show', 'G', ...at])).out).toContain('G: 1 member, 1 message behind')
    expect((await run(['group', 'show', 'H', ...at])).error).toBe('there is no group H')
  })
})

describe('transfer-leader', () => {
  test('asks the leader, and repeats what it says when it refuses', async () => {
    const fake = await clusterWithTopic()
    const at = ['transfer-leader', '-n', fake.namesrv, '--broker', 'broker-a', '--to']
    expect((await run([...at, 'n1'])).notes).toMatch(/^broker-a: n1 leads \(\d+ ms\)\n$/)
    expect((await run([...at, 'n9'])).error).toBe('refused with code 1: no node n9')
    expect(fake.transfers).toEqual(['n1', 'n9'])
  })
})

describe('bench', () => {
  test('send measures acknowledgements, at full speed and at a rate', async () => {
    const fake = await clusterWithTopic()
    const at = [
      'bench',
      'send',
      '-n',
      fake.namesrv,
      '--topic',
      'T',
      '--seconds',
      '0.3',
      '--connections',
      '2',
      '--in-flight',
      '16',
    ]
    const full = JSON.parse((await run([...at, '--json'])).out)
    expect(full).toMatchObject({
      connections: 2,
      failed: 0,
      undecided: 0,
      latencyMs: { p50: expect.any(Number), p999: expect.any(Number) },
    })
    expect(full.acksPerSecond).toBeGreaterThan(100)
    const paced = JSON.parse((await run([...at, '--rate', '200', '--json'])).out)
    expect(paced.acksPerSecond).toBeGreaterThan(100)
    expect(paced.acksPerSecond).toBeLessThan(260)
    expect((await run(at)).out).toMatch(/acknowledged\/s .*\nlatency p50 .*, p99 .*, p99\.9 .*, max .*; longest gap/)
  })

  test('consume measures deliveries until the end of the topic', async () => {
    const fake = await clusterWithTopic()
    for (let n = 0; n < 2_000; n++) fake.put('T', n % 4, 'x')
    const { out } = await run(['bench', 'consume', '-n', fake.namesrv, '--topic', 'T', '--seconds', '1', '--json'])
    expect(JSON.parse(out)).toMatchObject({ messages: 2_000, messagesPerSecond: expect.any(Number) })
  })

  test('consume says that a topic does not exist instead of waiting for it', async () => {
    const fake = await clusterWithTopic()
    expect((await run(['bench', 'consume', '-n', fake.namesrv, '-t', 'None'])).error).toBe(
      'the topic None does not exist',
    )
  })

  test.each([
    ['--size', '0'],
    ['--seconds', '-1'],
    ['--rate', 'fast'],
    ['--in-flight', '1.5'],
  ])('refuses %s %s', async (...words) => {
    expect((await run(['bench', 'send', ...words])).error).toMatch(/^error: option .* is invalid/)
  })
})

test('messages produced by one client are told apart by their ids', async () => {
  const fake = await clusterWithTopic()
  const producer = opened(new Producer({ namesrv: fake.namesrv }))
  await producer.start()
  const ids = await Promise.all([...Array(200).keys()].map((n) => producer.send({ topic: 'T', body: `${n}` })))
  expect(new Set(ids.map((result) => result.messageId)).size).toBe(200)
})
