import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { register as config } from '../../src/cli/commands/config.ts'
import { register as dlq } from '../../src/cli/commands/dlq.ts'
import { register as exportCommand } from '../../src/cli/commands/export.ts'
import { register as group } from '../../src/cli/commands/group.ts'
import { register as importTables } from '../../src/cli/commands/import.ts'
import { register as kv } from '../../src/cli/commands/kv.ts'
import { register as lost } from '../../src/cli/commands/lost.ts'
import { register as message } from '../../src/cli/commands/message.ts'
import { register as permission } from '../../src/cli/commands/permission.ts'
import { register as producers } from '../../src/cli/commands/producers.ts'
import { register as stats } from '../../src/cli/commands/stats.ts'
import { register as topic } from '../../src/cli/commands/topic.ts'
import { Producer, PushConsumer } from '../../src/client/index.ts'
import { startCluster, type Cluster } from '../../src/index.ts'
import { runWith, type Outcome } from '../support/terminal.ts'
import { until } from '../support/until.ts'

let cluster: Cluster
let producer: Producer
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tables-'))
  cluster = await startCluster({ nodes: 1 })
  producer = new Producer({ namesrv: cluster.namesrv, group: 'p' })
  await producer.start()
}, 60_000)
afterAll(async () => {
  await producer.close()
  await cluster.close()
  rmSync(folder, { recursive: true })
})

const commands = runWith([
  topic,
  group,
  message,
  dlq,
  importTables,
  exportCommand,
  lost,
  config,
  kv,
  permission,
  producers,
  stats,
])
const run = (...words: string[]): Promise<Outcome> => commands([...words, '-n', cluster.namesrv])
const json = async (...words: string[]): Promise<unknown> => JSON.parse((await run(...words, '--json')).out)
const lines = async (...words: string[]): Promise<unknown[]> =>
  (await run(...words, '--json')).out
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line))

describe('message', () => {
  test('shows one by either id, by its place, and lists those with a key', async () => {
    const sent = await producer.send({ topic: 'M', body: 'hello', keys: ['k1', 'k2'], tag: 'A' })
    const { messageId, offsetMessageId, queue, queueOffset } = sent
    const { out } = await run('message', 'show', messageId, '-t', 'M')
    expect(out).toMatch(new RegExp(`^id +${messageId}\nplace +M/${queue.queueId} at broker-a, ${queueOffset}\n`))
    expect(out).toMatch(/\n\nhello\n$/)
    expect(await json('message', 'show', offsetMessageId)).toMatchObject({ messageId, body: 'hello', tag: 'A' })
    const place = ['--broker', queue.brokerName, '--queue', `${queue.queueId}`, '--offset', `${queueOffset}`]
    expect(await json('message', 'at', '-t', 'M', ...place)).toMatchObject({ messageId, keys: ['k1', 'k2'] })
    expect(await lines('message', 'find', '-t', 'M', '-k', 'k2')).toMatchObject([{ messageId }])
    expect((await run('message', 'find', '-t', 'M', '-k', 'k2')).out).toContain(messageId)
    expect((await run('message', 'find', '-t', 'M', '-k', 'k3')).notes).toBe('no message has that key\n')
  })

  test('prints a topic, a part of it by time, and says when there is more', async () => {
    for (const body of ['1', '2\n2', '3']) await producer.send({ topic: 'P', body, shardingKey: 'one' })
    const { out, notes } = await run('message', 'print', '-t', 'P')
    expect(out).toMatch(/^broker-a\/\d\/0 {2}1\nbroker-a\/\d\/1 {2}2\\n2\nbroker-a\/\d\/2 {2}3\n$/)
    expect(notes).toBe('3 messages\n')
    expect((await run('message', 'print', '-t', 'P', '--count', '2')).notes).toBe('there are more than 2\n')
    expect((await run('message', 'print', '-t', 'P', '--to', '2001-01-01')).notes).toBe('0 messages\n')
    expect((await run('message', 'print', '-t', 'P', '--from', '2001-01-01')).notes).toBe('3 messages\n')
  })

  test('says in one line what there is not', async () => {
    expect((await run('message', 'show', 'nonsense')).error).toBe(
      'there is no message nonsense; the id that a producer gave is found with --topic',
    )
    expect((await run('message', 'show', 'nonsense', '-t', 'M')).error).toBe('there is no message nonsense in M')
    expect((await run('message', 'print', '-t', 'Nowhere')).error).toBe('the topic Nowhere does not exist')
    expect((await run('message', 'print', '-t', 'M', '--from', 'soon')).error).toContain('It must be an ISO time')
    const place = ['--broker', 'broker-a', '--queue', '0', '--offset', '4711']
    expect((await run('message', 'at', '-t', 'M', ...place)).error).toBe(
      'there is no message at 4711 of M/0 at broker-a',
    )
  })
})

