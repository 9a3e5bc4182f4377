import { readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { startCluster, type Cluster, type ClusterNode, type StartClusterOptions } from '../../src/index.ts'
import { Admin, Producer, PushConsumer } from '../../src/client/index.ts'
import { until } from '../support/until.ts'
import { runtime, tablesState, withRemoting } from './admin-calls.ts'

let cluster: Cluster | undefined
afterEach(async () => {
  await cluster?.close()
  cluster = undefined
})

async function start(options: StartClusterOptions = {}): Promise<Cluster> {
  cluster = await startCluster(options)
  return cluster
}

async function produce(namesrv: string, topic: string, bodies: readonly string[]): Promise<void> {
  const producer = new Producer({ namesrv, group: 'test-producers' })
  await producer.start()
  await Promise.all(bodies.map((body) => producer.send({ topic, body: Buffer.from(body) })))
  await producer.close()
}

/** Bodies received until all of `wanted` came; a message is acknowledged when the next one is asked for. */
async function consume(namesrv: string, topic: string, group: string, wanted: readonly string[]): Promise<string[]> {
  const missing = new Set(wanted)
  const consumer = new PushConsumer({ namesrv, group, from: 'first' })
  consumer.subscribe(topic)
  const bodies = new Set<string>()
  await consumer.start()
  for await (const message of consumer) {
    const body = message.body.toString()
    bodies.add(body)
    missing.delete(body)
    if (missing.size === 0) break
  }
  await consumer.close()
  return [...bodies].sort()
}

const numbered = (count: number, prefix = 'message'): string[] =>
  Array.from({ length: count }, (_, at) => `${prefix} ${at}`)

const everyHour = Array.from({ length: 24 }, (_, hour) => hour).join(';')

function leaderOf(of: Cluster): ClusterNode {
  const leader = of.leader()
  if (leader === undefined) throw new Error('there is no leader')
  return leader
}

async function figures(node: ClusterNode): Promise<ReadonlyMap<string, string>> {
  return withRemoting((client) => runtime(client, node.address))
}

/** Every node applied the same and has the same tables. */
async function converged(of: Cluster): Promise<boolean> {
  const states = await withRemoting((client) => Promise.all(of.nodes.map((node) => tablesState(client, node.address))))
  return states.every(
    ({ appliedIndex, digest }) => appliedIndex === states[0]?.appliedIndex && digest === states[0]?.digest,
  )
}

async function logBytes(node: ClusterNode): Promise<Buffer> {
  const folder = join(node.dir, 'store', 'commitlog')
  const names = (await readdir(folder)).filter((name) => /^\d{20}$/.test(name)).sort()
  return Buffer.concat(await Promise.all(names.map((name) => readFile(join(folder, name)))))
}

describe('a group of three nodes', () => {
  test('goes on after its leader is killed: nothing acknowledged, no topic and no offset is lost', {
    timeout: 60_000,
  }, async () => {
    const of = await start()
    const earlier = numbered(200)
    const later = numbered(100, 'later')
    await produce(of.namesrv, 'before', earlier)
    expect(await consume(of.namesrv, 'before', 'readers', earlier)).toHaveLength(200)
    const first = leaderOf(of)
    of.kill(first)
    await produce(of.namesrv, 'before', later)
    // The group's offsets were in the log: what is new comes, and the one message that was never acknowledged.
    expect((await consume(of.namesrv, 'before', 'readers', later)).length).toBeLessThanOrEqual(later.length + 1)
    expect(await consume(of.namesrv, 'before', 'others', [...earlier, ...later])).toHaveLength(300)
    await of.restart(first)
    await until('the replicas are equal', () => converged(of))
    const logs = await Promise.all(of.nodes.map(logBytes))
    const shared = Math.min(...logs.map((log) => log.length))
    expect(logs.every((log) => log.subarray(0, shared).equals((logs[0] ?? log).subarray(0, shared)))).toBe(true)
  })

  test('fills a node whose disk was wiped, and counts it again only then', { timeout: 60_000 }, async () => {
    const of = await start()
    await produce(of.namesrv, 'kept', numbered(300))
    const wiped = of.nodes.find((node) => node !== of.leader())
    if (wiped === undefined) throw new Error('three nodes have a follower')
    of.kill(wiped)
    await rm(join(wiped.dir, 'store'), { recursive: true })
    await of.restart(wiped)
    await until('the replicas are equal', () => converged(of))
    const other = of.nodes.find((node) => node !== wiped && node !== of.leader())
    if (other === undefined) throw new Error('three nodes have a second follower')
    // The wiped node is half of what is left: it must hold everything by now.
    of.kill(other)
    const later = numbered(10, 'later')
    await produce(of.namesrv, 'kept', later)
    expect(await consume(of.namesrv, 'kept', 'readers', [...numbered(300), ...later])).toHaveLength(310)
  })

  test('fetches damaged entries from a peer, byte for byte', { timeout: 60_000 }, async () => {
    const of = await start()
    await produce(of.namesrv, 'sound', numbered(300))
    const damaged = of.nodes.find((node) => node !== of.leader())
    if (damaged === undefined) throw new Error('three nodes have a follower')
    await until('the replicas are equal', () => converged(of))
    of.kill(damaged)
    const path = join(damaged.dir, 'store', 'commitlog', '0'.repeat(20))
    const bytes = await readFile(path)
    const at = Math.floor(bytes.length / 2)
    bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at)
    await writeFile(path, bytes)
    // Without its index files the node reads its whole log when it starts, and finds the damage.
    await rm(`${path}.index`, { force: true })
    await of.restart(damaged)
    await until('nothing is damaged any more', async () => (await figures(damaged)).get('raftmq.badRanges') === '0')
    await until('the replicas are equal', () => converged(of))
    const [mine, theirs] = await Promise.all([logBytes(damaged), logBytes(leaderOf(of))])
    expect(mine.subarray(0, bytes.length).equals(theirs.subarray(0, bytes.length))).toBe(true)
  })

  test('keeps old segments as long as its leader is told while it runs', { timeout: 60_000 }, async () => {
    const of = await start({ properties: { mappedFileSizeCommitLog: '65536' } })
    await produce(of.namesrv, 'aging', numbered(300, 'x'.repeat(1000)))
    const admin = new Admin({ namesrv: of.namesrv })
    await admin.updateConfig('broker-a', { fileReservedTime: '0', deleteWhen: everyHour })
    admin.close()
    for (const node of of.nodes) {
      const start = async (): Promise<number> => Number((await figures(node)).get('raftmq.startIndex'))
      await until('the log of each node starts later', async () => (await start()) > 0)
    }
  })

  test('resets a follower that needs entries which retention has dropped', { timeout: 90_000 }, async () => {
    const properties = { mappedFileSizeCommitLog: '65536', fileReservedTime: '0', deleteWhen: everyHour }
    const of = await start({ properties })
    await produce(of.namesrv, 'dropped', numbered(50))
    const behind = of.nodes.find((node) => node !== of.leader())
    if (behind === undefined) throw new Error('three nodes have a follower')
    of.kill(behind)
    const body = 'x'.repeat(1000)
    await produce(of.namesrv, 'dropped', numbered(1000, body))
    const moved = await until('the log start moves', async () => {
      const index = Number((await figures(leaderOf(of))).get('raftmq.startIndex'))
      return index > 10 && index
    })
    await of.restart(behind)
    await until(
      'the follower begins where the log does',
      async () => Number((await figures(behind)).get('raftmq.startIndex')) >= moved,
    )
    await until('the replicas are equal', () => converged(of))
    await produce(of.namesrv, 'dropped', numbered(10, 'later'))
    await until('the replicas are equal', () => converged(of))
  })
})
