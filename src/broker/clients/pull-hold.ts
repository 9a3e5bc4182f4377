/**
 * Long polling (RocketMQ PullRequestHoldService): a pull that found nothing is parked by its queue and run again when a
 * message arrives that it may want, or when its time is up.
 */
import type { Clock, Timer } from '../../lib/clock.ts'

export interface Parked {
  /** Wants messages from this queueOffset on. */
  readonly queueOffset: number
  /** Hashes of the tags it wants; undefined: all. */
  readonly tagsCodes: ReadonlySet<number> | undefined
  readonly deadlineMs: number
  /** Runs the pull again; it must not park again when `mayPark` is false. */
  resume(mayPark: boolean): void
}

export interface PullHoldNeeds {
  readonly clock: Clock
  /** Pulls parked at once over all queues; more are answered at once. */
  readonly maxParked: number
}

const SWEEP_PERIOD_MS = 250

export class PullHold {
  readonly #need: PullHoldNeeds
  readonly #queues = new Map<string, Map<number, Parked[]>>()
  readonly #sweep: Timer
  #count = 0

  constructor(need: PullHoldNeeds) {
    this.#need = need
    this.#sweep = need.clock.every(SWEEP_PERIOD_MS, () => this.#expire())
  }

  get parkedCount(): number {
    return this.#count
  }

  /** Parks a pull. False when there is no room: the caller answers now. */
  park(topic: string, queueId: number, pull: Parked): boolean {
    if (this.#count >= this.#need.maxParked) return false
    let queues = this.#queues.get(topic)
    if (queues === undefined) this.#queues.set(topic, (queues = new Map()))
    const parked = queues.get(queueId)
    if (parked === undefined) queues.set(queueId, [pull])
    else parked.push(pull)
    this.#count++
    return true
  }

  /**
   * Messages up to (not including) `maxQueueOffset` can be read. `tagsCode` is the tag of the one message that arrived;
   * undefined when several did.
   */
  arrived(topic: string, queueId: number, maxQueueOffset: number, tagsCode?: number): void {
    const queues = this.#queues.get(topic)
    if (queues === undefined) return
    this.#wake(topic, queues, queueId, (pull) => {
      if (maxQueueOffset <= pull.queueOffset) return false
      return tagsCode === undefined || pull.tagsCodes === undefined || pull.tagsCodes.has(tagsCode)
    })
  }

  /**
   * Runs every parked pull again: leadership changed, or a topic was deleted. They may park again, which adds to the maps
   * that this goes over: it goes over copies.
   */
  wakeAll(topic?: string): void {
    for (const [name, queues] of topic === undefined ? Array.from(this.#queues) : this.#entry(topic)) {
      for (const queueId of Array.from(queues.keys())) this.#wake(name, queues, queueId, () => true, true)
    }
  }

  close(): void {
    this.#sweep.cancel()
    this.#queues.clear()
    this.#count = 0
  }

  #entry(topic: string): [string, Map<number, Parked[]>][] {
    const queues = this.#queues.get(topic)
    return queues === undefined ? [] : [[topic, queues]]
  }

  #expire(): void {
    const nowMs = this.#need.clock.monotonicMs()
    for (const [topic, queues] of Array.from(this.#queues)) {
      for (const queueId of Array.from(queues.keys()))
        this.#wake(topic, queues, queueId, (pull) => pull.deadlineMs <= nowMs)
    }
  }

  /** Takes out those of a queue that `isDue`, then runs them: a resumed pull may park anew while this runs. */
  #wake(
    topic: string,
    queues: Map<number, Parked[]>,
    queueId: number,
    isDue: (pull: Parked) => boolean,
    mayPark = false,
  ): void {
    const parked = queues.get(queueId)
    if (parked === undefined) return
    const due: Parked[] = []
    const rest: Parked[] = []
    for (const pull of parked) (isDue(pull) ? due : rest).push(pull)
    if (due.length === 0) return
    if (rest.length > 0) queues.set(queueId, rest)
    else {
      queues.delete(queueId)
      if (queues.size === 0) this.#queues.delete(topic)
    }
    this.#count -= due.length
    for (const pull of due) pull.resume(mayPark)
  }
}
