/**
 * What headers and frames cost, in processor time (so that a busy machine disturbs little): the median of nine runs of
 * 200,000, with the best and the worst.
 */
import { SerializeType } from '../src/remoting/codes.ts'
import { decodeCommand } from '../src/remoting/command.ts'
import { encodeFrame, FrameWriter } from '../src/remoting/frame-writer.ts'
import { FrameSplitter } from '../src/remoting/frame.ts'
import { PullMessageRequestHeader } from '../src/remoting/headers/pull.ts'
import { SendMessageRequestHeader } from '../src/remoting/headers/send.ts'

const rounds = 200_000
const samples = 9

function measure(name: string, run: (i: number) => unknown): void {
  const times: number[] = []
  let sink = 0
  for (let sample = 0; sample < samples + 2; sample++) {
    const started = process.cpuUsage()
    for (let i = 0; i < rounds; i++) if (run(i) === undefined) sink++
    const { user, system } = process.cpuUsage(started)
    if (sample >= 2) times.push(((user + system) * 1000) / rounds)
  }
  times.sort((a, b) => a - b)
  const median = times[samples >> 1] ?? 0
  console.log(
    `${name.padEnd(46)} ${median.toFixed(0).padStart(6)} ns   ${times[0]?.toFixed(0)} to ${times.at(-1)?.toFixed(0)}${sink > rounds * 99 ? '!' : ''}`,
  )
}

const send: SendMessageRequestHeader = {
  producerGroup: 'benchmark_producer',
  topic: 'BenchmarkTest',
  defaultTopic: 'TBW102',
  defaultTopicQueueNums: 4,
  queueId: 3,
  sysFlag: 0,
  bornTimestamp: 1_700_000_000_000,
  flag: 0,
  properties: 'UNIQ_KEY\u0001AC110001000118B4AAC2123456780000\u0002WAIT\u0001false\u0002',
  reconsumeTimes: 0,
  unitMode: false,
  maxReconsumeTimes: 0,
  batch: false,
  brokerName: 'broker-a',
}
const pull: PullMessageRequestHeader = {
  consumerGroup: 'benchmark_consumer',
  topic: 'BenchmarkTest',
  queueId: 3,
  queueOffset: 123_456_789,
  maxMsgNums: 32,
  sysFlag: 2,
  commitOffset: 0,
  suspendTimeoutMillis: 15_000,
  subscription: '*',
  subVersion: 1_700_000_000_000,
  expressionType: 'TAG',
}
const body = Buffer.alloc(128, 'x')
const head = { code: 310, language: 0, version: 479, opaque: 77, flag: 0 }

for (const [form, value] of Object.entries(SerializeType)) {
  const frames = {
    send: encodeFrame({ ...head, form: value }, { header: SendMessageRequestHeader.short.encode(send), body }),
    pull: encodeFrame({ ...head, form: value }, { header: PullMessageRequestHeader.encode(pull) }),
  }
  measure(`${form}: read a send, command only`, () => decodeCommand(frames.send.subarray(4)))
  measure(`${form}: read a send, command and V2 header`, () => {
    return SendMessageRequestHeader.short.decode(decodeCommand(frames.send.subarray(4)).fields)
  })
  measure(`${form}: read a pull, command and header`, () => {
    return PullMessageRequestHeader.decode(decodeCommand(frames.pull.subarray(4)).fields)
  })
  const writer = new FrameWriter()
  measure(`${form}: write a send`, (i) => {
    const sendHead = { form: value, code: 310, language: 0, version: 479, opaque: i, flag: 0 }
    writer.write(sendHead, SendMessageRequestHeader.short.encode(send), undefined, body)
    if ((i & 255) === 0) writer.take()
    return i
  })
  measure(`${form}: write the answer to a send`, (i) => {
    const header = {
      msgId: '7F00000100002A9F00000000000A1B2C',
      queueId: 3,
      queueOffset: 123_456 + i,
      transactionId: undefined,
      MSG_REGION: 'DefaultRegion',
      TRACE_ON: true,
    }
    writer.write({ form: value, code: 0, language: 0, version: 479, opaque: i, flag: 1 }, header, undefined, undefined)
    if ((i & 255) === 0) writer.take()
    return i
  })
  const chunk = Buffer.concat(Array.from({ length: 200 }, () => frames.send)).subarray(0, 65_536)
  const splitter = new FrameSplitter({ maxBytes: 1 << 24, onFrame: () => true })
  const perChunk = chunk.length / frames.send.length
  const whole = chunk.subarray(0, Math.floor(perChunk) * frames.send.length)
  const started = process.cpuUsage()
  for (let i = 0; i < 2000; i++) splitter.push(whole)
  const { user, system } = process.cpuUsage(started)
  const each = ((user + system) * 1000) / 2000 / Math.floor(perChunk)
  console.log(`${`${form}: split, per frame`.padEnd(46)} ${each.toFixed(0).padStart(6)} ns`)
}
