/** Virtual time: events in order of their time, then of their making. Nothing here knows what they do. */
export interface Event {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
  cancelled: boolean
}

export class Scheduler {
  #heap: Event[] = []
  #order = 0
  nowMs = 0

  at(atMs: number, run: () => void): Event {
    const event: Event = { atMs: Math.max(atMs, this.nowMs), order: this.#order++, run, cancelled: false }
    this.#push(event)
    return event
  }

  after(delayMs: number, run: () => void): Event {
    return this.at(this.nowMs + delayMs, run)
  }

  /** Runs the next event that is due by `untilMs`. False: there is none, and the time is `untilMs`. */
  step(untilMs: number): boolean {
    for (;;) {
      const next = this.#heap[0]
      if (next === undefined || next.atMs > untilMs) {
        this.nowMs = Math.max(this.nowMs, untilMs)
        return false
      }
      this.#pop()
      if (next.cancelled) continue
      this.nowMs = next.atMs
      next.run()
      return true
    }
  }

  #push(event: Event): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(event)
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above]
      if (parent === undefined || isBefore(parent, event)) break
      heap[at] = parent
      at = above
    }
    heap[at] = event
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      const left = heap[child]
      if (left === undefined) break
      const right = heap[child + 1]
      let smaller = left
      if (right !== undefined && isBefore(right, left)) {
        smaller = right
        child++
      }
      if (isBefore(last, smaller)) break
      heap[at] = smaller
      at = child
    }
    heap[at] = last
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
