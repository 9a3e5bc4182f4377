import { describe, expect, test } from 'vitest'
import { LeaderLocator, type LeaderPlace } from '../../../src/broker/forwarding/leader-locator.ts'
import { ManualClock } from '../../support/manual-clock.ts'

function locator() {
  const clock = new ManualClock()
  const found: (string | undefined)[] = []
  const made = new LeaderLocator({ ownId: 'n0', clock, maxWaiting: 2 })
  const locate = (not?: LeaderPlace): void => made.locate(2000, not, (place) => found.push(place?.id))
  return { made, clock, found, locate }
}

const leads = (leader: string | null, term: number) => ({ role: 'follower', term, leader }) as const

describe('the leader locator', () => {
  test('believes the highest term', () => {
    const { made } = locator()
    made.learn('n1', leads('n1', 3))
    made.learn('n2', leads('n2', 4))
    made.learn('n0', leads('n1', 3))
    expect(made.current()).toEqual({ id: 'n2', term: 4 })
  })

  test('a caller waits for a leader, and is told when one is known or the time is over', () => {
    const { made, clock, found, locate } = locator()
    locate()
    expect(found).toEqual([])
    made.learn('n1', leads('n1', 1))
    expect(found).toEqual(['n1'])
    made.forget('n1')
    locate()
    clock.advance(2100)
    expect(found).toEqual(['n1', undefined])
  })

  test('a place that was tried is not given again until its term is another', () => {
    const { made, found, locate } = locator()
    made.learn('n1', leads('n1', 1))
    locate({ id: 'n1', term: 1 })
    made.learn('n2', leads('n1', 1))
    expect(found).toEqual([])
    made.learn('n1', leads('n1', 2))
    expect(found).toEqual(['n1'])
  })

  test('a peer that takes this node for the leader is not believed: a leader that is not ready would forward to itself', () => {
    const { made, found, locate } = locator()
    made.learn('n1', leads('n0', 3))
    locate()
    expect([made.current(), found]).toEqual([undefined, []])
    made.learn('n0', leads('n0', 3))
    expect(found).toEqual(['n0'])
  })

  test('callers who wait are bounded', () => {
    const { found, locate } = locator()
    for (let at = 0; at < 3; at++) locate()
    expect(found).toEqual([undefined])
  })

  test('what was said of a peer whose connection ended is forgotten, whoever said it', () => {
    const { made } = locator()
    made.learn('n0', leads('n1', 1))
    made.learn('n1', leads('n1', 1))
    made.forget('n1')
    expect(made.current()).toBeUndefined()
  })
})
