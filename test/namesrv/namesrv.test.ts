/** A name server over real sockets, as brokers, clients and tools use it. */
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { parseProperties } from '../../src/lib/properties.ts'
import { Namesrv } from '../../src/namesrv/namesrv.ts'
import { readNamesrvOptions } from '../../src/namesrv/options.ts'
import { KvTable } from '../../src/remoting/bodies/broker.ts'
import { DataVersion } from '../../src/remoting/bodies/data-version.ts'
import { bodyCrc32, encodeCompressed, RegisterBrokerBody } from '../../src/remoting/bodies/register-broker.ts'
import {
  ClusterInfo,
  GetBrokerMemberGroupResponseBody,
  TopicList,
  TopicRouteData,
} from '../../src/remoting/bodies/route.ts'
import { RemotingClient } from '../../src/remoting/client.ts'
import { RequestCode, ResponseCode } from '../../src/remoting/codes.ts'
import type { RemotingCommand } from '../../src/remoting/command.ts'
import type { HeaderRecord } from '../../src/remoting/fields.ts'
import { MemoryFiles } from './memory-files.ts'

interface Harness {
  readonly files: MemoryFiles
  readonly ask: (code: number, header?: HeaderRecord, body?: Buffer, version?: number) => Promise<RemotingCommand>
  readonly namesrv: Namesrv
  readonly address: string
}

async function start(config = '', files = new MemoryFiles(), clock: Clock = systemClock): Promise<Harness> {
  const properties = parseProperties(`listenPort=0\nbindAddress=127.0.0.1\n${config}`, 'test')
  const { options } = readNamesrvOptions(properties, { homeFolder: '/home' })
  const namesrv = new Namesrv({ options, files, clock, log: silentLog })
  await namesrv.start()
  const address = `127.0.0.1:${namesrv.port}`
  onTestFinished(() => namesrv.close())
  const client = newClient()
  const ask: Harness['ask'] = (code, header, body, version) => {
    return client.invoke(address, { code, header, body, version }, 5000)
  }
  return { files, ask, namesrv, address }
}

function newClient(): RemotingClient {
  const client = new RemotingClient({ clock: systemClock, log: silentLog })
  onTestFinished(() => client.close())
  return client
}

function registerBody(topics: readonly string[], stateVersion = 1, counter = 1): RegisterBrokerBody {
  const table = Object.fromEntries(topics.map((topicName) => [topicName, { topicName, attributes: { '+k': 'a b' } }]))
  return RegisterBrokerBody.read(
    {
      filterServerList: [],
      topicConfigSerializeWrapper: { topicConfigTable: table, dataVersion: { stateVersion, counter, timestamp: 5 } },
    },
    'body',
  )
}

function routeBody(brokerName: string): Buffer {
  return Buffer.from(JSON.stringify({ queueDatas: [{ brokerName, writeQueueNums: 3 }] }))
}

const place = { clusterName: 'cluster', brokerName: 'broker-a', brokerAddr: '10.0.0.1:10911', brokerId: 0 }
const registerHeader = { ...place, haServerAddr: '10.0.0.1:10912' }
const two = RegisterBrokerBody.encode(registerBody(['T1', 'T2']))

