import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { register as clean } from '../../src/cli/commands/clean.ts'
import { register as exporting } from '../../src/cli/commands/export.ts'
import { register as group } from '../../src/cli/commands/group.ts'
import { register as message } from '../../src/cli/commands/message.ts'
import { register as probe } from '../../src/cli/commands/probe.ts'
import { register as queue } from '../../src/cli/commands/queue.ts'
import { register as topic } from '../../src/cli/commands/topic.ts'
import { PopConsumer, Producer, PushConsumer, TransactionProducer } from '../../src/client/index.ts'
import { startCluster, type Cluster } from '../../src/index.ts'
import { runWith, type Outcome } from '../support/terminal.ts'
import { until } from '../support/until.ts'

let cluster: Cluster
let producer: Producer
beforeAll(async () => {
  cluster = await startCluster({ nodes: 1 })
  producer = new Producer({ namesrv: cluster.namesrv, group: 'p' })
  await producer.start()
}, 60_000)
afterAll(async () => {
  await producer.close()
  await cluster.close()
})

const commands = runWith([clean, exporting, group, message, probe, queue, topic])
const run = (...words: string[]): Promise<Outcome> => commands([...words, '-n', cluster.namesrv])
const json = async (...words: string[]): Promise<unknown> => JSON.parse((await run(...words, '--json')).out)
const at = ['--broker', 'broker-a', '--queue', '0']

describe('group clients', () => {
  test('shows what each client holds and subscribes to, and says when they do not subscribe alike', async () => {
    await run('topic', 'create', 'C', '--queues', '1')
    await producer.send({ topic: 'C', body: 'x', tag: 'A' })
    const consumer = new PushConsumer({ namesrv: cluster.namesrv, group: 'held', from: 'first' }).subscribe('C', 'A')
    let count = 0
    await consumer.run(() => count++)
    await until('the message', () => count === 1)
    const [client] = await until('its queue', async () => {
      const rows = await json('group', 'clients', 'held')
      return Array.isArray(rows) && rows.length === 1 && JSON.stringify(rows).includes('"commitOffset":1') && rows
    })
    expect(client).toMatchObject({
      clientId: consumer.clientId,
      properties: { PROP_CONSUME_ORDERLY: 'false' },
      queues: expect.arrayContaining([
        expect.objectContaining({ topic: 'C', brokerName: 'broker-a', queueId: 0, waiting: 0, isPopped: false }),
      ]),
      subscriptions: expect.arrayContaining([{ topic: 'C', expression: 'A' }]),
    })
    const { out } = await run('group', 'clients', 'held', '--client', consumer.clientId, '--stacks')
    expect(out).toMatch(/^ {2}subscribes to C \(A\)$/m)
    expect(out).toMatch(/^ {2}C +broker-a +0 +1 +0 {2}pulled/m)
    const other = new PushConsumer({ namesrv: cluster.namesrv, group: 'held' }).subscribe('C', 'B')
    await other.run(() => undefined)
    const { notes } = await until('both', async () => {
      const shown = await run('group', 'clients', 'held')
      return shown.out.includes(other.clientId) && shown
    })
    expect(notes).toContain('the clients subscribe to different things')
    await Promise.all([consumer.close(), other.close()])
  })

  test('says who is not there', async () => {
    expect((await run('group', 'clients', 'nobody')).notes).toBe('nobody is connected as nobody\n')
    expect((await run('group', 'clients', 'nobody', '--client', 'c')).error).toBe('c is not connected as nobody')
  })
})

