/** Clients under which something is broken: sends and a consumer, recorded. The ways are rows of a table. */
import { GapMeter } from '../src/load/gap.ts'
import type { HistoryWriter } from '../src/load/history.ts'
import type { LoadRecord } from '../src/load/load-record.ts'

/** Whose clients: see `workloads.ts`. */
export type WorkloadName = 'own' | 'java' | 'java-quick-pulls'

export interface TrafficRequest {
  readonly namesrv: string
  readonly topic: string
  /** The broker group whose queues the ordered producers keep to, and how many it has. */
  readonly brokerName: string
  readonly queues: number
  /** Of the consumer. */
  readonly group: string
  readonly run: string
  readonly ratePerSecond: number
  /** Closed by who stops the traffic. */
  readonly history: HistoryWriter
  readonly record: LoadRecord
  readonly deliveries: Deliveries
}

export interface Traffic {
  /** Resolves when producers and consumer run. */
  start(): Promise<void>
  /** Sends no more; resolves when what is in flight is decided. The consumer goes on. */
  stopSends(): Promise<void>
  close(): Promise<void>
}

/** Under this name the live consumer stands in the history. */
export const LIVE_READER = 'the live consumer'

/** What the live consumer was given: places, each counted once, and the longest silence. */
export class Deliveries {
  readonly #places = new Map<string, Set<number>>()
  readonly #gap = new GapMeter()
  #count = 0

  /** Different places. */
  get count(): number {
    return this.#count
  }

  /** At `atMs` of the clock; times never go back. */
  took(queue: string, queueOffset: number, atMs: number): void {
    this.#gap.mark(atMs)
    const places = this.#places.get(queue) ?? new Set()
    this.#places.set(queue, places)
    if (places.has(queueOffset)) return
    places.add(queueOffset)
    this.#count += 1
  }

  resetGap(nowMs: number): void {
    this.#gap.reset(nowMs)
  }

  longestGapMs(nowMs: number): number {
    return this.#gap.longest(nowMs).lengthMs
  }
}
