/**
 * The messages of one queue that were pulled and are not yet settled. Pure: it is told what arrived, handed out and
 * settled, and says what may be pulled, handled and committed.
 *
 *      committed          taken           arrived
 *         │ settled … taken │ waiting ……… │
 *     ────┴─────────────────┴─────────────┴──▶ queueOffset
 *
 * Invariant: `commitOffset` never passes a message that is not settled, and never goes back.
 */
import { assert } from '../../lib/assert.ts'

export interface QueuedMessage {
  readonly queueOffset: number
  /** What the message weighs against `maxBytes`. */
  readonly bytes: number
}

export interface ProcessQueueLimits {
  readonly maxMessages: number
  readonly maxBytes: number
  /** Most messages from the first one not settled on, settled ones included. */
  readonly maxSpan: number
}

/** A message in hand: give `place` back to `settle` or `release`. */
export interface Taken<M> {
  readonly message: M
  readonly place: number
}

export class ProcessQueue<M extends QueuedMessage> {
  readonly #limits: ProcessQueueLimits
  /** Messages from place `#firstPlace` on; undefined once settled. */
  #messages: (M | undefined)[] = []
  /** Index in `#messages` of the first one not settled. Below it all are undefined. */
  #head = 0
  /** Index in `#messages` of the next one never handed out. */
  #next = 0
  /** Place of `#messages[0]`: places are given once and never again. */
  #firstPlace = 0
  /** Places handed out and given back, ascending. */
  #released: number[] = []
  #inHand = 0
  #bytes = 0
  /** Where the next pull begins; everything below is here, settled, or filtered out. */
  #pulledTo: number

  constructor(startOffset: number, limits: ProcessQueueLimits) {
    this.#limits = limits
    this.#pulledTo = startOffset
  }

  /** Messages held: waiting and in hand. */
  get size(): number {
    return this.waiting + this.#inHand
  }

  get waiting(): number {
    return this.#messages.length - this.#next + this.#released.length
  }

  get inHand(): number {
    return this.#inHand
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The queueOffset at which the next pull begins. */
  get pulledTo(): number {
    return this.#pulledTo
  }

  /**
   * False: stop pulling until messages are settled. Behind one that nobody settles the others do not pile up without end:
   * all of them would come again after a crash (RocketMQ consumeConcurrentlyMaxSpan).
   */
  get hasRoom(): boolean {
    const { maxMessages, maxBytes, maxSpan } = this.#limits
    return this.size < maxMessages && this.#bytes < maxBytes && this.#messages.length - this.#head < maxSpan
  }

  /** The queueOffset up to which (excluded) everything is settled: what a restarted consumer may begin at. */
  get commitOffset(): number {
    return this.#messages[this.#head]?.queueOffset ?? this.#pulledTo
  }

  /** The queueOffset of what `take` gives next, or of what is pulled next when nothing waits. */
  get nextOffset(): number {
    const again = this.#released[0]
    const next = again === undefined ? this.#messages[this.#next] : this.#messages[again - this.#firstPlace]
    return next?.queueOffset ?? this.#pulledTo
  }

  /** Smallest and largest queueOffset held, or undefined when empty. For people who look in from outside. */
  get span(): { readonly first: number; readonly last: number } | undefined {
    const first = this.#messages[this.#head]
    const last = this.#messages.findLast((message) => message !== undefined)
    return first === undefined || last === undefined ? undefined : { first: first.queueOffset, last: last.queueOffset }
  }

  /** One pull's messages, ascending, and where the next pull begins. */
  arrived(messages: readonly M[], nextOffset: number): void {
    let floor = this.#pulledTo
    for (const message of messages) {
      assert(
        message.queueOffset >= floor,
        `message ${message.queueOffset} arrived after the queue was pulled to ${floor}`,
      )
      floor = message.queueOffset + 1
      this.#messages.push(message)
      this.#bytes += message.bytes
    }
    assert(nextOffset >= floor, `the next pull, at ${nextOffset}, begins before the end of what arrived, ${floor}`)
    this.#pulledTo = nextOffset
  }

  /** The next message in order, or undefined when none waits. */
  take(): Taken<M> | undefined {
    const again = this.#released.shift()
    if (again !== undefined) {
      const message = this.#messages[again - this.#firstPlace]
      assert(message !== undefined, 'a released message is gone')
      this.#inHand += 1
      return { message, place: again }
    }
    const message = this.#messages[this.#next]
    if (message === undefined) return undefined
    const place = this.#firstPlace + this.#next
    this.#next += 1
    this.#inHand += 1
    return { message, place }
  }

  /** The message is done with: handled, sent back, or skipped. */
  settle(place: number): void {
    const at = place - this.#firstPlace
    const message = this.#messages[at]
    assert(message !== undefined, `place ${place} is settled twice`)
    assert(at < this.#next, `place ${place} was never taken`)
    this.#messages[at] = undefined
    this.#inHand -= 1
    this.#bytes -= message.bytes
    while (this.#head < this.#next && this.#messages[this.#head] === undefined) this.#head += 1
    this.#compact()
  }

  /** The message goes back to where it came from: the next `take` hands it out again. */
  release(place: number): void {
    assert(this.#messages[place - this.#firstPlace] !== undefined, `place ${place} is released after it was settled`)
    const at = this.#released.findIndex((other) => other > place)
    this.#released.splice(at < 0 ? this.#released.length : at, 0, place)
    this.#inHand -= 1
  }

  #compact(): void {
    if (this.#head === this.#messages.length) {
      this.#firstPlace += this.#head
      this.#messages = []
      this.#next = 0
      this.#head = 0
    } else if (this.#head >= 256 && this.#head * 2 >= this.#messages.length) {
      this.#messages = this.#messages.slice(this.#head)
      this.#firstPlace += this.#head
      this.#next -= this.#head
      this.#head = 0
    }
  }
}