describe('group config and mode', () => {
  test('show and change what brokers keep of a group', async () => {
    await run('group', 'create', 'kept')
    expect(await json('group', 'config', 'kept')).toMatchObject({ groupName: 'kept', retryMaxTimes: 16 })
    expect((await run('group', 'set', 'kept', 'retryMaxTimes=3', 'consumeEnable=false')).notes).toBe(
      'kept: retryMaxTimes=3, consumeEnable=false\n',
    )
    const { out } = await run('group', 'config', 'kept', '--broker', 'broker-a')
    expect(out).toMatch(/^retryMaxTimes=3$/m)
    expect(out).toMatch(/^consumeEnable=false$/m)
    expect(out).toMatch(/^retryQueueNums=1$/m)
  })

  test('have a group pop a topic, or pull it again', async () => {
    await run('topic', 'create', 'Popped', '--queues', '1')
    await run('group', 'create', 'popping')
    const words = ['group', 'mode', 'popping', '-t', 'Popped', '--mode']
    expect((await run(...words, 'pop', '--sharers', '8')).notes).toBe('popping pops Popped at broker-a\n')
    expect((await run(...words, 'pull')).notes).toBe('popping pulls Popped at broker-a\n')
  })

  test('refuse what they cannot do in one line', async () => {
    expect((await run('group', 'set', 'kept', 'groupName=x')).error).toMatch(/^groupName is none of consumeEnable, /)
    expect((await run('group', 'set', 'kept', 'retryMaxTimes=often')).error).toBe(
      'retryMaxTimes: often is no whole number',
    )
    expect((await run('group', 'set', 'kept', 'consumeEnable=1')).error).toBe('consumeEnable: 1 is no true or false')
    expect((await run('group', 'set', 'kept', 'what')).error).toContain('It is key=value.')
    expect((await run('group', 'set', 'nobody', 'retryMaxTimes=1')).error).toMatch(/^refused with code 26: /)
    expect((await run('group', 'config', 'nobody')).error).toMatch(/^refused with code 26: /)
    const words = ['group', 'mode', 'popping', '-t', 'Nowhere', '--mode', 'pop']
    expect((await run(...words)).error).toBe('refused with code 17: topic[Nowhere] not exist')
  })
})

describe('group lags', () => {
  test('shows how far every group is, or only those that are far behind', async () => {
    await run('topic', 'create', 'L', '--queues', '1')
    for (let n = 0; n < 3; n++) await producer.send({ topic: 'L', body: `${n}` })
    await run('group', 'create', 'late')
    await run('group', 'reset', 'late', '-t', 'L', '--to', '1', ...at)
    const row = { group: 'late', topic: 'L', queueId: 0, consumerOffset: 1, brokerOffset: 3, lag: 2 }
    const lags = ['group', 'lags', '--broker', 'broker-a']
    expect(await json(...lags)).toEqual(expect.arrayContaining([expect.objectContaining(row)]))
    expect((await run(...lags, '--over', '1')).out).toMatch(/^late +L +0 +1 +3 +2 /m)
    expect((await run(...lags, '--over', '1000')).notes).toBe('no group is more than 1000 behind at broker-a\n')
    expect((await run('group', 'lags', '--broker', 'nope')).error).toBe('there is no broker group nope')
  })
})

describe('topic', () => {
  test('is made of more than queues: what it takes, and how many are read and written', async () => {
    const words = ['--queues', '4', '--write-queues', '2', '--type', 'NORMAL', '--ordered']
    expect((await run('topic', 'create', 'Typed', ...words)).error).toBeUndefined()
    expect(await json('topic', 'share', 'Typed', '--clients', 'a')).toMatchObject([{ queues: [{}, {}, {}, {}] }])
    const written = await json('probe', '-t', 'Typed', '--count', '3')
    expect(written).toMatchObject([{ queueId: 0 }, { queueId: 1 }, { queueId: 0 }])
    const sending = producer.send({ topic: 'Typed', body: 'x', delayLevel: 1 })
    await expect(sending).rejects.toThrow(/code 13/)
  })

  test('share shows how clients would share the queues', async () => {
    await run('topic', 'create', 'Shared', '--queues', '4')
    expect(await json('topic', 'share', 'Shared', '--clients', 'a,b,c')).toEqual([
      {
        clientId: 'a',
        queues: [0, 1].map((queueId) => ({ brokerName: 'broker-a', queueId })),
      },
      { clientId: 'b', queues: [{ brokerName: 'broker-a', queueId: 2 }] },
      { clientId: 'c', queues: [{ brokerName: 'broker-a', queueId: 3 }] },
    ])
    const words = ['topic', 'share', 'Shared', '--clients', 'a,b,c,d,e', '--strategy', 'byCircle']
    expect((await run(...words)).out).toMatch(/^e +– +–$/m)
    expect((await run('topic', 'share', 'Shared', '--clients', 'a,,b')).error).toContain('It is a list such as a,b,c.')
    expect((await run('topic', 'share', 'Nowhere', '--clients', 'a')).error).toBe('the topic Nowhere does not exist')
  })

  test('order keeps queues of a topic at the name servers', async () => {
    expect((await run('topic', 'order', 'O')).notes).toBe('O keeps no queues of its own\n')
    expect((await run('topic', 'order', 'O', '--set', 'broker-a:3;broker-b:3')).error).toBeUndefined()
    expect((await run('topic', 'order', 'O')).out).toBe('broker-a:3;broker-b:3\n')
    expect(await json('topic', 'order', 'O')).toEqual({ topic: 'O', queues: 'broker-a:3;broker-b:3' })
    expect((await run('topic', 'order', 'O', '--delete')).notes).toBe('O keeps no queues of its own\n')
    expect(await json('topic', 'order', 'O')).toEqual({ topic: 'O', queues: null })
    expect((await run('topic', 'order', 'O', '--set', 'many')).error).toBe(
      'many is not of the form broker-a:4;broker-b:4',
    )
    expect((await run('topic', 'order', 'O', '--set', 'a:1', '--delete')).error).toContain(
      'give --set or --delete, not both',
    )
  })
})

