/** Frames that stock clients, tools and brokers sent: every one is read, and written again byte for byte. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { KvTable } from '../../src/remoting/bodies/broker.ts'
import {
  ConsumerConnection,
  GetConsumerListByGroupResponseBody,
  HeartbeatData,
  ProducerConnection,
} from '../../src/remoting/bodies/client.ts'
import { GroupList, SubscriptionGroupConfig } from '../../src/remoting/bodies/group.ts'
import {
  ConsumeStats,
  LockBatchRequestBody,
  LockBatchResponseBody,
  TopicStatsTable,
} from '../../src/remoting/bodies/queue.ts'
import { bodyCrc32, RegisterBrokerBody } from '../../src/remoting/bodies/register-broker.ts'
import { ClusterInfo, TopicList, TopicRouteData } from '../../src/remoting/bodies/route.ts'
import { TopicConfigAndQueueMapping } from '../../src/remoting/bodies/topic.ts'
import { languageName, SerializeType } from '../../src/remoting/codes.ts'
import { decodeCommand, type RemotingCommand } from '../../src/remoting/command.ts'
import { Fields } from '../../src/remoting/fields.ts'
import { FrameSplitter } from '../../src/remoting/frame.ts'
import { encodeFrame } from '../../src/remoting/frame-writer.ts'
import type { HeaderSchema } from '../../src/remoting/header.ts'
import * as client from '../../src/remoting/headers/client.ts'
import * as group from '../../src/remoting/headers/group.ts'
import * as namesrv from '../../src/remoting/headers/namesrv.ts'
import * as offset from '../../src/remoting/headers/offset.ts'
import * as pull from '../../src/remoting/headers/pull.ts'
import * as query from '../../src/remoting/headers/query.ts'
import * as send from '../../src/remoting/headers/send.ts'
import * as topic from '../../src/remoting/headers/topic.ts'
import { parseJson } from '../../src/remoting/json-dialect.ts'
import type { Body } from '../../src/remoting/shape.ts'

interface Golden {
  readonly file: string
  readonly client: string
  readonly kind: 'request' | 'response'
  readonly requestCode: number
  readonly serialize: string
  readonly code: number
  /** Its name in JSON form, its number in ROCKETMQ form. */
  readonly language: string | number
  readonly version: number
  readonly opaque: number
  readonly flag: number
  readonly remark: string | null
  readonly extFields: Readonly<Record<string, string>> | null
  readonly bodyBytes: number
}

const folder = new URL('golden/', import.meta.url)
// The index is written by the recorder of these frames, in this form.
const goldens: readonly Golden[] = JSON.parse(readFileSync(new URL('index.json', folder), 'utf8'))

function frameOf(golden: Golden): Buffer {
  return readFileSync(new URL(golden.file, folder))
}

function commandOf(golden: Golden): RemotingCommand {
  const commands: RemotingCommand[] = []
  const splitter = new FrameSplitter({
    maxBytes: 16_777_216,
    onFrame: (bytes, start, end) => commands.push(decodeCommand(bytes, start, end)) > 0,
  })
  splitter.push(frameOf(golden))
  const [command] = commands
  if (command === undefined || commands.length > 1) throw new Error(`${commands.length} frames in ${golden.file}`)
  return command
}

const find = (kind: 'request' | 'response', codes: ReadonlyMap<number, unknown>): readonly Golden[] =>
  goldens.filter(
    (golden) => golden.kind === kind && codes.has(golden.requestCode) && (kind === 'request' || golden.code === 0),
  )

test('the recorded frames are there', () => {
  expect(goldens.length).toBeGreaterThan(100)
})

test.for(goldens)('$file is read as the stock implementation meant it', (golden) => {
  const command = commandOf(golden)
  expect({
    serialize: command.form === SerializeType.JSON ? 'json' : 'rocketmq',
    code: command.code,
    language: command.form === SerializeType.JSON ? languageName(command.language) : command.language,
    version: command.version,
    opaque: command.opaque,
    flag: command.flag,
    remark: command.remark ?? null,
    extFields: command.fields.toRecord(),
    bodyBytes: command.body.length,
  }).toEqual({
    serialize: golden.serialize,
    code: golden.code,
    language: golden.language,
    version: golden.version,
    opaque: golden.opaque,
    flag: golden.flag,
    remark: golden.remark,
    extFields: golden.extFields ?? {},
    bodyBytes: golden.bodyBytes,
  })
})

test.for(goldens)('$file is written again byte for byte', (golden) => {
  const command = commandOf(golden)
  const { remark, body } = command
  const written = encodeFrame(command, { header: command.fields.toRecord(), remark, body })
  // The stock JSON header leaves empty extFields out; ours must not: its clients read them without a look.
  const original = frameOf(golden)
  if (golden.extFields !== null || golden.serialize === 'rocketmq') return expect(written.equals(original)).toBe(true)
  const without = written.toString('latin1', 8).replace('"extFields":{},', '')
  expect(without).toBe(original.toString('latin1', 8))
})

