import { describe, expect, test } from 'vitest'
import { readBrokerOptions } from '../../src/broker/options/options.ts'
import { describeCluster, describeClusterJson, overruledBy } from '../../src/cli/cluster-report.ts'
import {
  checkNamesrvPort,
  chooseShape,
  planCluster,
  planJoining,
  portsFrom,
  type ClusterRequest,
} from '../../src/cli/cluster-plan.ts'
import { isServing } from '../../src/cli/readiness.ts'
import { nextDelayMs } from '../../src/cli/restart-delay.ts'
import { formatProperties, parseProperties } from '../../src/lib/properties.ts'

const request: ClusterRequest = {
  nodes: 3,
  brokers: 1,
  dir: '/data',
  flush: 'sync',
  replication: 'sync',
  clusterName: 'DefaultCluster',
  ports: portsFrom(10_911),
}
const machine = {
  hostName: 'h',
  homeFolder: '/h',
  localAddress: '192.0.2.1',
  namesrvAddr: undefined,
  memoryBytes: 1_000,
}

describe('the plan of a local cluster', () => {
  test('gives every node ports of its own: 10 apart in a group, 100 between groups, peers next to clients', () => {
    const plans = planCluster({ ...request, brokers: 2 })
    expect(plans.map(({ broker, id, ports }) => [broker, id, ports.client, ports.peer])).toEqual([
      ['broker-a', 'n0', 10_911, 10_912],
      ['broker-a', 'n1', 10_921, 10_922],
      ['broker-a', 'n2', 10_931, 10_932],
      ['broker-b', 'n0', 11_011, 11_012],
      ['broker-b', 'n1', 11_021, 11_022],
      ['broker-b', 'n2', 11_031, 11_032],
    ])
    const largest = planCluster({ ...request, nodes: 7, brokers: 26 }).flatMap(({ ports }) => [
      ports.client,
      ports.peer,
    ])
    expect(new Set(largest).size).toBe(largest.length)
  })

  test.each([1, 3])('writes properties that a broker takes without a warning (%i nodes)', (nodes) => {
    for (const plan of planCluster({ ...request, nodes, flush: 'async', replication: 'async' })) {
      const file = parseProperties(formatProperties(plan.properties), 'f')
      const { options, warnings } = readBrokerOptions(file, machine)
      expect(warnings).toEqual([])
      expect(options).toMatchObject({
        brokerName: 'broker-a',
        nodeId: plan.id,
        flushDiskType: 'ASYNC_FLUSH',
        raftReplication: 'async',
        advertised: { host: '127.0.0.1', port: plan.ports.client },
        storePathRootDir: `/data/broker-a/${plan.id}/store`,
      })
      expect(options.peers).toHaveLength(nodes)
    }
  })

  test('refuses what cannot be', () => {
    expect(() => planCluster({ ...request, nodes: 8 })).toThrow('a group has 1 to 7 nodes, not 8')
    expect(() => planCluster({ ...request, brokers: 0 })).toThrow('a cluster has 1 to 26 groups, not 0')
    expect(() => planCluster({ ...request, ports: portsFrom(65_530) })).toThrow('port 65551 of broker-a does not exist')
  })

  test('refuses a name server on a port of a node', () => {
    const plans = planCluster(request)
    expect(() => checkNamesrvPort(plans, 9_876)).not.toThrow()
    for (const port of [10_921, 10_922]) {
      expect(() => checkNamesrvPort(plans, port)).toThrow(
        `port ${port} of the name server is one of broker-a n1: choose another --namesrv-port or --port`,
      )
    }
  })

  test('keeps the shape of the folder it is started in', () => {
    const found = { nodes: 5, brokers: 2, removed: ['broker-a/n1'] }
    expect(chooseShape({}, undefined, 'd')).toEqual({ nodes: 3, brokers: 1, removed: [] })
    expect(chooseShape({}, found, 'd')).toEqual(found)
    expect(chooseShape({ nodes: 5 }, found, 'd')).toEqual(found)
    expect(() => chooseShape({ nodes: 3 }, found, 'd')).toThrow('d holds a cluster of --nodes 5 --brokers 2')
    expect(() => chooseShape({ brokers: 3 }, found, 'd')).toThrow('d holds a cluster of --nodes 5 --brokers 2')
  })

  test('lets a group grow where it was started, but not a group of one, whose node listens for no peers', () => {
    const found = { nodes: 3, brokers: 1, removed: [] }
    expect(chooseShape({ nodes: 5 }, found, 'd')).toEqual({ ...found, nodes: 5 })
    expect(() => chooseShape({ nodes: 3 }, { ...found, nodes: 1 }, 'd')).toThrow('d holds a cluster of --nodes 1')
  })

  test('plans a node that joins with a file that names the members and itself', () => {
    const [first, ...others] = planCluster(request)
    if (first === undefined) throw new Error('a plan has nodes')
    const joining = planJoining([first, ...others], 'n3', { client: 1, peer: 2 })
    expect(joining.dir).toBe(first.dir.replace(/n0$/, 'n3'))
    expect(joining.properties.get('dLegerPeers')).toBe(`${first.properties.get('dLegerPeers')};n3-127.0.0.1:2`)
    expect(joining.properties.get('dLegerSelfId')).toBe('n3')
    expect(joining.properties.get('brokerName')).toBe(first.properties.get('brokerName'))
  })
})

