/** What must be on a medium before it is committed: the flush rule, in the leader that uses it. */
import { describe, expect, test } from 'vitest'
import { canSpareOne } from '../../src/raft/flush-rule.ts'
import { OneCore, only } from './one-core.ts'

/** A leader of term 2 over `a`, `b`, `c` whose own empty entry (1) is committed, told what to ask for. */
function leader(demand: 'durable' | 'written' | 'writtenWhileWhole'): OneCore {
  const node = new OneCore({ log: [1], hardState: { term: 1 } })
  node.elect(['b', 'c'])
  node.ack('b', 2)
  node.ack('c', 2)
  expect(node.core.node.commit).toBe(2)
  node.core.leading?.demand(demand)
  return node
}

describe('the flush rule', () => {
  test('a new leader commits its first entry only once it is durable on a quorum, whatever the mode was', () => {
    const node = new OneCore({ log: [1], hardState: { term: 1 } })
    node.elect()
    node.ack('b', 2, 1)
    expect(node.core.node.commit).toBe(0)
    node.ack('b', 2, 2)
    expect(node.core.node.commit).toBe(2)
  })

  test('with async flush an entry is committed once a quorum has written it', () => {
    const node = leader('written')
    node.isDurable = false
    node.propose()
    node.drain()
    node.ack('b', 3, 2)
    expect(node.core.node.commit).toBe(3)
    expect(node.flushAsked.at(-1)).toBe(false)
  })

  test('going to sync flush, nothing from that place on is committed while anything before it is unflushed', () => {
    const node = leader('written')
    node.isDurable = false
    node.propose() // 3, written by everybody and flushed by nobody
    node.drain()
    node.ack('b', 3, 2)
    expect(node.core.node.commit).toBe(3)
    node.core.leading?.demand('durable')
    node.propose() // 4, the change itself
    node.drain()
    node.ack('b', 4, 2)
    node.ack('c', 4, 2)
    expect(node.core.node.commit).toBe(3)
    node.isDurable = true
    node.ack('b', 4, 4)
    node.drain()
    expect(node.core.node.commit).toBe(3)
    node.ack('c', 4, 4)
    expect(node.core.node.commit).toBe(4)
  })

  test('what was written before the change is still committed as it was meant to be', () => {
    const node = leader('written')
    node.isDurable = false
    node.propose() // 3
    node.drain()
    node.core.leading?.demand('durable')
    node.propose() // 4
    node.drain()
    node.ack('b', 4, 2)
    expect(node.core.node.commit).toBe(3)
  })

  test('the followers are told with every append and heartbeat what stable means', () => {
    const node = leader('written')
    expect(only(node.wait(120), 'heartbeat').map(({ durable }) => durable)).toEqual([false, false])
    node.core.leading?.demand('durable')
    expect(only(node.wait(120), 'heartbeat').map(({ durable }) => durable)).toEqual([true, true])
    const follower = new OneCore({ id: 'b', log: [1] })
    follower.append('a', 2, 1, 1, [2], 0, false)
    follower.append('a', 2, 2, 2, [2], 0, true)
    expect(follower.flushAsked).toEqual([false, true])
  })

  test('an ack claims to be durable only what is', () => {
    const follower = new OneCore({ id: 'b', log: [1] })
    follower.isDurable = false
    follower.append('a', 2, 1, 1, [2, 2], 0, false)
    const [beat] = only(
      follower.hear<'heartbeat'>('a', {
        type: 'heartbeat',
        term: 2,
        session: 1,
        round: 0,
        sent: 3,
        commit: 0,
        durable: false,
      }),
      'heartbeatReply',
    )
    expect(beat).toMatchObject({ match: 3, durable: 1 })
  })

  test('what is cut off is not durable any more', () => {
    const follower = new OneCore({ id: 'b', log: [1, 1, 1] })
    expect(follower.core.node.durable).toBe(3)
    follower.isDurable = false
    follower.append('a', 2, 1, 1, [2, 2], 0, false)
    expect(follower.core.node.durable).toBe(1)
  })
})

describe('async flush while a peer is down', () => {
  test('while everybody is up written is enough; when one more could not be spared it must be durable', () => {
    const node = leader('writtenWhileWhole')
    node.isDurable = false
    node.ack('b', 2)
    node.ack('c', 2)
    node.wait(20)
    node.propose() // 3
    node.drain()
    node.ack('b', 3, 2)
    expect(node.core.node.commit).toBe(3)

    node.core.peerLost('c')
    expect(node.core.leading?.isFlushing).toBe(true)
    node.propose() // 4
    node.drain()
    node.ack('b', 4, 2)
    expect(node.core.node.commit).toBe(3)
    node.isDurable = true
    node.ack('b', 4, 4)
    node.drain()
    node.propose()
    node.drain()
    node.ack('b', 5, 5)
    expect(node.core.node.commit).toBe(5)

    node.ack('c', 5, 3)
    node.wait(20)
    expect(node.core.leading?.isFlushing).toBe(false)
  })

  test('a peer that is silent for an election timeout counts as down', () => {
    const node = leader('writtenWhileWhole')
    node.wait(20)
    expect(node.core.leading?.isFlushing).toBe(false)
    for (let ms = 0; ms < 600; ms += 100) {
      node.wait(100)
      node.ack('b', 2)
    }
    node.wait(20)
    expect(node.core.leading?.isFlushing).toBe(true)
  })

  test.each([
    [1, 1, true],
    [3, 3, true],
    [3, 2, false],
    [5, 4, true],
    [5, 3, false],
  ])('of %i voters %i up: one more can be spared: %s', (count, up, can) => {
    const voters = Array.from({ length: count }, (_, at) => `n${at}`)
    expect(canSpareOne({ voters, outgoing: [], learners: [] }, (id) => voters.indexOf(id) < up)).toBe(can)
  })
})
