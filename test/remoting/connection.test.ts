/** Connections over real sockets, with time in the test's hand where time matters. */
import { connect, createServer, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { assert, AssertionError } from '../../src/lib/assert.ts'
import { type Clock, systemClock, type Timer } from '../../src/lib/clock.ts'
import { errorCode } from '../../src/lib/errors.ts'
import { type Log, silentLog } from '../../src/lib/log.ts'
import { RemotingClient } from '../../src/remoting/client.ts'
import { SerializeType } from '../../src/remoting/codes.ts'
import type { RemotingCommand } from '../../src/remoting/command.ts'
import type { Connection } from '../../src/remoting/connection.ts'
import { encodeFrame } from '../../src/remoting/frame-writer.ts'
import { defineHeader, EmptyHeader, int, string } from '../../src/remoting/header.ts'
import { type Call, route, type Route, Router } from '../../src/remoting/route.ts'
import { RemotingServer, type ServerNeeds } from '../../src/remoting/server.ts'

const ECHO = 1000
const HOLD = 1001
const FAIL = 1002
const EchoHeader = defineHeader({ text: string.required(), times: int.optional() })

/** The system's, but time stands until the test moves it. */
class StandingClock implements Clock {
  #nowMs = 0
  readonly #periodic = new Set<() => void>()
  nowMs = (): number => systemClock.nowMs()
  after = (delayMs: number, run: () => void): Timer => systemClock.after(delayMs, run)
  endOfTurn = (run: () => void): void => systemClock.endOfTurn(run)
  monotonicMs = (): number => this.#nowMs
  every = (_: number, run: () => void): Timer => {
    this.#periodic.add(run)
    return { cancel: () => this.#periodic.delete(run) }
  }

  advance(byMs: number): void {
    this.#nowMs += byMs
    for (const run of this.#periodic) run()
  }
}

class Lines implements Log {
  readonly warnings: string[] = []
  readonly errors: string[] = []
  debug = (): void => undefined
  info = (): void => undefined
  warn = (_: object, message: string): void => void this.warnings.push(message)
  error = (_: object, message: string): void => void this.errors.push(message)
  child = (): Log => this
}

interface Harness {
  readonly server: RemotingServer
  readonly address: string
  readonly held: Call[]
  readonly handled: string[]
  readonly log: Lines
  readonly accepted: Connection[]
}

async function start(need: Partial<ServerNeeds> = {}, more: readonly Route<unknown>[] = []): Promise<Harness> {
  const held: Call[] = []
  const handled: string[] = []
  const accepted: Connection[] = []
  const log = new Lines()
  const routes = [
    route({
      code: ECHO,
      request: EchoHeader,
      handle(header, call) {
        handled.push(header.text)
        return { code: 0, header: { text: header.text.repeat(header.times ?? 1) }, body: call.body }
      },
    }),
    route({ code: HOLD, request: EmptyHeader, handle: (_, call) => void held.push(call) }),
    route({ code: FAIL, request: EmptyHeader, handle: () => Promise.reject(new Error('went wrong')) }),
    ...more,
  ]
  const server = new RemotingServer({
    host: '127.0.0.1',
    port: 0,
    router: new Router({ routes, log }),
    clock: systemClock,
    log,
    onConnection: (connection) => accepted.push(connection),
    ...need,
  })
  await server.listen()
  onTestFinished(() => server.close())
  return { server, address: `127.0.0.1:${server.port}`, held, handled, log, accepted }
}

function newClient(need: Partial<ConstructorParameters<typeof RemotingClient>[0]> = {}): RemotingClient {
  const client = new RemotingClient({ clock: systemClock, log: silentLog, ...need })
  onTestFinished(() => client.close())
  return client
}

/** A socket without manners. */
async function rawSocket(server: RemotingServer): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: server.port })
  socket.on('error', () => undefined)
  onTestFinished(() => void socket.destroy())
  await new Promise((resolve) => socket.once('connect', resolve))
  return socket
}

const closed = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve))
const echo = (text: string): { code: number; header: { text: string } } => ({ code: ECHO, header: { text } })
const echoFrame = (text: string, opaque: number, flag = 0): Buffer =>
  encodeFrame({ form: SerializeType.JSON, code: ECHO, language: 0, version: 0, opaque, flag }, { header: { text } })

const holdFrame = (opaque: number): Buffer =>
  encodeFrame({ form: 0, code: HOLD, language: 0, version: 0, opaque, flag: 0 }, {})

