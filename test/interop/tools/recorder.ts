import { connect, createServer, type Server, type Socket } from 'node:net'
import { decodeFrame, frameCutter, type SeenFrame } from './frames.ts'

export interface Recorded {
  /** Who was at work when the frame passed. */
  readonly label: string
  readonly kind: 'request' | 'response'
  /** The request's code, for a response, too. */
  readonly requestCode: number
  readonly frame: SeenFrame
  readonly bytes: Buffer
}

export interface Recorder {
  label: string
  readonly frames: Recorded[]
  close(): Promise<void>
}

function pass(sockets: Set<Socket>, from: Socket, to: Socket, take: (chunk: Buffer) => void): void {
  sockets.add(from)
  from.on('data', (chunk: Buffer) => {
    to.write(chunk)
    take(chunk)
  })
  from.on('end', () => to.end())
  from.on('error', () => to.destroy())
  from.on('close', () => sockets.delete(from))
}

/** A TCP proxy that keeps every remoting frame that passes, in both directions. */
export async function startRecorder(
  ways: readonly { listen: { host: string; port: number }; to: { host: string; port: number } }[],
): Promise<Recorder> {
  const sockets = new Set<Socket>()
  const recorder = { label: '', frames: [] as Recorded[] }
  const servers: Server[] = []

  const watch = (asked: Map<number, { code: number; label: string }>, answered: typeof asked) =>
    frameCutter((bytes) => {
      const frame = decodeFrame(bytes)
      const response = (frame.flag & 1) === 1
      const question = answered.get(frame.opaque)
      const label = response ? (question?.label ?? recorder.label) : recorder.label
      const requestCode = response ? (question?.code ?? -1) : frame.code
      if (!response) asked.set(frame.opaque, { code: frame.code, label })
      recorder.frames.push({ label, kind: response ? 'response' : 'request', requestCode, frame, bytes })
    })

  for (const way of ways) {
    const server = createServer((client) => {
      const upstream = connect(way.to)
      // Both ends may ask: the broker's requests have an opaque count of their own.
      const fromClient = new Map<number, { code: number; label: string }>()
      const fromServer = new Map<number, { code: number; label: string }>()
      pass(sockets, client, upstream, watch(fromClient, fromServer))
      pass(sockets, upstream, client, watch(fromServer, fromClient))
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(way.listen, () => resolve())
    })
    servers.push(server)
  }
  return Object.assign(recorder, {
    async close() {
      for (const socket of sockets) socket.destroy()
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    },
  })
}
