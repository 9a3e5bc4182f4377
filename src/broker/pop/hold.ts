/**
 * Pops and notifications that found nothing and wait (RocketMQ PopLongPollingService): by topic, so that a message of the
 * topic or of its retry topic wakes them. One waiting request a group is woken for what arrives; a pop that leaves
 * messages behind wakes the next.
 */
import type { Clock, Timer } from '../../lib/clock.ts'

export interface Waiting {
  readonly topics: readonly string[]
  readonly group: string
  /** -1: any. */
  readonly queueId: number
  readonly deadlineMs: number
  /** Runs it again; it must not wait again when `mayWait` is false. */
  resume(mayWait: boolean): void
}

export interface PopHoldNeeds {
  readonly clock: Clock
  readonly options: { readonly maxWaiting: number; readonly maxWaitingPerGroup: number }
}

const SWEEP_PERIOD_MS = 250

export class PopHold {
  readonly #need: PopHoldNeeds
  /** By topic, then group. */
  readonly #byTopic = new Map<string, Map<string, Set<Waiting>>>()
  readonly #sweep: Timer
  #count = 0

  constructor(need: PopHoldNeeds) {
    this.#need = need
    this.#sweep = need.clock.every(SWEEP_PERIOD_MS, () => this.#expire())
  }

  /** Lets it wait. False when there is no room. */
  wait(waiting: Waiting): boolean {
    const { maxWaiting, maxWaitingPerGroup } = this.#need.options
    const held = this.#byTopic.get(waiting.topics[0] ?? '')?.get(waiting.group)?.size ?? 0
    if (this.#count >= maxWaiting || held >= maxWaitingPerGroup) return false
    for (const topic of waiting.topics) this.#groupOf(topic, waiting.group).add(waiting)
    this.#count++
    return true
  }

  /** Requests of the group that wait for a queue. */
  count(topic: string, group: string, queueId: number): number {
    const all = [...(this.#byTopic.get(topic)?.get(group) ?? [])]
    return all.filter((waiting) => waiting.queueId === queueId).length
  }

  /** Messages came: one of each group that wants them runs again. */
  arrived(topic: string, queueId: number): void {
    const groups = this.#byTopic.get(topic)
    if (groups === undefined) return
    for (const group of Array.from(groups.keys())) this.#wakeOne(topic, group, queueId)
  }

  /** The group may find something in the topic now. */
  wake(topic: string, group: string): void {
    this.#wakeOne(topic, group, -1)
  }

  /** All run again: leadership changed, or a topic was deleted. */
  wakeAll(topic?: string): void {
    for (const [name, groups] of Array.from(this.#byTopic)) {
      if (topic !== undefined && name !== topic) continue
      for (const waiting of [...groups.values()].flatMap((set) => [...set])) this.#run(waiting, true)
    }
  }

  close(): void {
    this.#sweep.cancel()
    this.#byTopic.clear()
    this.#count = 0
  }

  #wakeOne(topic: string, group: string, queueId: number): void {
    for (const waiting of this.#byTopic.get(topic)?.get(group) ?? []) {
      // The queue of a retry topic is none of those that are waited for by number.
      const isAny = queueId < 0 || waiting.queueId < 0 || topic !== waiting.topics[0]
      if (isAny || waiting.queueId === queueId) return this.#run(waiting, true)
    }
  }

  #expire(): void {
    const nowMs = this.#need.clock.monotonicMs()
    const due = new Set<Waiting>()
    for (const groups of this.#byTopic.values()) {
      for (const set of groups.values()) for (const waiting of set) if (waiting.deadlineMs <= nowMs) due.add(waiting)
    }
    for (const waiting of due) this.#run(waiting, false)
  }

  #run(waiting: Waiting, mayWait: boolean): void {
    if (
      this.#byTopic
        .get(waiting.topics[0] ?? '')
        ?.get(waiting.group)
        ?.has(waiting) !== true
    )
      return
    this.#count--
    for (const topic of waiting.topics) {
      const groups = this.#byTopic.get(topic)
      const set = groups?.get(waiting.group)
      set?.delete(waiting)
      if (set?.size === 0) groups?.delete(waiting.group)
      if (groups?.size === 0) this.#byTopic.delete(topic)
    }
    waiting.resume(mayWait)
  }

  #groupOf(topic: string, group: string): Set<Waiting> {
    let groups = this.#byTopic.get(topic)
    if (groups === undefined) this.#byTopic.set(topic, (groups = new Map()))
    let set = groups.get(group)
    if (set === undefined) groups.set(group, (set = new Set()))
    return set
  }
}
