/** The arithmetic against models that are too simple to be wrong. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { LogRuns } from '../../src/raft/log-runs.ts'
import { Memberships } from '../../src/raft/memberships.ts'
import { Inflights } from '../../src/raft/inflights.ts'
import { Progress } from '../../src/raft/progress.ts'
import { hasQuorum, quorumValue, tally } from '../../src/raft/quorum.ts'
import type { Membership } from '../../src/raft/types.ts'
import { runsOf } from './one-core.ts'

const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
const inSet = (bits: number) => (id: string) => ((bits >> ids.indexOf(id)) & 1) === 1
const named = (index: number): Membership => ({ voters: [`v${index}`], outgoing: [], learners: [] })
const voters = fc.subarray(ids, { minLength: 1 })
const membership: fc.Arbitrary<Membership> = fc.record({
  voters,
  outgoing: fc.oneof(fc.constant<string[]>([]), voters),
  learners: fc.constant<string[]>([]),
})
const values = fc.tuple(...ids.map(() => fc.nat(20))).map((each) => new Map(ids.map((id, at) => [id, each[at] ?? 0])))

/** Every set of voters of which more than half are in it. */
function majorities(of: readonly string[]): string[][] {
  const all = Array.from({ length: 2 ** of.length }, (_, bits) => of.filter((_, at) => (bits >> at) & 1))
  return all.filter((set) => set.length * 2 > of.length)
}

describe('quorums', () => {
  test.prop([membership, values], { numRuns: 300 })(
    'a value is reached when some majority, and during a change some majority of each, has it',
    (members, value) => {
      const reached = (of: readonly string[]): number =>
        of.length === 0
          ? Infinity
          : Math.max(...majorities(of).map((set) => Math.min(...set.map((id) => value.get(id) ?? 0))))
      expect(quorumValue(members, (id) => value.get(id) ?? 0)).toBe(
        Math.min(reached(members.voters), reached(members.outgoing)),
      )
    },
  )

  test.prop([membership, fc.array(fc.constantFrom(true, false, undefined), { minLength: 7, maxLength: 7 })], {
    numRuns: 300,
  })('an election is won when it cannot be lost any more, and lost when it cannot be won', (members, votes) => {
    const voteOf = (id: string): boolean | undefined => votes[ids.indexOf(id)]
    const wins = (open: boolean): boolean => hasQuorum(members, (id) => voteOf(id) ?? open)
    expect(tally(members, voteOf)).toBe(wins(false) ? 'won' : wins(true) ? 'pending' : 'lost')
  })

  test.prop([fc.uniqueArray(fc.constantFrom(...ids), { minLength: 1 }), fc.nat(127), fc.nat(127)], { numRuns: 300 })(
    'two quorums share a node',
    (of, first, second) => {
      const members = { voters: of, outgoing: [], learners: [] }
      if (!hasQuorum(members, inSet(first)) || !hasQuorum(members, inSet(second))) return
      expect(of.some((id) => inSet(first)(id) && inSet(second)(id))).toBe(true)
    },
  )
})

/** Ascending terms, entry by entry. */
const terms = fc.array(fc.nat(3), { maxLength: 30 }).map((steps) => {
  let term = 1
  return steps.map((step) => (term += step === 3 ? 1 : 0))
})

