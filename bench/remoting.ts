/** What headers and frames cost, in processor time, so that a busy machine disturbs little. */
import { SerializeType } from '../src/remoting/codes.ts'
import { decodeCommand } from '../src/remoting/command.ts'
import { encodeFrame, FrameWriter } from '../src/remoting/frame-writer.ts'
import { FrameSplitter } from '../src/remoting/frame.ts'
import { PullMessageRequestHeader } from '../src/remoting/headers/pull.ts'
import { SendMessageRequestHeader } from '../src/remoting/headers/send.ts'
import type { MicroFigure } from './micro-figure.ts'

const ROUNDS = 200_000
const WARM_UPS = 2

/** Nanoseconds of processor time for one `run`. */
function measure(samples: number, run: (i: number) => unknown): readonly number[] {
  const values: number[] = []
  let sink = 0
  for (let sample = -WARM_UPS; sample < samples; sample++) {
    const started = process.cpuUsage()
    for (let i = 0; i < ROUNDS; i++) if (run(i) === undefined) sink++
    const { user, system } = process.cpuUsage(started)
    if (sample >= 0) values.push(((user + system) * 1000) / ROUNDS)
  }
  // Whoever reads the results makes the work needed, so that the compiler cannot leave it out.
  if (sink === Infinity) throw new Error('never')
  return values
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

/** Both forms of a header: reading, writing, splitting. */
export function benchRemoting({ samples }: { readonly samples: number }): readonly MicroFigure[] {
  return Object.entries(SerializeType).flatMap(([form, value]) => {
    const figure = (name: string, run: (i: number) => unknown): MicroFigure => ({
      name: `remoting ${form}: ${name}`,
      nanoseconds: measure(samples, run),
    })
    const frames = {
      send: encodeFrame({ ...head, form: value }, { header: SendMessageRequestHeader.short.encode(send), body }),
      pull: encodeFrame({ ...head, form: value }, { header: PullMessageRequestHeader.encode(pull) }),
    }
    const writer = new FrameWriter()
    return [
      figure('read a send, command only', () => decodeCommand(frames.send.subarray(4))),
      figure('read a send, command and V2 header', () =>
        SendMessageRequestHeader.short.decode(decodeCommand(frames.send.subarray(4)).fields),
      ),
      figure('read a pull, command and header', () =>
        PullMessageRequestHeader.decode(decodeCommand(frames.pull.subarray(4)).fields),
      ),
      figure('write a send', (i) => {
        const sendHead = { form: value, code: 310, language: 0, version: 479, opaque: i, flag: 0 }
        writer.write(sendHead, SendMessageRequestHeader.short.encode(send), undefined, body)
        if ((i & 255) === 0) writer.take()
        return i
      }),
      figure('write the answer to a send', (i) => {
        const header = {
          msgId: '7F00000100002A9F00000000000A1B2C',
          queueId: 3,
          queueOffset: 123_456 + i,
          transactionId: undefined,
          MSG_REGION: 'DefaultRegion',
          TRACE_ON: true,
        }
        const answerHead = { form: value, code: 0, language: 0, version: 479, opaque: i, flag: 1 }
        writer.write(answerHead, header, undefined, undefined)
        if ((i & 255) === 0) writer.take()
        return i
      }),
      { name: `remoting ${form}: split, per frame`, nanoseconds: splitFrames(samples, frames.send) },
    ]
  })
}

/** Chunks of up to 64 KiB, as a socket gives them. */
function splitFrames(samples: number, frame: Buffer): readonly number[] {
  const perChunk = Math.floor(65_536 / frame.length)
  const chunk = Buffer.concat(Array.from({ length: perChunk }, () => frame))
  const splitter = new FrameSplitter({ maxBytes: 1 << 24, onFrame: () => true })
  const chunks = Math.ceil(ROUNDS / perChunk)
  return Array.from({ length: samples + WARM_UPS }, () => {
    const started = process.cpuUsage()
    for (let i = 0; i < chunks; i++) splitter.push(chunk)
    const { user, system } = process.cpuUsage(started)
    return ((user + system) * 1000) / (chunks * perChunk)
  }).slice(WARM_UPS)
}
