/** Who had what when, of one queue that is popped in order; times are those of the simulation. */

export interface Taken {
  readonly queueOffset: number
  /** Nobody else is given anything of the queue until then, unless it is acknowledged. */
  untilMs: number
  /** Whoever has it began to say that it is done. */
  askedDoneMs: number
  /** That was answered while it was surely held. */
  doneMs: number
}

/** What one answer held of the queue. */
export interface Batch {
  readonly fromMs: number
  readonly askedMs: number
  readonly answeredMs: number
  readonly taken: readonly Taken[]
}

/** A message that is in the queue for ever. */
export interface Place {
  readonly id: string
  readonly queueOffset: number
  readonly ackedMs: number
}

/** Brokers know whole milliseconds. */
const ROUNDING_MS = 1

export class OrderedPopLedger {
  readonly #batches: Batch[] = []
  readonly #places: Place[] = []
  readonly #asked = new Map<number, number>()

  stored(place: Place): void {
    this.#places.push(place)
  }

  popped(batch: Batch): void {
    this.#batches.push(batch)
  }

  /** Whoever holds it says that it is done; where the answer is lost, it may be so. */
  acknowledging(taken: Taken, nowMs: number): void {
    taken.askedDoneMs = Math.min(taken.askedDoneMs, nowMs)
    const { queueOffset } = taken
    this.#asked.set(queueOffset, Math.min(this.#asked.get(queueOffset) ?? Infinity, nowMs))
  }

  acknowledged(taken: Taken, nowMs: number): void {
    if (nowMs < taken.untilMs) taken.doneMs = Math.min(taken.doneMs, nowMs)
  }

  mayBeDone(queueOffset: number): boolean {
    return this.#asked.has(queueOffset)
  }

  /** What was broken, where retention took those of which `isDropped`; undefined: nothing. */
  broken(isDropped: (id: string) => boolean): string | undefined {
    const places = this.#places.filter(({ id }) => !isDropped(id))
    for (const batch of this.#batches) {
      const wrong = this.#takenTooEarly(batch) ?? this.#passedOver(batch, places) ?? this.#takenAgain(batch)
      if (wrong !== undefined) return wrong
    }
    return undefined
  }

  /** Others were held then, and not acknowledged. */
  #takenTooEarly({ fromMs, taken: [first] }: Batch): string | undefined {
    for (const { taken, fromMs: heldMs } of this.#batches) {
      if (heldMs >= fromMs) continue
      const held = taken.find(({ untilMs, askedDoneMs }) => fromMs + ROUNDING_MS < Math.min(untilMs, askedDoneMs))
      if (held === undefined) continue
      return `${first?.queueOffset} is popped at ${fromMs}, and ${held.queueOffset} is held from ${heldMs} to ${held.untilMs}`
    }
    return undefined
  }

  /** What lies before it, was never given and is not done. */
  #passedOver({ askedMs, answeredMs, taken }: Batch, places: readonly Place[]): string | undefined {
    const first = Math.min(...taken.map(({ queueOffset }) => queueOffset))
    const isOver = ({ queueOffset, ackedMs }: Place): boolean =>
      queueOffset < first && ackedMs < askedMs && (this.#asked.get(queueOffset) ?? Infinity) > answeredMs
    const wrong = places.find(isOver)
    if (wrong === undefined) return undefined
    return `${first} is popped at ${answeredMs}, and ${wrong.queueOffset} before it is not acknowledged`
  }

  #takenAgain({ askedMs, taken }: Batch): string | undefined {
    for (const { queueOffset } of taken) {
      for (const batch of this.#batches) {
        const done = batch.taken.find((one) => one.queueOffset === queueOffset && one.doneMs < askedMs)
        if (done !== undefined)
          return `${queueOffset} is popped after ${askedMs}, and was acknowledged at ${done.doneMs}`
      }
    }
    return undefined
  }
}
