import { afterEach, describe, expect, test } from 'vitest'
import { Admin, Producer, PushConsumer } from '../../src/client/index.ts'
import { startCluster, type Cluster, type ClusterNode, type StartClusterOptions } from '../../src/index.ts'
import { until } from '../support/until.ts'
import { tablesState, withRemoting } from './admin-calls.ts'

let cluster: Cluster | undefined
let admin: Admin | undefined
afterEach(async () => {
  admin?.close()
  await cluster?.close()
  cluster = undefined
})

async function start(options: StartClusterOptions = {}): Promise<Cluster> {
  cluster = await startCluster(options)
  admin = new Admin({ namesrv: cluster.namesrv })
  return cluster
}

/** Sends one message after another in a few lanes until told to stop; rejects with the first that failed. */
class Traffic {
  readonly sent: string[] = []
  readonly #producer: Producer
  readonly #lanes: Promise<void>[]
  readonly #stop = new AbortController()

  private constructor(producer: Producer) {
    this.#producer = producer
    this.#lanes = [0, 1, 2, 3].map((lane) => this.#lane(lane))
  }

  static async start(namesrv: string): Promise<Traffic> {
    const producer = new Producer({ namesrv, group: 'test-producers' })
    await producer.start()
    return new Traffic(producer)
  }

  async stop(): Promise<readonly string[]> {
    this.#stop.abort()
    await Promise.all(this.#lanes)
    await this.#producer.close()
    return this.sent
  }

  async #lane(lane: number): Promise<void> {
    for (let at = 0; !this.#stop.signal.aborted; at++) {
      const body = `${lane}/${at}`
      await this.#producer.send({ topic: 'traffic', body: Buffer.from(body) })
      this.sent.push(body)
    }
  }
}

/** Reads from the start until all of `wanted` came; returns what did not. */
async function missing(namesrv: string, wanted: readonly string[]): Promise<number> {
  const left = new Set(wanted)
  const consumer = new PushConsumer({ namesrv, group: 'readers', from: 'first' }).subscribe('traffic')
  await consumer.start()
  for await (const message of consumer) {
    left.delete(message.body.toString())
    if (left.size === 0) break
  }
  await consumer.close()
  return left.size
}

async function converged(of: Cluster): Promise<boolean> {
  const states = await withRemoting((client) => Promise.all(of.nodes.map((node) => tablesState(client, node.address))))
  return states.every(
    ({ appliedIndex, digest }) => appliedIndex === states[0]?.appliedIndex && digest === states[0]?.digest,
  )
}

async function rolesOf(broker = 'broker-a'): Promise<Readonly<Record<string, string>>> {
  const members = (await admin?.members(broker))?.members ?? []
  return Object.fromEntries(members.map(({ id, role }) => [id, role]))
}

function leaderOf(of: Cluster): ClusterNode {
  const leader = of.leader()
  if (leader === undefined) throw new Error('there is no leader')
  return leader
}