type Status = Parameters<typeof isServing>[0][number]['status']

type Mode = Exclude<Status, undefined>['mode']

const strict = { flush: 'sync', replication: 'sync' } as const
const status = (role: 'leader' | 'follower', isReady: boolean, mode: Mode = strict): Status => ({
  role,
  term: 1,
  leader: 'n0',
  isReady,
  mode,
})
const group = (broker: string, ...all: Status[]) => all.map((one) => ({ plan: { broker }, status: one }))

describe('a local cluster', () => {
  test('serves once every node is up and every group has a leader that takes traffic', () => {
    const up = group('a', status('leader', true), status('follower', true))
    expect(isServing(up)).toBe(true)
    expect(isServing([...up, ...group('b', status('leader', false), status('follower', true))])).toBe(false)
    expect(isServing([...up, ...group('b', status('follower', true), status('follower', true))])).toBe(false)
    expect(isServing([...up, ...group('b', status('leader', true), undefined)])).toBe(false)
    expect(isServing([...up, ...group('b', status('leader', true, null))])).toBe(false)
  })

  test('restarts a node at once, and waits longer for one that dies again and again', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 7, 60].map(nextDelayMs)).toEqual([0, 0, 200, 400, 800, 1600, 3200, 5000, 5000])
  })

  test('says in one line of JSON, and in words, what it is', () => {
    const plans = planCluster(request)
    const nodes = plans.map((plan, at) => ({
      plan,
      pid: 100 + at,
      status: status(at === 1 ? 'leader' : 'follower', true),
    }))
    const cluster = { namesrv: '127.0.0.1:9876', nodes, dir: '/data', shape: { nodes: 3, brokers: 1, removed: [] } }
    const json = describeClusterJson(cluster)
    expect(json).not.toContain('\n')
    expect(JSON.parse(json)).toEqual({
      namesrv: '127.0.0.1:9876',
      groups: [{ broker: 'broker-a', flush: 'sync', replication: 'sync' }],
      nodes: [
        { broker: 'broker-a', id: 'n0', pid: 100, address: '127.0.0.1:10911', role: 'follower' },
        { broker: 'broker-a', id: 'n1', pid: 101, address: '127.0.0.1:10921', role: 'leader' },
        { broker: 'broker-a', id: 'n2', pid: 102, address: '127.0.0.1:10931', role: 'follower' },
      ],
    })
    const words = describeCluster(cluster)
    expect(words).toContain('one broker group of 3 nodes: sync flush, sync replication')
    expect(words).toContain('kill -9 101 ')
    expect(words).toContain('npx raftmq produce -n 127.0.0.1:9876 -t demo')
  })

  test('says the mode that the log of each group says, and which option a log overrules', () => {
    const plans = planCluster({ ...request, nodes: 1, brokers: 2 })
    const cluster = (...modes: readonly Mode[]) => ({
      namesrv: '127.0.0.1:9876',
      nodes: plans.map((plan, at) => ({ plan, pid: 1, status: status('leader', true, modes[at]) })),
      dir: '/data',
      shape: { nodes: 1, brokers: 2, removed: [] },
    })
    const mode = { flush: 'async', replication: 'sync' } as const
    const alike = cluster(mode, mode)
    expect(describeCluster(alike)).toContain('2 broker groups of a single node: async flush, sync replication.\n')
    const apart = cluster(strict, mode)
    expect(describeCluster(apart)).toContain(
      ': broker-a sync flush, sync replication; broker-b async flush, sync replication.\n',
    )
    expect(overruledBy(apart, {})).toEqual([])
    expect(overruledBy(apart, { flush: 'async', replication: 'sync' })).toEqual([
      '--flush async is for new groups, and the log of broker-a says sync flush, sync replication. ' +
        'To change it: npx raftmq mode set -n 127.0.0.1:9876 --broker broker-a --flush async',
    ])
  })
})
