/** Consumes through several consumers and measures. */
import type { Clock } from '../lib/clock.ts'
import type { PushConsumer } from '../client/consumer/push-consumer.ts'
import type { ReceivedMessage } from '../client/core/received-message.ts'
import { GapMeter } from './gap.ts'
import { LatencyMeter } from './latency.ts'
import type { LatencySummary } from './latency.ts'

export interface ConsumeLoadNeeds {
  readonly clock: Clock
  /** Subscribed, not started. */
  readonly consumers: readonly PushConsumer[]
  onMessage?(message: ReceivedMessage): void
}

export interface ConsumeReport {
  /** From the first message to the last. */
  readonly seconds: number
  readonly messages: number
  readonly bytes: number
  readonly messagesPerSecond: number
  /** From store to handler, of messages that were stored after the load began; wall clocks of both sides. */
  readonly latencyMs: LatencySummary
  readonly longestGapMs: number
}

export class ConsumeLoad {
  readonly #needs: ConsumeLoadNeeds
  readonly #latency = new LatencyMeter()
  readonly #gap = new GapMeter()
  readonly #startWallMs: number
  #firstMs: number | undefined
  #lastMs = 0
  #messages = 0
  #bytes = 0

  constructor(needs: ConsumeLoadNeeds) {
    this.#needs = needs
    this.#startWallMs = needs.clock.nowMs()
  }

  async start(): Promise<void> {
    await Promise.all(this.#needs.consumers.map((consumer) => consumer.run((message) => this.#take(message))))
  }

  get messages(): number {
    return this.#messages
  }

  /** Milliseconds without a message; since the first one. */
  get silentMs(): number {
    return this.#firstMs === undefined ? 0 : this.#needs.clock.monotonicMs() - this.#lastMs
  }

  report(): ConsumeReport {
    const seconds = this.#firstMs === undefined ? 0 : (this.#lastMs - this.#firstMs) / 1_000
    return {
      seconds,
      messages: this.#messages,
      bytes: this.#bytes,
      messagesPerSecond: seconds === 0 ? 0 : this.#messages / seconds,
      latencyMs: this.#latency.summary(),
      longestGapMs: this.#gap.longest(this.#lastMs).lengthMs,
    }
  }

  #take(message: ReceivedMessage): void {
    const { clock } = this.#needs
    const nowMs = clock.monotonicMs()
    this.#firstMs ??= nowMs
    this.#lastMs = nowMs
    this.#messages += 1
    this.#bytes += message.storedBodyBytes
    this.#gap.mark(nowMs)
    const storedMs = message.storeTimestampMs
    if (storedMs >= this.#startWallMs) this.#latency.record(clock.nowMs() - storedMs)
    this.#needs.onMessage?.(message)
  }
}
