/**
 * Streams between simulated hosts. Bytes keep their order and none is lost, as on TCP: trouble shows as delay, silence
 * and cut connections.
 *
 *     cut(from, to)    nothing travels that way; what was sent waits until it is healed (one way, or both by two calls)
 *     reset(a, b)      their connections break, at both ends
 *     vanish(host)     power is gone: who speaks to it learns nothing until it is back and answers that it knows of nothing
 *     die(process)     the system closes what a process had open: its peers see the end
 */
import { crc32 } from 'node:zlib'
import type { Random } from '../../src/lib/prng.ts'
import type { ListenNeeds, Listener, Place, Sockets, StreamSocket } from '../../src/remoting/sockets.ts'
import type { Counts } from '../world/counts.ts'
import type { ProcessClock } from '../world/process-clock.ts'
import type { Scheduler } from '../world/scheduler.ts'
import type { Trace } from '../world/trace.ts'
import { type Link, SimulatedSocket } from './simulated-socket.ts'

export interface StreamFaults {
  readonly maxDelayMs: number
  /** Share of pieces that take `slowMs` more, at most. */
  readonly slowRate: number
  readonly slowMs: number
  /** Share of writes that arrive in several pieces. */
  readonly sliceRate: number
}

export const calmStreams: StreamFaults = { maxDelayMs: 0.5, slowRate: 0, slowMs: 0, sliceRate: 0 }

/** Who uses the network: a process on a host. Its events run in its own time. */
export interface Endpoint {
  readonly host: string
  readonly clock: ProcessClock
}

interface Open {
  readonly endpoint: Endpoint
  readonly need: ListenNeeds
}

/** A piece that travels: the oldest of its flow, whichever it was. A stream keeps its order. */
interface Journey {
  readonly link: string
  readonly flow: string
}

export interface StreamNetworkNeeds {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly counts: Counts
  readonly trace: Trace
  /** What of a connection was written at one end and not read at the other. */
  readonly onUnread: (link: Link, bytes: number) => void
}

const REFUSED_MS = 0.2

export class StreamNetwork {
  readonly #need: StreamNetworkNeeds
  readonly #listeners = new Map<string, Open>()
  readonly #sockets = new Set<SimulatedSocket>()
  readonly #cut = new Set<string>()
  readonly #lastMs = new Map<string, number>()
  /** What was sent and has not arrived, of each flow, oldest first. */
  readonly #underWay = new Map<string, (() => void)[]>()
  /** What waits for its link to be healed. */
  #held: Journey[] = []
  #nextPort = 40_000
  faults = calmStreams

  constructor(need: StreamNetworkNeeds) {
    this.#need = need
  }

  /** The network as one process sees it. */
  socketsOf(endpoint: Endpoint): Sockets {
    return {
      connect: (place) => this.#connect(endpoint, place),
      listen: (need) => this.#listen(endpoint, need),
    }
  }

  cut(from: string, to: string): void {
    this.#cut.add(`${from}>${to}`)
  }

  isolate(host: string, others: readonly string[]): void {
    for (const other of others) {
      if (other === host) continue
      this.cut(host, other)
      this.cut(other, host)
    }
  }

  heal(): void {
    this.#cut.clear()
    const held = this.#held
    this.#held = []
    for (const journey of held) this.#travel(journey)
  }

  /** Breaks the connections between two hosts, at both ends. */
  reset(one: string, other: string): void {
    for (const socket of this.#sockets) {
      const { from, to } = socket.link
      if ((from === one && to === other) || (from === other && to === one)) socket.broken('ECONNRESET')
    }
  }

  /** The system closes what the process had open. */
  die(endpoint: Endpoint): void {
    this.#forget(endpoint, (socket) => socket.peerEnds())
  }

  /** Power is gone: nobody is told. */
  vanish(endpoint: Endpoint): void {
    this.#forget(endpoint, () => {})
  }

  /** Bytes were written: they count for whether two runs are the same. */
  wrote(bytes: Buffer): void {
    this.#need.trace.stir(crc32(bytes))
  }

