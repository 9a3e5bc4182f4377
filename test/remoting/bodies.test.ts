import { deflateSync } from 'node:zlib'
import { fc, it } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { errorCode, errorMessage } from '../../src/lib/errors.ts'
import { ConsumerRunningInfo, HeartbeatData } from '../../src/remoting/bodies/client.ts'
import { compareDataVersions, sameDataVersion } from '../../src/remoting/bodies/data-version.ts'
import { SubscriptionGroupConfig } from '../../src/remoting/bodies/group.ts'
import { ConsumeStats, GetConsumerStatusBody, ResetOffsetBody } from '../../src/remoting/bodies/queue.ts'
import { decodeCompressed, encodeCompressed, RegisterBrokerBody } from '../../src/remoting/bodies/register-broker.ts'
import { TopicRouteData } from '../../src/remoting/bodies/route.ts'
import { TopicConfig } from '../../src/remoting/bodies/topic.ts'
import { anything, bodyOf, decimal, flag, integer, listOf, mapOf, text } from '../../src/remoting/shape.ts'

const queue = { brokerName: 'b', queueId: 3, topic: 't' }
const body = (json: string): Buffer => Buffer.from(json)

describe('a body', () => {
  test('takes the defaults of the Java class for what is absent or null', () => {
    expect(TopicConfig.decode(body('{"topicName":"t","perm":null}'))).toEqual({
      attributes: new Map(),
      order: false,
      perm: 6,
      readQueueNums: 16,
      topicFilterType: 'SINGLE_TAG',
      topicName: 't',
      topicSysFlag: 0,
      writeQueueNums: 16,
    })
    expect(SubscriptionGroupConfig.decode(body('{"groupName":"g"}'))).toMatchObject({
      consumeEnable: true,
      retryMaxTimes: 16,
      retryQueueNums: 1,
      whichBrokerWhenConsumeSlowly: 1,
    })
  })

  test('ignores members that it does not know', () => {
    expect(HeartbeatData.decode(body('{"clientID":"c","future":[{}]}')).clientID).toBe('c')
  })

  test('keyed by queues is read from fastjson’s form, and from keys that are JSON in a string', () => {
    const fastjson = '{"offsetTable":{{"brokerName":"b","queueId":3,"topic":"t"}:17}}'
    const standard = '{"offsetTable":{"{\\"topic\\":\\"t\\",\\"brokerName\\":\\"b\\",\\"queueId\\":3}":17}}'
    expect(ResetOffsetBody.decode(body(fastjson)).offsetTable).toEqual([[queue, 17]])
    expect(ResetOffsetBody.decode(body(standard)).offsetTable).toEqual([[queue, 17]])
    expect(String(ResetOffsetBody.encode({ offsetTable: [[queue, 17]] }))).toBe(fastjson)
  })

  test('of a client’s running queues is read, as it answers 307', () => {
    const json =
      '{"mqTable":{{"brokerName":"b","queueId":3,"topic":"t"}:{"commitOffset":5,"droped":false}},' +
      '"properties":{"PROP_CONSUME_TYPE":"CONSUME_PASSIVELY"},"statusTable":{"t":{"consumeRT":1.5}}}'
    const info = ConsumerRunningInfo.decode(body(json))
    expect(info.mqTable).toMatchObject([[queue, { commitOffset: 5, locked: false }]])
    expect(info.statusTable.get('t')?.consumeRT).toBe(1.5)
  })

  test('of offsets by client and queue survives both ways', () => {
    const status = {
      consumerTable: new Map([['client', [[queue, 4]] as const]]),
      messageQueueTable: [[queue, 5]] as const,
    }
    expect(GetConsumerStatusBody.decode(GetConsumerStatusBody.encode(status))).toEqual(status)
  })

  it.prop([fc.dictionary(fc.string(), fc.maxSafeInteger())])('keeps maps with any key', (table) => {
    const shape = bodyOf(mapOf(integer))
    const map = new Map(Object.entries(table))
    expect(shape.decode(shape.encode(map))).toEqual(map)
    expect(shape.decode(shape.encode(map, { standard: true }))).toEqual(map)
  })

  test.for([
    ['{"clientID":7}', undefined],
    ['{"clientID":{}}', 'the body.clientID is no string'],
    ['{}', 'the body.clientID is missing'],
    ['[]', 'the body is no object'],
    ['', 'the body is empty'],
    ['{"clientID":"c","producerDataSet":{}}', 'the body.producerDataSet is no list'],
    ['{"clientID":"c","producerDataSet":[{},{}]}', 'the body.producerDataSet[0].groupName is missing'],
    ['{"clientID":"c","heartbeatFingerprint":1.5}', 'the body.heartbeatFingerprint is no integer'],
    ['{"clientID":"c","withoutSub":"perhaps"}', 'the body.withoutSub is no boolean'],
    ['{"clientID', 'the body cannot be read: no JSON at character 11: a string does not end'],
  ] as const)('%s is refused with its place: %s', ([json, message]) => {
    expect(failure(() => HeartbeatData.decode(body(json)))).toEqual(
      message === undefined ? undefined : ['REMOTING_BODY_INVALID', message],
    )
  })

  test('takes numbers and booleans in quotes, as fastjson does', () => {
    expect([
      integer.read('5', ''),
      decimal.read('1.5', ''),
      flag.read('true', ''),
      flag.read(0, ''),
      text.read(5, ''),
    ]).toEqual([5, 1.5, true, false, '5'])
    expect(failure(() => integer.read('', 'x'))).toEqual(['REMOTING_BODY_INVALID', 'x is no integer'])
    expect(failure(() => decimal.read('', 'x'))).toEqual(['REMOTING_BODY_INVALID', 'x is no number'])
    expect(failure(() => mapOf(anything).read([], 'x'))).toEqual(['REMOTING_BODY_INVALID', 'x is no map'])
    expect(listOf(anything).read([1, 'a', null], 'x')).toEqual([1, 'a', null])
  })

  test('of a route and of consume stats is written as stock servers write it', () => {
    const route = {
      brokerDatas: [
        {
          brokerAddrs: new Map([[0, 'h:1']]),
          brokerName: 'b',
          cluster: 'c',
          enableActingMaster: false,
          zoneName: undefined,
        },
      ],
      filterServerTable: new Map(),
      orderTopicConf: undefined,
      queueDatas: [{ brokerName: 'b', perm: 7, readQueueNums: 8, topicSysFlag: 0, writeQueueNums: 8 }],
      topicQueueMappingByBroker: undefined,
    }
    expect(String(TopicRouteData.encode(route, { standard: true }))).toBe(
      '{"brokerDatas":[{"brokerAddrs":{"0":"h:1"},"brokerName":"b","cluster":"c","enableActingMaster":false}],' +
        '"filterServerTable":{},"queueDatas":[{"brokerName":"b","perm":7,"readQueueNums":8,"topicSysFlag":0,"writeQueueNums":8}]}',
    )
    const stats = {
      consumeTps: 0,
      offsetTable: [[queue, { brokerOffset: 9, consumerOffset: 4, lastTimestamp: 0, pullOffset: 5 }]] as const,
    }
    expect(ConsumeStats.decode(ConsumeStats.encode(stats))).toEqual(stats)
  })
})

