import { describe, expect, test } from 'vitest'
import { present } from '../../src/lib/assert.ts'
import { statusOf } from '../../src/raft/status.ts'
import { only, OneCore } from './one-core.ts'

describe('a node whose entries behind the commit are damaged, and in no other log', () => {
  test('does not campaign, until its log was cut there', () => {
    const node = new OneCore({ log: [1, 1, 1] })
    node.core.setFitness({ damagedFrom: 3 })
    node.wait(5000)
    expect(node.core.role).toBe('follower')
    node.append('b', 2, 2, 1, [2])
    expect(node.truncations).toEqual([2])
    expect(only(node.wait(5000), 'preVote')).not.toEqual([])
  })

  test('as leader hands over or stops', () => {
    const leader = new OneCore({ log: [1] })
    leader.elect()
    leader.ack('b', 1)
    leader.core.setFitness({ damagedFrom: 2 })
    expect(only(leader.drain(), 'timeoutNow')).toEqual([])
    leader.wait(600)
    expect(leader.core.role).toBe('follower')
  })

  test('as candidate stands no more', () => {
    const node = new OneCore({ log: [1, 1] })
    node.wait(1040)
    expect(node.core.role).toBe('preCandidate')
    node.core.setFitness({ damagedFrom: 2 })
    expect(node.core.role).toBe('follower')
  })

  test('votes for a log that has all before them, and says that it may have acknowledged more', () => {
    const node = new OneCore({ log: [1, 1, 1] })
    node.core.setFitness({ damagedFrom: 3 })
    const vote = { type: 'vote', lastTerm: 1, transfer: false } as const
    const denied = node.hear<'vote'>('b', { ...vote, term: 2, lastIndex: 1 })
    expect(denied).toMatchObject([{ type: 'voteReply', granted: false }])
    const granted = node.hear<'vote'>('b', { ...vote, term: 3, lastIndex: 2 })
    expect(granted).toMatchObject([{ type: 'voteReply', granted: true, doubt: node.core.node.start }])
  })
})

test('a node that cannot apply what is committed neither stands nor leads, and votes without a doubt', () => {
  const leader = new OneCore({ log: [1] })
  leader.elect()
  leader.core.setFitness({ cannotApply: true })
  expect(leader.core.role).toBe('follower')
  const vote = { type: 'vote', term: 7, lastIndex: 2, lastTerm: 2, transfer: false } as const
  const [granted] = only(leader.hear<'vote'>('b', vote), 'voteReply')
  expect(granted).toMatchObject({ granted: true })
  expect(granted).not.toHaveProperty('doubt')
  expect(only(leader.wait(5000), 'preVote')).toEqual([])
  leader.core.setFitness({ cannotApply: false })
  expect(only(leader.wait(5000), 'preVote')).not.toEqual([])
})

test('an append that the log cannot be cut for yet counts as lost, and is taken when it comes again', () => {
  const node = new OneCore({ log: [1, 1, 1] })
  node.canCut = false
  expect(node.append('b', 2, 1, 1, [2])).toEqual([])
  expect(node.terms).toEqual([1, 1, 1])
  node.canCut = true
  expect(node.append('b', 2, 1, 1, [2])).toMatchObject([{ type: 'appendReply', match: 2, end: 2 }])
  expect(node.truncations).toEqual([1])
  expect(node.terms).toEqual([1, 2])
})

describe('a node whose disk is slow', () => {
  const beat = { type: 'heartbeat', term: 2, session: 1, round: 1, sent: 1, commit: 0, durable: true } as const

  test('says so to its leader, and stands and votes as before', () => {
    const node = new OneCore({ log: [1] })
    expect(only(node.hear<'heartbeat'>('b', beat), 'heartbeatReply')[0]).not.toHaveProperty('diskSlow')
    node.core.setFitness({ diskSlow: true })
    expect(node.hear<'heartbeat'>('b', beat)).toMatchObject([{ type: 'heartbeatReply', diskSlow: true }])
    expect(only(node.wait(5000), 'preVote')).not.toEqual([])
  })

  test('counts for its leader as one with a good disk only after it has said so', () => {
    const leader = new OneCore({ log: [1] })
    leader.elect()
    const isGood = (): boolean | undefined => statusOf(leader.core, 0, 0).progress['b']?.isDiskGood
    const beat = present(only(leader.wait(100), 'heartbeat').at(0), 'a heartbeat')
    expect(isGood()).toBe(false)
    leader.answer('b', { ...beat, sent: 2 })
    expect(isGood()).toBe(true)
    leader.answer('b', { ...beat, sent: 2 }, { diskSlow: true })
    expect(isGood()).toBe(false)
  })
})
