/**
 * What is known of a log without reading it: where it starts and ends, whose terms its entries are of, and the
 * memberships in it. Pure; `segment-list.ts` knows where the bytes are.
 */
import { assert } from '../lib/assert.ts'
import type { LogPosition } from './log-position.ts'

export interface EntryId {
  readonly index: number
  readonly term: number
}

/** Entries `first..last` (both included) of one term. */
export interface TermRun {
  readonly term: number
  readonly first: number
  readonly last: number
}

/** A membership entry: its bytes are opaque to the store. */
export interface MembershipBytes {
  readonly index: number
  readonly bytes: Buffer
}

export interface OutlineState {
  readonly start: LogPosition
  readonly end: LogPosition
  readonly runs: readonly TermRun[]
  readonly memberships: readonly MembershipBytes[]
}

export class LogOutline {
  #start: LogPosition
  #end: LogPosition
  #runs: TermRun[]
  #memberships: MembershipBytes[]

  constructor(state: OutlineState) {
    this.#start = state.start
    this.#end = state.end
    this.#runs = [...state.runs]
    this.#memberships = [...state.memberships]
  }

  get start(): LogPosition {
    return this.#start
  }

  get end(): LogPosition {
    return this.#end
  }

  /** Ascending, without gaps, from `start.index + 1` to `end.index`. */
  get runs(): readonly TermRun[] {
    return this.#runs
  }

  /** Ascending; the first may be the one that the log start stands on. */
  get memberships(): readonly MembershipBytes[] {
    return this.#memberships
  }

  /** Everything is replaced by a log that begins at `start`. */
  reset(start: LogPosition, membership: MembershipBytes | undefined): void {
    this.#start = start
    this.#end = start
    this.#runs = []
    this.#memberships = membership === undefined ? [] : [membership]
  }

  /** Term of an entry kept, or of the entry that the log starts after; undefined outside. */
  termAt(index: number): number | undefined {
    if (index === this.#start.index) return this.#start.term
    for (let i = this.#runs.length - 1; i >= 0; i--) {
      const run = this.#runs[i]
      if (run !== undefined && index >= run.first) return index <= run.last ? run.term : undefined
    }
    return undefined
  }

  /** The next entry: `end` is the place behind it. */
  add(end: LogPosition, membership: Buffer | undefined): void {
    assert(end.index === this.#end.index + 1, `entry ${end.index} follows ${this.#end.index}`)
    assert(end.offset > this.#end.offset, 'the log grows')
    this.#extend(end.index, end.index, end.term)
    if (membership !== undefined) this.#memberships.push({ index: end.index, bytes: membership })
    this.#end = end
  }

  /** Many entries at once: what a segment's index or the sync mark says of them. */
  addRuns(end: LogPosition, runs: readonly TermRun[], memberships: readonly MembershipBytes[]): void {
    let next = this.#end.index + 1
    for (const run of runs) {
      assert(run.first === next, 'runs follow each other')
      this.#extend(run.first, run.last, run.term)
      next = run.last + 1
    }
    assert(next === end.index + 1, 'runs reach to the end')
    this.#memberships.push(...memberships)
    this.#end = end
  }

  truncateAfter(to: LogPosition): void {
    assert(to.index >= this.#start.index, 'a log is not truncated below its start')
    assert(to.index <= this.#end.index, 'a log is not truncated beyond its end')
    while ((this.#runs.at(-1)?.first ?? 0) > to.index) this.#runs.pop()
    const last = this.#runs.at(-1)
    if (last !== undefined && last.last > to.index) this.#runs[this.#runs.length - 1] = { ...last, last: to.index }
    while ((this.#memberships.at(-1)?.index ?? 0) > to.index) this.#memberships.pop()
    this.#end = to
  }

  /** Forgets the entries up to `start`. The newest membership among them stays: the log start stands on it. */
  dropBefore(start: LogPosition): void {
    assert(start.index >= this.#start.index, 'a start never goes back')
    assert(start.index <= this.#end.index, 'a log keeps its end')
    const runs: TermRun[] = []
    for (const run of this.#runs) {
      if (run.last > start.index) runs.push({ ...run, first: Math.max(run.first, start.index + 1) })
    }
    this.#runs = runs
    const standing = this.#memberships.findLastIndex((membership) => membership.index <= start.index)
    if (standing > 0) this.#memberships = this.#memberships.slice(standing)
    this.#start = start
  }

  /** The membership that entries after `index` stand on. */
  membershipAt(index: number): MembershipBytes | undefined {
    return this.#memberships.findLast((membership) => membership.index <= index)
  }

  /** The part of the runs that lies in `first..last`. */
  runsBetween(first: number, last: number): TermRun[] {
    const runs: TermRun[] = []
    for (const run of this.#runs) {
      if (run.last < first || run.first > last) continue
      runs.push({ term: run.term, first: Math.max(run.first, first), last: Math.min(run.last, last) })
    }
    return runs
  }

  #extend(first: number, last: number, term: number): void {
    const run = this.#runs.at(-1)
    assert(term >= (run?.term ?? this.#start.term), `term ${term} does not go back`)
    if (run?.term === term) this.#runs[this.#runs.length - 1] = { ...run, last }
    else this.#runs.push({ term, first, last })
  }
}
