import { expect, test } from 'vitest'
import { Members } from '../../../src/broker/group/members.ts'
import type { Log } from '../../../src/lib/log.ts'
import type { ChangeRefusal } from '../../../src/raft/member-rules.ts'
import type { ReplicaStatus } from '../../../src/raft/status.ts'
import type { Membership, MembershipTarget } from '../../../src/raft/types.ts'
import { heldByMembers } from '../../../src/broker/log/retention-service.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const follower = {
  match: 9,
  next: 10,
  state: 'replicate',
  filled: true,
  lagEntries: 1,
  lastContactMs: 10,
  isLost: false,
  isDiskGood: true,
} as const

interface World {
  readonly members: Members
  readonly clock: ManualClock
  readonly asked: MembershipTarget[]
  readonly moved: string[]
  readonly said: string[]
  /** The log says this, at this index. */
  readonly become: (index: number, membership: Membership, committed?: number) => void
  isReady: boolean
  answer: ChangeRefusal | undefined
}

function world(first: Membership, isOfMaster = false): World {
  const clock = new ManualClock()
  const asked: MembershipTarget[] = []
  const moved: string[] = []
  const said: string[] = []
  const log: Log = { debug() {}, info() {}, warn: (_, text) => said.push(text), error() {}, child: () => log }
  let membership = first
  const progress = { n1: { ...follower, match: 8 }, n2: follower, n3: { ...follower, filled: false } }
  const status = (): ReplicaStatus => ({
    id: 'n0',
    role: 'leader',
    term: 3,
    leader: 'n0',
    startIndex: 0,
    lastIndex: 10,
    commitIndex: 10,
    stableIndex: 10,
    appliedIndex: 10,
    filled: true,
    trusted: true,
    durableIndex: 10,
    isFlushing: false,
    electedInDoubt: false,
    clusterId: 'c',
    members: membership,
    progress,
  })
  const made: World = {
    members: new Members({
      ownId: 'n0',
      replica: {
        status,
        changeMembership: (target) => {
          asked.push(target)
          return made.answer ?? 11
        },
        transferLeadership: (to) => {
          moved.push(to)
          return Promise.resolve()
        },
      },
      leadership: {
        get isReady() {
          return made.isReady
        },
      },
      placesOfFile: new Map([
        ['n0', 'a:1'],
        ['n1', 'b:1'],
        ['n2', 'c:1'],
      ]),
      isOfMaster,
      clock,
      log,
    }),
    clock,
    asked,
    moved,
    said,
    become(index, next, committed = index) {
      membership = next
      made.members.changed({ index, membership: next }, { index: committed, membership: next })
    },
    isReady: true,
    answer: undefined,
  }
  made.become(1, first)
  return made
}

const three: Membership = { voters: ['n0', 'n1', 'n2'], outgoing: [], learners: [] }

test('a change resolves once it is committed, and brings the places of everybody with it', async () => {
  const { members, asked, become } = world(three)
  const done = members.change({ kind: 'add', id: 'n3', place: 'd:1' })
  expect(asked).toEqual([
    { voters: ['n0', 'n1', 'n2'], learners: ['n3'], places: { n0: 'a:1', n1: 'b:1', n2: 'c:1', n3: 'd:1' } },
  ])
  const after = { ...three, learners: ['n3'], places: asked[0]?.places ?? {} }
  become(11, { ...after, outgoing: three.voters }, 1)
  become(12, after, 11)
  become(12, after)
  await done
  // Asked again it finds itself done.
  await members.change({ kind: 'add', id: 'n3', place: 'd:1' })
  expect(asked).toHaveLength(1)
})

test('a leader that is to leave hands leadership to who has most of those that stay, and lets that one go on', async () => {
  const { members, moved, asked } = world(three)
  await expect(members.change({ kind: 'remove', id: 'n0' })).rejects.toMatchObject({ code: 'BROKER_NOT_LEADER' })
  expect(moved).toEqual(['n2'])
  expect(asked).toEqual([])
})

test('what cannot be begun says why, and what does not end in time says that it is under way', async () => {
  const at = world(three)
  at.answer = 'RAFT_WOULD_LOSE_QUORUM'
  await expect(at.members.change({ kind: 'remove', id: 'n1' })).rejects.toMatchObject({
    code: 'RAFT_WOULD_LOSE_QUORUM',
  })
  await expect(at.members.change({ kind: 'promote', id: 'n9' })).rejects.toMatchObject({ code: 'RAFT_UNKNOWN_MEMBER' })
  await expect(at.members.change({ kind: 'add', id: 'n3', place: 'b:1' })).rejects.toMatchObject({
    message: 'b:1 is the address of another member',
  })
  at.answer = undefined
  const waits = at.members.change({ kind: 'remove', id: 'n1' })
  at.become(11, { ...three, voters: ['n0', 'n2'], outgoing: three.voters }, 1)
  const over = expect(waits).rejects.toMatchObject({ code: 'RAFT_CHANGE_UNDERWAY' })
  at.clock.advance(2_000)
  await over
  at.isReady = false
  await expect(at.members.change({ kind: 'remove', id: 'n1' })).rejects.toMatchObject({ code: 'BROKER_NOT_LEADER' })
})

test('a file that says something else than the log is named once, with both', () => {
  const { said, become } = world(three)
  expect(said).toEqual([])
  const other = world({ ...three, voters: ['n0', 'n1', 'n4'], places: { n4: 'e:1' } })
  other.become(20, three)
  expect(other.said).toEqual([
    'dLegerPeers of the file is n0-a:1;n1-b:1;n2-c:1; by the log, which counts, it is n0-a:1;n1-b:1;n4-e:1',
  ])
  become(21, three)
  expect(said).toEqual([])
})

test('under disk pressure nothing goes that a voter needs, or a learner that is there to be filled', () => {
  const members = { ...three, learners: ['n3'] }
  const progress = { n1: { ...follower, match: 7 }, n3: { ...follower, match: 2 } }
  expect(heldByMembers({ members, progress })).toBe(2)
  expect(heldByMembers({ members, progress: { ...progress, n3: { ...progress.n3, lastContactMs: 60_000 } } })).toBe(7)
})

test('of a master and its slaves only the master votes, and one that is reached elsewhere is the same member', async () => {
  const pair: Membership = { voters: ['n0'], outgoing: [], learners: ['n1'], places: { n0: 'a:1', n1: 'b:1' } }
  const { members, asked, said } = world(pair, true)
  await expect(members.change({ kind: 'promote', id: 'n1' })).rejects.toThrow('a slave does not vote')
  await members.change({ kind: 'move', id: 'n1', place: 'b:1' })
  expect(asked).toEqual([])
  void members.change({ kind: 'move', id: 'n1', place: 'elsewhere:1' }).catch(() => undefined)
  expect(asked).toEqual([{ voters: ['n0'], learners: ['n1'], places: { n0: 'a:1', n1: 'elsewhere:1' } }])
  // No file names slaves: there is nothing to compare.
  expect(said).toEqual([])
})