describe('a request', () => {
  test.for([SerializeType.JSON, SerializeType.ROCKETMQ])('in form %i is answered in that form', async (form) => {
    const { address } = await start()
    const body = Buffer.alloc(100_000, 'x')
    const answer = await newClient().invoke(
      address,
      { code: ECHO, header: { text: 'grün', times: 2 }, body, form },
      5000,
    )
    expect([answer.code, answer.form, answer.isResponse]).toEqual([0, form, true])
    expect(answer.fields.toRecord()).toEqual({ text: 'grüngrün' })
    expect(answer.body.equals(body)).toBe(true)
  })

  test('finds its own answer, whatever the order of answers', async () => {
    const { address, held } = await start()
    const client = newClient()
    const answers = [1, 2, 3].map(() => client.invoke(address, { code: HOLD }, 5000))
    await vi.waitFor(() => expect(held).toHaveLength(3))
    for (const [i, call] of held.toReversed().entries()) call.respond({ code: 100 - i, remark: String(call.opaque) })
    expect((await Promise.all(answers)).map(({ code }) => code)).toEqual([98, 99, 100])
  })

  test('is answered in one write with the others that came with it', async () => {
    const { server } = await start()
    const sizes: number[] = []
    const raw = await rawSocket(server)
    raw.on('data', (chunk) => sizes.push(chunk.length))
    raw.write(Buffer.concat(Array.from({ length: 100 }, (_, i) => echoFrame('a'.repeat(20), i))))
    const each = echoFrame('', 0).length
    await vi.waitFor(() => expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(90 * each))
    expect(sizes.length).toBeLessThan(5)
  })

  test('that is one-way has no answer', async () => {
    const { server, handled, accepted } = await start()
    const socket = await rawSocket(server)
    const received: Buffer[] = []
    socket.on('data', (chunk) => received.push(chunk))
    socket.write(Buffer.concat([echoFrame('one way', 1, 2), echoFrame('both ways', 2)]))
    await vi.waitFor(() => expect(received.length).toBeGreaterThan(0))
    expect(handled).toEqual(['one way', 'both ways'])
    expect(accepted[0]?.requestsInFlight).toBe(0)
    const answer = Buffer.concat(received)
    expect(answer.readUInt32BE(0)).toBe(answer.length - 4)
    expect(String(answer)).toContain('"opaque":2')
  })

  test('that nobody answers in time fails, and a late answer harms nobody', async () => {
    const clock = new StandingClock()
    const { address, held } = await start()
    const client = newClient({ clock })
    const connection = await client.connect(address)
    const answer = connection.invoke({ code: HOLD }, 3000)
    const patient = connection.invoke({ code: HOLD }, 10_000)
    await vi.waitFor(() => expect(held).toHaveLength(2))
    clock.advance(2999)
    clock.advance(1)
    await expect(answer).rejects.toMatchObject({ code: 'REMOTING_TIMEOUT', retriable: true })
    for (const call of held) call.respond({ code: 7 })
    expect((await patient).code).toBe(7)
  })

  test('goes both ways over one connection', async () => {
    const { address, accepted } = await start()
    const heard: string[] = []
    const routes = [
      route({
        code: 40,
        request: EmptyHeader,
        handle(_, call) {
          heard.push(call.connection.remoteAddress)
          return { code: 0, remark: 'heard' }
        },
      }),
    ]
    const client = newClient({ router: new Router({ routes, log: silentLog }) })
    await client.invoke(address, echo('hello'), 5000)
    expect((await accepted[0]?.invoke({ code: 40 }, 5000))?.remark).toBe('heard')
    expect((await accepted[0]?.invoke({ code: 41 }, 5000))?.code).toBe(3)
    expect(heard).toEqual([address])
  })
})

