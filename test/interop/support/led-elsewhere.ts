/** A name server that names a follower where the leader is: clients that ask it are connected to that node. */
import { connect, createServer, type Socket } from 'node:net'
import { frameCutter } from '../tools/frames.ts'
import { parseJson } from './json.ts'
import { freePorts } from './ports.ts'

interface Route {
  readonly brokerDatas?: readonly { brokerAddrs: Record<string, string> }[]
}

export interface LedElsewhere {
  readonly namesrv: string
  close(): Promise<void>
}

/** The same frame with the leader's address and that of the first follower exchanged, where it has both. */
function exchanged(frame: Buffer): Buffer {
  const bodyAt = 8 + (frame.readUInt32BE(4) & 0xffffff)
  const text = frame.toString('utf8', bodyAt)
  if (!text.includes('"brokerDatas"')) return frame
  const route = parseJson<Route>(text)
  for (const { brokerAddrs } of route.brokerDatas ?? []) {
    const other = Object.keys(brokerAddrs).find((id) => id !== '0')
    const [leader, follower] = [brokerAddrs['0'], brokerAddrs[other ?? '']]
    if (other === undefined || leader === undefined || follower === undefined) continue
    brokerAddrs['0'] = follower
    brokerAddrs[other] = leader
  }
  const body = Buffer.from(JSON.stringify(route))
  const changed = Buffer.concat([frame.subarray(0, bodyAt), body])
  changed.writeUInt32BE(changed.length - 4, 0)
  return changed
}

export async function startLedElsewhere(namesrv: string): Promise<LedElsewhere> {
  const [host = '', port = ''] = namesrv.split(':')
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect({ host, port: Number(port) })
    for (const [one, other] of [[client, upstream] as const, [upstream, client] as const]) {
      sockets.add(one)
      one.on('error', () => other.destroy()).on('close', () => other.destroy())
    }
    client.on('data', (chunk: Buffer) => upstream.write(chunk))
    upstream.on(
      'data',
      frameCutter((frame) => client.write(exchanged(frame))),
    )
  })
  const own = await freePorts(1)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: '127.0.0.1', port: own }, () => resolve())
  })
  return {
    namesrv: `127.0.0.1:${own}`,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