describe('the members of a group change while traffic runs, and no request fails', () => {
  test('three become five, and three again, the leader among those that leave', { timeout: 90_000 }, async () => {
    const of = await start()
    const traffic = await Traffic.start(of.namesrv)
    await of.addNode()
    await of.addNode()
    expect(await rolesOf()).toEqual({ n0: 'voter', n1: 'voter', n2: 'voter', n3: 'voter', n4: 'voter' })
    const leader = leaderOf(of)
    await of.removeNode(leader)
    await of.removeNode(of.nodes.find(({ id }) => id !== of.leader()?.id) ?? leader)
    await of.ready()
    const sent = await traffic.stop()
    expect(Object.values(await rolesOf())).toEqual(['voter', 'voter', 'voter'])
    expect(of.nodes).toHaveLength(3)
    expect(await missing(of.namesrv, sent)).toBe(0)
    await until('the replicas are equal', () => converged(of))
  })

  test('a dead node is replaced, and its id is never used again', { timeout: 90_000 }, async () => {
    const of = await start()
    const traffic = await Traffic.start(of.namesrv)
    const dead = of.nodes.find(({ id }) => id !== of.leader()?.id) ?? leaderOf(of)
    of.kill(dead)
    await of.addNode()
    await of.removeNode(dead)
    const sent = await traffic.stop()
    expect(await rolesOf()).not.toHaveProperty(dead.id)
    await expect(
      admin?.changeMembers('broker-a', { change: 'add', id: dead.id, place: '127.0.0.1:9' }),
    ).rejects.toMatchObject({ code: 'RAFT_ID_USED' })
    expect(await missing(of.namesrv, sent)).toBe(0)
    await until('the replicas are equal', () => converged(of))
  })

  test('members of a group that all have other names since then still serve, also after a restart', {
    timeout: 120_000,
  }, async () => {
    const of = await start()
    const traffic = await Traffic.start(of.namesrv)
    for (const old of of.nodes) {
      await of.addNode()
      await of.removeNode(old)
    }
    expect(await rolesOf()).toEqual({ n3: 'voter', n4: 'voter', n5: 'voter' })
    const sent = await traffic.stop()
    const nodes = of.nodes
    for (const node of nodes) of.kill(node)
    await Promise.all(nodes.map((node) => of.restart(node)))
    await of.ready()
    expect(await missing(of.namesrv, sent)).toBe(0)
  })
})

describe('a rolling restart', () => {
  test('of all nodes, one after the other, fails no request and loses nothing', { timeout: 120_000 }, async () => {
    const of = await start()
    const traffic = await Traffic.start(of.namesrv)
    const consumer = new PushConsumer({ namesrv: of.namesrv, group: 'meanwhile', from: 'first' }).subscribe('traffic')
    const seen = new Set<string>()
    const consuming = consumer.run((message) => {
      seen.add(message.body.toString())
      return Promise.resolve()
    })
    for (const node of of.nodes) {
      await of.stop(node)
      await of.restart(node)
      await of.ready()
    }
    const sent = await traffic.stop()
    expect(sent.length).toBeGreaterThan(100)
    await until('everything was delivered', () => sent.every((body) => seen.has(body)))
    await consumer.close()
    await consuming
    await until('the replicas are equal', () => converged(of))
  })
})

describe('a change that is not begun says why', () => {
  test('with a code', { timeout: 60_000 }, async () => {
    const of = await start()
    const change = admin?.changeMembers.bind(admin)
    if (change === undefined) throw new Error('no admin')
    const place = '127.0.0.1:9'
    await change('broker-a', { change: 'add', id: 'n3', place })
    // Nobody is there to be filled.
    await expect(change('broker-a', { change: 'promote', id: 'n3' }, 0)).rejects.toMatchObject({
      code: 'RAFT_NOT_CAUGHT_UP',
    })
    await expect(change('broker-a', { change: 'promote', id: 'n9' })).rejects.toMatchObject({
      code: 'RAFT_UNKNOWN_MEMBER',
    })
    await expect(change('broker-a', { change: 'add', id: 'n4', place })).rejects.toMatchObject({
      code: 'CLIENT_REFUSED',
      message: expect.stringContaining('is the address of another member') as unknown,
    })
    const [dead, alive] = of.nodes.filter(({ id }) => id !== of.leader()?.id)
    if (dead === undefined || alive === undefined) throw new Error('three nodes')
    of.kill(dead)
    await until('the dead node is missed', async () => {
      const members = (await admin?.members('broker-a'))?.members ?? []
      return (members.find(({ id }) => id === dead.id)?.lastContactMs ?? 0) > 1_200
    })
    await expect(change('broker-a', { change: 'remove', id: alive.id })).rejects.toMatchObject({
      code: 'RAFT_WOULD_LOSE_QUORUM',
    })
    // Asked twice, done once.
    await change('broker-a', { change: 'remove', id: dead.id })
    await change('broker-a', { change: 'remove', id: dead.id })
    await change('broker-a', { change: 'remove', id: 'n3' })
    expect((await admin?.members('broker-a'))?.removed).toEqual([dead.id, 'n3'])
  })
})