describe('a handler', () => {
  test('that throws what nobody foresaw is answered 1, with a line', async () => {
    const { address, log } = await start()
    expect(await newClient().invoke(address, { code: FAIL }, 5000)).toMatchObject({ code: 1, remark: 'went wrong' })
    expect(log.errors).toEqual(['a request failed in a way that nobody foresaw'])
  })

  test('that breaks an invariant is not answered: it ends the node', async () => {
    const thrown: unknown[] = []
    const bug = route({
      code: 9,
      request: EmptyHeader,
      handle() {
        throw new AssertionError('bug')
      },
    })
    const { server } = await start({}, [bug])
    const socket = await rawSocket(server)
    const previous = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.once('uncaughtException', (error) => thrown.push(error))
    onTestFinished(() => {
      for (const listener of previous) process.on('uncaughtException', listener)
    })
    socket.write(encodeFrame({ form: 0, code: 9, language: 0, version: 0, opaque: 0, flag: 0 }, {}))
    await vi.waitFor(() => expect(thrown.map(errorCode)).toEqual(['RMQ_ASSERTION']))
  })

  test('may answer once only', async () => {
    const { address, held } = await start()
    const answer = newClient().invoke(address, { code: HOLD }, 5000)
    await vi.waitFor(() => expect(held).toHaveLength(1))
    held[0]?.respond({ code: 0 })
    expect(() => held[0]?.respond({ code: 0 })).toThrow('a call was answered twice')
    expect((await answer).code).toBe(0)
  })

  test('may answer after the connection is gone', async () => {
    const { address, held, server } = await start()
    const client = newClient()
    const answer = client.invoke(address, { code: HOLD }, 5000)
    await vi.waitFor(() => expect(held).toHaveLength(1))
    client.disconnect(address, 'given up')
    await expect(answer).rejects.toThrow(`${address}: connection closed: given up`)
    await vi.waitFor(() => expect(server.connections.size).toBe(0))
    held[0]?.respond({ code: 0 })
  })
})

describe('bytes that are no commands', () => {
  test.for<readonly [string, Buffer]>([
    ['a length over the limit', Buffer.from([0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0])],
    ['a length below the header word', Buffer.from([0, 0, 0, 1, 0])],
    ['a header longer than the frame', Buffer.from([0, 0, 0, 4, 0, 0, 0, 9])],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['TLS', Buffer.from([0x16, 3, 1, 0, 200, 1])],
  ])('such as %s close the connection with one line, and no other', async ([, bytes]) => {
    const { address, server, log } = await start()
    const client = newClient()
    await client.connect(address)
    const socket = await rawSocket(server)
    const gone = closed(socket)
    socket.write(Buffer.concat([bytes, bytes, bytes]))
    await gone
    expect(log.warnings).toHaveLength(1)
    expect(log.errors).toEqual([])
    expect((await client.invoke(address, echo('still here'), 5000)).code).toBe(0)
  })

  test('behind good ones are no reason not to handle those', async () => {
    const { server, handled } = await start()
    const socket = await rawSocket(server)
    const gone = closed(socket)
    socket.write(Buffer.concat([echoFrame('good', 1), Buffer.alloc(8), echoFrame('never read', 2)]))
    await gone
    expect(handled).toEqual(['good'])
  })
})

