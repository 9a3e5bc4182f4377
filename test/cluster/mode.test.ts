import { afterEach, describe, expect, test } from 'vitest'
import { startCluster, type Cluster } from '../../src/index.ts'
import { Admin, groupModes, Producer, setGroupMode } from '../../src/client/index.ts'
import { RequestCode } from '../../src/remoting/codes.ts'
import { until } from '../support/until.ts'
import { runtime, withRemoting } from './admin-calls.ts'

let cluster: Cluster | undefined
afterEach(async () => {
  await cluster?.close()
  cluster = undefined
})

type Modes = readonly (readonly [flush: string | undefined, replication: string | undefined])[]

async function modes(of: Cluster): Promise<Modes> {
  return withRemoting((client) =>
    Promise.all(
      of.nodes.map(async ({ address }) => {
        const rows = await runtime(client, address)
        return [rows.get('raftmq.mode.flush'), rows.get('raftmq.mode.replication')] as const
      }),
    ),
  )
}

describe('the mode of a running group', () => {
  test('is the same on every node, changes on all of them, and outlives the files and a failover', {
    timeout: 60_000,
  }, async () => {
    const started = (cluster = await startCluster({ flush: 'async' }))
    await until('the nodes have the mode', async () => (await modes(started)).every(([flush]) => flush === 'async'))
    const admin = new Admin({ namesrv: started.namesrv })
    const producer = new Producer({ namesrv: started.namesrv, group: 'p' })
    await producer.start()
    try {
      await producer.send({ topic: 'demo', body: Buffer.from('one') })
      await setGroupMode(admin, 'broker-a', { flush: 'sync', replication: 'async' })
      expect(await groupModes(admin, 'broker-a')).toEqual([
        { brokerName: 'broker-a', flush: 'sync', replication: 'async', isFlushing: true },
      ])
      await until('the nodes have the mode', async () =>
        (await modes(started)).every((mode) => mode.join() === 'sync,async'),
      )
      await producer.send({ topic: 'demo', body: Buffer.from('two') })

      const old = started.leader()
      if (old === undefined) throw new Error('there is no leader')
      started.kill(old)
      await until('another node leads', () => {
        const next = started.leader()
        return next !== undefined && next.id !== old.id && next.status?.isReady === true
      })
      const next = started.leader()
      const rows = await withRemoting((client) => runtime(client, next?.address ?? ''))
      expect([rows.get('raftmq.mode.flush'), rows.get('raftmq.mode.replication')]).toEqual(['sync', 'async'])
      await producer.send({ topic: 'demo', body: Buffer.from('three') })
    } finally {
      await producer.close()
      admin.close()
    }
  })

  test("code 25 with RocketMQ's key changes it too, from any node, and code 26 shows it", {
    timeout: 60_000,
  }, async () => {
    const started = (cluster = await startCluster())
    const follower = started.nodes.find(({ status }) => status?.role === 'follower')
    await withRemoting(async (client) => {
      const body = Buffer.from('flushDiskType=ASYNC_FLUSH\n')
      const answer = await client.invoke(
        follower?.address ?? '',
        { code: RequestCode.UPDATE_BROKER_CONFIG, body },
        5000,
      )
      expect(answer.code).toBe(0)
      await until('the nodes have the mode', async () =>
        (await modes(started)).every((mode) => mode.join() === 'async,sync'),
      )
      const shown = await client.invoke(follower?.address ?? '', { code: RequestCode.GET_BROKER_CONFIG }, 5000)
      expect(shown.body.toString()).toContain('flushDiskType=ASYNC_FLUSH\n')
    })
  })
})
