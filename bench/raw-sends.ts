/**
 * Sends as a stock client writes them (310, JSON headers), each one once: what a broker says to a request shows here, and
 * not what a producer makes of it. An open loop: latency counts from the time a send was due.
 */
import { systemClock } from '../src/lib/clock.ts'
import { silentLog } from '../src/lib/log.ts'
import { GapMeter } from '../src/load/gap.ts'
import { LatencyMeter, type LatencySummary } from '../src/load/latency.ts'
import { openLoop, type Loop } from '../src/load/rate.ts'
import { RemotingClient } from '../src/remoting/client.ts'
import { RequestCode, ResponseCode } from '../src/remoting/codes.ts'

export interface RawSendsNeeds {
  /** `host:port` of the broker. */
  readonly address: string
  readonly topic: string
  readonly queues: number
  readonly bodyBytes: number
  readonly ratePerSecond: number
  /** Default 1. */
  readonly connections?: number
}

export interface RawReport {
  readonly seconds: number
  readonly stored: number
  readonly busy: number
  /** Everything else: undecided, refused for another reason, unanswered. */
  readonly other: Readonly<Record<string, number>>
  readonly storedMs: LatencySummary
  readonly busyMs: LatencySummary
  readonly longestGapMs: number
}

/** Longer than a broker takes to answer anything. */
const TIMEOUT_MS = 5_000
const MAX_IN_FLIGHT = 60_000

export class RawSends {
  readonly #clients: readonly RemotingClient[]
  readonly #loop: Loop
  readonly #startMs = systemClock.monotonicMs()
  readonly #storedMs = new LatencyMeter()
  readonly #busyMs = new LatencyMeter()
  readonly #gap = new GapMeter(this.#startMs)
  readonly #other = new Map<string, number>()
  #stored = 0
  #busy = 0

  constructor(need: RawSendsNeeds) {
    const { address, topic, queues, bodyBytes, ratePerSecond, connections = 1 } = need
    this.#clients = Array.from(
      { length: connections },
      () => new RemotingClient({ clock: systemClock, log: silentLog }),
    )
    const body = Buffer.alloc(bodyBytes, 'x')
    this.#loop = openLoop({
      clock: systemClock,
      ratePerSecond,
      maxInFlight: MAX_IN_FLIGHT,
      start: (sequence, dueMs, done) => {
        const request = {
          code: RequestCode.SEND_MESSAGE_V2,
          header: {
            a: 'bench',
            b: topic,
            c: 'TBW102',
            d: 4,
            e: sequence % queues,
            f: 0,
            g: Date.now(),
            h: 0,
            i: `UNIQ_KEY\u0001${sequence.toString(16).padStart(32, '0')}\u0002WAIT\u0001true\u0002`,
            j: 0,
            k: false,
            m: false,
          },
          body,
        }
        this.#clients[sequence % connections]?.invokeCallback(address, request, TIMEOUT_MS, (error, answer) => {
          this.#answered(answer?.code, error, dueMs)
          done()
        })
      },
    })
  }

  report(): RawReport {
    const nowMs = systemClock.monotonicMs()
    return {
      seconds: (nowMs - this.#startMs) / 1_000,
      stored: this.#stored,
      busy: this.#busy,
      other: Object.fromEntries(this.#other),
      storedMs: this.#storedMs.summary(),
      busyMs: this.#busyMs.summary(),
      longestGapMs: this.#gap.longest(nowMs).lengthMs,
    }
  }

  /** Latencies are measured anew from here; counts go on. */
  resetLatency(): void {
    this.#storedMs.reset()
    this.#busyMs.reset()
  }

  async stop(): Promise<RawReport> {
    await this.#loop.stop()
    const report = this.report()
    for (const client of this.#clients) client.close()
    return report
  }

  #answered(code: number | undefined, error: Error | undefined, dueMs: number): void {
    const nowMs = systemClock.monotonicMs()
    if (code === ResponseCode.SUCCESS) {
      this.#stored++
      this.#storedMs.record(nowMs - dueMs)
      this.#gap.mark(nowMs)
    } else if (code === ResponseCode.SYSTEM_BUSY) {
      this.#busy++
      this.#busyMs.record(nowMs - dueMs)
    } else {
      const what = code === undefined ? (error?.message ?? 'no answer').slice(0, 60) : `code ${code}`
      this.#other.set(what, (this.#other.get(what) ?? 0) + 1)
    }
  }
}
