/** A client that misbehaves, as a process: NAME NAMESRV BROKER_PORT TOPIC. Prints a line once it began; goes on until it is ended. */
import { connect } from 'node:net'
import { HOST } from '../../src/cli/cluster-plan.ts'
import { PushConsumer } from '../../src/client/index.ts'
import { sleep, systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { RemotingClient } from '../../src/remoting/client.ts'
import { RequestCode, SerializeType } from '../../src/remoting/codes.ts'
import { encodeFrame } from '../../src/remoting/frame-writer.ts'
import type { BadClientName } from '../bad-client.ts'

const PULL_BYTES = 4 * 1024 * 1024

interface Target {
  readonly namesrv: string
  /** Of the leader. */
  readonly port: number
  readonly topic: string
}

const behaviours: Readonly<Record<BadClientName, (target: Target) => void>> = {
  'never-reads': neverReads,
  'pulls-much': pullsMuch,
  'floods-one-way': floodsOneway,
  'slow-consumer': consumesSlowly,
}

/** Asks for the broker's runtime information without end and never takes an answer. */
function neverReads({ port }: Target): void {
  const socket = connect({ port, host: HOST })
  socket.on('error', () => undefined)
  const head = { form: SerializeType.JSON, code: RequestCode.GET_BROKER_RUNTIME_INFO, language: 0, version: 0, flag: 0 }
  let opaque = 0
  setInterval(() => {
    for (let n = 0; n < 100 && socket.writableLength < 1_000_000; n++) {
      socket.write(encodeFrame({ ...head, opaque: opaque++ }, {}))
    }
  }, 5)
}

function pullsMuch({ port, topic }: Target): void {
  const client = new RemotingClient({ clock: systemClock, log: silentLog })
  const pull = (queueOffset: number): void => {
    const header = {
      consumerGroup: 'greedy',
      topic,
      queueId: 0,
      queueOffset,
      maxMsgNums: 100_000,
      sysFlag: 0,
      commitOffset: 0,
      suspendTimeoutMillis: 0,
      subVersion: 0,
      subscription: '*',
      maxMsgBytes: PULL_BYTES,
    }
    const request = { code: RequestCode.LITE_PULL_MESSAGE, header }
    client.invokeCallback(`${HOST}:${port}`, request, 5_000, (_, answer) => {
      const next = Number(answer?.fields.get('nextBeginOffset') ?? 0)
      setImmediate(() => pull(answer?.code === 0 ? next : 0))
    })
  }
  for (let lane = 0; lane < 4; lane++) pull(0)
}

function floodsOneway({ port, topic }: Target): void {
  const client = new RemotingClient({ clock: systemClock, log: silentLog })
  const body = Buffer.alloc(1_024)
  const header = { a: 'flood', b: topic, c: 'TBW102', d: 4, e: 1, f: 0, g: 0, h: 0, i: '', j: 0, k: false, m: false }
  setInterval(() => {
    for (let n = 0; n < 200; n++) {
      const request = { code: RequestCode.SEND_MESSAGE_V2, form: SerializeType.ROCKETMQ, header, body }
      client.invokeOneway(`${HOST}:${port}`, request).catch(() => undefined)
    }
  }, 5)
}

/** Takes a second for each message, twenty at a time, and never catches up. */
function consumesSlowly({ namesrv, topic }: Target): void {
  const consumer = new PushConsumer({ namesrv, group: 'slow', from: 'first', ordered: false }).subscribe(topic)
  void consumer.run(() => sleep(systemClock, 1_000))
}

const [name = '', namesrv = '', port = '0', topic = ''] = process.argv.slice(2)
const behaviour = Object.entries(behaviours).find(([key]) => key === name)?.[1]
if (behaviour === undefined) throw new Error(`no client is called ${name}`)
behaviour({ namesrv, port: Number(port), topic })
process.stdout.write('begun\n')
