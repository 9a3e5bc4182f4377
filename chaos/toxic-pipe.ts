/** One direction of one proxied connection, and what the toxics on it do to its bytes (Toxiproxy's toxics package). */
import type { Socket } from 'node:net'
import { type Clock, type Timer } from '../src/lib/clock.ts'
import type { Random } from '../src/lib/prng.ts'

export interface ToxicBody {
  readonly name: string
  readonly type: string
  readonly stream: 'upstream' | 'downstream'
  readonly toxicity: number
  readonly attributes: Readonly<Record<string, number>>
}

interface Item {
  readonly bytes: Buffer
  readonly dueMs: number
}

/** Bytes on the way; above it the source waits. */
const MAX_HELD_BYTES = 1 << 20

export class ToxicPipe {
  readonly #from: Socket
  readonly #to: Socket
  readonly #clock: Clock
  readonly #random: Random
  #toxics: readonly ToxicBody[] = []
  #items: Item[] = []
  #heldBytes = 0
  #passed = 0
  #timer: Timer | undefined
  #ended = false

  constructor(from: Socket, to: Socket, world: { readonly clock: Clock; readonly random: Random }) {
    this.#from = from
    this.#to = to
    this.#clock = world.clock
    this.#random = world.random
    from.on('data', (chunk) => this.#take(chunk))
    from.on('end', () => this.#end())
    from.on('error', () => to.destroy())
    from.on('close', () => {
      if (!this.#ended) this.#end()
    })
  }

  /** These toxics are on the link; whether one works on this connection is drawn as it comes. */
  set(all: readonly ToxicBody[]): void {
    const before = this.#toxics
    this.#toxics = all.filter((toxic) => before.includes(toxic) || this.#random.next() < toxic.toxicity)
    // Toxiproxy closes what a timeout held when it is taken off.
    if (before.some(({ type, name }) => type === 'timeout' && !all.some((toxic) => toxic.name === name))) this.#close()
    for (const toxic of this.#toxics) if (!before.includes(toxic)) this.#begin(toxic)
  }

  #begin({ type, attributes }: ToxicBody): void {
    const timeoutMs = attributes['timeout'] ?? 0
    if (type === 'timeout' && timeoutMs > 0) this.#clock.after(timeoutMs, () => this.#close())
  }

  #take(chunk: Buffer): void {
    if (this.#of('timeout') !== undefined) return
    const resetMs = this.#of('reset_peer')?.['timeout']
    if (resetMs !== undefined) return this.#resetAfter(resetMs)
    const limit = this.#of('limit_data')?.['bytes']
    const bytes = limit === undefined ? chunk : chunk.subarray(0, Math.max(0, limit - this.#passed))
    this.#passed += bytes.length
    for (const piece of this.#sliced(bytes)) this.#put(piece)
    if (limit !== undefined && this.#passed >= limit) this.#end()
    if (this.#heldBytes > MAX_HELD_BYTES) this.#from.pause()
  }

  /** Toxiproxy resets at the first bytes that come, and lets none of them through. */
  #resetAfter(ms: number): void {
    this.#clock.after(ms, () => {
      this.#from.resetAndDestroy()
      this.#to.resetAndDestroy()
    })
  }

  #sliced(bytes: Buffer): readonly Buffer[] {
    const size = this.#of('slicer')?.['average_size']
    if (size === undefined || size < 1) return bytes.length === 0 ? [] : [bytes]
    const pieces: Buffer[] = []
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
    return pieces
  }

  #put(bytes: Buffer): void {
    const nowMs = this.#clock.monotonicMs()
    const latency = this.#of('latency')
    const rate = this.#of('bandwidth')?.['rate']
    const sliceUs = this.#of('slicer')?.['delay'] ?? 0
    const jitter = latency?.['jitter'] ?? 0
    const delayMs = latency === undefined ? 0 : (latency['latency'] ?? 0) + (this.#random.next() * 2 - 1) * jitter
    const before = this.#items.at(-1)?.dueMs ?? 0
    // What was before goes before; a narrow link takes its time for each byte (kilobytes a second).
    const narrowMs = rate === undefined || rate <= 0 ? 0 : bytes.length / rate
    const dueMs = Math.max(before + narrowMs + sliceUs / 1000, nowMs + Math.max(0, delayMs) + narrowMs)
    this.#items.push({ bytes, dueMs })
    this.#heldBytes += bytes.length
    this.#drain()
  }

  #drain(): void {
    if (this.#timer !== undefined) return
    const nowMs = this.#clock.monotonicMs()
    while (this.#items.length > 0 && (this.#items[0]?.dueMs ?? 0) <= nowMs) {
      const item = this.#items.shift()
      if (item === undefined) break
      this.#heldBytes -= item.bytes.length
      if (!this.#to.destroyed && this.#to.writable) this.#to.write(item.bytes)
    }
    if (this.#heldBytes <= MAX_HELD_BYTES) this.#from.resume()
    const next = this.#items[0]
    if (next !== undefined) {
      this.#timer = this.#clock.after(Math.max(1, next.dueMs - nowMs), () => {
        this.#timer = undefined
        this.#drain()
      })
    } else if (this.#ended) this.#finish()
  }

  #end(): void {
    this.#ended = true
    if (this.#items.length === 0) this.#finish()
  }

  #finish(): void {
    const delayMs = this.#of('slow_close')?.['delay'] ?? 0
    if (delayMs > 0) this.#clock.after(delayMs, () => this.#to.end())
    else this.#to.end()
  }

  #close(): void {
    this.#from.destroy()
    this.#to.destroy()
  }

  #of(type: string): Readonly<Record<string, number>> | undefined {
    return this.#toxics.find((toxic) => toxic.type === type)?.attributes
  }
}
