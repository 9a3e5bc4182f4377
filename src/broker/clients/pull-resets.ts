/**
 * Groups that an administrator moved while they pull by themselves (RocketMQ ConsumerOffsetManager.resetOffsetTable): the
 * next pull of each queue is answered "offset moved" once. Volatile; the committed offset was moved in the log.
 */
export class PullResets {
  readonly #max: number
  readonly #wanted = new Map<string, number>()

  /** At most `max` queues wait; the oldest are forgotten first. */
  constructor(max: number) {
    this.#max = max
  }

  set(topic: string, group: string, offsets: ReadonlyMap<number, number>): void {
    for (const [queueId, offset] of offsets) {
      const key = keyOf(topic, group, queueId)
      this.#wanted.delete(key)
      this.#wanted.set(key, offset)
    }
    for (const key of this.#wanted.keys()) {
      if (this.#wanted.size <= this.#max) break
      this.#wanted.delete(key)
    }
  }

  /** Where the queue was moved to, and forgets it; undefined when it was not, or `queueOffset` is there already. */
  take(topic: string, group: string, queueId: number, queueOffset: number): number | undefined {
    if (this.#wanted.size === 0) return undefined
    const key = keyOf(topic, group, queueId)
    const wanted = this.#wanted.get(key)
    this.#wanted.delete(key)
    return wanted === queueOffset ? undefined : wanted
  }
}

function keyOf(topic: string, group: string, queueId: number): string {
  return `${topic}@${group}@${queueId}`
}
