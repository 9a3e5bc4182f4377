import { expect, test } from 'vitest'
import { OneCore } from './one-core.ts'

test('no change that needs a voter is begun before that voter told this leader what it holds', () => {
  const node = new OneCore({ log: [1] })
  node.elect()
  node.ack('b', 2)
  expect(node.core.node.commit).toBe(2)
  // Its election is young: c, which may have lost its disk, is not called silent yet.
  expect(node.core.changeMembership({ voters: ['a', 'c'], learners: [] })).toBe('RAFT_WOULD_LOSE_QUORUM')
  node.ack('c', 2)
  expect(node.core.changeMembership({ voters: ['a', 'c'], learners: [] })).toBe(3)
})