describe('topic create', () => {
  test('takes a type, an order, and other numbers of queues to read and to write', async () => {
    const shape = ['--type', 'FIFO', '--ordered', '--read-queues', '8', '--write-queues', '2']
    const { notes } = await run('topic', 'create', 'Shaped', ...shape)
    expect(notes).toBe('Shaped: 8 queues to read, 2 to write in broker-a\n')
    const dir = mkdtempSync(join(tmpdir(), 'raftmq-shape-'))
    await run('export', '--broker', 'broker-a', '--dir', dir)
    const { topicConfigTable } = JSON.parse(readFileSync(join(dir, 'topics.json'), 'utf8'))
    rmSync(dir, { recursive: true })
    expect(topicConfigTable['Shaped']).toMatchObject({
      readQueueNums: 8,
      writeQueueNums: 2,
      order: true,
      attributes: { 'message.type': 'FIFO' },
    })
    expect((await run('topic', 'create', 'Shaped', '--type', 'ODD')).error).toContain('Allowed choices are NORMAL')
  })
})

describe('an ordered topic', () => {
  test('has its queues at the name servers from its making to its end', async () => {
    await run('topic', 'create', 'Kept', '--ordered', '--read-queues', '8', '--write-queues', '2')
    expect((await run('topic', 'order', 'Kept')).out).toBe('broker-a:2\n')
    await run('topic', 'order', 'Kept', '--set', 'broker-a:2;broker-b:3')
    await run('topic', 'create', 'Kept', '--ordered', '--queues', '4', '--broker', 'broker-a')
    expect((await run('topic', 'order', 'Kept')).out).toBe('broker-a:4;broker-b:3\n')
    await run('topic', 'create', 'Kept', '--ordered', '--queues', '5')
    expect((await run('topic', 'order', 'Kept')).out).toBe('broker-a:5\n')
    await run('topic', 'delete', 'Kept')
    expect((await run('topic', 'order', 'Kept')).notes).toBe('Kept keeps no queues of its own\n')
  })
})

describe('queue', () => {
  test('shows where the messages of a queue are', async () => {
    await run('topic', 'create', 'Q', '--queues', '1')
    for (let n = 0; n < 3; n++) await producer.send({ topic: 'Q', body: `${n}`, tag: 'A' })
    const found = await json('queue', '-t', 'Q', ...at, '--from', '1')
    expect(found).toMatchObject({
      minQueueOffset: 0,
      maxQueueOffset: 3,
      units: [{ queueOffset: 1 }, { queueOffset: 2 }],
    })
    const { out, notes } = await run('queue', '-t', 'Q', ...at, '--count', '1')
    expect(out).toMatch(/^queue offset +offset +bytes +tags code\n +0 +\d+ +\d+ +65\n$/)
    expect(notes).toBe('Q/0 at broker-a holds 0 up to 3\n')
    expect((await run('queue', '-t', 'Q', ...at, '--from', '9')).notes).toBe(
      'Q/0 at broker-a holds 0 up to 3\nnothing is at 9\n',
    )
  })

  test('of a topic that has no message yet holds nothing', async () => {
    await run('topic', 'create', 'Unused', '--queues', '1')
    expect((await run('queue', '-t', 'Unused', ...at)).notes).toBe(
      'Unused/0 at broker-a holds 0 up to 0\nnothing is at 0\n',
    )
    expect((await run('queue', '-t', 'Unused', '--broker', 'broker-a', '--queue', '1')).error).toMatch(/not exist/)
  })

  test('says in one line what there is not', async () => {
    expect((await run('queue', '-t', 'Nowhere', ...at)).error).toMatch(/^refused with code 1: 0@Nowhere is not exist/)
    expect((await run('queue', '-t', 'Q', '--broker', 'nope', '--queue', '0')).error).toBe(
      'there is no broker group nope',
    )
  })
})

