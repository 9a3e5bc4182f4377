import { fc, it } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import type { TopicConfig, TopicConfigWrapper } from '../../src/remoting/bodies/topic.ts'
import { type Registration, RouteTable, type RouteTableOptions } from '../../src/namesrv/route-table.ts'
import { unitTopics } from '../../src/namesrv/topic-table.ts'

const off: RouteTableOptions = { supportActingMaster: false, deleteTopicWithBrokerRegistration: false }
const A = '10.0.0.1:10911'
const B = '10.0.0.2:10911'
const C = '10.0.0.3:10911'

function topicConfig(topicName: string): TopicConfig {
  return {
    attributes: new Map(),
    order: false,
    perm: 6,
    readQueueNums: 8,
    topicFilterType: 'SINGLE_TAG',
    topicName,
    topicSysFlag: 0,
    writeQueueNums: 4,
  }
}

function topicsOf(names: readonly string[], stateVersion = 0, counter = 1): TopicConfigWrapper {
  return {
    dataVersion: { counter, stateVersion, timestamp: 0 },
    mappingDataVersion: undefined,
    topicConfigTable: new Map(names.map((name) => [name, topicConfig(name)])),
    topicQueueMappingDetailMap: new Map(),
    topicQueueMappingInfoMap: new Map(),
  }
}

const both = ['T1', 'T2']

function registration(change: Partial<Registration> & { readonly term?: number }): Registration {
  const { term = 0, ...rest } = change
  return {
    clusterName: 'cluster',
    brokerName: 'broker-a',
    brokerAddr: A,
    brokerId: 0,
    haServerAddr: `${rest.brokerAddr ?? A}-ha`,
    zoneName: undefined,
    heartbeatTimeoutMs: undefined,
    enableActingMaster: undefined,
    topics: topicsOf(both, term),
    filterServers: [],
    channel: {},
    ...rest,
  }
}

function addresses(table: RouteTable, topic = 'T1'): Record<number, string> | undefined {
  const route = table.route(topic)
  const [broker] = route?.brokerDatas ?? []
  return broker === undefined ? undefined : Object.fromEntries(broker.brokerAddrs)
}

