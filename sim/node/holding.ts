/** What one replica holds in the end of a workload: every place (`topic/queueId/queueOffset`) with its message. */
import { idOf } from './bodies.ts'
import type { HeldQueue } from './read-queue.ts'

export class Holding {
  readonly #ids = new Map<string, string>()
  readonly #minimums = new Map<string, number>()

  /** Throws where a body is not what was sent. */
  add(queue: string, { minimum, messages }: HeldQueue): void {
    this.#minimums.set(queue, minimum)
    for (const { queueOffset, body } of messages) this.put(`${queue}/${queueOffset}`, idOf(body))
  }

  put(place: string, id: string): void {
    this.#ids.set(place, id)
  }

  get ids(): Iterable<string> {
    return this.#ids.values()
  }

  /** Lowest queueOffset of each queue. */
  get minimums(): ReadonlyMap<string, number> {
    return this.#minimums
  }

  /** Whether `id` is there, or was dropped by retention if it was. */
  mayHold(place: string, id: string): boolean {
    const at = place.lastIndexOf('/')
    return this.#ids.get(place) === id || Number(place.slice(at + 1)) < (this.#minimums.get(place.slice(0, at)) ?? 0)
  }
}
