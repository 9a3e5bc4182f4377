/**
 * The sentences of the paper ("In Search of an Understandable Consensus Algorithm", extended version) and of the thesis
 * ("Consensus: Bridging Theory and Practice"), each with the test that holds the core to it.
 */
import { describe, expect, test } from 'vitest'
import { OneCore, only } from './one-core.ts'

describe('terms', () => {
  test('if one server’s current term is smaller than the other’s, it updates its term to the larger value (§5.1)', () => {
    const node = new OneCore({ log: [1] })
    node.hear<'heartbeat'>('b', { type: 'heartbeat', term: 3, session: 1, round: 0, sent: 1, commit: 0, durable: true })
    expect(node.core.term).toBe(3)
    expect(node.core.leader).toBe('b')
  })

  test('if a candidate or leader discovers that its term is out of date, it immediately reverts to follower state (§5.1)', () => {
    const leader = new OneCore({ log: [1] })
    leader.elect()
    expect(leader.core.role).toBe('leader')
    leader.hear<'stale'>('b', { type: 'stale', term: 7 })
    expect(leader.core.role).toBe('follower')

    const candidate = new OneCore({ log: [1] })
    candidate.wait(1040)
    candidate.hear<'preVoteReply'>('b', { type: 'preVoteReply', term: 2, granted: true })
    expect(candidate.core.role).toBe('candidate')
    candidate.hear<'voteReply'>('b', { type: 'voteReply', term: 5, granted: false })
    expect(candidate.core.role).toBe('follower')
    expect(candidate.core.term).toBe(5)
  })

  test('if a server receives a request with a stale term number, it rejects the request (§5.1)', () => {
    const node = new OneCore({ log: [1, 1, 4] })
    expect(node.append('b', 3, 1, 1, [3])).toEqual([{ type: 'stale', from: 'a', to: 'b', term: 4 }])
    expect(node.terms).toEqual([1, 1, 4])
    const vote = node.hear<'vote'>('b', { type: 'vote', term: 3, lastIndex: 9, lastTerm: 3, transfer: false })
    expect(vote).toEqual([{ type: 'voteReply', from: 'a', to: 'b', term: 4, granted: false }])
  })

  test('servers begin as followers (§5.2)', () => {
    expect(new OneCore().core.role).toBe('follower')
  })
})

