import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { brokerOptionTable } from '../../src/broker/options/options-table.ts'
import {
  knowledgeOf,
  otherKeys,
  readBrokerOptions,
  type BrokerConfiguration,
} from '../../src/broker/options/options.ts'
import { errorMessage } from '../../src/lib/errors.ts'
import { parseProperties } from '../../src/lib/properties.ts'

const machine = {
  hostName: 'host',
  homeFolder: '/h/me',
  localAddress: '192.0.2.1',
  namesrvAddr: undefined,
  memoryBytes: 1_000,
}

const read = (text: string): BrokerConfiguration => readBrokerOptions(parseProperties(text, 'broker.conf'), machine)

function problem(text: string): string {
  try {
    read(text)
  } catch (error) {
    return errorMessage(error)
  }
  return 'nothing'
}

/** What RocketMQ ships as conf/dledger/broker-n0.conf and its sisters. */
const dledger = (id: number): string => `
brokerClusterName = RaftCluster
brokerName=RaftNode00
listenPort=309${id + 1}1
namesrvAddr=127.0.0.1:9876
storePathRootDir=/tmp/rmqstore/node0${id}
storePathCommitLog=/tmp/rmqstore/node0${id}/commitlog
enableDLegerCommitLog=true
dLegerGroup=RaftNode00
dLegerPeers=n0-127.0.0.1:40911;n1-127.0.0.1:40912;n2-127.0.0.1:40913
## must be unique
dLegerSelfId=n${id}
sendMessageThreadPoolNums=16
`

/** What RocketMQ ships as conf/2m-2s-sync and its like: a master, or its slave. */
const sample = (name: string, brokerId: number, brokerRole: string): string => `
brokerClusterName=DefaultCluster
brokerName=${name}
brokerId=${brokerId}
deleteWhen=04
fileReservedTime=48
brokerRole=${brokerRole}
flushDiskType=ASYNC_FLUSH
`