describe('a broker that registers', () => {
  test('is found by its topics, with its queues and addresses', () => {
    const table = new RouteTable(() => off)
    expect(table.register(registration({ brokerAddr: A }), 0)).toEqual({ kind: 'registered' })
    table.register(registration({ brokerAddr: B, brokerId: 1 }), 0)
    expect(table.route('T1')).toEqual({
      brokerDatas: [
        {
          brokerAddrs: new Map([
            [0, A],
            [1, B],
          ]),
          brokerName: 'broker-a',
          cluster: 'cluster',
          enableActingMaster: false,
          zoneName: undefined,
        },
      ],
      filterServerTable: new Map(),
      orderTopicConf: undefined,
      queueDatas: [{ brokerName: 'broker-a', perm: 6, readQueueNums: 8, topicSysFlag: 0, writeQueueNums: 4 }],
      topicQueueMappingByBroker: undefined,
    })
    expect(table.route('T3')).toBeUndefined()
  })

  test('as a follower is told where the leader is', () => {
    const table = new RouteTable(() => off)
    expect(table.register(registration({ brokerAddr: B, brokerId: 1 }), 0)).toEqual({ kind: 'registered' })
    table.register(registration({ brokerAddr: A }), 0)
    expect(table.register(registration({ brokerAddr: B, brokerId: 1 }), 0)).toEqual({
      kind: 'registered',
      leader: { address: A, haServerAddr: `${A}-ha` },
    })
  })

  test('as a follower brings no topics', () => {
    const table = new RouteTable(() => off)
    table.register(registration({ brokerAddr: B, brokerId: 1 }), 0)
    expect(table.topics.names()).toEqual([])
  })

  test('with one topic only must have registered before', () => {
    const table = new RouteTable(() => off)
    const single = registration({ topics: topicsOf(['T3'], 0, 2) })
    expect(table.register(single, 0)).toEqual({ kind: 'unknown-broker' })
    expect(table.clusterInfo().brokerAddrTable.size).toBe(0)
    table.register(registration({}), 0)
    expect(table.register(single, 0)).toEqual({ kind: 'registered' })
    expect(table.topics.names()).toEqual(['T1', 'T2', 'T3'])
  })

  test('again with the same data version does not undo a wiped write permission; with a new one it does', () => {
    const table = new RouteTable(() => off)
    table.register(registration({}), 0)
    expect(table.topics.wipeWrite('broker-a')).toBe(2)
    table.register(registration({}), 1)
    expect(table.route('T1')?.queueDatas[0]?.perm).toBe(4)
    table.register(registration({ topics: topicsOf(both, 0, 2) }), 2)
    expect(table.route('T1')?.queueDatas[0]?.perm).toBe(6)
    table.topics.wipeWrite('broker-a')
    expect(table.topics.addWrite('broker-a')).toBe(2)
    expect(table.route('T1')?.queueDatas[0]?.perm).toBe(6)
    expect(table.topics.wipeWrite('broker-b')).toBe(0)
  })

  test('deletes the topics it no longer names, if that is wanted', () => {
    for (const wanted of [true, false]) {
      const table = new RouteTable(() => ({ ...off, deleteTopicWithBrokerRegistration: wanted }))
      table.register(registration({}), 0)
      table.register(registration({ topics: topicsOf(['T2', 'T3'], 0, 2) }), 0)
      expect(table.topics.names()).toEqual(wanted ? ['T2', 'T3'] : ['T1', 'T2', 'T3'])
    }
  })

  test('under another id stands at one id only: the follower that became leader', () => {
    const table = new RouteTable(() => off)
    table.register(registration({ brokerAddr: A, term: 1 }), 0)
    table.register(registration({ brokerAddr: B, brokerId: 1, term: 1 }), 0)
    table.register(registration({ brokerAddr: B, brokerId: 0, term: 2 }), 0)
    expect(addresses(table)).toEqual({ 0: B })
    table.register(registration({ brokerAddr: A, brokerId: 2, term: 2 }), 0)
    expect(addresses(table)).toEqual({ 0: B, 2: A })
  })
})

/** A led in term 4, B leads in term 5, C follows. */
function withNewLeader(): RouteTable {
  const table = new RouteTable(() => off)
  table.register(registration({ brokerAddr: A, term: 4 }), 0)
  table.register(registration({ brokerAddr: C, brokerId: 3, term: 4 }), 0)
  table.register(registration({ brokerAddr: B, term: 5, topics: topicsOf(['T1', 'T2', 'T5'], 5) }), 0)
  return table
}

describe('an old leader', () => {
  test('does not take the route back', () => {
    const table = withNewLeader()
    const old = registration({ brokerAddr: A, topics: topicsOf(['T1', 'T4'], 4, 99) })
    expect(table.register(old, 1)).toEqual({ kind: 'fenced', newest: 5 })
    expect(addresses(table)).toEqual({ 0: B, 3: C })
    expect(table.topics.names()).toEqual(['T1', 'T2', 'T5'])
    expect(table.dataVersion('cluster', A)).toBeUndefined()
  })

  test('does not take the route while its successor is away, as long as anybody of the group is there', () => {
    const table = withNewLeader()
    table.unregister(registration({ brokerAddr: B }))
    expect(table.register(registration({ brokerAddr: A, term: 4 }), 1)).toEqual({ kind: 'fenced', newest: 5 })
    expect(addresses(table)).toEqual({ 3: C })
    expect(table.register(registration({ brokerAddr: A, term: 6 }), 1)).toEqual({ kind: 'registered' })
    expect(addresses(table)).toEqual({ 0: A, 3: C })
  })

  test('whose word comes late does not undo what the same broker said since', () => {
    const table = withNewLeader()
    table.register(registration({ brokerAddr: A, brokerId: 1, term: 5 }), 1)
    expect(table.register(registration({ brokerAddr: A, term: 4 }), 2)).toEqual({ kind: 'fenced', newest: 5 })
    expect(addresses(table)).toEqual({ 0: B, 1: A, 3: C })
    expect(table.register(registration({ brokerAddr: A, brokerId: 1, term: 4 }), 2).kind).toBe('fenced')
    expect(table.dataVersion('cluster', A)?.stateVersion).toBe(5)
  })

  test('that became a follower in a new term is not made leader by a late word, even if no leader of that term spoke yet', () => {
    const table = withNewLeader()
    table.register(registration({ brokerAddr: B, brokerId: 2, term: 6 }), 1)
    expect(table.register(registration({ brokerAddr: B, term: 5 }), 2)).toEqual({ kind: 'fenced', newest: 6 })
    expect(addresses(table)).toEqual({ 2: B, 3: C })
  })

  test('is kept alive by no heartbeat', () => {
    const table = withNewLeader()
    table.register(registration({ brokerAddr: A, term: 4 }), 1)
    table.heartbeat('cluster', A, 1000)
    expect(table.dataVersion('cluster', A)).toBeUndefined()
  })

  test('is as good as any when the whole group was away', () => {
    const table = withNewLeader()
    for (const brokerAddr of [A, B, C]) table.unregister(registration({ brokerAddr }))
    expect(table.register(registration({ brokerAddr: A, term: 1 }), 1)).toEqual({ kind: 'registered' })
  })

  test('of a group without terms is told from the new one by who came last', () => {
    const table = new RouteTable(() => off)
    table.register(registration({ brokerAddr: A }), 0)
    table.register(registration({ brokerAddr: B }), 0)
    expect(addresses(table)).toEqual({ 0: B })
  })
})