describe('limits', () => {
  test('a peer with too many unanswered requests is not read on until some are answered', async () => {
    const { server, held, handled } = await start({ limits: { requestsInFlightMax: 3 } })
    const socket = await rawSocket(server)
    for (const opaque of [1, 2, 3]) socket.write(holdFrame(opaque))
    await vi.waitFor(() => expect(held).toHaveLength(3))
    socket.write(echoFrame('behind them', 4))
    const bystander = newClient()
    await bystander.invoke(`127.0.0.1:${server.port}`, echo('bystander'), 5000)
    await bystander.invoke(`127.0.0.1:${server.port}`, echo('bystander'), 5000)
    expect(handled).toEqual(['bystander', 'bystander'])
    held[0]?.respond({ code: 0 })
    await vi.waitFor(() => expect(handled).toContain('behind them'))
  })

  test('too many bytes of unanswered requests over all connections are answered with system busy', async () => {
    const { address, held, handled, server } = await start({ requestBytesInFlightMax: 10_000 })
    const [first, second] = [newClient(), newClient()]
    const big = first.invoke(address, { code: HOLD, body: Buffer.alloc(20_000) }, 5000)
    await vi.waitFor(() => expect(held).toHaveLength(1))
    expect(await second.invoke(address, echo('too much'), 5000)).toMatchObject({
      code: 2,
      remark: '[OVERLOAD]system busy, start flow control for a while',
    })
    held[0]?.respond({ code: 0 })
    await big
    expect((await second.invoke(address, echo('fits'), 5000)).code).toBe(0)
    // A connection that goes gives back what it held.
    const lost = first.invoke(address, { code: HOLD, body: Buffer.alloc(20_000) }, 5000)
    await vi.waitFor(() => expect(held).toHaveLength(2))
    first.close()
    await expect(lost).rejects.toMatchObject({ code: 'REMOTING_CONNECTION_CLOSED' })
    await vi.waitFor(() => expect(server.connections.size).toBe(1))
    held[1]?.respond({ code: 0 })
    expect((await second.invoke(address, echo('fits again'), 5000)).code).toBe(0)
    expect(handled).toEqual(['fits', 'fits again'])
  })

  test('a peer that does not read its answers is not read on, and is cut off when that lasts', async () => {
    const clock = new StandingClock()
    const limits = { outgoingBytesSoftMax: 100_000, outgoingBytesHardMax: 1e9, slowReaderMs: 1000, idleMs: 1e9 }
    const large = Buffer.alloc(1_000_000)
    const answerLarge = route({ code: 5, request: EmptyHeader, handle: () => ({ code: 0, body: large }) })
    const { server, log, accepted } = await start({ clock, limits }, [answerLarge])
    const socket = await rawSocket(server)
    socket.pause()
    const ask = encodeFrame({ form: 0, code: 5, language: 0, version: 0, opaque: 1, flag: 0 }, {})
    const connection = await vi.waitFor(() => {
      const [first] = accepted
      assert(first !== undefined, 'accepted')
      return first
    })
    // What the sockets' own buffers take is not ours; one request at a time until more than that waits.
    while (connection.outgoingBytes <= limits.outgoingBytesSoftMax) {
      const before = connection.outgoingBytes
      socket.write(ask)
      await vi.waitFor(() => expect(connection.outgoingBytes === before && connection.requestsInFlight > 0).toBe(false))
      await new Promise((resolve) => setImmediate(resolve))
    }
    clock.advance(900)
    expect(connection.closed).toBe(false)
    clock.advance(200)
    expect(connection.closed).toBe(true)
    expect(log.warnings).toEqual(['connection closed: the peer reads too slowly'])
  })

  test('a peer that has too many bytes waiting is cut off at once', async () => {
    const limits = { outgoingBytesSoftMax: 1000, outgoingBytesHardMax: 50_000_000 }
    const answerLarge = route({
      code: 5,
      request: EmptyHeader,
      handle: () => ({ code: 0, body: Array.from({ length: 100 }, () => Buffer.alloc(1_000_000)) }),
    })
    const { server, log } = await start({ limits }, [answerLarge])
    const socket = await rawSocket(server)
    socket.pause()
    const gone = closed(socket)
    socket.write(encodeFrame({ form: 0, code: 5, language: 0, version: 0, opaque: 1, flag: 0 }, {}))
    await vi.waitFor(() => expect(log.warnings).toEqual(['connection closed: too many bytes wait for the peer']))
    socket.resume()
    await gone
  })

  test('two ends that both have more to say than fits on the way go on reading', async () => {
    const { address } = await start({ limits: { outgoingBytesSoftMax: 65_536 } })
    const client = newClient()
    const request = { ...echo('much'), body: Buffer.alloc(16_384) }
    const answers = await Promise.all(Array.from({ length: 1_500 }, () => client.invoke(address, request, 10_000)))
    expect(answers.every(({ code, body }) => code === 0 && body.length === 16_384)).toBe(true)
  })

  test('a request is refused while too much waits for a peer that does not read', async () => {
    const { address } = await start({ limits: { requestsInFlightMax: 1 } })
    const connection = await newClient({ limits: { outgoingBytesRequestMax: 100_000 } }).connect(address)
    while (connection.hasRoom) connection.invoke({ code: HOLD, body: Buffer.alloc(50_000) }, 5000).catch(() => null)
    await expect(connection.invoke({ code: HOLD }, 5000)).rejects.toMatchObject({ code: 'REMOTING_TOO_MANY_REQUESTS' })
  })
  test('more invocations than allowed are refused', async () => {
    const { address, held } = await start()
    const client = newClient({ limits: { invocationsMax: 2 } })
    const connection = await client.connect(address)
    const waiting = [connection.invoke({ code: HOLD }, 5000), connection.invoke({ code: HOLD }, 5000)]
    await expect(connection.invoke({ code: HOLD }, 5000)).rejects.toMatchObject({ code: 'REMOTING_TOO_MANY_REQUESTS' })
    await vi.waitFor(() => expect(held).toHaveLength(2))
    for (const call of held) call.respond({ code: 0 })
    await Promise.all(waiting)
    expect((await connection.invoke(echo('room again'), 5000)).code).toBe(0)
  })

  test('more connections than allowed are turned away', async () => {
    const { server, log } = await start({ connectionsMax: 1 })
    const first = await rawSocket(server)
    await vi.waitFor(() => expect(server.connections.size).toBe(1))
    const second = await rawSocket(server)
    await closed(second)
    expect(log.warnings).toEqual(['connection refused: too many'])
    expect(first.destroyed).toBe(false)
  })

  test('a connection without traffic is closed when its time is over, one with traffic is not', async () => {
    const clock = new StandingClock()
    const { server, address } = await start({ clock, limits: { idleMs: 120_000 } })
    const busy = newClient()
    await busy.invoke(address, echo('a'), 5000)
    const idle = await rawSocket(server)
    await vi.waitFor(() => expect(server.connections.size).toBe(2))
    clock.advance(100_000)
    await busy.invoke(address, echo('b'), 5000)
    const gone = closed(idle)
    clock.advance(20_001)
    await gone
    expect(server.connections.size).toBe(1)
    expect((await busy.invoke(address, echo('c'), 5000)).code).toBe(0)
  })
})

