/**
 * Verifies log matching (Raft §5.3) by induction: wherever an entry (index, term) is written, it has the same content
 * and the same term before it. Two logs that share an entry therefore share everything before it.
 */
import type { Index } from '../../../src/raft/types.ts'
import type { Entry } from '../disk.ts'
import { Violation } from '../../world/violation.ts'

export class LogMatchingChecker {
  /** By index, then by term. */
  readonly #seen: Map<number, readonly [value: number, prevTerm: number]>[] = []

  wrote(index: Index, entry: Entry, prevTerm: number): void {
    const terms = (this.#seen[index] ??= new Map())
    const before = terms.get(entry.term)
    if (before === undefined) {
      terms.set(entry.term, [entry.value, prevTerm])
      return
    }
    if (before[0] !== entry.value || before[1] !== prevTerm) {
      throw new Violation(
        'matching',
        `entry (${index}, ${entry.term}) is ${before.join('/')} and ${entry.value}/${prevTerm}`,
      )
    }
  }
}