describe('a broker that is gone', () => {
  test('is taken out when its channel closes, unless it registered by another channel since', () => {
    const table = new RouteTable(() => off)
    const [first, second] = [{}, {}]
    table.register(registration({ brokerAddr: A, channel: first }), 0)
    table.register(registration({ brokerAddr: B, brokerId: 1, channel: second }), 0)
    table.register(registration({ brokerAddr: A, channel: second }), 0)
    expect(table.channelClosed(first)).toEqual([])
    expect(addresses(table)).toEqual({ 0: A, 1: B })
    expect(
      table
        .channelClosed(second)
        .map(({ brokerAddr }) => brokerAddr)
        .sort(),
    ).toEqual([A, B])
    expect(table.clusterInfo()).toEqual({ brokerAddrTable: new Map(), clusterAddrTable: new Map() })
    expect(table.topics.names()).toEqual([])
  })

  test('leaves its topics to the route while others of its group are there', () => {
    const table = new RouteTable(() => off)
    table.register(registration({ brokerAddr: A }), 0)
    table.register(registration({ brokerAddr: B, brokerId: 1 }), 0)
    table.unregister(registration({ brokerAddr: A }))
    expect(addresses(table)).toEqual({ 1: B })
    expect(table.route('T1')?.queueDatas[0]?.perm).toBe(6)
  })

  test('is taken out when it was silent for its timeout, 120 s if it named none', () => {
    const table = new RouteTable(() => off)
    const channel = {}
    table.register(registration({ brokerAddr: A, channel }), 0)
    table.register(registration({ brokerAddr: B, brokerId: 1, heartbeatTimeoutMs: 10_000 }), 0)
    expect(table.expire(10_000)).toEqual([])
    expect(table.expire(10_001).map(({ brokerAddr }) => brokerAddr)).toEqual([B])
    table.heartbeat('cluster', A, 20_000)
    expect(table.expire(140_000)).toEqual([])
    expect(table.expire(140_001)).toMatchObject([{ brokerAddr: A, channel }])
    expect(table.route('T1')).toBeUndefined()
  })

  test('takes its followers’ place in no other group', () => {
    const table = new RouteTable(() => off)
    table.register(registration({ brokerAddr: A }), 0)
    table.register(registration({ brokerAddr: B, brokerName: 'broker-b' }), 0)
    table.unregister(registration({ brokerAddr: A }))
    expect(table.route('T1')?.brokerDatas.map(({ brokerName }) => brokerName)).toEqual(['broker-b'])
    expect(table.groupsOf('cluster')).toEqual(['broker-b'])
  })
})