describe('elections', () => {
  test('a leader sends periodic heartbeats to all followers in order to maintain their authority (§5.2)', () => {
    const leader = new OneCore({ log: [1] })
    leader.elect()
    const beats = only(leader.wait(100), 'heartbeat')
    expect(beats.map((beat) => beat.to).sort()).toEqual(['b', 'c'])
  })

  test('if a follower receives no communication over the election timeout, it begins an election (§5.2), asking first (thesis §9.6)', () => {
    const node = new OneCore({ log: [1] })
    const asked = only(node.wait(1040), 'preVote')
    expect(asked.map((each) => each.to)).toEqual(['b', 'c'])
    expect(asked[0]).toMatchObject({ term: 2, lastIndex: 1, lastTerm: 1 })
    expect(node.core.term).toBe(1)
  })

  test('to begin an election, a follower increments its term, votes for itself and asks all others in parallel (§5.2)', () => {
    const node = new OneCore({ log: [1] })
    node.wait(1040)
    node.core.step({ type: 'preVoteReply', from: 'b', to: 'a', term: 2, granted: true })
    const ready = node.ready()
    expect(ready.hardState).toMatchObject({ term: 2, vote: 'a' })
    expect(only(ready.messages, 'vote').map((vote) => vote.to)).toEqual(['b', 'c'])
  })

  test('the own vote counts like any other: once it is saved (figure 2, persistent state)', () => {
    const node = new OneCore({ log: [1] })
    node.wait(1040)
    node.core.step({ type: 'preVoteReply', from: 'b', to: 'a', term: 2, granted: true })
    const ready = node.ready()
    node.core.step({ type: 'voteReply', from: 'b', to: 'a', term: 2, granted: true })
    expect(node.core.role).toBe('candidate')
    const own = ready.messages.find((message) => message.to === 'a')
    expect(own).toMatchObject({ type: 'voteReply', granted: true })
    if (own !== undefined) node.core.step(own)
    expect(node.core.role).toBe('leader')
  })

  for (const [size, granted, role] of [
    [1, 0, 'leader'],
    [3, 1, 'leader'],
    [3, 0, 'candidate'],
    [5, 2, 'leader'],
    [5, 1, 'candidate'],
  ] as const) {
    test(`a candidate wins with votes from a majority: ${granted} of ${size - 1} others make a ${role} (§5.2)`, () => {
      const voters = ['a', 'b', 'c', 'd', 'e'].slice(0, size)
      const node = new OneCore({ voters, log: [1] })
      node.wait(1040)
      for (const voter of voters.slice(1))
        node.hear<'preVoteReply'>(voter, { type: 'preVoteReply', term: 2, granted: true })
      for (const voter of voters.slice(1, 1 + granted)) {
        node.hear<'voteReply'>(voter, { type: 'voteReply', term: 2, granted: true })
      }
      expect(node.core.role).toBe(role)
    })
  }

  test('each server votes for at most one candidate in a term, first come, first served (§5.2)', () => {
    const node = new OneCore({ log: [1] })
    const ask = { type: 'vote', term: 2, lastIndex: 1, lastTerm: 1, transfer: false } as const
    expect(node.hear<'vote'>('b', ask)).toMatchObject([{ granted: true }])
    expect(node.hear<'vote'>('c', ask)).toMatchObject([{ granted: false }])
    expect(node.hear<'vote'>('b', ask)).toMatchObject([{ granted: true }])
  })

  test('a vote is in the hard state of the same Ready as its reply (figure 2: updated on stable storage before responding)', () => {
    const node = new OneCore({ log: [1] })
    node.core.step({ type: 'vote', from: 'b', to: 'a', term: 2, lastIndex: 1, lastTerm: 1, transfer: false })
    const ready = node.ready()
    expect(ready.hardState).toMatchObject({ term: 2, vote: 'b' })
    expect(ready.messages).toMatchObject([{ type: 'voteReply', granted: true }])
  })

  test('a candidate that hears of a leader of its own term returns to follower state (§5.2)', () => {
    const node = new OneCore({ log: [1] })
    node.wait(1040)
    node.hear<'preVoteReply'>('b', { type: 'preVoteReply', term: 2, granted: true })
    node.append('c', 2, 1, 1, [])
    expect(node.core.role).toBe('follower')
    expect(node.core.leader).toBe('c')
  })

  test('when nobody wins, each candidate times out and starts a new election (§5.2)', () => {
    const node = new OneCore({ log: [1] })
    node.wait(1040)
    node.hear<'preVoteReply'>('b', { type: 'preVoteReply', term: 2, granted: true })
    expect(node.core.role).toBe('candidate')
    expect(only(node.wait(1040), 'preVote')[0]).toMatchObject({ term: 3 })
  })

  test('election timeouts are chosen randomly from a fixed interval (§5.2)', () => {
    const times = new Set<number>()
    for (let seed = 1; seed <= 50; seed++) {
      const node = new OneCore({ seed, log: [1] })
      while (node.core.role === 'follower') node.wait(20)
      times.add(node.nowMs)
      expect(node.nowMs).toBeGreaterThanOrEqual(500)
      expect(node.nowMs).toBeLessThanOrEqual(1020)
    }
    expect(times.size).toBeGreaterThan(10)
  })
})