describe('a registration', () => {
  test('plain or compressed leads to the same routes', async () => {
    for (const [compressed, version] of [
      [false, 479],
      [true, 479],
      [true, 401],
    ] as const) {
      const { ask } = await start()
      const content = registerBody(['T1', 'T2'])
      const body = compressed ? encodeCompressed(content) : RegisterBrokerBody.encode(content)
      const header = { ...registerHeader, compressed, bodyCrc32: bodyCrc32(body) }
      expect(await ask(RequestCode.REGISTER_BROKER, header, body, version)).toMatchObject({ code: 0 })
      const route = await ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T2' })
      expect(TopicRouteData.decode(route.body)).toMatchObject({
        brokerDatas: [{ brokerName: 'broker-a', cluster: 'cluster', brokerAddrs: new Map([[0, '10.0.0.1:10911']]) }],
        queueDatas: [{ brokerName: 'broker-a', perm: 6, readQueueNums: 16, writeQueueNums: 16, topicSysFlag: 0 }],
      })
    }
  })

  test('whose body was damaged on the way is refused', async () => {
    const { ask } = await start()
    const header = { ...registerHeader, bodyCrc32: bodyCrc32(two) ^ 1 }
    expect(await ask(RequestCode.REGISTER_BROKER, header, two)).toMatchObject({ code: 1, remark: 'crc32 not match' })
    const torn = encodeCompressed(registerBody(['T1', 'T2'])).subarray(0, 30)
    const answer = await ask(RequestCode.REGISTER_BROKER, { ...registerHeader, compressed: true }, torn)
    expect([answer.code, answer.remark]).toEqual([1, expect.stringContaining('the body cannot be unpacked')])
    expect((await ask(RequestCode.REGISTER_BROKER, registerHeader, Buffer.from('{"a'))).code).toBe(1)
    expect((await ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T1' })).code).toBe(ResponseCode.TOPIC_NOT_EXIST)
  })

  test('of one topic before all the others is refused', async () => {
    const { ask } = await start()
    const body = RegisterBrokerBody.encode(registerBody(['T1']))
    expect(await ask(RequestCode.REGISTER_BROKER, registerHeader, body)).toMatchObject({
      code: 1,
      remark: 'register broker failed',
    })
  })

  test('of a follower is told the leader, and of anybody the order configuration', async () => {
    const { ask } = await start()
    await ask(RequestCode.PUT_KV_CONFIG, { namespace: 'ORDER_TOPIC_CONFIG', key: 'T1', value: 'broker-a:4' })
    await ask(RequestCode.REGISTER_BROKER, registerHeader, two)
    const follower = { ...registerHeader, brokerAddr: '10.0.0.2:10911', brokerId: 1 }
    const answer = await ask(RequestCode.REGISTER_BROKER, follower, two)
    expect(answer.fields.toRecord()).toEqual({ masterAddr: '10.0.0.1:10911', haServerAddr: '10.0.0.1:10912' })
    expect(KvTable.decode(answer.body).table).toEqual(new Map([['T1', 'broker-a:4']]))
  })

  test('of an old leader changes nothing and is answered as RocketMQ answers it', async () => {
    const { ask } = await start()
    await ask(RequestCode.REGISTER_BROKER, registerHeader, RegisterBrokerBody.encode(registerBody(['T1', 'T2'], 7)))
    const old = { ...registerHeader, brokerAddr: '10.0.0.9:10911' }
    const answer = await ask(RequestCode.REGISTER_BROKER, old, RegisterBrokerBody.encode(registerBody(['T1', 'T3'], 6)))
    expect([answer.code, answer.fields.toRecord()]).toEqual([0, {}])
    const route = TopicRouteData.decode((await ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T1' })).body)
    expect(route.brokerDatas[0]?.brokerAddrs).toEqual(new Map([[0, '10.0.0.1:10911']]))
  })

  test('ends with its connection', async () => {
    const { ask, address } = await start()
    const broker = newClient()
    await broker.invoke(address, { code: RequestCode.REGISTER_BROKER, header: registerHeader, body: two }, 5000)
    expect((await ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T1' })).code).toBe(0)
    broker.close()
    await vi.waitFor(async () => {
      expect((await ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T1' })).code).toBe(17)
    })
  })

  test('ends with 104', async () => {
    const { ask } = await start()
    await ask(RequestCode.REGISTER_BROKER, registerHeader, two)
    expect((await ask(RequestCode.UNREGISTER_BROKER, place)).code).toBe(0)
    expect(ClusterInfo.decode((await ask(RequestCode.GET_BROKER_CLUSTER_INFO)).body)).toEqual({
      brokerAddrTable: new Map(),
      clusterAddrTable: new Map(),
    })
  })

  test('ends when the broker is silent for too long, and its connection with it', async () => {
    let nowMs = 0
    const alarms: (() => void)[] = []
    const clock: Clock = {
      ...systemClock,
      monotonicMs: () => nowMs,
      every(periodMs, run) {
        if (periodMs === 5000) alarms.push(run)
        return { cancel: () => undefined }
      },
    }
    const { ask, address } = await start('', new MemoryFiles(), clock)
    const broker = newClient()
    const header = { ...registerHeader, heartbeatTimeoutMillis: 1000 }
    await broker.invoke(address, { code: RequestCode.REGISTER_BROKER, header, body: two }, 5000)
    nowMs = 900
    await ask(RequestCode.BROKER_HEARTBEAT, place)
    nowMs = 1900
    for (const alarm of alarms) alarm()
    expect((await ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T1' })).code).toBe(0)
    nowMs = 1901
    for (const alarm of alarms) alarm()
    expect((await ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T1' })).code).toBe(17)
    await vi.waitFor(() => expect(broker.existing(address)).toBeUndefined())
  })

  test('tells by 322 whether it is needed again', async () => {
    const { ask } = await start()
    const version = DataVersion.encode({ stateVersion: 1, counter: 1, timestamp: 5 })
    const before = await ask(RequestCode.QUERY_DATA_VERSION, place, version)
    expect([before.fields.get('changed'), before.body.length]).toEqual(['true', 0])
    await ask(RequestCode.REGISTER_BROKER, registerHeader, two)
    const same = await ask(RequestCode.QUERY_DATA_VERSION, place, version)
    expect([same.fields.get('changed'), DataVersion.decode(same.body).counter]).toEqual(['false', 1])
    const later = DataVersion.encode({ stateVersion: 2, counter: 1, timestamp: 5 })
    expect((await ask(RequestCode.QUERY_DATA_VERSION, place, later)).fields.get('changed')).toBe('true')
  })
})

describe('a route', () => {
  test('is standard JSON for clients from 4.9.4 on and for who asks for it, fastjson’s for older ones', async () => {
    const { ask } = await start()
    await ask(RequestCode.REGISTER_BROKER, registerHeader, two)
    const brokers = async (version: number, header: HeaderRecord = {}): Promise<string> => {
      const { body } = await ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T1', ...header }, undefined, version)
      return /"brokerAddrs":\{[^}]*\}/.exec(body.toString())?.[0] ?? ''
    }
    expect(await brokers(401)).toBe('"brokerAddrs":{"0":"10.0.0.1:10911"}')
    expect(await brokers(400)).toBe('"brokerAddrs":{0:"10.0.0.1:10911"}')
    expect(await brokers(317, { acceptStandardJsonOnly: true })).toBe('"brokerAddrs":{"0":"10.0.0.1:10911"}')
  })

  test('of an unknown topic is RocketMQ’s code and remark', async () => {
    const { ask } = await start()
    expect(await ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'nowhere' })).toMatchObject({
      code: ResponseCode.TOPIC_NOT_EXIST,
      remark:
        'No topic route info in name server for the topic: nowhere\n' +
        'See https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.',
    })
  })

  test('carries the order configuration if that is wanted', async () => {
    for (const wanted of [true, false]) {
      const { ask } = await start(`orderMessageEnable=${wanted}`)
      await ask(RequestCode.REGISTER_BROKER, registerHeader, two)
      await ask(RequestCode.PUT_KV_CONFIG, { namespace: 'ORDER_TOPIC_CONFIG', key: 'T1', value: 'broker-a:4' })
      const { body } = await ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T1' })
      expect(TopicRouteData.decode(body).orderTopicConf).toBe(wanted ? 'broker-a:4' : undefined)
    }
  })

  test('is refused for a while after a start if that is wanted', async () => {
    const { ask } = await start('needWaitForService=true\nwaitSecondsForService=3600')
    expect((await ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T1' })).remark).toBe('name server not ready')
  })
})

describe('administration', () => {
  test('wipes and gives back write permission', async () => {
    const { ask } = await start()
    await ask(RequestCode.REGISTER_BROKER, registerHeader, two)
    const perm = async (): Promise<number | undefined> => {
      const { body } = await ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T1' })
      return TopicRouteData.decode(body).queueDatas[0]?.perm
    }
    const wiped = await ask(RequestCode.WIPE_WRITE_PERM_OF_BROKER, { brokerName: 'broker-a' })
    expect([wiped.fields.get('wipeTopicCount'), await perm()]).toEqual(['2', 4])
    const added = await ask(RequestCode.ADD_WRITE_PERM_OF_BROKER, { brokerName: 'broker-a' })
    expect([added.fields.get('addTopicCount'), await perm()]).toEqual(['2', 6])
  })

  test('lists topics, clusters and members', async () => {
    const { ask } = await start()
    await ask(RequestCode.REGISTER_BROKER, registerHeader, two)
    const list = async (code: number, header?: HeaderRecord): Promise<readonly string[]> =>
      TopicList.decode((await ask(code, header)).body).topicList
    expect(await list(RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER)).toEqual(['T1', 'T2'])
    expect(await list(RequestCode.GET_TOPICS_BY_CLUSTER, { cluster: 'cluster' })).toEqual(['T1', 'T2'])
    expect(await list(RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_NS)).toEqual(['cluster', 'broker-a'])
    expect(await list(RequestCode.GET_UNIT_TOPIC_LIST)).toEqual([])
    expect(await list(RequestCode.GET_HAS_UNIT_SUB_TOPIC_LIST)).toEqual([])
    expect(await list(RequestCode.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST)).toEqual([])
    const members = await ask(RequestCode.GET_BROKER_MEMBER_GROUP, place)
    expect(GetBrokerMemberGroupResponseBody.decode(members.body).brokerMemberGroup).toEqual({
      brokerAddrs: new Map([[0, '10.0.0.1:10911']]),
      brokerName: 'broker-a',
      cluster: 'cluster',
    })
    const clusters = ClusterInfo.decode((await ask(RequestCode.GET_BROKER_CLUSTER_INFO)).body)
    expect(clusters.clusterAddrTable).toEqual(new Map([['cluster', ['broker-a']]]))
  })

  test('does not list topics when that is forbidden', async () => {
    const { ask } = await start('enableAllTopicList=false\nenableTopicList=false')
    const codes = [
      RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER,
      RequestCode.GET_TOPICS_BY_CLUSTER,
      RequestCode.GET_UNIT_TOPIC_LIST,
    ]
    for (const code of codes) expect(await ask(code, { cluster: 'c' })).toMatchObject({ code: 1, remark: 'disable' })
  })

  test('deletes topics of a cluster or of all, and registers one', async () => {
    const { ask } = await start()
    await ask(RequestCode.REGISTER_BROKER, registerHeader, two)
    await ask(RequestCode.DELETE_TOPIC_IN_NAMESRV, { topic: 'T1', clusterName: 'elsewhere' })
    expect((await ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T1' })).code).toBe(0)
    await ask(RequestCode.DELETE_TOPIC_IN_NAMESRV, { topic: 'T1', clusterName: 'cluster' })
    await ask(RequestCode.DELETE_TOPIC_IN_NAMESRV, { topic: 'T2' })
    expect((await ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T1' })).code).toBe(17)
    expect((await ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T2' })).code).toBe(17)
    await ask(RequestCode.REGISTER_TOPIC_IN_NAMESRV, { topic: 'T3' }, routeBody('broker-a'))
    await ask(RequestCode.REGISTER_TOPIC_IN_NAMESRV, { topic: 'T4' }, routeBody('unknown'))
    expect((await ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T3' })).code).toBe(0)
    expect((await ask(RequestCode.GET_ROUTEINFO_BY_TOPIC, { topic: 'T4' })).code).toBe(17)
  })

  test('keeps key-value pairs over a restart, and answers 22 for what is not there', async () => {
    const { ask, files, namesrv } = await start()
    expect(await ask(RequestCode.GET_KV_CONFIG, { namespace: 'n', key: 'k' })).toMatchObject({
      code: ResponseCode.QUERY_NOT_FOUND,
      remark: 'No config item, Namespace: n Key: k',
    })
    expect((await ask(RequestCode.GET_KVLIST_BY_NAMESPACE, { namespace: 'n' })).code).toBe(22)
    await ask(RequestCode.PUT_KV_CONFIG, { namespace: 'n', key: 'k', value: 'v' })
    await namesrv.close()
    const again = await start('', files)
    expect((await again.ask(RequestCode.GET_KV_CONFIG, { namespace: 'n', key: 'k' })).fields.get('value')).toBe('v')
    expect((await again.ask(RequestCode.DELETE_KV_CONFIG, { namespace: 'n', key: 'k' })).code).toBe(0)
    expect((await again.ask(RequestCode.GET_KV_CONFIG, { namespace: 'n', key: 'k' })).code).toBe(22)
    again.files.failWith = new Error('no space left on device')
    const answer = await again.ask(RequestCode.PUT_KV_CONFIG, { namespace: 'n', key: 'k', value: 'w' })
    expect([answer.code, answer.remark]).toEqual([1, expect.stringContaining('no space left on device')])
  })

  test('shows and changes the configuration', async () => {
    const { ask } = await start()
    const change = (text: string): Promise<RemotingCommand> =>
      ask(RequestCode.UPDATE_NAMESRV_CONFIG, undefined, Buffer.from(text))
    expect((await change('orderMessageEnable=true')).code).toBe(0)
    expect(String((await ask(RequestCode.GET_NAMESRV_CONFIG)).body)).toContain('orderMessageEnable=true\n')
    expect(await change('kvConfigPath=/etc/passwd')).toMatchObject({
      code: ResponseCode.NO_PERMISSION,
      remark: 'Can not update config in black list.',
    })
    expect((await change('orderMessageEnable=perhaps')).code).toBe(1)
  })

  test('of codes that are none is RocketMQ’s code 3, and a missing field is named', async () => {
    const { ask } = await start()
    expect(await ask(99)).toMatchObject({ code: 3, remark: ' request type 99 not supported' })
    expect(await ask(RequestCode.GET_ROUTEINFO_BY_TOPIC)).toMatchObject({
      code: 1,
      remark: 'the custom field <topic> is null',
    })
  })
})

test('every request code of a name server has its route', async () => {
  const { ask } = await start()
  const codes = [
    100, 101, 102, 103, 104, 105, 106, 205, 206, 216, 217, 219, 224, 304, 311, 312, 313, 318, 319, 322, 327, 901, 904,
  ]
  for (const code of codes) expect([code, (await ask(code)).code === 3]).toEqual([code, false])
})

test('a port in use is one clear error', async () => {
  const { namesrv } = await start()
  const properties = parseProperties(`listenPort=${namesrv.port}\nbindAddress=127.0.0.1`, 'test')
  const { options } = readNamesrvOptions(properties, { homeFolder: '/home' })
  const second = new Namesrv({ options, files: new MemoryFiles(), clock: systemClock, log: silentLog })
  await expect(second.start()).rejects.toMatchObject({ code: 'REMOTING_LISTEN_FAILED' })
})