describe('group', () => {
  test('is created, moved, cloned and deleted', async () => {
    await run('topic', 'create', 'G', '--queues', '1')
    for (let n = 0; n < 5; n++) await producer.send({ topic: 'G', body: `${n}` })
    expect((await run('group', 'create', 'mover')).notes).toBe('mover: created\n')
    expect(await json('group', 'reset', 'mover', '-t', 'G', '--to', 'last')).toEqual([
      { topic: 'G', brokerName: 'broker-a', queueId: 0, queueOffset: 5 },
    ])
    expect((await run('group', 'reset', 'mover', '-t', 'G', '--to', 'first')).out).toContain('broker-a      0     0')
    const queue = ['--broker', 'broker-a', '--queue', '0']
    expect(await json('group', 'reset', 'mover', '-t', 'G', '--to', '3', ...queue)).toMatchObject([{ queueOffset: 3 }])
    expect(await json('group', 'reset', 'mover', '-t', 'G', '--to', '2001-01-01')).toMatchObject([{ queueOffset: 0 }])
    await run('group', 'reset', 'mover', '-t', 'G', '--to', '2', ...queue)
    await run('group', 'create', 'follower')
    expect((await run('group', 'clone', 'mover', 'follower', '-t', 'G')).notes).toBe(
      'follower is where mover is in G\n',
    )
    expect(await json('group', 'show', 'follower')).toMatchObject({ queues: [{ topic: 'G', consumerOffset: 2 }] })
    expect((await run('group', 'delete', 'follower')).notes).toBe('follower: deleted\n')
    expect((await run('group', 'show', 'follower')).error).toBe('there is no group follower')
  })

  test('refuses what it cannot do in one line', async () => {
    expect((await run('group', 'create', 'a b')).error).toContain('illegal characters')
    expect((await run('group', 'delete', 'nobody')).error).toBe('there is no group nobody')
    expect((await run('group', 'clone', 'nobody', 'mover')).error).toBe('there is no group nobody')
    expect((await run('group', 'reset', 'mover', '-t', 'G', '--to', '3')).error).toContain(
      'a queueOffset is a place of one queue: give --broker and --queue',
    )
    expect((await run('group', 'reset', 'mover', '-t', 'G', '--to', 'soon')).error).toContain('It is first, last')
    expect((await run('group', 'reset', 'mover', '-t', 'Nowhere', '--to', 'last')).error).toBe(
      'the topic Nowhere does not exist',
    )
    const queue = ['--broker', 'broker-a', '--queue', '0']
    expect((await run('group', 'reset', 'mover', '-t', 'G', '--to', '99', ...queue)).error).toMatch(
      /^refused with code 1: .*99 not in consume queue range/,
    )
  })
})

async function deadLetters(of: string): Promise<unknown[]> {
  const rows = await json('dlq', 'list', '-g', of)
  return Array.isArray(rows) ? rows : []
}