describe('the properties of a broker', () => {
  test.each([
    ['2m-noslave', 'broker-trace', 0, 'ASYNC_MASTER', 'master'],
    ['2m-2s-async', 'broker-a', 0, 'ASYNC_MASTER', 'master'],
    ['2m-2s-async', 'broker-b', 1, 'SLAVE', 'slave'],
    ['2m-2s-sync', 'broker-b', 0, 'SYNC_MASTER', 'master'],
    ['2m-2s-sync', 'broker-a', 1, 'SLAVE', 'slave'],
  ])(
    'are those of RocketMQ’s %s as they are: %s with brokerId %i is a %s',
    (_set, name, brokerId, brokerRole, role) => {
      const file = parseProperties(sample(name, brokerId, brokerRole), 'broker.properties')
      const { options, warnings } = readBrokerOptions(file, { ...machine, namesrvAddr: '127.0.0.1:9876' })
      expect(warnings).toEqual([])
      expect(options).toMatchObject({
        role,
        brokerId,
        nodeId: role === 'master' ? 'n0' : '',
        dLegerGroup: name,
        flushDiskType: 'ASYNC_FLUSH',
        peers: [{ host: '192.0.2.1', port: 10_912 }],
        peerListen: { host: '0.0.0.0', port: 10_912 },
      })
    },
  )

  test('may let a disk fill further than where segments go whatever their age, as files for RocketMQ do', () => {
    const { options, warnings } = read(`${sample('broker-a', 0, 'ASYNC_MASTER')}diskMaxUsedSpaceRatio=88`)
    expect(warnings).toEqual([])
    expect(options).toMatchObject({ diskMaxUsedSpaceRatio: 88, diskSpaceCleanForciblyRatio: 85 })
  })

  test('name another port and host for a master and its slaves, and count a part of the memory', () => {
    const { options } = read('haListenPort=7000\nbrokerIP2=ha.example\naccessMessageInMemoryMaxRatio=50')
    expect(options).toMatchObject({
      peers: [{ host: 'ha.example', port: 7000 }],
      peerListen: { host: '0.0.0.0', port: 7000 },
      slowPullBytes: 500,
    })
  })

  test('start the group of RocketMQ’s DLedger samples, with sync flush and sync replication', () => {
    const { options, warnings } = read(dledger(1))
    expect(warnings).toEqual([])
    expect(options).toMatchObject({
      brokerClusterName: 'RaftCluster',
      brokerName: 'RaftNode00',
      dLegerGroup: 'RaftNode00',
      nodeId: 'n1',
      listenPort: 30_921,
      advertised: { host: '192.0.2.1', port: 30_921 },
      namesrvAddr: [{ host: '127.0.0.1', port: 9876 }],
      storePathRootDir: '/tmp/rmqstore/node01',
      storePathCommitLog: '/tmp/rmqstore/node01/commitlog',
      flushDiskType: 'SYNC_FLUSH',
      raftReplication: 'sync',
      peerListen: { host: '0.0.0.0', port: 40_912 },
      dialPeers: [
        { id: 'n0', host: '127.0.0.1', port: 40_911 },
        { id: 'n2', host: '127.0.0.1', port: 40_913 },
      ],
    })
  })

  test('that are not there make a group of one with the machine’s name, folder and address', () => {
    const { options } = read('')
    expect(options).toMatchObject({
      brokerName: 'host',
      nodeId: 'n0',
      role: 'master',
      peers: [{ id: 'n0', host: '192.0.2.1', port: 10_912 }],
      dialPeers: [],
      peerListen: { host: '0.0.0.0', port: 10_912 },
      namesrvAddr: [],
      storePathRootDir: '/h/me/store',
      storePathCommitLog: '/h/me/store/commitlog',
      advertised: { host: '192.0.2.1', port: 10_911 },
    })
  })

  test('may advertise, listen and dial at addresses of their own', () => {
    const own =
      'brokerIP1=broker.example\nraftAdvertisedPort=1234\nraftListen=127.0.0.1:7000\nraftPeerAddresses=n2=[::1]:7002\n'
    const { options } = read(dledger(0) + own)
    expect(options).toMatchObject({
      advertised: { host: 'broker.example', port: 1234 },
      peerListen: { host: '127.0.0.1', port: 7000 },
      dialPeers: [
        { id: 'n1', host: '127.0.0.1', port: 40_912 },
        { id: 'n2', host: '::1', port: 7002 },
      ],
    })
  })

  test('take the name servers of the environment where the file names none', () => {
    const environment = { ...machine, namesrvAddr: 'a:1;b:2' }
    const { options } = readBrokerOptions(parseProperties('', 'f'), environment)
    expect(options.namesrvAddr).toEqual([
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
    ])
    const bad = { ...machine, namesrvAddr: 'nowhere' }
    expect(() => readBrokerOptions(parseProperties('', 'f'), bad)).toThrow(
      'NAMESRV_ADDR of the environment is "nowhere"',
    )
  })

  test('print values that are read as they were', () => {
    for (const text of ['', dledger(2), 'deleteWhen=4;16\nmessageDelayLevel=1s 90s 3h 2d\nbrokerName=x']) {
      const first = read(text)
      const printed = first.effective.map(([key, value]) => `${key}=${value}`).join('\n')
      expect(read(printed).options).toEqual(first.options)
    }
  })

  test.each([
    ['listenPort=99999', 'broker.conf:1: listenPort is "99999", it must be an integer from 1 to 65535'],
    ['\nflushDiskType=SYNC', 'broker.conf:2: flushDiskType is "SYNC", it must be SYNC_FLUSH or ASYNC_FLUSH'],
    ['deleteWhen=24', 'broker.conf:1: deleteWhen is "24", it must be hours from 00 to 23 with ";" between them'],
    ['brokerRole=SLAVE', 'broker.conf: brokerId is 0, it must be above 0 with brokerRole=SLAVE'],
    ['brokerRole=SLAVE\nbrokerId=1', 'broker.conf: namesrvAddr is not set, it must be set for a slave'],
    ['brokerId=1', 'broker.conf:1: brokerId is "1", it must be 0 with brokerRole=ASYNC_MASTER'],
    [
      'listenPort=65535',
      'broker.conf: haListenPort is 0, it must be another port than listenPort, and one that exists',
    ],
    [
      'enableDLegerCommitLog=true',
      'broker.conf: dLegerPeers is not set, it must be set with enableDLegerCommitLog=true',
    ],
    [
      dledger(0).replace('dLegerSelfId=n0', 'dLegerSelfId=n7'),
      'broker.conf:12: dLegerSelfId is "n7", it must be one of the ids in dLegerPeers (n0, n1, n2)',
    ],
    [`${dledger(0)}preferredLeaderId=n9`, 'preferredLeaderId is "n9", it must be ids in dLegerPeers (n0, n1, n2)'],
    [`${dledger(0)}raftPeerAddresses=n0=a:1`, 'it must be ids of the other members in dLegerPeers'],
    ['dLegerPeers=n0-a:1;n0-b:2', 'it must be n0-host:port;n1-host:port;… with ids and addresses that differ'],
    [dledger(0).replace('40911', '30911'), 'it must be another port than the one in dLegerPeers'],
    ['raftHeartbeatMs=400', 'raftElectionTimeoutMinMs is 500, it must be at least twice raftHeartbeatMs (400)'],
    ['storePathCommitLog=/a,/b', 'it must be one folder'],
    ['messageDelayLevel=1s 5x', 'it must be delays such as 1s, 10m, 2h, 1d with a space between them'],
  ])('that are impossible stop the start with file, line, key and what is allowed (case %#)', (text, message) => {
    expect(problem(text)).toContain(message)
  })

  test('that are not supported are named in one warning each, unless they say RocketMQ’s default', () => {
    const text =
      'aclEnable=true\nenableControllerMode=FALSE\nlistenPrt=1\nsendMessageThreadPoolNums=1\nstoreType=defaultRocksDB'
    expect(read(text).warnings).toEqual([
      'broker.conf:1: aclEnable is not supported and changes nothing: no access control yet: anybody who reaches the port may do everything',
      'broker.conf:3: listenPrt is not a key of a broker and changes nothing',
      'broker.conf:5: storeType is not supported and changes nothing: one store only',
    ])
  })

  test('that are honoured are read by the broker: none is parsed and ignored', () => {
    // What these say becomes `peers`, `advertised`, … in `options.ts`.
    const resolved = [
      'enableDLegerCommitLog',
      'dLegerPeers',
      'dLegerSelfId',
      'accessMessageInMemoryMaxRatio',
      'raftAdvertisedPort',
      'raftListen',
      'raftPeerAddresses',
    ]
    const folder = new URL('../../src/broker/', import.meta.url)
    const code = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.startsWith('options'))
      .map((file) => readFileSync(new URL(file, folder), 'utf8'))
      .join('\n')
    const ignored = Object.keys(brokerOptionTable).filter((key) => !new RegExp(`\\b${key}\\b`).test(code))
    expect(ignored.filter((key) => !resolved.includes(key))).toEqual([])
  })

  test('are of one class each', () => {
    const others = [...otherKeys()].map(([key]) => key)
    expect(others.filter((key) => Object.hasOwn(brokerOptionTable, key))).toEqual([])
    expect(knowledgeOf('listenPort').class).toBe('honoured')
    expect(knowledgeOf('sendMessageThreadPoolNums').class).toBe('withoutMeaning')
    expect(knowledgeOf('aclEnable').class).toBe('unsupported')
    expect(knowledgeOf('toString').class).toBe('unknown')
  })
})
