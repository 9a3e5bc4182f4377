/**
 * What Raft needs of a log: the term of every index, kept as runs of equal terms.
 *
 *   start        runs
 *   (40, 2)      {term 2, 41..90} {term 5, 91..97} {term 6, 98..}
 *
 * Invariants: runs ascend in term, follow each other without a gap from `start.index + 1`, and no term is below
 * `start.term`.
 */
import { assert } from '../lib/assert.ts'
import type { EntryId, Index, Term, TermRun } from './types.ts'

interface Run {
  readonly term: Term
  readonly first: Index
  last: Index
}

export class LogRuns {
  #start: EntryId
  #runs: Run[] = []

  constructor(start: EntryId, runs: readonly TermRun[]) {
    this.#start = start
    this.append(runs)
  }

  /** The entry before the first one kept. */
  get start(): EntryId {
    return this.#start
  }

  get lastIndex(): Index {
    return this.#runs.at(-1)?.last ?? this.#start.index
  }

  get lastTerm(): Term {
    return this.#runs.at(-1)?.term ?? this.#start.term
  }

  get last(): EntryId {
    return { index: this.lastIndex, term: this.lastTerm }
  }

  /** The term of the entry at `index`; undefined before the start and after the end. */
  termAt(index: Index): Term | undefined {
    if (index === this.#start.index) return this.#start.term
    if (index < this.#start.index || index > this.lastIndex) return undefined
    return this.#runs[this.#find(index)]?.term
  }

  has(id: EntryId): boolean {
    return this.termAt(id.index) === id.term
  }

  /** Whether a log that ends in `last` is at least as up-to-date as this one up to `end` (Raft §5.4.1). */
  isUpToDate(last: EntryId, end: Index = this.lastIndex): boolean {
    const term = this.termAt(end) ?? this.lastTerm
    return last.term === term ? last.index >= end : last.term > term
  }

  /** One entry of `term` at the end. Returns its index. */
  appendOne(term: Term): Index {
    const tail = this.#runs.at(-1)
    if (tail !== undefined && tail.term === term) return ++tail.last
    assert(term >= this.lastTerm, `terms do not go back: ${term} after ${this.lastTerm}`)
    const index = this.lastIndex + 1
    this.#runs.push({ term, first: index, last: index })
    return index
  }

  /** Consecutive runs at the end. */
  append(runs: readonly TermRun[]): void {
    for (const run of runs) {
      assert(run.first === this.lastIndex + 1, `run starts at ${run.first}, log ends at ${this.lastIndex}`)
      assert(run.first <= run.last, `run ${run.first}..${run.last} is empty`)
      assert(run.term >= this.lastTerm, `terms do not go back: ${run.term} after ${this.lastTerm}`)
      const tail = this.#runs.at(-1)
      if (tail !== undefined && tail.term === run.term) tail.last = run.last
      else this.#runs.push({ term: run.term, first: run.first, last: run.last })
    }
  }

  /** Drops every entry after `index`. */
  truncateAfter(index: Index): void {
    assert(index >= this.#start.index, `truncation to ${index} is before the start ${this.#start.index}`)
    for (;;) {
      const tail = this.#runs.at(-1)
      if (tail === undefined || tail.last <= index) return
      if (tail.first <= index) tail.last = index
      else this.#runs.pop()
    }
  }

  /** Forgets entries up to and including `start`, which must be here. */
  moveStart(start: EntryId): void {
    if (start.index <= this.#start.index) return
    assert(this.has(start), `the log start moves to an entry that is here: ${start.index}`)
    const kept: Run[] = []
    for (const run of this.#runs) {
      if (run.last <= start.index) continue
      kept.push(run.first > start.index ? run : { term: run.term, first: start.index + 1, last: run.last })
    }
    this.#runs = kept
    this.#start = start
  }

  /** The runs of `first..last`, which must be here. */
  slice(first: Index, last: Index): TermRun[] {
    assert(first > this.#start.index && last <= this.lastIndex, `${first}..${last} is not in the log`)
    const slice: TermRun[] = []
    if (first > last) return slice
    for (let at = this.#find(first); at < this.#runs.length; at++) {
      const run = this.#runs[at]
      if (run === undefined || run.first > last) break
      slice.push({ term: run.term, first: Math.max(run.first, first), last: Math.min(run.last, last) })
    }
    return slice
  }

  /** The last index that an append from `first` may reach if it is to hold at most `maxRuns` runs. */
  reach(first: Index, maxRuns: number): Index {
    return this.#runs[this.#find(first) + maxRuns - 1]?.last ?? this.lastIndex
  }

  /** The first index of `runs` that is not here with the same term; `last + 1` when all are. */
  divergence(runs: readonly TermRun[]): Index {
    let next = this.lastIndex + 1
    for (const run of runs) {
      next = run.last + 1
      for (let index = run.first; index <= run.last; ) {
        const own = index <= this.#start.index ? undefined : this.#runs[this.#find(index)]
        if (own === undefined || own.first > index || own.last < index || own.term !== run.term) return index
        index = own.last + 1
      }
    }
    return next
  }

  /**
   * The highest entry here that a log holding (index, term) may share: not above `index`, of no higher term (Raft §5.3:
   * one exchange a term, not one an entry). Undefined when every such entry lies before the start.
   */
  sharedAtMost(index: Index, term: Term): EntryId | undefined {
    if (index < this.#start.index) return undefined
    for (let at = this.#find(Math.min(index, this.lastIndex)); at >= 0; at--) {
      const run = this.#runs[at]
      if (run !== undefined && run.first <= index && run.term <= term) {
        return { index: Math.min(run.last, index), term: run.term }
      }
    }
    return this.#start.term <= term ? this.#start : undefined
  }

  /** All runs, for whoever prints or compares. */
  toRuns(): readonly TermRun[] {
    return this.#runs.map((run) => ({ ...run }))
  }

  /** Place of the run that holds `index`: from the end, where almost every question is asked. -1 before the first. */
  #find(index: Index): number {
    let at = this.#runs.length - 1
    while (at >= 0 && (this.#runs[at]?.first ?? 0) > index) at--
    return at
  }
}