  unread(link: Link, bytes: number): void {
    this.#need.onUnread(link, bytes)
  }

  /** Sends a piece of `socket`'s stream, or its end, to the other side. */
  carry(socket: SimulatedSocket, arrive: () => void): void {
    const { flow, link } = socket
    const underWay = this.#underWay.get(flow) ?? []
    underWay.push(arrive)
    this.#underWay.set(flow, underWay)
    this.#travel({ link: `${link.from}>${link.to}`, flow })
  }

  /** Whether a process listens on the host: then its system answers. */
  isUp(host: string): boolean {
    return [...this.#listeners.values()].some(({ endpoint }) => endpoint.host === host)
  }

  get sliceRate(): number {
    return this.faults.sliceRate
  }

  get random(): Random {
    return this.#need.random
  }

  gone(socket: SimulatedSocket): void {
    this.#sockets.delete(socket)
    this.#lastMs.delete(socket.flow)
  }

  #forget(endpoint: Endpoint, tell: (socket: SimulatedSocket) => void): void {
    for (const [place, open] of this.#listeners) if (open.endpoint === endpoint) this.#listeners.delete(place)
    for (const socket of this.#sockets) {
      if (socket.endpoint !== endpoint) continue
      this.#sockets.delete(socket)
      tell(socket)
      socket.leave()
    }
  }

  #listen(endpoint: Endpoint, need: ListenNeeds): Promise<Listener> {
    const port = need.port === 0 ? this.#nextPort++ : need.port
    const place = `${endpoint.host}:${port}`
    if (this.#listeners.has(place)) return Promise.reject(fault('EADDRINUSE', place))
    const open: Open = { endpoint, need }
    this.#listeners.set(place, open)
    return Promise.resolve({
      port,
      close: async () => {
        if (this.#listeners.get(place) === open) this.#listeners.delete(place)
      },
    })
  }

  #connect(endpoint: Endpoint, { host, port }: Place): StreamSocket {
    const localPort = this.#nextPort++
    const near = this.#socket(endpoint, { from: endpoint.host, to: host, localPort, remotePort: port })
    this.carry(near, () => {
      const open = this.#listeners.get(`${host}:${port}`)
      if (near.destroyed) return
      if (open === undefined) {
        this.#need.scheduler.after(REFUSED_MS, () => near.broken('ECONNREFUSED'))
        return
      }
      const far = this.#socket(open.endpoint, { from: host, to: endpoint.host, localPort: port, remotePort: localPort })
      far.peer = near
      open.endpoint.clock.input(() => open.need.accept(far))
      this.carry(far, () => near.connected(far))
    })
    return near
  }

  #socket(endpoint: Endpoint, link: SimulatedSocket['link']): SimulatedSocket {
    const socket = new SimulatedSocket({ network: this, endpoint, link })
    this.#sockets.add(socket)
    return socket
  }

  #travel(journey: Journey): void {
    const { link, flow } = journey
    if (this.#cut.has(link)) {
      this.#held.push(journey)
      return
    }
    const { scheduler, random, counts } = this.#need
    const { maxDelayMs, slowRate, slowMs } = this.faults
    const isSlow = slowRate > 0 && random.next() < slowRate
    if (isSlow) counts.add('slow piece')
    const delayMs = 0.02 + random.next() * maxDelayMs + (isSlow ? random.next() * slowMs : 0)
    const atMs = Math.max(scheduler.nowMs + delayMs, this.#lastMs.get(flow) ?? 0)
    this.#lastMs.set(flow, atMs)
    scheduler.at(atMs, () => {
      // What is on its way when a link is cut is sent again when it heals.
      if (this.#cut.has(link)) this.#held.push(journey)
      else this.#arrive(flow)
    })
  }

  #arrive(flow: string): void {
    const underWay = this.#underWay.get(flow)
    const arrive = underWay?.shift()
    if (underWay?.length === 0) this.#underWay.delete(flow)
    arrive?.()
  }
}

function fault(code: string, place: string): Error {
  return Object.assign(new Error(`${code}: ${place}`), { code })
}
