import { createServer, connect, type Server, type Socket } from 'node:net'
import toxiproxyClient from 'toxiproxy-node-client'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { freePort, realToxiproxy, startToxiproxy, type ToxiproxyServer } from '../../chaos/toxiproxy-server.ts'
import { startStandIn } from '../../chaos/toxiproxy-stand-in.ts'
import { systemClock } from '../../src/lib/clock.ts'

const real = realToxiproxy()

async function standIn(): Promise<ToxiproxyServer> {
  const server = await startStandIn()
  return { url: `http://127.0.0.1:${server.port}`, isReal: false, stop: () => server.close() }
}

const servers = [
  { name: 'the stand-in', start: standIn, isThere: true },
  { name: 'Toxiproxy itself, where it is installed', start: () => startToxiproxy(real), isThere: real !== undefined },
]

/** Sends `bytes` and resolves with what came back and how long it took, or with how the connection ended. */
function exchange(socket: Socket, bytes: number): Promise<{ got: number; ms: number; end: string | undefined }> {
  return new Promise((resolve) => {
    const startMs = systemClock.monotonicMs()
    let got = 0
    const done = (end: string | undefined): void => resolve({ got, ms: systemClock.monotonicMs() - startMs, end })
    socket.on('data', (chunk) => {
      got += chunk.length
      if (got >= bytes) done(undefined)
    })
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code))
    socket.on('close', () => done('closed'))
    socket.write(Buffer.alloc(bytes, 1))
  })
}

describe.each(servers)('$name', ({ start, isThere }) => {
  let server: ToxiproxyServer
  let client: InstanceType<typeof toxiproxyClient.Toxiproxy>
  let echo: Server
  let listen: string
  const sockets = new Set<Socket>()

  beforeEach(async () => {
    if (!isThere) return
    server = await start()
    client = new toxiproxyClient.Toxiproxy(server.url)
    echo = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.pipe(socket)
    })
    const port = await new Promise<number>((resolve) => {
      echo.listen(0, '127.0.0.1', () => {
        const address = echo.address()
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
    })
    listen = `127.0.0.1:${await freePort()}`
    await client.createProxy({ name: 'p', listen, upstream: `127.0.0.1:${port}`, enabled: true })
  })

  afterEach(async () => {
    if (!isThere) return
    for (const socket of sockets) socket.destroy()
    echo.close()
    await server.stop()
  })

  function dial(): Socket {
    const socket = connect({ host: '127.0.0.1', port: Number(listen.split(':')[1]) })
    sockets.add(socket)
    return socket
  }

  const poison = async (
    type: 'latency' | 'bandwidth' | 'limit_data' | 'reset_peer' | 'slicer' | 'timeout',
    attributes: Record<string, number>,
  ): Promise<void> => {
    const proxy = await client.get('p')
    await proxy.addToxic({ name: type, type, stream: 'downstream', toxicity: 1, attributes })
  }

  test.runIf(isThere)('passes what is sent, both ways', async () => {
    expect(await exchange(dial(), 100_000)).toMatchObject({ got: 100_000, end: undefined })
  })

  test.runIf(isThere)('latency comes on top, and is gone after a reset', async () => {
    await poison('latency', { latency: 300, jitter: 0 })
    expect((await exchange(dial(), 10)).ms).toBeGreaterThan(280)
    await client.reset()
    expect((await exchange(dial(), 10)).ms).toBeLessThan(250)
  })

  test.runIf(isThere)('bandwidth makes a narrow link of it', async () => {
    await poison('bandwidth', { rate: 50 })
    expect((await exchange(dial(), 20_000)).ms).toBeGreaterThan(300)
  })

  test.runIf(isThere)('limit_data closes after so many bytes', async () => {
    await poison('limit_data', { bytes: 1_000 })
    expect(await exchange(dial(), 5_000)).toMatchObject({ got: 1_000 })
  })

  test.runIf(isThere)('slicer cuts it into pieces, and all arrive', async () => {
    await poison('slicer', { average_size: 100, size_variation: 10, delay: 100 })
    expect(await exchange(dial(), 5_000)).toMatchObject({ got: 5_000, end: undefined })
  })

  test.runIf(isThere)('reset_peer ends the connection', async () => {
    await poison('reset_peer', { timeout: 100 })
    const { got, end, ms } = await exchange(dial(), 10)
    expect(got).toBe(0)
    expect(end).toBeDefined()
    expect(ms).toBeGreaterThan(80)
  })

  test.runIf(isThere)('timeout lets nothing through, and closes when its time is over', async () => {
    await poison('timeout', { timeout: 200 })
    const { got, ms } = await exchange(dial(), 10)
    expect(got).toBe(0)
    expect(ms).toBeGreaterThan(150)
  })

  test.runIf(isThere)('down takes no connection until it is up again', async () => {
    const proxy = await client.get('p')
    await proxy.update({ enabled: false, listen: proxy.listen, upstream: proxy.upstream })
    expect((await exchange(dial(), 10)).end).toBe('ECONNREFUSED')
    await client.reset()
    expect(await exchange(dial(), 10)).toMatchObject({ got: 10 })
  })
})
