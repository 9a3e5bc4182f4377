import { afterEach, expect, test } from 'vitest'
import { Producer } from '../../src/client/index.ts'
import { startCluster, type Cluster, type ClusterNode } from '../../src/index.ts'
import { RaftmqCode, RequestCode, ResponseCode } from '../../src/remoting/codes.ts'
import { until } from '../support/until.ts'
import { withRemoting } from './admin-calls.ts'

let cluster: Cluster | undefined
afterEach(async () => {
  await cluster?.close()
  cluster = undefined
})

const leaderOf = (of: Cluster): Promise<ClusterNode> =>
  until('a node leads', () => {
    const leader = of.leader()
    return leader?.status?.isReady === true ? leader : undefined
  })

test('an offset that came right before leadership was handed over is known to the next leader', {
  timeout: 60_000,
}, async () => {
  const started = (cluster = await startCluster())
  const old = await leaderOf(started)
  const producer = new Producer({ namesrv: started.namesrv, group: 'p' })
  await producer.start()
  await producer.send({ topic: 'demo', body: 'one' })
  await producer.close()
  await withRemoting(async (client) => {
    const queue = { consumerGroup: 'g', topic: 'demo', queueId: 0 }
    const group = { code: RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, body: Buffer.from('{"groupName":"g"}') }
    expect((await client.invoke(old.address, group, 5_000)).code).toBe(ResponseCode.SUCCESS)
    const commit = (commitOffset: number): Promise<void> =>
      client.invokeOneway(old.address, {
        code: RequestCode.UPDATE_CONSUMER_OFFSET,
        header: { ...queue, commitOffset },
      })
    // The first begins a period, the second waits for its end.
    await commit(1)
    await commit(2)
    const to = started.nodes.find(({ id }) => id !== old.id)?.id ?? ''
    await client.invoke(old.address, { code: RaftmqCode.TRANSFER_LEADERSHIP, header: { to } }, 5_000)
    const next = await until('another node leads', () => {
      const leader = started.leader()
      return leader !== undefined && leader.id !== old.id && leader.status?.isReady === true ? leader : undefined
    })
    const answer = await client.invoke(next.address, { code: RequestCode.QUERY_CONSUMER_OFFSET, header: queue }, 5_000)
    expect(answer.fields.get('offset')).toBe('2')
  })
})