describe('replication', () => {
  test('a leader appends first, then sends the entry to every other server, before its own disk is done (§5.3, thesis §10.2.1)', () => {
    const leader = new OneCore({ log: [1] })
    leader.elect()
    leader.ack('b', 2)
    leader.ack('c', 2)
    const index = leader.propose()
    const want = leader.core.leading?.wants('b')
    expect(want).toMatchObject({ first: index, last: index })
    if (want === undefined) return
    expect(leader.core.leading?.append('b', want, index, 10)).toMatchObject({
      prevIndex: 2,
      prevTerm: 2,
      runs: [{ term: 2, first: 3, last: 3 }],
    })
    expect(leader.core.node.stable).toBe(2)
  })

  test('an entry is committed once the leader has replicated it on a majority, and with it all that precede it (§5.3)', () => {
    const leader = new OneCore({ log: [1, 1] })
    leader.elect()
    expect(leader.core.node.commit).toBe(0)
    leader.propose()
    leader.drain()
    leader.ack('b', 4)
    expect(leader.core.node.commit).toBe(4)
  })

  test('two followers commit an entry that the leader’s own disk does not hold yet (thesis §10.2.1)', () => {
    const leader = new OneCore({ log: [1] })
    leader.elect()
    leader.ack('b', 2)
    leader.ack('c', 2)
    leader.propose()
    leader.core.ready()
    const session = (id: string): number => leader.core.leading?.progress.get(id)?.session ?? 0
    const ack = { type: 'appendReply', to: 'a', term: 2, match: 3, end: 3, durable: 3, filling: 0 } as const
    leader.core.step({ ...ack, from: 'b', session: session('b') })
    expect(leader.core.node.commit).toBe(2)
    leader.core.step({ ...ack, from: 'c', session: session('c') })
    expect(leader.core.node.commit).toBe(3)
    expect(leader.core.node.stable).toBe(2)
  })

  test('the leader includes the highest index it knows to be committed in future messages (§5.3)', () => {
    const leader = new OneCore({ log: [1] })
    leader.elect()
    leader.ack('b', 2)
    leader.ack('c', 2)
    expect(only(leader.wait(120), 'heartbeat')).toMatchObject([{ commit: 2 }, { commit: 2 }])
  })

  test('a follower’s commit is min(leaderCommit, index of last new entry) (figure 2, AppendEntries 5)', () => {
    const node = new OneCore({ log: [1, 1] })
    node.append('b', 2, 1, 1, [], 2)
    expect(node.core.node.commit).toBe(1)
    node.append('b', 2, 2, 1, [2], 9)
    expect(node.core.node.commit).toBe(3)
  })

  test('if the follower has no entry with the same index and term, it refuses the new entries (§5.3)', () => {
    const node = new OneCore({ log: [1, 2] })
    expect(node.append('b', 3, 3, 2, [3])).toMatchObject([
      { type: 'appendReject', prevIndex: 3, hintIndex: 2, hintTerm: 2 },
    ])
    expect(node.append('b', 3, 2, 1, [3])).toMatchObject([
      { type: 'appendReject', prevIndex: 2, hintIndex: 1, hintTerm: 1 },
    ])
    expect(node.terms).toEqual([1, 2])
  })

  test('if an existing entry conflicts with a new one, it and all that follow it are deleted (figure 2, AppendEntries 3)', () => {
    const node = new OneCore({ log: [1, 2, 2, 2] })
    const out = node.append('b', 3, 1, 1, [3])
    expect(node.truncations).toEqual([1])
    expect(node.terms).toEqual([1, 3])
    expect(out).toMatchObject([{ type: 'appendReply', match: 2 }])
  })

  test('an old append of the same leader cuts nothing off: its entries are all here (§5.3)', () => {
    const node = new OneCore({ log: [1] })
    node.append('b', 2, 1, 1, [2, 2, 2])
    node.append('b', 2, 1, 1, [2])
    expect(node.terms).toEqual([1, 2, 2, 2])
    expect(node.truncations).toEqual([])
  })

  test('an ack stands on the entries before it: it leaves after they are stable (figure 2)', () => {
    const node = new OneCore({ log: [1] })
    node.core.step({
      type: 'append',
      from: 'b',
      to: 'a',
      term: 2,
      session: 1,
      prevIndex: 1,
      prevTerm: 1,
      runs: [{ term: 2, first: 2, last: 2 }],
      memberships: [],
      commit: 0,
      durable: true,
    })
    const ready = node.ready()
    expect(ready.messages).toEqual([])
    expect(ready.afterStable).toMatchObject([{ type: 'appendReply', match: 2 }])
  })

  const figure7: readonly (readonly [name: string, log: readonly number[]])[] = [
    ['a', [1, 1, 1, 4, 4, 5, 5, 6, 6]],
    ['b', [1, 1, 1, 4]],
    ['c', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
    ['d', [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
    ['e', [1, 1, 1, 4, 4, 4, 4]],
    ['f', [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
  ]
  for (const [name, log] of figure7) {
    test(`the leader forces follower (${name}) of figure 7 to duplicate its own log, one question a term (§5.3)`, () => {
      const leader = new OneCore({ log: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6], hardState: { term: 7 } })
      leader.elect()
      const follower = new OneCore({ id: 'b', log, hardState: { term: Math.max(7, log.at(-1) ?? 0) } })
      let questions = 0
      for (let said = leader.core.leading?.progress.get('b'); said?.state !== 'replicate'; questions++) {
        const { prevIndex, prevTerm } = { prevIndex: (said?.next ?? 1) - 1, prevTerm: 0 }
        const term = leader.core.node.log.termAt(prevIndex) ?? prevTerm
        for (const answer of follower.append('a', 8, prevIndex, term, [])) {
          leader.core.step({
            ...answer,
            to: 'a',
            from: 'b',
            ...('session' in answer ? { session: said?.session ?? 0 } : {}),
          })
        }
        expect(questions).toBeLessThan(5)
        said = leader.core.leading?.progress.get('b')
      }
      const { match, next } = leader.core.leading?.progress.get('b') ?? { match: 0, next: 0 }
      expect(next).toBe(match + 1)
      follower.append('a', 8, match, leader.core.node.log.termAt(match) ?? 0, leader.terms.slice(match))
      expect(follower.terms).toEqual(leader.terms)
    })
  }

  test('a leader never overwrites or deletes entries in its log (§5.3, figure 3 Leader Append-Only)', () => {
    const leader = new OneCore({ log: [1, 1] })
    leader.elect()
    expect(() => leader.append('b', 2, 1, 1, [2])).toThrow('one leader in term 2')
    expect(leader.truncations).toEqual([])
  })
})

describe('safety', () => {
  for (const [ours, theirs, granted] of [
    [[1], { index: 1, term: 1 }, true],
    [[1], { index: 2, term: 1 }, true],
    [[1, 1], { index: 1, term: 1 }, false],
    [[1], { index: 1, term: 2 }, true],
    [[1, 1, 1], { index: 1, term: 2 }, true],
    [[2], { index: 9, term: 1 }, false],
  ] as const) {
    test(`a voter denies its vote if its own log is more up-to-date: ${ours.join()} against (${theirs.index}, ${theirs.term}) (§5.4.1)`, () => {
      const node = new OneCore({ log: ours, hardState: { term: 5 } })
      const last = { lastIndex: theirs.index, lastTerm: theirs.term }
      expect(node.hear<'preVote'>('b', { type: 'preVote', term: 6, ...last })).toMatchObject([{ granted }])
      expect(node.hear<'vote'>('b', { type: 'vote', term: 6, transfer: false, ...last })).toMatchObject([{ granted }])
    })
  }

  test('only entries of the leader’s current term are committed by counting replicas (§5.4.2)', () => {
    const leader = new OneCore({ log: [1, 1, 2, 2] })
    leader.elect(['b'])
    leader.ack('b', 4)
    leader.ack('c', 4)
    expect(leader.core.node.commit).toBe(0)
    leader.ack('b', 5)
    expect(leader.core.node.commit).toBe(5)
  })

  test('a leader commits a blank no-op entry at the start of its term (§8)', () => {
    const leader = new OneCore({ log: [1, 1] })
    leader.elect()
    expect(leader.terms).toEqual([1, 1, 2])
  })

  test('RPCs are idempotent: an append that is here already is acked again (§5.5)', () => {
    const node = new OneCore({ log: [1] })
    node.append('b', 2, 1, 1, [2])
    expect(node.append('b', 2, 1, 1, [2])).toMatchObject([{ type: 'appendReply', match: 2 }])
    expect(node.terms).toEqual([1, 2])
  })
})

describe('the thesis', () => {
  test('a server that hears a leader within the minimum election timeout does not update its term or grant a vote (thesis §4.2.3)', () => {
    const node = new OneCore({ log: [1] })
    node.append('b', 1, 1, 1, [])
    expect(node.hear<'vote'>('c', { type: 'vote', term: 9, lastIndex: 9, lastTerm: 9, transfer: false })).toEqual([])
    expect(node.core.term).toBe(1)
    expect(node.hear<'preVote'>('c', { type: 'preVote', term: 9, lastIndex: 9, lastTerm: 9 })).toMatchObject([
      { granted: false },
    ])
  })

  test('with the leader’s own wish the vote is granted while it is heard (thesis §3.10)', () => {
    const node = new OneCore({ log: [1] })
    node.append('b', 1, 1, 1, [])
    const vote = node.hear<'vote'>('c', { type: 'vote', term: 2, lastIndex: 1, lastTerm: 1, transfer: true })
    expect(vote).toMatchObject([{ granted: true }])
  })

  test('the prior leader brings the target up to date, then sends TimeoutNow; it accepts no requests meanwhile (thesis §3.10)', () => {
    const leader = new OneCore({ log: [1] })
    leader.elect()
    leader.ack('b', 1)
    leader.core.leading?.transferTo('b')
    expect(leader.core.proposeRefusal()).toBe('transferring')
    expect(only(leader.drain(), 'timeoutNow')).toEqual([])
    expect(only(leader.ack('b', 2), 'timeoutNow')).toMatchObject([{ to: 'b' }])
  })

  test('a transfer that does not end within an election timeout is aborted, and the leader goes on (thesis §3.10)', () => {
    const leader = new OneCore({ log: [1] })
    leader.elect()
    leader.ack('b', 2)
    leader.core.leading?.transferTo('b')
    leader.wait(400)
    leader.ack('c', 2)
    leader.wait(120)
    expect(leader.core.role).toBe('leader')
    expect(leader.core.proposeRefusal()).toBeUndefined()
  })

  test('a server told to time out campaigns at once, without a pre-vote (thesis §3.10)', () => {
    const node = new OneCore({ log: [1] })
    const out = node.hear<'timeoutNow'>('b', { type: 'timeoutNow', term: 1 })
    expect(only(out, 'vote')).toMatchObject([
      { term: 2, transfer: true },
      { term: 2, transfer: true },
    ])
  })

  test('a leader steps down if an election timeout passes without a round of heartbeats to a majority (thesis §6.2)', () => {
    const leader = new OneCore({ log: [1] })
    leader.elect()
    leader.wait(900)
    expect(leader.core.role).toBe('leader')
    leader.wait(300)
    expect(leader.core.role).toBe('follower')
  })

  test('a leader serves a read once a majority answered a heartbeat sent after it (thesis §6.4)', async () => {
    const leader = new OneCore({ log: [1] })
    leader.elect()
    leader.ack('b', 2)
    const leading = leader.core.leading
    const read = new Promise<number>((resolve, reject) => leading?.reads.add({ resolve, reject }))
    leading?.startReads()
    const [beat] = only(leader.drain(), 'heartbeat')
    expect(beat).toMatchObject({ round: 1 })
    let done = false
    void read.then(() => (done = true))
    await Promise.resolve()
    expect(done).toBe(false)
    if (beat !== undefined) leader.answer('b', beat)
    leading?.confirmReads()
    expect(await read).toBe(2)
  })

  test('a leader that has committed nothing of its own term does not know the commit yet and serves no read (thesis §6.4)', () => {
    const leader = new OneCore({ log: [1] })
    leader.elect()
    const leading = leader.core.leading
    leading?.reads.add({ resolve() {}, reject() {} })
    leading?.startReads()
    expect(leading?.reads.isWaiting).toBe(true)
    leader.ack('b', 2)
    leading?.startReads()
    expect(leading?.reads.isWaiting).toBe(false)
  })

  test('a server that was away does not raise the term: its pre-vote is refused, and it follows again (thesis §9.6)', () => {
    const away = new OneCore({ log: [1] })
    away.wait(10_000)
    expect(away.core.term).toBe(1)
    const there = new OneCore({ id: 'b', log: [1] })
    there.append('c', 1, 1, 1, [])
    expect(there.hear<'preVote'>('a', { type: 'preVote', term: 2, lastIndex: 1, lastTerm: 1 })).toMatchObject([
      { granted: false },
    ])
    away.append('c', 1, 1, 1, [])
    expect(away.core.leader).toBe('c')
  })

  test('an entry is taken by a joint membership only with both majorities (thesis §4.3)', () => {
    const membership = { voters: ['a', 'b', 'c'], outgoing: ['a', 'd', 'e'], learners: [] }
    const leader = new OneCore({ membership, log: [1] })
    leader.elect(['b', 'd'])
    leader.ack('b', 2)
    leader.ack('c', 2)
    expect(leader.core.node.commit).toBe(0)
    leader.ack('e', 2)
    expect(leader.core.node.commit).toBe(2)
  })

  test('a membership counts from the moment it is appended, and no longer once it is cut off (thesis §4.1)', () => {
    const node = new OneCore({ log: [1] })
    const membership = { voters: ['a', 'b'], outgoing: [], learners: [] }
    node.hearMembership('b', membership, 0)
    expect(node.core.node.membership.voters).toEqual(['a', 'b'])
    node.append('c', 3, 1, 1, [3])
    expect(node.core.node.membership.voters).toEqual(['a', 'b', 'c'])
  })

  test('a server that the last membership leaves out can still be elected until it is committed (thesis §4.2.2)', () => {
    const node = new OneCore({ log: [1] })
    const without = { voters: ['b', 'c'], outgoing: [], learners: [] }
    node.hearMembership('b', without, 1)
    expect(only(node.wait(1040), 'preVote')).toHaveLength(2)
    node.hear<'preVoteReply'>('b', { type: 'preVoteReply', term: 3, granted: true })
    expect(node.core.role).toBe('preCandidate')
    node.hear<'preVoteReply'>('c', { type: 'preVoteReply', term: 3, granted: true })
    expect(node.core.role).toBe('candidate')
    node.append('b', 4, 2, 2, [], 2)
    expect(only(node.wait(3000), 'preVote')).toEqual([])
  })

  test('learners take entries and decide nothing (thesis §4.2.1)', () => {
    const membership = { voters: ['a', 'b', 'c'], outgoing: [], learners: ['l'] }
    const leader = new OneCore({ membership, log: [1] })
    leader.elect()
    leader.ack('l', 2)
    expect(leader.core.node.commit).toBe(0)
    leader.ack('c', 2)
    expect(leader.core.node.commit).toBe(2)
    const learner = new OneCore({ id: 'l', membership, log: [1] })
    learner.wait(5000)
    expect(learner.core.role).toBe('follower')
  })
})

describe('what RaftMQ adds', () => {
  test('a node that stood still reads what it was sent before it calls anybody silent', () => {
    const node = new OneCore({ log: [1] })
    node.append('b', 1, 1, 1, [])
    node.nowMs += 30_000
    node.core.tick(node.nowMs)
    expect(node.core.role).toBe('follower')
    expect(node.core.leader).toBe('b')
  })

  test('a leader that stood still does not step down before it has read', () => {
    const leader = new OneCore({ log: [1] })
    leader.elect()
    leader.nowMs += 30_000
    leader.core.tick(leader.nowMs)
    expect(leader.core.role).toBe('leader')
  })

  test('an empty disk neither votes nor campaigns, and says so with every answer', () => {
    const node = new OneCore({ hardState: { filled: false, term: 1 } })
    node.wait(5000)
    expect(node.core.role).toBe('follower')
    expect(node.hear<'preVote'>('b', { type: 'preVote', term: 2, lastIndex: 1, lastTerm: 1 })).toMatchObject([
      { granted: false },
    ])
    const vote = node.hear<'vote'>('b', { type: 'vote', term: 2, lastIndex: 1, lastTerm: 1, transfer: true })
    expect(vote).toMatchObject([{ granted: false }])
    const [ack] = only(node.append('b', 2, 0, 0, [2]), 'appendReply')
    expect(ack?.filling).toBe(node.core.node.start)
  })

  test('acks of a disk that is being filled do not commit, and it is a voter once it holds an entry that the others committed', () => {
    const leader = new OneCore({ log: [1] })
    leader.elect()
    const answer = (match: number, filling: number): ReturnType<OneCore['hear']> => {
      const session = leader.core.leading?.progress.get('b')?.session ?? 0
      return leader.hear<'appendReply'>('b', {
        type: 'appendReply',
        term: 2,
        session,
        match,
        end: match,
        durable: match,
        filling,
      })
    }
    answer(0, 77)
    expect(leader.core.node.log.lastIndex).toBe(3)
    expect(only(answer(3, 77), 'filled')).toEqual([])
    expect(leader.core.node.commit).toBe(0)
    expect(only(leader.ack('c', 3), 'filled')).toMatchObject([{ to: 'b', filling: 77 }])
    leader.propose()
    leader.drain()
    answer(4, 77)
    expect(leader.core.node.commit).toBe(3)
    answer(4, 0)
    expect(leader.core.node.commit).toBe(4)
  })

  test('the answer of a process that is gone counts for nothing once its successor was met', () => {
    const leader = new OneCore({ log: [1] })
    leader.elect()
    const session = leader.core.leading?.progress.get('b')?.session ?? 0
    leader.core.peerStarted('b')
    leader.hear<'appendReply'>('b', { type: 'appendReply', term: 2, session, match: 2, end: 2, durable: 2, filling: 0 })
    expect(leader.core.leading?.progress.get('b')?.match).toBe(0)
    expect(leader.core.node.commit).toBe(0)
  })

  test('frames that the store refuses are not acked', () => {
    const node = new OneCore({ log: [1] })
    node.takesFrames = false
    expect(node.append('b', 2, 1, 1, [2])).toMatchObject([{ type: 'appendReply', match: 1, end: 2 }])
    expect(node.terms).toEqual([1])
  })

  test('runs that do not follow one another are not believed', () => {
    const node = new OneCore({ log: [1] })
    const said = {
      type: 'append',
      term: 2,
      session: 1,
      prevIndex: 1,
      prevTerm: 1,
      memberships: [],
      commit: 0,
      durable: true,
    } as const
    expect(node.hear<'append'>('b', { ...said, runs: [{ term: 2, first: 3, last: 3 }] })).toEqual([])
    expect(node.hear<'append'>('b', { ...said, runs: [{ term: 9, first: 2, last: 2 }] })).toEqual([])
    expect(node.terms).toEqual([1])
  })

  test('a node with a full disk does not campaign, and a leader with one hands over or stops', () => {
    const follower = new OneCore({ log: [1] })
    follower.core.setFitness({ diskFull: true })
    follower.wait(5000)
    expect(follower.core.role).toBe('follower')
    const leader = new OneCore({ log: [1] })
    leader.elect()
    leader.ack('b', 2)
    leader.core.setFitness({ diskFull: true })
    expect(only(leader.drain(), 'timeoutNow')).toMatchObject([{ to: 'b' }])
    leader.wait(600)
    expect(leader.core.role).toBe('follower')
  })

  test('when the connection to the leader breaks, the election comes at once', () => {
    const node = new OneCore({ log: [1] })
    node.append('b', 1, 1, 1, [])
    node.core.peerLost('b')
    expect(only(node.wait(140), 'preVote').length).toBeGreaterThan(0)
  })
})
