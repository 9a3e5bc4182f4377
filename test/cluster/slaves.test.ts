import { mkdtempSync } from 'node:fs'
import { readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startBroker } from '../../src/broker/main.ts'
import { readBrokerOptions } from '../../src/broker/options/options.ts'
import type { RunningBroker } from '../../src/broker/running-broker.ts'
import { thisMachine } from '../../src/cli/machine.ts'
import { localNamesrvOptions, startNamesrv } from '../../src/cli/start-namesrv.ts'
import { unusedPorts } from '../../src/cli/free-ports.ts'
import { Admin, AdminConnection, Messages, Producer, PushConsumer, type SendResult } from '../../src/client/index.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { silentLog } from '../../src/lib/log.ts'
import { systemRandom } from '../../src/lib/prng.ts'
import { decodeRecords } from '../../src/message/record.ts'
import { RaftmqCode, RequestCode, ResponseCode } from '../../src/remoting/codes.ts'
import type { Namesrv } from '../../src/namesrv/namesrv.ts'
import { until } from '../support/until.ts'
import { runtime, tablesState, withRemoting } from './admin-calls.ts'

/** RocketMQ's conf/2m-2s-sync, with ports and folders of its own. */
function sample(role: 'SYNC_MASTER' | 'ASYNC_MASTER' | 'SLAVE'): Readonly<Record<string, string>> {
  return {
    brokerClusterName: 'DefaultCluster',
    brokerName: 'broker-a',
    brokerId: role === 'SLAVE' ? '1' : '0',
    deleteWhen: '04',
    fileReservedTime: '48',
    brokerRole: role,
    flushDiskType: 'ASYNC_FLUSH',
  }
}

interface Node {
  address: string
  readonly folder: string
  properties: Readonly<Record<string, string>>
  running: RunningBroker | undefined
}

let dir = ''
let namesrv: Namesrv | undefined
let nodes: Node[] = []
let admin: Admin | undefined
let producer: Producer | undefined

const namesrvAddress = (): string => `127.0.0.1:${namesrv?.port ?? 0}`

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'raftmq-slaves-'))
  namesrv = await startNamesrv(localNamesrvOptions(dir, 0), silentLog)
  admin = new Admin({ namesrv: namesrvAddress() })
})

afterEach(async () => {
  await producer?.close()
  admin?.close()
  await Promise.all(nodes.map(async ({ running }) => running?.close()))
  await namesrv?.close()
  nodes = []
  producer = undefined
  await rm(dir, { recursive: true, force: true })
})

async function node(role: Parameters<typeof sample>[0], more: Readonly<Record<string, string>> = {}): Promise<Node> {
  const [port, haPort] = await unusedPorts(2, systemRandom)
  const folder = join(dir, `${role}-${nodes.length}`)
  const made: Node = {
    address: `127.0.0.1:${port}`,
    folder,
    properties: {
      ...sample(role),
      namesrvAddr: namesrvAddress(),
      brokerIP1: '127.0.0.1',
      bindAddress: '127.0.0.1',
      listenPort: String(port),
      haListenPort: String(haPort),
      storePathRootDir: folder,
      ...more,
    },
    running: undefined,
  }
  nodes.push(made)
  await run(made)
  return made
}

/** From its next start on it is reached elsewhere. */
async function rehouse(of: Node): Promise<void> {
  const [port, haPort] = await unusedPorts(2, systemRandom)
  of.address = `127.0.0.1:${port}`
  of.properties = { ...of.properties, listenPort: String(port), haListenPort: String(haPort) }
}

async function run(of: Node): Promise<void> {
  const entries = Object.entries(of.properties).map(([key, value]) => ({ key, value, line: 0 }))
  of.running = await startBroker(readBrokerOptions({ source: 'a test', entries }, thisMachine()), {
    log: silentLog,
    clock: systemClock,
    random: systemRandom,
    pid: process.pid,
  })
}

/** As `kill -9`. */
async function kill(of: Node): Promise<void> {
  of.running?.kill()
  await of.running?.ended
  of.running = undefined
}