describe('probe', () => {
  test('sends to the queues of a topic in turn, and says how long each took', async () => {
    await run('topic', 'create', 'R', '--queues', '2')
    const attempts = await json('probe', '-t', 'R', '--count', '3')
    expect(attempts).toMatchObject(
      [0, 1, 0].map((queueId) => ({ broker: 'broker-a', topic: 'R', queueId, isStored: true, error: null })),
    )
    expect(await json('topic', 'show', 'R')).toMatchObject({ queues: [{ maxOffset: 2 }, { maxOffset: 1 }] })
  })

  test('sends to the own topic of every broker group when none is named', async () => {
    const { out, notes } = await run('probe', '--count', '2', '--size', '1000')
    expect(out).toMatch(/^broker-a +broker-a +0 +\d+\.\d\d +stored$/m)
    expect(notes).toMatch(/^2 of 2 stored, \d+\.\d\d ms on average\n$/)
  })

  test('fails when a message was not stored, or there is nowhere to send to', async () => {
    await run('topic', 'create', 'RO', '--queues', '1', '--permission', 'r')
    expect((await run('probe', '-t', 'RO')).error).toBe('RO has no queue to write to there')
    expect((await run('probe', '-t', 'Nowhere')).error).toBe('the topic Nowhere does not exist')
    expect((await run('probe', '--cluster', 'nope')).error).toBe('there is no cluster nope')
    await run('topic', 'create', 'Later', '--queues', '1', '--type', 'DELAY')
    const { out, error } = await run('probe', '-t', 'Later', '--count', '1')
    expect(out).toContain('refused with code 13')
    expect(error).toBe('1 were not stored')
  })
})

describe('clean', () => {
  test('has broker groups drop what has expired', async () => {
    const told = { done: 'clean', brokers: ['broker-a'] }
    expect((await run('clean', 'log')).notes).toBe('broker-a: what has expired is dropped\n')
    expect(await json('clean', 'queues', '--broker', 'broker-a')).toEqual({ ...told, what: 'queues' })
    expect(await json('clean', 'topics')).toEqual({ ...told, what: 'topics' })
    expect((await run('clean', 'all')).error).toContain("'all' is invalid")
    expect((await run('clean', 'log', '--cluster', 'nope')).error).toBe('there is no cluster nope')
  })
})

/** What the trace tells of a message, once it is two things. */
async function told(id: string): Promise<unknown> {
  return until('both rows', async () => {
    const rows = await json('message', 'trace', id)
    return Array.isArray(rows) && rows.length === 2 && rows
  })
}

describe('message trace', () => {
  test('says what is missing where no client ever traced', async () => {
    expect((await run('message', 'trace', 'ABC')).notes).toBe(
      'nothing is told of ABC: clients that are made with trace: true tell it\n',
    )
    expect(await json('message', 'trace', 'ABC')).toEqual([])
  })

  test('tells of transactions and of what was taken back, too', async () => {
    await run('topic', 'create', 'X', '--queues', '1')
    const { namesrv } = cluster
    const transactions = new TransactionProducer({ namesrv, group: 'tx', trace: true, check: () => 'unknown' })
    await transactions.start()
    const committed = await transactions.send({ topic: 'X', body: 'x', keys: 'k' }, () => 'commit')
    const rolledBack = await transactions.send({ topic: 'X', body: 'x' }, () => 'rollback')
    await transactions.close()
    const recalling = new Producer({ namesrv: cluster.namesrv, group: 'r', trace: true })
    await recalling.start()
    const { messageId, recallHandle = '' } = await recalling.send({ topic: 'X', body: 'x', delayMs: 600_000 })
    await recalling.recall({ topic: 'X', recallHandle })
    await recalling.close()
    expect(await told(committed.messageId)).toMatchObject([{ what: 'sent' }, { what: 'committed', group: 'tx' }])
    expect(await told(rolledBack.messageId)).toMatchObject([{ what: 'sent' }, { what: 'rolled back', group: 'tx' }])
    expect(await told(messageId)).toMatchObject([{ what: 'sent' }, { what: 'taken back', group: 'r', isSuccess: true }])
  })

  test('tells of handlers of popped messages', async () => {
    await run('topic', 'create', 'XP', '--queues', '1')
    const { messageId } = await producer.send({ topic: 'XP', body: 'x' })
    const options = { namesrv: cluster.namesrv, group: 'popped', trace: true, from: 'first', pollMs: 200 } as const
    const consumer = new PopConsumer(options).subscribe('XP')
    let count = 0
    await consumer.run(() => count++)
    await until('the message', () => count === 1)
    await consumer.close()
    expect(await told(messageId)).toMatchObject([
      { what: 'handler began', group: 'popped', redeliveries: 0 },
      { what: 'handler ended', group: 'popped', isSuccess: true },
    ])
  })
})