const requestHeaders = new Map<number, HeaderSchema<unknown>>([
  [11, pull.PullMessageRequestHeader],
  [12, query.QueryMessageRequestHeader],
  [14, offset.QueryConsumerOffsetRequestHeader],
  [15, offset.UpdateConsumerOffsetRequestHeader],
  [17, topic.CreateTopicRequestHeader],
  [29, offset.SearchOffsetRequestHeader],
  [30, offset.GetMaxOffsetRequestHeader],
  [31, offset.GetMinOffsetRequestHeader],
  [32, offset.GetEarliestMsgStoretimeRequestHeader],
  [33, query.ViewMessageRequestHeader],
  [35, client.UnregisterClientRequestHeader],
  [36, send.ConsumerSendMsgBackRequestHeader],
  [38, client.GetConsumerListByGroupRequestHeader],
  [40, client.NotifyConsumerIdsChangedRequestHeader],
  [100, namesrv.PutKvConfigRequestHeader],
  [102, namesrv.KvConfigRequestHeader],
  [103, namesrv.RegisterBrokerRequestHeader],
  [104, namesrv.UnregisterBrokerRequestHeader],
  [105, namesrv.GetRouteInfoRequestHeader],
  [202, topic.GetTopicStatsInfoRequestHeader],
  [203, client.GetConsumerConnectionListRequestHeader],
  [204, client.GetProducerConnectionListRequestHeader],
  [205, namesrv.WritePermOfBrokerRequestHeader],
  [207, group.DeleteSubscriptionGroupRequestHeader],
  [208, group.GetConsumeStatsRequestHeader],
  [215, topic.DeleteTopicRequestHeader],
  [300, topic.QueryTopicConsumeByWhoRequestHeader],
  [310, send.SendMessageRequestHeader.short],
  [320, send.SendMessageRequestHeader.short],
  [327, namesrv.WritePermOfBrokerRequestHeader],
  [351, topic.GetTopicConfigRequestHeader],
  [361, pull.PullMessageRequestHeader],
])

/** Fields that stock clients send beside those of the header (RocketMQ RpcRequestHeader, MixAll). */
const besides = new Set(['bname', 'lo', 'ns', 'nsd', 'oway', 'ReqT', '_UNIQUE_KEY_QUERY'])

test.for(find('request', requestHeaders))('the header of $file holds every field that was sent', (golden) => {
  const schema = requestHeaders.get(golden.requestCode)
  const { fields } = commandOf(golden)
  const header = schema?.decode(fields)
  const written: Readonly<Record<string, unknown>> = { ...(header === undefined ? {} : schema?.encode(header)) }
  const sent = Object.entries(golden.extFields ?? {}).filter(([name]) => !besides.has(name) || name in written)
  for (const [name, value] of sent) expect([name, String(written[name])]).toEqual([name, value])
  // The same from a record, which JSON gives and bytes do not.
  expect(schema?.decode(Fields.ofRecord(fields.toRecord()))).toEqual(header)
})

const responseHeaders = new Map<number, HeaderSchema<unknown>>([
  [11, pull.PullMessageResponseHeader],
  [12, query.QueryMessageResponseHeader],
  [14, offset.OffsetResponseHeader],
  [29, offset.OffsetResponseHeader],
  [30, offset.OffsetResponseHeader],
  [31, offset.OffsetResponseHeader],
  [32, offset.GetEarliestMsgStoretimeResponseHeader],
  [103, namesrv.RegisterBrokerResponseHeader],
  [205, namesrv.WipeWritePermOfBrokerResponseHeader],
  [310, send.SendMessageResponseHeader],
  [320, send.SendMessageResponseHeader],
  [327, namesrv.AddWritePermOfBrokerResponseHeader],
  [361, pull.PullMessageResponseHeader],
])

test.for(find('response', responseHeaders))('the header of $file is read', (golden) => {
  const schema = responseHeaders.get(golden.requestCode)
  const header = schema?.decode(commandOf(golden).fields)
  const written: Readonly<Record<string, unknown>> = { ...(header === undefined ? {} : schema?.encode(header)) }
  for (const [name, value] of Object.entries(golden.extFields ?? {})) {
    if (name in written) expect([name, String(written[name])]).toEqual([name, value])
  }
})

const bodies: Readonly<Record<string, ReadonlyMap<number, Body<unknown>>>> = {
  request: new Map<number, Body<unknown>>([
    [34, HeartbeatData],
    [41, LockBatchRequestBody],
    [42, LockBatchRequestBody],
    [103, RegisterBrokerBody],
    [200, SubscriptionGroupConfig],
  ]),
  response: new Map<number, Body<unknown>>([
    [28, KvTable],
    [38, GetConsumerListByGroupResponseBody],
    [41, LockBatchResponseBody],
    [103, KvTable],
    [105, TopicRouteData],
    [106, ClusterInfo],
    [202, TopicStatsTable],
    [203, ConsumerConnection],
    [204, ProducerConnection],
    [206, TopicList],
    [208, ConsumeStats],
    [300, GroupList],
    [351, TopicConfigAndQueueMapping],
  ]),
}

test.for([...find('request', bodies['request'] ?? new Map()), ...find('response', bodies['response'] ?? new Map())])(
  'the body of $file is read, and written with every member',
  (golden) => {
    const shape = bodies[golden.kind]?.get(golden.requestCode)
    const { body } = commandOf(golden)
    if (shape === undefined || body.length === 0) return
    const written = shape.encode(shape.decode(body))
    expect(parseJson(written.toString())).toMatchObject(Object(parseJson(body.toString())))
  },
)

test('a registration’s checksum is the one that stock brokers send', () => {
  const golden = goldens.find(({ requestCode, kind }) => requestCode === 103 && kind === 'request')
  expect(golden).toBeDefined()
  if (golden === undefined) return
  const command = commandOf(golden)
  expect(bodyCrc32(command.body)).toBe(Number(command.fields.get('bodyCrc32')))
})