describe('a log as term runs is the log as an array', () => {
  test.prop([terms, fc.nat(30)])('terms, ends and slices', (log, at) => {
    const runs = new LogRuns({ index: 0, term: 0 }, runsOf(log))
    expect(runs.lastIndex).toBe(log.length)
    expect(runs.lastTerm).toBe(log.at(-1) ?? 0)
    const first = Math.min(at, log.length) + 1
    for (let index = 0; index <= log.length + 2; index++)
      expect(runs.termAt(index)).toBe(index === 0 ? 0 : log[index - 1])
    if (log.length > 0) expect(runs.slice(first, log.length)).toEqual(runsOf(log.slice(first - 1), first - 1))
  })

  test.prop([terms, terms, fc.nat(30), fc.nat(30)])(
    'appends, truncations and a start that moves',
    (log, more, cut, start) => {
      const runs = new LogRuns({ index: 0, term: 0 }, runsOf(log))
      const kept = Math.min(cut, log.length)
      runs.truncateAfter(kept)
      const lastTerm = log[kept - 1] ?? 0
      const tail = more.map((term) => term + lastTerm)
      runs.append(runsOf(tail, kept))
      const whole = [...log.slice(0, kept), ...tail]
      const from = Math.min(start, whole.length)
      runs.moveStart({ index: from, term: whole[from - 1] ?? 0 })
      expect(runs.start.index).toBe(from)
      for (let index = from; index <= whole.length + 1; index++) {
        expect(runs.termAt(index)).toBe(index === 0 ? 0 : whole[index - 1])
      }
      if (from > 0) expect(runs.termAt(from - 1)).toBeUndefined()
      expect(runs.toRuns()).toEqual(runsOf(whole.slice(from), from))
    },
  )

  test.prop([terms, terms, fc.nat(30)])('where other entries differ first', (log, other, after) => {
    const runs = new LogRuns({ index: 0, term: 0 }, runsOf(log))
    const prev = Math.min(after, log.length)
    if (other.length === 0) return
    let index = prev + 1
    while (index <= prev + other.length && log[index - 1] === other[index - prev - 1]) index++
    expect(runs.divergence(runsOf(other, prev))).toBe(index)
  })

  test.prop([terms, fc.nat(32), fc.integer({ min: 0, max: 12 })])(
    'what may be shared with (index, term)',
    (log, index, term) => {
      const runs = new LogRuns({ index: 0, term: 0 }, runsOf(log))
      let at = Math.min(index, log.length)
      while (at > 0 && (log[at - 1] ?? 0) > term) at--
      expect(runs.sharedAtMost(index, term)).toEqual({ index: at, term: at === 0 ? 0 : log[at - 1] })
    },
  )

  test.prop([terms, fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 4 })])(
    'how far some runs reach',
    (log, first, maxRuns) => {
      if (first > log.length) return
      const runs = new LogRuns({ index: 0, term: 0 }, runsOf(log))
      const last = runs.reach(first, maxRuns)
      const got = new Set(log.slice(first - 1, last)).size
      expect(got).toBeLessThanOrEqual(maxRuns)
      if (last < log.length) expect(new Set(log.slice(first - 1, last + 1)).size).toBe(maxRuns + 1)
    },
  )
})

describe('memberships', () => {
  test.prop([fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 8 }), fc.nat(40), fc.nat(40)])(
    'the one in force is the last that is kept',
    (indexes, cut, start) => {
      indexes.sort((a, b) => a - b)
      const memberships = new Memberships(named(0), [], 0)
      for (const index of indexes) memberships.append({ index, membership: named(index) })
      const kept = [0, ...indexes].filter((index) => index <= cut)
      memberships.truncateAfter(cut)
      expect(memberships.currentIndex).toBe(kept.at(-1))
      memberships.moveStart(Math.min(start, cut))
      expect(memberships.currentIndex).toBe(kept.at(-1))
      expect(memberships.current.voters).toEqual([`v${kept.at(-1)}`])
      expect(memberships.at(cut).index).toBe(kept.at(-1))
    },
  )
})

describe('a follower’s window', () => {
  test.prop([
    fc.array(fc.oneof(fc.record({ send: fc.integer({ min: 1, max: 9 }) }), fc.record({ ack: fc.nat(60) })), {
      maxLength: 40,
    }),
  ])('counts what is on the way, in messages and in bytes, and never lets match pass next', (steps) => {
    const window = { maxInflightMessages: 5, maxInflightBytes: 40 }
    const inflights = new Inflights(window)
    const progress = new Progress({ id: 'b', next: 1, session: 1, nowMs: 0, window })
    progress.becomeReplicate()
    let flights: { last: number; bytes: number }[] = []
    for (const step of steps) {
      if ('send' in step) {
        if (!progress.windowOpen) continue
        const last = progress.next + step.send - 1
        progress.sent(last, step.send * 3)
        inflights.add(last, step.send * 3)
        flights.push({ last, bytes: step.send * 3 })
      } else {
        const match = Math.min(step.ack, progress.next - 1)
        progress.acked(match, match)
        inflights.freeTo(match)
        flights = flights.filter((flight) => flight.last > match)
      }
      expect(inflights.count).toBe(flights.length)
      expect(inflights.bytes).toBe(flights.reduce((sum, flight) => sum + flight.bytes, 0))
      expect(progress.match).toBeLessThan(progress.next)
      expect(progress.windowOpen).toBe(flights.length < 5 && inflights.bytes < 40)
    }
  })
})