describe('dlq', () => {
  test('lists what a group failed at, and sends it to that group alone, once', { timeout: 60_000 }, async () => {
    const handled: string[] = []
    let isFailing = true
    const consumer = new PushConsumer({ namesrv: cluster.namesrv, group: 'failing', from: 'first' }).subscribe('D')
    await producer.send({ topic: 'D', body: 'bad', keys: 'k' })
    await consumer.run(({ topic: of, body }, context) => {
      context.delayLevel = -1
      if (isFailing) throw new Error('no')
      handled.push(`${of} ${body.toString()}`)
    })
    const [dead] = await until('the dead letter', async () => {
      const rows = await deadLetters('failing')
      return rows.length === 1 && rows
    })
    expect(dead).toMatchObject({ topic: 'D', keys: ['k'], isResent: false })
    expect((await run('dlq', 'list', '-g', 'failing')).out).toContain('dead')
    isFailing = false
    expect((await run('dlq', 'resend', '-g', 'failing')).notes).toBe('1 message sent again to failing\n')
    await until('it is handled', () => handled.length === 1)
    expect(handled).toEqual(['D bad'])
    expect(await deadLetters('failing')).toMatchObject([{ isResent: true }])
    expect((await run('dlq', 'resend', '-g', 'failing')).notes).toBe('0 messages sent again to failing\n')
    const id = typeof dead === 'object' && dead !== null && 'id' in dead ? String(dead.id) : ''
    const words = ['dlq', 'resend', '-g', 'failing', '--to-topic', '--id', id]
    expect((await run(...words)).notes).toBe('1 message sent again to the topics they came from\n')
    await until('it is handled once more', () => handled.length === 2)
    await consumer.close()
  })

  test('says so when there is nothing, and which id is not among them', async () => {
    expect((await run('dlq', 'list', '-g', 'careful')).out).toBe('careful has no dead letters\n')
    expect((await run('dlq', 'resend', '-g', 'careful')).notes).toBe('0 messages sent again to careful\n')
    expect((await run('dlq', 'resend', '-g', 'careful', '--id', 'X')).error).toBe(
      'X is not among the dead letters of careful',
    )
  })
})

const topicsJson = `{"dataVersion":{"counter":3,"timestamp":1},"topicConfigTable":{
  "TBW102":{"order":false,"perm":7,"readQueueNums":8,"topicFilterType":"SINGLE_TAG","topicName":"TBW102","topicSysFlag":0,"writeQueueNums":8},
  "%RETRY%old":{"perm":6,"readQueueNums":1,"topicName":"%RETRY%old","writeQueueNums":1},
  "Compacted":{"attributes":{"+cleanup.policy":"COMPACTION"},"perm":6,"readQueueNums":1,"topicName":"Compacted","writeQueueNums":1},
  "Moved":{"attributes":{"message.type":"NORMAL"},"order":true,"perm":6,"readQueueNums":2,"topicFilterType":"SINGLE_TAG","topicName":"Moved","topicSysFlag":0,"writeQueueNums":2}}}`
const groupsJson = `{"dataVersion":{"counter":1,"timestamp":1},"subscriptionGroupTable":{
  "TOOLS_CONSUMER":{"groupName":"TOOLS_CONSUMER"},
  "old":{"brokerId":0,"consumeBroadcastEnable":true,"consumeEnable":true,"consumeFromMinEnable":true,"groupName":"old","retryMaxTimes":5,"retryQueueNums":1,"whichBrokerWhenConsumeSlowly":1}}}`
const offsetsJson = '{"offsetTable":{"Moved@old":{0:1,1:900,7:0},"Gone@old":{0:5},"Moved":{0:0}}}'

