/** Sends as fast as told to, through several producers, and measures. */
import type { Clock } from '../lib/clock.ts'
import { errorCode } from '../lib/errors.ts'
import { mayBeStored } from '../client/core/errors.ts'
import type { OutgoingMessage } from '../client/producer/outgoing-message.ts'
import type { Producer } from '../client/producer/producer.ts'
import type { SendResult } from '../client/producer/send-request.ts'
import { GapMeter } from './gap.ts'
import { LatencyMeter } from './latency.ts'
import type { LatencySummary } from './latency.ts'
import { closedLoop, openLoop } from './rate.ts'
import type { Loop } from './rate.ts'

export interface SendLoadNeeds {
  readonly clock: Clock
  /** Started already. Each keeps its own connections. */
  readonly producers: readonly Producer[]
  /** Messages in flight per producer. */
  readonly inFlight: number
  /** All producers together; undefined: as fast as `inFlight` allows. */
  readonly ratePerSecond?: number | undefined
  message(producer: number, sequence: number): OutgoingMessage
  /** What became of each message; exactly one of the two. */
  onOutcome?(producer: number, sequence: number, error: Error | undefined, result: SendResult | undefined): void
}

export interface SendReport {
  readonly seconds: number
  readonly acknowledged: number
  readonly failed: number
  readonly undecided: number
  readonly acksPerSecond: number
  readonly latencyMs: LatencySummary
  readonly longestGapMs: number
  /** Error code → number of messages. */
  readonly errors: Readonly<Record<string, number>>
}

const REFUSED_PAUSE_MS = 20

export class SendLoad {
  readonly #needs: SendLoadNeeds
  readonly #latency = new LatencyMeter()
  readonly #gap: GapMeter
  readonly #errors = new Map<string, number>()
  readonly #loops: Loop[]
  readonly #startMs: number
  #acknowledged = 0
  #failed = 0
  #undecided = 0

  constructor(needs: SendLoadNeeds) {
    this.#needs = needs
    this.#startMs = needs.clock.monotonicMs()
    this.#gap = new GapMeter(this.#startMs)
    const { clock, producers, inFlight, ratePerSecond } = needs
    this.#loops = producers.map((producer, n) => {
      const start = (sequence: number, dueMs: number, done: () => void): void =>
        this.#send(producer, n, sequence, dueMs, done)
      if (ratePerSecond === undefined) return closedLoop({ clock, inFlight, start })
      return openLoop({ clock, ratePerSecond: ratePerSecond / producers.length, maxInFlight: inFlight, start })
    })
  }

  /** What was measured so far. */
  report(): SendReport {
    const nowMs = this.#needs.clock.monotonicMs()
    const seconds = (nowMs - this.#startMs) / 1_000
    return {
      seconds,
      acknowledged: this.#acknowledged,
      failed: this.#failed,
      undecided: this.#undecided,
      acksPerSecond: seconds === 0 ? 0 : this.#acknowledged / seconds,
      latencyMs: this.#latency.summary(),
      longestGapMs: this.#gap.longest(nowMs).lengthMs,
      errors: Object.fromEntries(this.#errors),
    }
  }

  /** Starts no more sends and waits for those in flight. */
  async stop(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()))
  }

  #send(producer: Producer, n: number, sequence: number, dueMs: number, done: () => void): void {
    const { clock } = this.#needs
    producer.sendCallback(this.#needs.message(n, sequence), (error, result) => {
      if (error === undefined) {
        const nowMs = clock.monotonicMs()
        this.#acknowledged += 1
        this.#latency.record(nowMs - dueMs)
        this.#gap.mark(nowMs)
      } else this.#countError(error)
      this.#needs.onOutcome?.(n, sequence, error, result)
      // A refusal comes in the same turn: without a pause the loop would spin, and leave no time to read answers.
      if (errorCode(error) === 'CLIENT_OVERLOADED') clock.after(REFUSED_PAUSE_MS, done)
      else done()
    })
  }

  #countError(error: Error): void {
    const code = errorCode(error) ?? 'UNKNOWN'
    this.#errors.set(code, (this.#errors.get(code) ?? 0) + 1)
    if (mayBeStored(error)) this.#undecided += 1
    else this.#failed += 1
  }
}
