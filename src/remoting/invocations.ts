/** Requests of ours that wait for their answer, by opaque. Deadlines are swept, not timed one by one. */
import type { RemotingCommand } from './command.ts'
import { remotingErrors } from './errors.ts'

/** Called once, with exactly one of the two. */
export type OnResponse = (error: Error | undefined, response: RemotingCommand | undefined) => void

interface Invocation {
  readonly deadlineMs: number
  readonly done: OnResponse
}

const OPAQUE_MAX = 2147483647

export class Invocations {
  readonly #waiting = new Map<number, Invocation>()
  #opaque = 0
  /** Nothing is due before this. */
  #nextDeadlineMs = Number.POSITIVE_INFINITY
  readonly #onDeadline: ((deadlineMs: number) => void) | undefined

  /** `onDeadline`: `sweep` is wanted by then. */
  constructor(onDeadline?: (deadlineMs: number) => void) {
    this.#onDeadline = onDeadline
  }

  get size(): number {
    return this.#waiting.size
  }

  /** An opaque that nothing waits for. */
  nextOpaque(): number {
    do this.#opaque = this.#opaque === OPAQUE_MAX ? 1 : this.#opaque + 1
    while (this.#waiting.has(this.#opaque))
    return this.#opaque
  }

  add(opaque: number, deadlineMs: number, done: OnResponse): void {
    this.#waiting.set(opaque, { deadlineMs, done })
    if (deadlineMs >= this.#nextDeadlineMs) return
    this.#nextDeadlineMs = deadlineMs
    this.#onDeadline?.(deadlineMs)
  }

  /** False: nothing waits for it (any more). */
  settle(response: RemotingCommand): boolean {
    const invocation = this.#waiting.get(response.opaque)
    if (invocation === undefined) return false
    this.#waiting.delete(response.opaque)
    invocation.done(undefined, response)
    return true
  }

  sweep(nowMs: number, peer: string): void {
    if (nowMs < this.#nextDeadlineMs) return
    const due: [opaque: number, done: OnResponse][] = []
    let next = Number.POSITIVE_INFINITY
    for (const [opaque, invocation] of this.#waiting) {
      if (invocation.deadlineMs <= nowMs) due.push([opaque, invocation.done])
      else if (invocation.deadlineMs < next) next = invocation.deadlineMs
    }
    this.#nextDeadlineMs = next
    if (next < Number.POSITIVE_INFINITY) this.#onDeadline?.(next)
    for (const [opaque] of due) this.#waiting.delete(opaque)
    for (const [, done] of due)
      done(remotingErrors.create('REMOTING_TIMEOUT', `no answer from ${peer} in time`), undefined)
  }

  failAll(error: Error): void {
    const all = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const invocation of all) invocation.done(error, undefined)
  }
}
