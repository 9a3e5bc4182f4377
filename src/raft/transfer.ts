/** Leadership on its way to another voter, which is asked to stand once it has the whole log (thesis §3.10). */
import type { Progress } from './progress.ts'
import type { Index, NodeId } from './types.ts'

export class Transfer {
  readonly to: NodeId
  readonly #deadlineMs: number
  #isAsked = false

  constructor(to: NodeId, deadlineMs: number) {
    this.to = to
    this.#deadlineMs = deadlineMs
  }

  /** The target did not take over in time: its leader goes on. */
  isOver(nowMs: number): boolean {
    return nowMs >= this.#deadlineMs
  }

  /** Whether the target, as far as `progress`, is to be asked now. True once. */
  asks(progress: Progress, lastIndex: Index): boolean {
    if (this.#isAsked || progress.match !== lastIndex) return false
    this.#isAsked = true
    return true
  }
}
