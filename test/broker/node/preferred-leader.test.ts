import { describe, expect, test } from 'vitest'
import { betterLeader } from '../../../src/broker/group/preferred-leader.ts'

const follower = {
  match: 9,
  next: 10,
  state: 'replicate',
  filled: true,
  lagEntries: 0,
  lastContactMs: 10,
  isLost: false,
  isDiskGood: true,
} as const
const members = { voters: ['n0', 'n1', 'n2'], outgoing: [], learners: [] }

describe('a preferred leader', () => {
  test('is the first of the list that is caught up', () => {
    expect(
      betterLeader({ ownId: 'n2', preferred: ['n0', 'n1'] }, { progress: { n0: follower, n1: follower }, members }),
    ).toBe('n0')
  })

  test('is not one that lags, is silent, is being filled, has a slow disk or is no voter', () => {
    for (const bad of [{ lagEntries: 100_000 }, { lastContactMs: 2_000 }, { filled: false }, { isDiskGood: false }]) {
      const progress = { n0: { ...follower, ...bad }, n1: follower }
      expect(betterLeader({ ownId: 'n2', preferred: ['n0', 'n1'] }, { progress, members })).toBe('n1')
    }
    const others = { ...members, voters: ['n1', 'n2'], learners: ['n0'] }
    expect(
      betterLeader({ ownId: 'n2', preferred: ['n0'] }, { progress: { n0: follower }, members: others }),
    ).toBeUndefined()
  })

  test('stays where it is when nobody above it can lead', () => {
    const progress = { n1: follower, n2: follower }
    expect(betterLeader({ ownId: 'n0', preferred: ['n0', 'n1'] }, { progress, members })).toBeUndefined()
    expect(betterLeader({ ownId: 'n0', preferred: [] }, { progress, members })).toBeUndefined()
  })
})