async function send(body: string): Promise<SendResult> {
  if (producer === undefined) {
    producer = new Producer({ namesrv: namesrvAddress(), group: 'test-producers' })
    await producer.start()
  }
  return producer.send({ topic: 'traffic', body: Buffer.from(body) })
}

const followers = async (): Promise<string> => {
  const members = (await admin?.members('broker-a').catch(() => undefined))?.members ?? []
  return members
    .map(({ id, role, isFilled, lagEntries }) => `${id} ${role} ${isFilled && lagEntries === 0 ? 'whole' : 'behind'}`)
    .join(', ')
}

/** The master has this learner, and the learner has everything. */
const untilFollowing = (id: string): Promise<unknown> =>
  until(`${id} has what the master has`, async () => (await followers()) === `n0 voter whole, ${id} learner whole`)

/** Having an entry is not knowing that it is committed: that comes with the next message. */
const untilCommitted = (master: Node, slave: Node): Promise<unknown> =>
  until('the slave knows all there is to be committed', async () => {
    const [from, to] = await withRemoting(async (client) => [
      (await runtime(client, master.address)).get('raftmq.lastIndex'),
      (await runtime(client, slave.address)).get('raftmq.commitIndex'),
    ])
    return from !== undefined && from === to
  })

async function logOf({ folder }: Node): Promise<Buffer> {
  const names = (await readdir(join(folder, 'commitlog'))).sort()
  const bytes = Buffer.concat(await Promise.all(names.map((name) => readFile(join(folder, 'commitlog', name)))))
  // Files are laid out to their full size.
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end--
  return bytes.subarray(0, end)
}

async function bodies(group: string, count: number): Promise<string[]> {
  const consumer = new PushConsumer({ namesrv: namesrvAddress(), group, from: 'first' }).subscribe('traffic')
  await consumer.start()
  const seen = new Set<string>()
  for await (const message of consumer) {
    seen.add(message.body.toString())
    if (seen.size === count) break
  }
  await consumer.close()
  return [...seen].sort()
}

/** What consumers ask of this node: how far their group is in all queues, and all bodies of the topic. */
async function readAt({ address }: Node): Promise<{ readonly consumed: number; readonly bodies: readonly string[] }> {
  return withRemoting(async (client) => {
    const read: string[] = []
    let consumed = 0
    for (const queueId of [0, 1, 2, 3]) {
      const place = { consumerGroup: 'readers', topic: 'traffic', queueId }
      const begin = await client.invoke(address, { code: RequestCode.QUERY_CONSUMER_OFFSET, header: place }, 5_000)
      consumed += Number(begin.fields.get('offset') ?? 0)
      const header = { ...place, queueOffset: 0, maxMsgNums: 32, sysFlag: 4, commitOffset: 0, subscription: '*' }
      const subVersion = { subVersion: 1, suspendTimeoutMillis: 0 }
      const answer = await client.invoke(
        address,
        { code: RequestCode.PULL_MESSAGE, header: { ...header, ...subVersion } },
        5_000,
      )
      if (answer.code === ResponseCode.SUCCESS) read.push(...decodeRecords(answer.body).map(({ body }) => String(body)))
    }
    return { consumed, bodies: read.sort() }
  })
}

/** The bodies of the topic that administration finds, in each of its ways. */
async function foundMessages(): Promise<readonly string[]> {
  const at = new AdminConnection({ namesrv: namesrvAddress() })
  const messages = new Messages(at)
  try {
    const found: string[] = []
    for await (const { messageId, brokerName, queueId, queueOffset, body } of messages.range({ topic: 'traffic' })) {
      const byPlace = await messages.at({ topic: 'traffic', brokerName, queueId }, queueOffset)
      const byId = await messages.byId(messageId, 'traffic')
      if (byPlace?.messageId === messageId && byId?.messageId === messageId) found.push(body.toString())
    }
    return found.sort()
  } finally {
    at.close()
  }
}