describe('a server that stops', () => {
  test('lets what is in flight be answered', async () => {
    const { address, held, server } = await start()
    const client = newClient()
    const answer = client.invoke(address, { code: HOLD }, 5000)
    await vi.waitFor(() => expect(held).toHaveLength(1))
    const stopped = server.close(5000)
    held[0]?.respond({ code: 0, body: Buffer.alloc(300_000) })
    expect((await answer).body.length).toBe(300_000)
    await stopped
    expect(server.connections.size).toBe(0)
    await expect(newClient().connect(address)).rejects.toMatchObject({ code: 'REMOTING_CONNECT_FAILED' })
  })

  test('cuts what is not answered in its time of grace', async () => {
    const { address, held, server } = await start()
    const answer = newClient().invoke(address, { code: HOLD }, 60_000)
    await vi.waitFor(() => expect(held).toHaveLength(1))
    const lost = expect(answer).rejects.toMatchObject({ code: 'REMOTING_CONNECTION_CLOSED' })
    await server.close(20)
    await lost
  })
})

describe('a client', () => {
  test('dials once for all who ask, and again when the connection was lost', async () => {
    const { address, accepted } = await start()
    const client = newClient()
    await Promise.all([1, 2, 3].map((i) => client.invoke(address, echo(String(i)), 5000)))
    expect(accepted).toHaveLength(1)
    accepted[0]?.close()
    await vi.waitFor(() => expect(client.existing(address)).toBeUndefined())
    expect((await client.invoke(address, echo('again'), 5000)).code).toBe(0)
    expect(accepted).toHaveLength(2)
  })

  test('says where it could not connect, and why', async () => {
    const listener = createServer()
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
    const address = listener.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    await new Promise((resolve) => listener.close(resolve))
    const client = newClient()
    const refused = await client.invoke(`127.0.0.1:${port}`, echo('a'), 5000).catch((error: unknown) => error)
    expect([errorCode(refused), String(refused)]).toEqual([
      'REMOTING_CONNECT_FAILED',
      expect.stringMatching(new RegExp(`cannot connect to 127.0.0.1:${port}: .*ECONNREFUSED`)),
    ])
    for (const wrong of ['nonsense', ':1', 'host:', 'host:70000', 'host:1.5']) {
      await expect(client.connect(wrong)).rejects.toMatchObject({ code: 'REMOTING_CONNECT_FAILED' })
    }
  })

  test('sends a one-way request even if it closes right after', async () => {
    const { address, handled } = await start()
    const client = newClient()
    await client.connect(address)
    await client.invokeOneway(address, echo('last words'))
    client.close()
    await vi.waitFor(() => expect(handled).toEqual(['last words']))
  })

  test('that is closed fails what waits and takes no more', async () => {
    const { address, held } = await start()
    const client = newClient()
    const waiting = client.invoke(address, { code: HOLD }, 5000)
    await vi.waitFor(() => expect(held).toHaveLength(1))
    const dialling = client.connect('127.0.0.1:1')
    const order: string[] = []
    void dialling.catch(() => order.push('given up'))
    client.close()
    await Promise.resolve()
    expect(order).toEqual(['given up'])
    await expect(waiting).rejects.toMatchObject({ code: 'REMOTING_CONNECTION_CLOSED' })
    await expect(dialling).rejects.toMatchObject({ code: 'REMOTING_CLIENT_CLOSED' })
    await expect(client.connect(address)).rejects.toMatchObject({ code: 'REMOTING_CLIENT_CLOSED' })
  })

  test('calls back without a promise', async () => {
    const { address } = await start()
    const client = newClient()
    const answer = await new Promise<RemotingCommand | undefined>((resolve) => {
      client.invokeCallback(address, echo('x'), 5000, (_, response) => resolve(response))
    })
    expect(answer?.fields.get('text')).toBe('x')
  })
})
