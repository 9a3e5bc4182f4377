import { expect, test } from 'vitest'
import { SilenceWatch } from '../../src/client/producer/silence-watch.ts'
import { ManualClock } from '../support/manual-clock.ts'

interface Setup {
  readonly clock: ManualClock
  readonly watch: SilenceWatch
  readonly leaders: Set<string>
  readonly seen: (readonly [what: string, atMs: number])[]
}

function setup(): Setup {
  const clock = new ManualClock()
  const leaders = new Set(['a'])
  const seen: (readonly [string, number])[] = []
  const watch: SilenceWatch = new SilenceWatch({
    clock,
    silentMs: 1_000,
    refreshRoutes: () => seen.push(['route', Math.round(clock.monotonicMs())]),
    isLeader: (address) => leaders.has(address),
    giveUp: (address) => {
      seen.push([`give up ${address}`, Math.round(clock.monotonicMs())])
      watch.ended(address, false)
    },
  })
  return { clock, watch, leaders, seen }
}

test('a leader that owes nothing may keep silent for any time, and nobody asks for routes', () => {
  const { clock, watch, seen } = setup()
  watch.asked('a')
  clock.advance(10)
  watch.ended('a', true)
  clock.advance(60_000)
  expect(seen).toEqual([])
})

test('the patience with a leader begins with what it owes first, and anew with each of its answers', () => {
  const { clock, watch, seen } = setup()
  clock.advance(100)
  watch.asked('a')
  clock.advance(100)
  watch.asked('a')
  watch.asked('a')
  clock.advance(700)
  watch.ended('a', true)
  clock.advance(500)
  // One that timed out is no sign of life.
  watch.ended('a', false)
  clock.advance(501)
  expect(seen).toEqual([['route', 1_900]])
})

test('one that keeps silent is asked about ever less often while the route says that it leads', () => {
  const { clock, watch, seen } = setup()
  watch.asked('a')
  clock.advance(3_000)
  expect(new Set(seen.map(([what]) => what))).toEqual(new Set(['route']))
  const times = seen.map(([, atMs]) => atMs)
  expect(times[0]).toBe(1_000)
  expect(times.length).toBeLessThan(11)
  expect(times.at(-1)).toBeGreaterThan(2_600)
})

test('one that keeps silent is given up when a route tells that it leads no more, and only then', () => {
  const { clock, watch, leaders, seen } = setup()
  watch.asked('a')
  leaders.clear()
  clock.advance(999)
  watch.look()
  expect(seen).toEqual([])
  leaders.add('a')
  clock.advance(51)
  leaders.clear()
  watch.look()
  expect(seen.map(([what]) => what)).toContain('give up a')
  const looks = seen.length
  clock.advance(60_000)
  expect(seen).toHaveLength(looks)
})