describe('import', () => {
  test('takes over RocketMQ’s tables, says what it left out and why, and changes nothing the second time', async () => {
    const files = { 'consumerOffset.json': offsetsJson, 'topics.json.bak': topicsJson, 'groups.json': groupsJson }
    const paths = Object.entries(files).map(([name, text]) => {
      writeFileSync(join(folder, name), text)
      return join(folder, name)
    })
    // One message that the offset may stand behind.
    await run('topic', 'create', 'Moved', '--queues', '1')
    await producer.send({ topic: 'Moved', body: 'x' })
    const words = ['import', ...paths, '--broker', 'broker-a']
    const rows = await json(...words)
    expect(rows).toEqual([
      { kind: 'topic', name: '%RETRY%old', result: 'skipped', detail: 'it is made when its group needs it' },
      { kind: 'topic', name: 'Compacted', result: 'skipped', detail: 'compaction is not supported' },
      { kind: 'topic', name: 'Moved', result: 'changed', detail: '2 queues, perm 6, ordered, message.type=NORMAL' },
      { kind: 'topic', name: 'TBW102', result: 'skipped', detail: 'brokers make it themselves' },
      { kind: 'group', name: 'TOOLS_CONSUMER', result: 'skipped', detail: 'brokers know it by themselves' },
      { kind: 'group', name: 'old', result: 'made', detail: '5 redeliveries' },
      { kind: 'offset', name: 'old Gone/0', result: 'skipped', detail: 'there is no such topic here' },
      { kind: 'offset', name: ' Moved/0', result: 'skipped', detail: 'that is no topic@group' },
      { kind: 'offset', name: 'old Moved/0', result: 'made', detail: '1' },
      {
        kind: 'offset',
        name: 'old Moved/1',
        result: 'skipped',
        detail: '900 is outside the queue’s messages here, 0 to 0',
      },
      { kind: 'offset', name: 'old Moved/7', result: 'skipped', detail: 'the topic has 2 queues here' },
    ])
    const again = await run(...words)
    expect(again.notes).toBe('0 made, 0 changed, 3 there already, 8 skipped\n')
    expect(again.out).toMatch(/^topic {3}Moved +there already +2 queues/m)
    expect(await json('group', 'show', 'old')).toMatchObject({ lag: 0 })
  })

  test('refuses a file that is none of the tables, before it changes anything', async () => {
    for (const [name, text] of Object.entries({ 'a.json': '{"delayLevel":1}', 'b.json': 'not json' })) {
      writeFileSync(join(folder, name), text)
    }
    const words = ['--broker', 'broker-a']
    expect((await run('import', join(folder, 'a.json'), ...words)).error).toMatch(
      /a\.json is none of RocketMQ’s tables: it has no topicConfigTable, subscriptionGroupTable, offsetTable$/,
    )
    expect((await run('import', join(folder, 'b.json'), ...words)).error).toMatch(/b\.json is no JSON$/)
    expect((await run('import', join(folder, 'none.json'), ...words)).error).toContain('no such file')
    expect((await run('import', join(folder, 'topics.json.bak'), '--broker', 'nope')).error).toBe(
      'there is no broker group nope',
    )
  })
})

describe('export', () => {
  test('writes what import takes', async () => {
    await run('topic', 'create', 'Exported', '--queues', '3')
    await run('group', 'create', 'exported')
    const dir = join(folder, 'config')
    expect((await run('export', '--broker', 'broker-a', '--dir', dir)).notes).toBe(
      `${dir}: topics.json, subscriptionGroup.json, consumerOffset.json\n`,
    )
    const files = ['topics.json', 'subscriptionGroup.json', 'consumerOffset.json'].map((name) => join(dir, name))
    const { notes, out } = await run('import', ...files, '--broker', 'broker-a')
    expect(notes).toMatch(/^0 made, 0 changed, \d+ there already, \d+ skipped\n$/)
    expect(out).toMatch(/^topic +Exported +there already +3 queues/m)
    expect(out).toMatch(/^group +exported +there already/m)
    expect((await run('export', '--broker', 'nope', '--dir', dir)).error).toBe('there is no broker group nope')
  })

  test('fails where no folder can be made', async () => {
    writeFileSync(join(folder, 'file'), '')
    const { error } = await run('export', '--broker', 'broker-a', '--dir', join(folder, 'file', 'a'))
    expect(error).toContain('ENOTDIR')
    // Node's own recursive mkdir never ends here.
    if (process.platform !== 'linux') return
    expect((await run('export', '--broker', 'broker-a', '--dir', '/proc/a/b')).error).toContain('/proc/a')
  })
})

const lostIn = (dir: string): Promise<Outcome> => commands(['lost', 'list', '--dir', dir])

describe('lost', () => {
  test('says of a node that cut nothing off, and of a folder that is no node', async () => {
    const [node] = cluster.nodes
    expect((await lostIn(join(node?.dir ?? '', 'store'))).out).toBe('nothing was cut off here\n')
    for (const dir of [node?.dir ?? '', join(folder, 'nowhere')]) {
      expect(await lostIn(dir)).toMatchObject({
        out: '',
        error: `${dir} is no data folder of a node (its storePathRootDir): there is no file identity in it`,
      })
    }
  })
})

