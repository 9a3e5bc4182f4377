import { afterEach, beforeEach, expect, test } from 'vitest'
import { register as recover } from '../../src/cli/commands/recover.ts'
import { RaftmqCode } from '../../src/remoting/codes.ts'
import { FakeCluster, type FakeNode } from '../support/fake-broker.ts'
import { runWith, type Outcome } from '../support/terminal.ts'

let cluster: FakeCluster
/** Nodes that accepted that logs in doubt elect. */
let told: FakeNode[] = []
/** Nodes whose connection breaks when they are asked to. */
let broken: FakeNode[] = []

beforeEach(async () => {
  cluster = await FakeCluster.start({ nodes: 3 })
  cluster.leader = undefined
  told = []
  broken = []
  cluster.runtime = (node) => ({
    'raftmq.nodeId': `n${cluster.nodes.indexOf(node)}`,
    'raftmq.role': 'follower',
    'raftmq.voters': 'n0,n1,n2',
    'raftmq.trusted': 'false',
  })
  cluster.fault = (call, node) => {
    if (call.code !== RaftmqCode.ACCEPT_DOUBT) return undefined
    if (broken.includes(node)) return 'cut'
    told.push(node)
    return { code: 0 }
  }
})

afterEach(() => cluster.close())

const command = runWith([recover])
const run = (...words: string[]): Promise<Outcome> =>
  command(['recover', '--broker', 'broker-a', '--unsafe', ...words, '-n', cluster.namesrv])

test('a node that does not answer keeps none of the others from being told, and is named', async () => {
  broken = cluster.nodes.slice(0, 1)
  const { notes, error } = await run('--confirm')
  expect(new Set(told.map((node) => cluster.nodes.indexOf(node)))).toEqual(new Set([1, 2]))
  expect(notes).toContain('told: n1, n2\n')
  expect(error).toMatch(/^error: n0 was not told \(.+\): if nobody leads broker-a soon, say it again\n$/)
})

test('all that answer are told', async () => {
  const { notes, error } = await run('--confirm')
  expect([told.length, error]).toEqual([3, undefined])
  expect(notes).toContain('n0, n1, n2: the best of these logs is elected now\n')
})

test('nobody is told without --confirm', async () => {
  const { notes } = await run()
  expect(told).toEqual([])
  expect(notes).toContain('Nothing was changed.')
})
