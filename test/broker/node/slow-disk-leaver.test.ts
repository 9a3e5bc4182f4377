import { expect, test } from 'vitest'
import { SlowDiskLeaver, successor } from '../../../src/broker/group/slow-disk-leaver.ts'
import { silentLog } from '../../../src/lib/log.ts'
import type { FollowerStatus, ReplicaStatus } from '../../../src/raft/status.ts'
import { ManualClock } from '../../support/manual-clock.ts'

function follower(given: Partial<FollowerStatus>): FollowerStatus {
  return {
    match: 9,
    next: 10,
    state: 'replicate',
    filled: true,
    lagEntries: 0,
    lastContactMs: 10,
    isLost: false,
    isDiskGood: true,
    ...given,
  }
}

const group = { voters: ['n0', 'n1', 'n2'], outgoing: [], learners: [] }

function among(progress: ReplicaStatus['progress']): string | undefined {
  return successor({ id: 'n0', members: group, progress })
}

test('leadership goes to the filled voter that is heard and furthest', () => {
  expect(among({ n1: follower({ match: 8 }), n2: follower({}) })).toBe('n2')
  expect(among({ n1: follower({ match: 8 }), n2: follower({ lastContactMs: 900 }) })).toBe('n1')
  expect(among({ n1: follower({ filled: false }), n2: follower({ match: 0 }) })).toBeUndefined()
})

test('leadership stays where every other disk is slow, or has not been spoken of', () => {
  expect(among({ n1: follower({ match: 8 }), n2: follower({ isDiskGood: false }) })).toBe('n1')
  expect(among({ n1: follower({ isDiskGood: false }), n2: follower({ isDiskGood: false }) })).toBeUndefined()
})

test('a node says when its disk becomes slow and when it no longer is, whoever leads', () => {
  const clock = new ManualClock()
  let isSlow = false
  const said: boolean[] = []
  const leaver = new SlowDiskLeaver({
    disk: { isSlow: () => isSlow, isTooSlow: () => false },
    leadership: { isReady: false },
    replica: {
      status: () => base,
      setFitness: ({ diskSlow }) => said.push(diskSlow),
      transferLeadership: () => Promise.reject(new Error('it does not lead')),
    },
    clock,
    log: silentLog,
  })
  clock.advance(400)
  expect(said).toEqual([])
  isSlow = true
  clock.advance(400)
  isSlow = false
  clock.advance(400)
  expect(said).toEqual([true, false])
  leaver.close()
})

test('a leader with a slow disk leaves, once at a time; a follower does nothing', async () => {
  const clock = new ManualClock()
  const disk = { isSlow: () => true, isTooSlow: () => true }
  const leadership = { isReady: false }
  const asked: string[] = []
  // Only what the leaver looks at.
  const status = { id: 'n0', members: group, progress: { n1: follower({}) } }
  const leaver = new SlowDiskLeaver({
    disk,
    leadership,
    replica: {
      status: () => ({ ...base, ...status }),
      setFitness: () => undefined,
      transferLeadership(to) {
        asked.push(to)
        return asked.length === 1 ? Promise.reject(new Error('it did not come')) : Promise.resolve()
      },
    },
    clock,
    log: silentLog,
  })
  clock.advance(200)
  expect(asked).toEqual([])
  leadership.isReady = true
  clock.advance(200)
  clock.advance(200)
  expect(asked).toEqual(['n1'])
  await Promise.resolve()
  await Promise.resolve()
  clock.advance(200)
  expect(asked).toEqual(['n1', 'n1'])
  leaver.close()
})

const base: ReplicaStatus = {
  id: 'n0',
  role: 'leader',
  term: 1,
  leader: 'n0',
  startIndex: 0,
  lastIndex: 9,
  commitIndex: 9,
  stableIndex: 9,
  durableIndex: 9,
  isFlushing: true,
  appliedIndex: 9,
  filled: true,
  trusted: true,
  electedInDoubt: false,
  clusterId: null,
  members: group,
  progress: {},
}
