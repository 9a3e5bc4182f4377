/**
 * What was sent and consumed: totals, rates and figures per topic and group over a minute, an hour and a day (RocketMQ
 * BrokerStatsManager, StatsItemSet, StoreStatsService, BrokerStats). For people; not replicated, begins anew at start.
 */
import type { Clock, Timer } from '../../lib/clock.ts'
import type { Put } from '../put.ts'

/** RocketMQ's names of the figures. */
export const StatName = {
  TOPIC_PUT_NUMS: 'TOPIC_PUT_NUMS',
  TOPIC_PUT_SIZE: 'TOPIC_PUT_SIZE',
  GROUP_GET_NUMS: 'GROUP_GET_NUMS',
  GROUP_GET_SIZE: 'GROUP_GET_SIZE',
  GROUP_GET_LATENCY: 'GROUP_GET_LATENCY',
  SNDBCK_PUT_NUMS: 'SNDBCK_PUT_NUMS',
  BROKER_PUT_NUMS: 'BROKER_PUT_NUMS',
  BROKER_GET_NUMS: 'BROKER_GET_NUMS',
} as const
export type StatName = (typeof StatName)[keyof typeof StatName]

export interface StatSnapshot {
  readonly sum: number
  /** Per second. */
  readonly tps: number
  /** Average of one addition. */
  readonly avgpt: number
}

export interface StatReport {
  readonly minute: StatSnapshot
  readonly hour: StatSnapshot
  readonly day: StatSnapshot
}

interface Sample {
  readonly atMs: number
  readonly sum: number
  readonly times: number
}

interface Item {
  sum: number
  times: number
  readonly minute: Sample[]
  readonly hour: Sample[]
  readonly day: Sample[]
}

/** Counters since start; `rates` looks at their growth. */
export const counterNames = [
  'putMessages',
  'putRequests',
  'putBytes',
  'putFailed',
  'getFound',
  'getMissed',
  'getMessages',
] as const
export type CounterName = (typeof counterNames)[number]
type Counters = Record<CounterName, number>

interface CounterSample {
  readonly atMs: number
  readonly counters: Counters
}

const SECOND_MS = 1_000
const MINUTE_SAMPLE_MS = 10_000
const HOUR_SAMPLE_MS = 600_000
const DAY_SAMPLE_MS = 3_600_000
const DAY_MS = 86_400_000
/** Samples kept: RocketMQ StatsItem keeps 7, 7 and 25. */
const MINUTE_SAMPLES = 7
const HOUR_SAMPLES = 7
const DAY_SAMPLES = 25
const RATE_SECONDS = [10, 60, 600] as const

export interface BrokerStatsNeeds {
  readonly clock: Clock
  /** Key of the BROKER_* figures. */
  readonly clusterName: string
  /** Figures (name and key) kept at once; what comes beyond is counted in the totals only. */
  readonly maxItems: number
}

export class BrokerStats {
  readonly #need: BrokerStatsNeeds
  /** By name, then by key. */
  readonly #items = new Map<string, Map<string, Item>>()
  #itemCount = 0
  readonly #counters: Counters = zeroCounters()
  /** One a second, for ten minutes. */
  readonly #seconds: CounterSample[] = []
  readonly #timers: Timer[]
  #yesterday = { put: 0, get: 0 }
  #today = { put: 0, get: 0 }
  #day: number

