/** Async replication on real nodes: what a failover loses is set aside, counted and told. */
import { afterEach, expect, test } from 'vitest'
import { startCluster, type Cluster, type ClusterNode } from '../../src/index.ts'
import { Producer } from '../../src/client/index.ts'
import { LostMessages } from '../../src/store/lost-messages.ts'
import { nodeFileSystem } from '../../src/store/node-file-system.ts'
import { until } from '../support/until.ts'
import { runtime, withRemoting } from './admin-calls.ts'

let cluster: Cluster | undefined
afterEach(async () => {
  await cluster?.close()
  cluster = undefined
})

async function figures(node: ClusterNode): Promise<ReadonlyMap<string, string>> {
  return withRemoting((client) => runtime(client, node.address))
}

/** Starts `others` again without who led, and waits until one of them leads and has declared what may be lost. */
async function nextLeader(
  started: Cluster,
  others: readonly ClusterNode[],
): Promise<{ next: ClusterNode; losses: string }> {
  for (const node of others) await started.restart(node)
  const next = await until('another node leads', () => {
    const found = started.leader()
    return found !== undefined && others.includes(found) && found.status?.isReady === true ? found : undefined
  })
  const losses = await until('the loss is declared', async () => {
    const text = (await figures(next)).get('raftmq.losses') ?? '[]'
    return text === '[]' ? undefined : text
  })
  return { next, losses }
}

test('a former leader keeps what it acknowledged and had to cut off, and the group knows how much it is', {
  timeout: 90_000,
}, async () => {
  const started = (cluster = await startCluster({ replication: 'async' }))
  const leader = await until('there is a leader', () => started.leader())
  await until('the mode is set', async () => (await figures(leader)).get('raftmq.mode.replication') === 'async')
  const producer = new Producer({ namesrv: started.namesrv, group: 'p' })
  await producer.start()
  await producer.send({ topic: 'demo', body: 'kept', keys: 'k0' })

  const others = started.nodes.filter(({ id }) => id !== leader.id)
  for (const node of others) started.kill(node)
  // The leader is alone: it acknowledges within its bound until it notices that no majority answers.
  const { queueOffset } = await producer.send({ topic: 'demo', body: 'lost', keys: 'k1' })
  expect(queueOffset).toBeGreaterThanOrEqual(0)
  started.kill(leader)
  await producer.close()

  const { next, losses } = await nextLeader(started, others)
  expect(losses).toContain('"maxBytes":67108864,"inDoubt":false}')

  await started.restart(leader)
  const found = await until('the loss is counted', async () => {
    const text = (await figures(next)).get('raftmq.losses') ?? '[]'
    return text.includes('"found"') ? text : undefined
  })
  expect(JSON.parse(found)).toMatchObject([
    { found: { messages: 1, bytes: 4, reports: [{ node: leader.id, term: 1, messages: 1, bytes: 4 }] } },
  ])
  const files = await new LostMessages(nodeFileSystem, `${leader.dir}/store/lost`).list()
  expect(files.flatMap(({ messages }) => messages.map(({ topic, body }) => `${topic}: ${body.toString()}`))).toEqual([
    'demo: lost',
  ])
})

test('what did not wait in sync replication is declared, though its leader never comes back', {
  timeout: 90_000,
}, async () => {
  const started = (cluster = await startCluster())
  const leader = await until('there is a leader', () => started.leader())
  const producer = new Producer({ namesrv: started.namesrv, group: 'p' })
  await producer.start()
  const hurried = { topic: 'demo', body: 'in a hurry', properties: { WAIT: 'false' } }
  // The first are answered like others, until the group knows: that it will be told is in the log before the last of these.
  for (let sent = 0; sent < 100; sent++) await producer.send(hurried)

  const others = started.nodes.filter(({ id }) => id !== leader.id)
  for (const node of others) started.kill(node)
  // The leader is alone, and answers what does not wait until it notices that no majority answers.
  expect((await producer.send(hurried)).queueOffset).toBeGreaterThanOrEqual(0)
  started.kill(leader)
  await producer.close()

  const { losses } = await nextLeader(started, others)
  expect(losses).toContain('"maxBytes":67108864,"inDoubt":false}')
})