describe('a master and its slave, from RocketMQ’s files', () => {
  test('sends say whether the slave has them, go on without it, and both logs are equal when it is back', {
    timeout: 60_000,
  }, async () => {
    const master = await node('SYNC_MASTER')
    await until('the master takes sends', () => master.running?.status.isReady === true)
    expect((await send('alone')).status).toBe('SLAVE_NOT_AVAILABLE')
    const slave = await node('SLAVE')
    await untilFollowing('n1')
    expect((await send('with a slave')).status).toBe('SEND_OK')

    await kill(slave)
    await until('it is missed', async () => (await send('missing')).status === 'SLAVE_NOT_AVAILABLE')
    for (let at = 0; at < 50; at++) expect((await send(`without ${at}`)).status).toBe('SLAVE_NOT_AVAILABLE')

    await run(slave)
    await untilFollowing('n1')
    expect((await send('with it again')).status).toBe('SEND_OK')
    await until('both have applied the same', async () => {
      const [one, other] = await withRemoting((client) =>
        Promise.all(nodes.map(({ address }) => tablesState(client, address))),
      )
      return one?.appliedIndex === other?.appliedIndex && one?.digest === other?.digest
    })
    await Promise.all(nodes.map(async ({ running }) => running?.close()))
    const [first, second] = await Promise.all(nodes.map(logOf))
    expect(first?.equals(second ?? Buffer.alloc(0))).toBe(true)
    expect(first?.includes('without 49')).toBe(true)
  })

  test('an ASYNC_MASTER waits for nobody', { timeout: 60_000 }, async () => {
    const master = await node('ASYNC_MASTER')
    await until('the master takes sends', () => master.running?.status.isReady === true)
    expect((await send('alone')).status).toBe('SEND_OK')
  })

  test('a slave whose master is away serves what it has, also after a restart, and follows again', {
    timeout: 60_000,
  }, async () => {
    const master = await node('ASYNC_MASTER')
    const slave = await node('SLAVE')
    await untilFollowing('n1')
    for (const body of ['a', 'b', 'c']) await send(body)
    // The last message is not acknowledged: nobody asked for another one.
    expect(await bodies('readers', 3)).toEqual(['a', 'b', 'c'])
    await untilFollowing('n1')
    await until('it is registered', async () => {
      const found = (await admin?.nodes()) ?? []
      return found.some(({ brokerId, runtime }) => brokerId === 1 && runtime?.get('raftmq.role') === 'slave')
    })
    await untilCommitted(master, slave)
    await kill(master)
    await until('it notices', () => slave.running?.status.leader === null)
    expect(await readAt(slave)).toEqual({ consumed: 2, bodies: ['a', 'b', 'c'] })
    await until('the name server forgets the master', async () => ((await admin?.nodes()) ?? []).length === 1)
    expect(await foundMessages()).toEqual(['a', 'b', 'c'])
    await slave.running?.close()
    await run(slave)
    expect((await withRemoting((client) => runtime(client, slave.address))).get('raftmq.nodeId')).toBe('n1')
    await until('it is registered again', async () => ((await admin?.nodes()) ?? []).length === 1)
    await until('its topics have a route', async () => (await foundMessages().catch(() => [])).length === 3)
    expect(await readAt(slave)).toEqual({ consumed: 2, bodies: ['a', 'b', 'c'] })
    await run(master)
    await untilFollowing('n1')
    expect((await send('d')).status).toBe('SEND_OK')
    expect(await bodies('all-readers', 4)).toEqual(['a', 'b', 'c', 'd'])
  })

  test('a consumer goes on at a slave whose master is away, and commits when it is back', {
    timeout: 60_000,
  }, async () => {
    const master = await node('ASYNC_MASTER')
    const slave = await node('SLAVE')
    await untilFollowing('n1')
    for (let at = 0; at < 20; at++) await send(`${at}`)
    const seen = new Set<string>()
    const gate = deferred<void>()
    // Each queue has one message here, and the others must be pulled.
    const few = { concurrency: 1, maxMessagesPerQueue: 1, pullBatch: 1, routeRefreshMs: 500 }
    const consumer = new PushConsumer({ namesrv: namesrvAddress(), group: 'readers', from: 'first', ...few })
    try {
      await consumer.subscribe('traffic').run(async (message) => {
        seen.add(message.body.toString())
        if (seen.size === 2) await gate.promise
      })
      await until('two are read', () => seen.size === 2)
      await untilFollowing('n1')
      await untilCommitted(master, slave)
      await kill(master)
      await until('the name server forgets the master', async () => ((await admin?.nodes()) ?? []).length === 1)
      gate.resolve()
      await until('the others are read at the slave', () => seen.size === 20)
      expect(master.running).toBeUndefined()
      await run(master)
      await untilFollowing('n1')
      await until('the master knows how far the group is', async () => {
        await consumer.commit().catch(() => undefined)
        return (await readAt(master)).consumed === 20
      })
      await send('after')
      await until('what came since', () => seen.has('after'))
    } finally {
      gate.resolve()
      await consumer.close()
    }
  })

  test('a slave that comes first waits for its master', { timeout: 60_000 }, async () => {
    const slave = await node('SLAVE')
    expect(slave.running?.status).toMatchObject({ leader: null, isReady: false })
    await node('ASYNC_MASTER')
    await untilFollowing('n1')
  })

  test('a slave whose disk was wiped comes back under a new id, and its old one is gone for good', {
    timeout: 60_000,
  }, async () => {
    await node('ASYNC_MASTER')
    const slave = await node('SLAVE')
    await untilFollowing('n1')
    await send('before')
    await kill(slave)
    await rm(slave.folder, { recursive: true })
    await run(slave)
    await untilFollowing('n2')
    expect((await admin?.members('broker-a'))?.removed).toEqual(['n1'])
  })

  test('a slave and its master find each other where they are now', { timeout: 60_000 }, async () => {
    const [master, slave] = [await node('ASYNC_MASTER'), await node('SLAVE')]
    await untilFollowing('n1')
    for (const moved of [slave, master]) {
      await kill(moved)
      await rehouse(moved)
      await run(moved)
      await until('the master takes sends', () => master.running?.status.isReady === true)
      await send(`after a move of ${moved.folder}`)
      await untilFollowing('n1')
    }
  })

  test('a slave dials the master where its file says, whatever the name server says', { timeout: 60_000 }, async () => {
    // Nobody is ever reached at an address of this net (RFC 5737).
    const master = await node('ASYNC_MASTER', { brokerIP2: '192.0.2.1' })
    await node('SLAVE', { haMasterAddress: `127.0.0.1:${master.properties['haListenPort']}` })
    await untilFollowing('n1')
    const members = (await admin?.members('broker-a'))?.members ?? []
    expect(members[0]?.place).toBe(`192.0.2.1:${master.properties['haListenPort']}`)
  })

  test('a slave whose master lost its disk keeps what it has, and follows no other log', {
    timeout: 60_000,
  }, async () => {
    const [master, slave] = [await node('ASYNC_MASTER'), await node('SLAVE')]
    await untilFollowing('n1')
    await send('kept')
    await untilFollowing('n1')
    await kill(master)
    await rm(master.folder, { recursive: true })
    await run(master)
    await until('the new master takes sends', () => master.running?.status.isReady === true)
    const told = await withRemoting((client) =>
      client.invoke(
        master.address,
        { code: RaftmqCode.JOIN_MASTER, header: { id: 'n1', place: 'x:1', clusterId: 'the old one' } },
        5_000,
      ),
    )
    expect(told.remark).toContain('the slave holds a log of cluster the old one')
    await slave.running?.close()
    expect((await logOf(slave)).includes('kept')).toBe(true)
    expect(await followers()).toBe('n0 voter whole')
  })

  test('a slave that is stopped while it looks for its master ends', { timeout: 60_000 }, async () => {
    const slave = await node('SLAVE')
    await slave.running?.close()
    expect(await slave.running?.ended).toBeUndefined()
  })
})
