import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { Producer } from '../../src/client/index.ts'
import { startCluster } from '../../src/index.ts'

test('a cluster in this process takes messages, survives its leader, and leaves nothing behind', async () => {
  const cluster = await startCluster()
  const folder = dirname(dirname(cluster.nodes[0]?.dir ?? ''))
  try {
    expect(cluster.nodes.map(({ broker, id }) => `${broker} ${id}`)).toEqual([
      'broker-a n0',
      'broker-a n1',
      'broker-a n2',
    ])
    const producer = new Producer({ namesrv: cluster.namesrv, group: 'test' })
    await producer.start()
    await producer.send({ topic: 'test', body: Buffer.from('one') })
    const leader = cluster.leader()
    if (leader === undefined) throw new Error('nobody leads a cluster that is ready')
    cluster.kill(leader)
    await cluster.ready()
    expect(cluster.leader()?.id).not.toBe(leader.id)
    await producer.send({ topic: 'test', body: Buffer.from('two') })
    await cluster.restart(leader)
    await cluster.ready()
    await producer.close()
  } finally {
    await cluster.close()
  }
  expect(existsSync(folder)).toBe(false)
})

test('a single broker in a folder of its own keeps its data', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'raftmq-test-'))
  try {
    const first = await startCluster({ nodes: 1, dir, flush: 'async' })
    await first.close()
    expect(existsSync(join(dir, 'broker-a/n0/store'))).toBe(true)
    const again = await startCluster({ nodes: 1, dir })
    expect(again.leader()?.id).toBe('n0')
    expect(again.leader()?.status?.mode).toEqual({ flush: 'async', replication: 'sync' })
    await again.close()
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
})

test('an option that there is not is refused, and nothing is started', async () => {
  const options = { nodes: 1, node: 1 }
  await expect(startCluster(options)).rejects.toMatchObject({
    code: 'CLUSTER_INVALID',
    message: 'startCluster has no node; did you mean nodes?',
  })
})
