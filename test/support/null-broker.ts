/**
 * A name server and broker that acknowledges sends at once and stores nothing, in as few steps as possible: what is left
 * when it is measured against is the client. Run as a program it prints its port.
 */
import { createServer } from 'node:net'
import { argv, stdout } from 'node:process'
import { pathToFileURL } from 'node:url'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { RequestCode } from '../../src/remoting/codes.ts'
import { Router } from '../../src/remoting/route.ts'
import { RemotingServer } from '../../src/remoting/server.ts'

const QUEUES = 8

export async function startNullBroker(): Promise<{ readonly address: string; close(): Promise<void> }> {
  const server = new RemotingServer({
    host: '127.0.0.1',
    port: 0,
    clock: systemClock,
    log: silentLog,
    router: new Router({
      routes: [],
      log: silentLog,
      intercept(call) {
        if (call.code !== RequestCode.GET_ROUTEINFO_BY_TOPIC) {
          call.respond({ code: 0 })
          return true
        }
        const brokerAddrs = { 0: sends.address }
        const body = {
          queueDatas: [{ brokerName: 'null', readQueueNums: QUEUES, writeQueueNums: QUEUES, perm: 6 }],
          brokerDatas: [{ cluster: 'c', brokerName: 'null', brokerAddrs }],
        }
        call.respond({ code: 0, body: Buffer.from(JSON.stringify(body)) })
        return true
      },
    }),
  })
  const sends = await startSink()
  await server.listen()
  return {
    address: `127.0.0.1:${server.port}`,
    async close() {
      await server.close(0)
      await sends.close()
    },
  }
}

/** Answers every frame with the same success, the opaque copied. */
async function startSink(): Promise<{ readonly address: string; close(): Promise<void> }> {
  const answer = successFrame()
  const listener = createServer({ noDelay: true }, (socket) => {
    let rest: Buffer = Buffer.alloc(0)
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      let data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      let count = 0
      for (let at = 0; data.length - at >= 4 && data.length - at >= 4 + data.readUInt32BE(at); count++)
        at += 4 + data.readUInt32BE(at)
      const out = Buffer.allocUnsafe(count * answer.length)
      let at = 0
      for (let n = 0; n < count; n++) {
        answer.copy(out, n * answer.length)
        const isJson = data[at + 4] === 0
        if (isJson) out.writeInt32BE(opaqueOfJson(data, at), n * answer.length + 13)
        else data.copy(out, n * answer.length + 13, at + 13, at + 17)
        at += 4 + data.readUInt32BE(at)
      }
      rest = data.subarray(at)
      data = rest
      if (count > 0) socket.write(out)
    })
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const address = listener.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { address: `127.0.0.1:${port}`, close: () => new Promise((resolve) => listener.close(() => resolve())) }
}

function opaqueOfJson(data: Buffer, at: number): number {
  const length = data.readUInt32BE(at + 4) & 0xffffff
  const header: unknown = JSON.parse(data.toString('utf8', at + 8, at + 8 + length))
  return typeof header === 'object' && header !== null && 'opaque' in header ? Number(header.opaque) : 0
}

function successFrame(): Buffer {
  const fields: [string, string][] = [
    ['msgId', '7F00000100002A9F0000000000001234'],
    ['queueId', '3'],
    ['queueOffset', '123456789'],
    ['transactionId', '7F00000100002A9F0000000000001234'],
    ['MSG_REGION', 'DefaultRegion'],
    ['TRACE_ON', 'true'],
  ]
  const ext = Buffer.concat(
    fields.map(([name, value]) => {
      const pair = Buffer.alloc(6 + name.length + value.length)
      pair.writeUInt16BE(name.length, 0)
      pair.write(name, 2)
      pair.writeInt32BE(value.length, 2 + name.length)
      pair.write(value, 6 + name.length)
      return pair
    }),
  )
  const frame = Buffer.alloc(8 + 21 + ext.length)
  frame.writeInt32BE(frame.length - 4, 0)
  frame.writeInt32BE((1 << 24) | (21 + ext.length), 4)
  frame.writeInt32BE(1, 17)
  frame.writeInt32BE(ext.length, 25)
  ext.copy(frame, 29)
  return frame
}

if (argv[1] !== undefined && import.meta.url === pathToFileURL(argv[1]).href) {
  const broker = await startNullBroker()
  stdout.write(`${broker.address}\n`)
}