describe('a compressed registration', () => {
  const attribute = fc.stringMatching(/^[a-z .+]{1,12}$/)
  const config = fc.record({
    attributes: fc.dictionary(attribute, attribute, { maxKeys: 3 }).map((table) => new Map(Object.entries(table))),
    order: fc.constant(false),
    perm: fc.integer({ min: 0, max: 7 }),
    readQueueNums: fc.nat(),
    topicFilterType: fc.constantFrom('SINGLE_TAG', 'MULTI_TAG'),
    topicName: fc.stringMatching(/^[%|a-zA-Z0-9_-]{1,20}$/),
    topicSysFlag: fc.constant(0),
    writeQueueNums: fc.nat(),
  })

  it.prop([
    fc.uniqueArray(config, { selector: ({ topicName }) => topicName, maxLength: 8 }),
    fc.array(fc.string(), { maxLength: 3 }),
  ])('says what the plain one says', (configs, filterServerList) => {
    const plain = RegisterBrokerBody.read({ filterServerList }, 'body')
    const full = {
      filterServerList,
      topicConfigSerializeWrapper: {
        ...plain.topicConfigSerializeWrapper,
        dataVersion: { counter: 3, stateVersion: 7, timestamp: 5 },
        topicConfigTable: new Map(configs.map((one) => [one.topicName, one])),
      },
    }
    expect(decodeCompressed(encodeCompressed(full), 479)).toEqual(full)
    expect(decodeCompressed(encodeCompressed(full), 401)).toEqual(full)
    expect(RegisterBrokerBody.decode(RegisterBrokerBody.encode(full))).toEqual(full)
  })

  test.for<readonly [string, Buffer]>([
    ['is no zlib stream', Buffer.from('nothing')],
    ['ends too early', packed(2, '{}')],
    ['lies about a length', packed(2, '{}', 1, 100, 'T 1 1 6 SINGLE_TAG')],
    ['has a negative count', packed(2, '{}', -1)],
    ['has a topic that is none', packed(2, '{}', 1, 3, 'T 1', 2, '[]', 0)],
    ['grows beyond all bounds', deflateSync(Buffer.alloc(80_000_000))],
  ])('that %s is refused', ([, bytes]) => {
    expect(failure(() => decodeCompressed(bytes, 479))?.[0]).toBe('REMOTING_BODY_INVALID')
  })

  test('with attributes that cannot be read goes without them', () => {
    const bytes = packed(2, '{}', 1, 21, 'T 1 2 6 MULTI_TAG {"a', 2, '[]', 0)
    expect(decodeCompressed(bytes, 479).topicConfigSerializeWrapper.topicConfigTable.get('T')).toMatchObject({
      attributes: new Map(),
      readQueueNums: 1,
      writeQueueNums: 2,
    })
  })
})

test('data versions are ordered by state, then counter, then time', () => {
  const [a, b, c, d] = [
    { stateVersion: 2, counter: 0, timestamp: 0 },
    { stateVersion: 1, counter: 9, timestamp: 0 },
    { stateVersion: 1, counter: 8, timestamp: 9 },
    { stateVersion: 1, counter: 8, timestamp: 8 },
  ]
  expect([d, b, a, c].sort((x, y) => compareDataVersions(y, x))).toEqual([a, b, c, d])
  expect([sameDataVersion(a, { ...a }), sameDataVersion(c, d)]).toEqual([true, false])
})

/** Numbers as 32-bit words, texts as they are, deflated. */
function packed(...pieces: readonly (number | string)[]): Buffer {
  const parts = pieces.map((piece) => {
    if (typeof piece === 'string') return Buffer.from(piece)
    const word = Buffer.alloc(4)
    word.writeInt32BE(piece)
    return word
  })
  return deflateSync(Buffer.concat(parts))
}

function failure(run: () => void): readonly [code: string | undefined, message: string] | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    return [errorCode(error), errorMessage(error)]
  }
}