describe('config', () => {
  test('shows every key of a broker group and of the name servers, and changes those that may change', async () => {
    expect(await json('config', 'show', '--broker', 'broker-a')).toMatchObject({ brokerName: 'broker-a' })
    const words = ['config', 'set', '--broker', 'broker-a', 'transactionCheckMax=7', 'storeReplyMessageEnable=true']
    expect((await run(...words)).notes).toBe('broker-a: transactionCheckMax=7, storeReplyMessageEnable=true\n')
    expect((await run('config', 'show', '--broker', 'broker-a')).out).toMatch(/^transactionCheckMax=7$/m)
    expect((await run('config', 'show')).out).toMatch(/^listenPort=\d+$/m)
    expect((await run('config', 'set', '--broker', 'broker-a', 'brokerName=x')).error).toMatch(
      /^refused with code 29: brokerName /,
    )
    expect((await run('config', 'set', '--broker', 'broker-a', 'foo=1')).error).toBe(
      'refused with code 29: a broker has no foo',
    )
    expect((await run('config', 'set', 'foo=1')).error).toBe('refused with code 1: a name server has no foo')
    expect((await run('config', 'set', 'what')).error).toContain('It is key=value.')
    expect((await run('config', 'show', '--broker', 'nope')).error).toBe('there is no broker group nope')
  })
})

describe('kv', () => {
  test('keeps texts at the name servers', async () => {
    expect((await run('kv', 'list', 'N')).notes).toBe('N is empty\n')
    expect((await run('kv', 'set', 'N', 'a', '1')).notes).toBe('N: a is set\n')
    await run('kv', 'set', 'N', 'b', '2')
    expect((await run('kv', 'get', 'N', 'a')).out).toBe('1\n')
    expect(await json('kv', 'list', 'N')).toEqual({ a: '1', b: '2' })
    expect((await run('kv', 'delete', 'N', 'a')).notes).toBe('N: a is deleted\n')
    expect((await run('kv', 'get', 'N', 'a')).error).toBe('there is no a in N')
  })

  test('are read at the first name server that answers', async () => {
    await run('kv', 'set', 'N', 'c', '3')
    const namesrv = `127.0.0.1:1;${cluster.namesrv}`
    expect((await commands(['kv', 'get', 'N', 'c', '-n', namesrv])).out).toBe('3\n')
    expect((await commands(['kv', 'get', 'N', 'nope', '-n', namesrv])).error).toBe('there is no nope in N')
  })

  test.each(['list N', 'get N a', 'set N a 1', 'delete N a'])('%s says that no name server answers', async (words) => {
    expect((await commands(['kv', ...words.split(' '), '-n', '127.0.0.1:1'])).error).toBe(
      'no name server answers at 127.0.0.1:1: nothing listens there',
    )
  })
})

describe('permission', () => {
  test('takes a broker group out of the routes of producers and puts it back', async () => {
    await run('topic', 'create', 'W', '--queues', '1')
    expect((await run('permission', 'wipe', '--broker', 'broker-a')).notes).toMatch(
      /^broker-a: not written to any more, \d+ topics\n$/,
    )
    expect((await run('permission', 'restore', '--broker', 'broker-a')).notes).toMatch(
      /^broker-a: written to again, \d+ topics\n$/,
    )
    expect((await run('permission', 'wipe', '--broker', 'nope')).error).toBe('there is no broker group nope')
  })
})

describe('producers and stats', () => {
  test('tell who produces, and what goes in and out', async () => {
    await run('topic', 'create', 'S', '--queues', '1')
    await producer.send({ topic: 'S', body: 'x' })
    const consumer = new PushConsumer({ namesrv: cluster.namesrv, group: 'readers', from: 'first' }).subscribe('S')
    let count = 0
    await consumer.run(() => count++)
    await until('the message', () => count === 1)
    await consumer.commit()
    await until('it is known', async () => {
      const rows = await json('stats', '-t', 'S')
      return JSON.stringify(rows).includes('readers')
    })
    expect(await json('stats', '-t', 'S')).toMatchObject([{ topic: 'S', group: 'readers', behind: 0 }])
    expect((await run('stats')).out).toMatch(/^S +readers +0 /m)
    expect((await run('stats', '-t', 'Nowhere')).error).toBe('the topic Nowhere does not exist')
    await producer.introduce('S')
    const rows = await until('the producer', async () => {
      const found = await json('producers', '-g', 'p')
      return Array.isArray(found) && found.length > 0 && found
    })
    expect(rows).toMatchObject([{ group: 'p', clientId: producer.clientId, brokerName: 'broker-a' }])
    expect((await run('producers', '-g', 'nobody')).notes).toBe('no producer is connected\n')
    await consumer.close()
  })
})