  constructor(need: BrokerStatsNeeds) {
    this.#need = need
    this.#day = Math.floor(need.clock.nowMs() / DAY_MS)
    this.#seconds.push(this.#counterSample())
    this.#timers = [
      need.clock.every(SECOND_MS, () => this.#sampleSecond()),
      need.clock.every(MINUTE_SAMPLE_MS, () => this.#sample('minute', MINUTE_SAMPLES)),
      need.clock.every(HOUR_SAMPLE_MS, () => this.#sample('hour', HOUR_SAMPLES)),
      need.clock.every(DAY_SAMPLE_MS, () => this.#sample('day', DAY_SAMPLES)),
    ]
  }

  get counters(): Readonly<Counters> {
    return this.#counters
  }

  /** Messages of one send were stored. */
  put({ topic, messages, bytes }: Put): void {
    this.#counters.putRequests++
    this.#counters.putMessages += messages
    this.#counters.putBytes += bytes
    this.add('TOPIC_PUT_NUMS', topic, messages)
    this.add('TOPIC_PUT_SIZE', topic, bytes)
    this.add('BROKER_PUT_NUMS', this.#need.clusterName, messages)
  }

  putFailed(): void {
    this.#counters.putFailed++
  }

  /** Messages went out to a consumer. */
  got(topic: string, group: string, messages: number, bytes: number): void {
    this.#counters.getFound++
    this.#counters.getMessages += messages
    const key = `${topic}@${group}`
    this.add('GROUP_GET_NUMS', key, messages)
    this.add('GROUP_GET_SIZE', key, bytes)
    this.add('BROKER_GET_NUMS', this.#need.clusterName, messages)
  }

  getMissed(): void {
    this.#counters.getMissed++
  }

  sentBack(topic: string, group: string): void {
    this.add('SNDBCK_PUT_NUMS', `${topic}@${group}`, 1)
  }

  add(name: StatName, key: string, value: number): void {
    let items = this.#items.get(name)
    if (items === undefined) this.#items.set(name, (items = new Map()))
    let item = items.get(key)
    if (item === undefined) {
      if (this.#itemCount >= this.#need.maxItems) return
      // The first sample is what the item began with: a young item has figures, too.
      const start = { atMs: this.#need.clock.monotonicMs(), sum: 0, times: 0 }
      item = { sum: 0, times: 0, minute: [start], hour: [start], day: [start] }
      items.set(key, item)
      this.#itemCount++
    }
    item.sum += value
    item.times++
  }

  /** Undefined when nothing was counted under the name and key. */
  report(name: string, key: string): StatReport | undefined {
    const item = this.#items.get(name)?.get(key)
    if (item === undefined) return undefined
    return {
      minute: this.#snapshot(item, 'minute'),
      hour: this.#snapshot(item, 'hour'),
      day: this.#snapshot(item, 'day'),
    }
  }

  /** Additions' sum per second over the last minute. */
  tps(name: StatName, key: string): number {
    return this.report(name, key)?.minute.tps ?? 0
  }

  /** A topic was deleted. */
  forgetTopic(topic: string): void {
    for (const items of this.#items.values()) {
      for (const key of items.keys()) {
        if (key !== topic && !key.startsWith(`${topic}@`)) continue
        items.delete(key)
        this.#itemCount--
      }
    }
  }

  /** Growth per second of a counter over the last 10, 60 and 600 seconds. */
  rates(name: CounterName): number[] {
    const nowMs = this.#need.clock.monotonicMs()
    return RATE_SECONDS.map((seconds) => {
      const place = Math.max(0, this.#seconds.length - 1 - seconds)
      const from = this.#seconds[place]
      if (from === undefined || nowMs <= from.atMs) return 0
      return ((this.#counters[name] - from.counters[name]) * 1_000) / (nowMs - from.atMs)
    })
  }

  /** Messages stored and consumed up to the last two midnights (UTC) and now. */
  get days(): { readonly yesterdayMorning: Totals; readonly todayMorning: Totals; readonly now: Totals } {
    return { yesterdayMorning: this.#yesterday, todayMorning: this.#today, now: this.#totals() }
  }

  close(): void {
    for (const timer of this.#timers) timer.cancel()
  }

  #totals(): Totals {
    return { put: this.#counters.putMessages, get: this.#counters.getMessages }
  }

  #counterSample(): CounterSample {
    return { atMs: this.#need.clock.monotonicMs(), counters: { ...this.#counters } }
  }

  #sampleSecond(): void {
    this.#seconds.push(this.#counterSample())
    if (this.#seconds.length > 601) this.#seconds.shift()
    const day = Math.floor(this.#need.clock.nowMs() / DAY_MS)
    if (day <= this.#day) return
    this.#day = day
    this.#yesterday = this.#today
    this.#today = this.#totals()
  }

  #sample(window: 'minute' | 'hour' | 'day', keep: number): void {
    for (const items of this.#items.values()) {
      for (const item of items.values()) {
        const samples = item[window]
        samples.push(this.#itemSample(item))
        if (samples.length > keep) samples.shift()
      }
    }
  }

  #itemSample(item: Pick<Item, 'sum' | 'times'>): Sample {
    return { atMs: this.#need.clock.monotonicMs(), sum: item.sum, times: item.times }
  }

  #snapshot(item: Item, window: 'minute' | 'hour' | 'day'): StatSnapshot {
    const first = item[window][0]
    const last = this.#itemSample(item)
    if (first === undefined) return { sum: 0, tps: 0, avgpt: 0 }
    const sum = last.sum - first.sum
    const times = last.times - first.times
    const elapsedMs = last.atMs - first.atMs
    return { sum, tps: elapsedMs <= 0 ? 0 : (sum * 1_000) / elapsedMs, avgpt: times === 0 ? 0 : sum / times }
  }
}

export interface Totals {
  readonly put: number
  readonly get: number
}

function zeroCounters(): Counters {
  return { putMessages: 0, putRequests: 0, putBytes: 0, putFailed: 0, getFound: 0, getMissed: 0, getMessages: 0 }
}
