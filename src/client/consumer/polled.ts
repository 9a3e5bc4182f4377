/** What a pull consumer gave out and did not yet count as consumed, and who waits for more. */
import type { Clock } from '../../lib/clock.ts'
import { queueKey } from '../core/message-queue.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import type { ReceivedMessage } from '../core/received-message.ts'
import type { ObservedHandling } from '../producer/observed-handling.ts'
import type { Delivery, QueueFeed } from './queue-feed.ts'

export class Polled {
  readonly #feeds: () => readonly QueueFeed[]
  readonly #observed: Pick<ObservedHandling, 'taken' | 'done' | 'givenBack'>
  #inHand: Delivery[] = []
  #waiting: (() => void) | undefined
  /** The feed that comes first next time: none is served before another for ever. */
  #turn = 0

  constructor(feeds: () => readonly QueueFeed[], observed: Pick<ObservedHandling, 'taken' | 'done' | 'givenBack'>) {
    this.#feeds = feeds
    this.#observed = observed
  }

  /** Up to `max` messages that are here, in order within each queue. */
  take(max: number): ReceivedMessage[] {
    const feeds = this.#feeds()
    const first = this.#turn++
    const taken: Delivery[] = []
    for (let n = 0; n < feeds.length && taken.length < max; n++) {
      const feed = feeds[(first + n) % feeds.length]
      while (taken.length < max) {
        const delivery = feed?.mayTake === true ? feed.take() : undefined
        if (delivery === undefined) break
        taken.push(delivery)
      }
    }
    this.#inHand.push(...taken)
    for (const { message, deliveries } of taken) this.#observed.taken(message, deliveries)
    return taken.map(({ message }) => message)
  }

  /** What was given counts as consumed. */
  settle(): void {
    for (const delivery of this.#inHand.splice(0)) {
      this.#observed.done(delivery.message)
      delivery.feed.settle(delivery)
    }
  }

  /** What was given of this queue never counts: it goes on elsewhere. */
  forget(queue: MessageQueue): void {
    const key = queueKey(queue)
    const isOf = ({ feed }: Delivery): boolean => queueKey(feed.queue) === key
    const gone = this.#inHand.filter(isOf)
    this.#inHand = this.#inHand.filter((delivery) => !isOf(delivery))
    this.#release(gone)
  }

  /** What was given is given again. */
  giveBack(): void {
    this.#release(this.#inHand.splice(0))
  }

  /** Resolves when something may be taken, the signal fires, or `timeoutMs` are over. */
  async wait(clock: Clock, timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    const wake = (): void => this.wake()
    const timer = clock.after(timeoutMs, wake)
    signal?.addEventListener('abort', wake, { once: true })
    await new Promise<void>((resolve) => {
      this.#waiting = resolve
    })
    timer.cancel()
    signal?.removeEventListener('abort', wake)
  }

  wake(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.()
  }

  #release(deliveries: readonly Delivery[]): void {
    for (const delivery of deliveries) {
      this.#observed.givenBack(delivery.message)
      delivery.feed.release(delivery)
    }
  }
}
