/**
 * A small stand-in for a Toxiproxy server, in Node alone: the proxies, toxics and verbs that the scenarios use, behind
 * the same HTTP interface. `test/chaos/toxiproxy.test.ts` runs one contract against both.
 */
import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http'
import { connect, createServer as createNetServer, type Server, type Socket } from 'node:net'
import { systemClock } from '../src/lib/clock.ts'
import { systemRandom } from '../src/lib/prng.ts'
import { ToxicPipe, type ToxicBody } from './toxic-pipe.ts'

interface ProxyBody {
  readonly name: string
  readonly listen: string
  readonly upstream: string
  readonly enabled: boolean
}

interface Answer {
  readonly status: number
  readonly body?: unknown
}

export interface StandIn {
  readonly port: number
  close(): Promise<void>
}

const world = { clock: systemClock, random: systemRandom }

export async function startStandIn(): Promise<StandIn> {
  const proxies = new Map<string, StandInProxy>()
  const server = createServer((request, response) => void serve(proxies, request, response))
  const port = await listening(server, '127.0.0.1', 0)
  return {
    port,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await Promise.all([...proxies.values()].map((proxy) => proxy.disable()))
    },
  }
}

async function serve(
  proxies: Map<string, StandInProxy>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
  const text = Buffer.concat(parts).toString()
  let answer: Answer
  try {
    const body: unknown = text === '' ? {} : JSON.parse(text)
    answer = await handle(proxies, request.method ?? '', (request.url ?? '').split('/').slice(1), body)
  } catch (error) {
    answer = { status: 400, body: { error: String(error), status: 400 } }
  }
  response.writeHead(answer.status, { 'content-type': 'application/json' })
  response.end(answer.body === undefined ? '' : JSON.stringify(answer.body))
}

const missing: Answer = { status: 404, body: { error: 'not found', status: 404 } }

async function handle(
  proxies: Map<string, StandInProxy>,
  method: string,
  [first = '', name, part, toxic]: readonly string[],
  body: unknown,
): Promise<Answer> {
  if (first === 'version') return { status: 200, body: { version: 'stand-in' } }
  if (first === 'reset') {
    for (const proxy of proxies.values()) await proxy.reset()
    return { status: 204 }
  }
  if (first !== 'proxies') return missing
  if (name === undefined && method === 'POST') return makeProxy(proxies, body)
  if (name === undefined) {
    return { status: 200, body: Object.fromEntries([...proxies].map(([key, proxy]) => [key, proxy.json])) }
  }
  const proxy = proxies.get(name)
  if (proxy === undefined) return missing
  if (part === 'toxics') return changeToxics(proxy, method, toxic, body)
  if (method === 'DELETE') {
    proxies.delete(name)
    await proxy.disable()
    return { status: 204 }
  }
  if (method === 'POST' && fieldOf(body, 'enabled') === false) await proxy.disable()
  if (method === 'POST' && fieldOf(body, 'enabled') === true) await proxy.enable()
  return { status: 200, body: proxy.json }
}

async function makeProxy(proxies: Map<string, StandInProxy>, body: unknown): Promise<Answer> {
  const [name, listen, upstream] = ['name', 'listen', 'upstream'].map((field) => String(fieldOf(body, field)))
  const made = { name: name ?? '', listen: listen ?? '', upstream: upstream ?? '', enabled: true }
  if (proxies.has(made.name)) return { status: 409, body: { error: 'proxy already exists', status: 409 } }
  const proxy = new StandInProxy(made)
  await proxy.enable()
  proxies.set(made.name, proxy)
  return { status: 201, body: proxy.json }
}

function changeToxics(proxy: StandInProxy, method: string, name: string | undefined, body: unknown): Answer {
  if (method === 'POST' && name === undefined) {
    const type = String(fieldOf(body, 'type'))
    const stream = fieldOf(body, 'stream') === 'upstream' ? 'upstream' : 'downstream'
    const toxicity = fieldOf(body, 'toxicity')
    const given = fieldOf(body, 'name')
    const attributes: Record<string, number> = {}
    for (const [key, value] of Object.entries(fieldOf(body, 'attributes') ?? {})) attributes[key] = Number(value)
    const toxic: ToxicBody = {
      name: typeof given === 'string' ? given : `${type}_${stream}`,
      type,
      stream,
      toxicity: typeof toxicity === 'number' ? toxicity : 1,
      attributes,
    }
    proxy.add(toxic)
    return { status: 200, body: toxic }
  }
  if (method !== 'DELETE' || name === undefined || !proxy.remove(name)) return missing
  return { status: 204 }
}

function fieldOf(body: unknown, name: string): unknown {
  if (typeof body !== 'object' || body === null) return undefined
  return new Map<string, unknown>(Object.entries(body)).get(name)
}

class StandInProxy {
  readonly #body: ProxyBody
  readonly #pipes = new Set<{ readonly stream: ToxicBody['stream']; readonly pipe: ToxicPipe }>()
  readonly #sockets = new Set<Socket>()
  #toxics: ToxicBody[] = []
  #server: Server | undefined

  constructor(body: ProxyBody) {
    this.#body = body
  }

  get json(): unknown {
    return { ...this.#body, enabled: this.#server !== undefined, toxics: this.#toxics }
  }

  async enable(): Promise<void> {
    if (this.#server !== undefined) return
    const [host = '', port = ''] = this.#body.listen.split(':')
    const server = createNetServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket))
    this.#server = server
    await listening(server, host, Number(port))
  }

  /** Toxiproxy's `down`: connections end, and none is taken. */
  async disable(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    for (const socket of this.#sockets) socket.destroy()
    if (server !== undefined) await new Promise((resolve) => server.close(resolve))
  }

  async reset(): Promise<void> {
    this.#toxics = []
    this.#apply()
    await this.enable()
  }

  add(toxic: ToxicBody): void {
    this.#toxics = [...this.#toxics.filter(({ name }) => name !== toxic.name), toxic]
    this.#apply()
  }

  remove(name: string): boolean {
    const found = this.#toxics.some((toxic) => toxic.name === name)
    this.#toxics = this.#toxics.filter((toxic) => toxic.name !== name)
    this.#apply()
    return found
  }

  #apply(): void {
    for (const { stream, pipe } of this.#pipes) pipe.set(this.#toxics.filter((toxic) => toxic.stream === stream))
  }

  #accept(client: Socket): void {
    const [host = '', port = ''] = this.#body.upstream.split(':')
    const upstream = connect({ host, port: Number(port), noDelay: true, allowHalfOpen: true })
    for (const socket of [client, upstream]) {
      this.#sockets.add(socket)
      socket.on('close', () => this.#sockets.delete(socket))
    }
    const entries = [
      { stream: 'upstream', pipe: new ToxicPipe(client, upstream, world) },
      { stream: 'downstream', pipe: new ToxicPipe(upstream, client, world) },
    ] as const
    for (const entry of entries) {
      this.#pipes.add(entry)
      entry.pipe.set(this.#toxics.filter(({ stream }) => stream === entry.stream))
    }
    client.on('close', () => {
      for (const entry of entries) this.#pipes.delete(entry)
    })
  }
}

function listening(server: Server | HttpServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : 0)
    })
  })
}