describe('a group with acting masters', () => {
  const acting = { enableActingMaster: true }

  test('shows its lowest follower as leader to read from, if that is wanted', () => {
    for (const wanted of [true, false]) {
      const table = new RouteTable(() => ({ ...off, supportActingMaster: wanted }))
      table.register(registration({ ...acting, brokerAddr: A }), 0)
      table.register(registration({ ...acting, brokerAddr: B, brokerId: 2 }), 0)
      table.register(registration({ ...acting, brokerAddr: C, brokerId: 1 }), 0)
      table.unregister(registration({ brokerAddr: A }))
      expect(table.route('T1')?.queueDatas[0]?.perm).toBe(4)
      expect(addresses(table)).toEqual(wanted ? { 0: C, 2: B } : { 1: C, 2: B })
    }
  })

  test('takes topics from its lowest follower, without the right to write', () => {
    const table = new RouteTable(() => off)
    table.register(registration({ ...acting, brokerAddr: B, brokerId: 1 }), 0)
    expect(table.route('T1')?.queueDatas[0]?.perm).toBe(4)
  })
})

describe('the lists', () => {
  test('name topics by cluster, clusters and groups, and topics by their unit flags', () => {
    const table = new RouteTable(() => off)
    table.register(registration({}), 0)
    table.register(
      registration({ brokerAddr: B, brokerName: 'broker-b', clusterName: 'other', topics: topicsOf(['T2', 'T3']) }),
      0,
    )
    expect(table.topicsOfCluster('cluster')).toEqual(['T1', 'T2'])
    expect(table.topicsOfCluster('none')).toEqual([])
    expect(table.systemTopics()).toEqual({ topicList: ['cluster', 'broker-a', 'other', 'broker-b'], brokerAddr: A })
    for (const [topic, topicSysFlag] of [
      ['U1', 1],
      ['U2', 2],
      ['U3', 3],
    ] as const) {
      table.topics.put(topic, { brokerName: 'broker-a', perm: 6, readQueueNums: 1, topicSysFlag, writeQueueNums: 1 })
    }
    expect(table.topics.namesByFlags(unitTopics.unit)).toEqual(['U1', 'U3'])
    expect(table.topics.namesByFlags(unitTopics.withUnitSubscription)).toEqual(['U2', 'U3'])
    expect(table.topics.namesByFlags(unitTopics.withUnitSubscriptionOnly)).toEqual(['U2'])
  })

  test('name the filter servers of a topic’s brokers', () => {
    const table = new RouteTable(() => off)
    table.register(registration({ filterServers: ['f:1'] }), 0)
    expect(table.route('T1')?.filterServerTable).toEqual(new Map([[A, ['f:1']]]))
  })
})

/** Leaders of rising terms register in any order, are cut off, expire: the route belongs to the newest that ever spoke. */
const step = fc.oneof(
  fc.record({ kind: fc.constant('leader' as const), node: fc.nat({ max: 3 }), term: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ kind: fc.constant('follower' as const), node: fc.nat({ max: 3 }), term: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ kind: fc.constant('gone' as const), node: fc.nat({ max: 3 }), term: fc.constant(0) }),
)

describe('whatever brokers of a group say', () => {
  it.prop([fc.array(step, { maxLength: 40 })], { numRuns: 1000 })(
    'no leader stands in the route below a term that the group has heard, and no address stands twice',
    (steps) => {
      const table = new RouteTable(() => off)
      let heard = 0
      for (const { kind, node, term } of steps) {
        const place = registration({ brokerAddr: `n${node}:1`, brokerId: kind === 'leader' ? 0 : node + 1, term })
        if (kind === 'gone') table.unregister(place)
        else {
          const outcome = table.register(place, 0)
          if (kind === 'leader' && outcome.kind === 'registered') heard = Math.max(heard, term)
        }
        const members = table.members('broker-a')
        if (members.size === 0) heard = 0
        const leader = members.get(0)
        if (leader !== undefined) expect(table.dataVersion('cluster', leader)?.stateVersion).toBe(heard)
        expect(new Set(members.values()).size).toBe(members.size)
        for (const address of members.values()) expect(table.dataVersion('cluster', address)).toBeDefined()
        expect(table.hasGroup('broker-a')).toBe(members.size > 0)
      }
    },
  )
})
