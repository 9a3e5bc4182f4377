import { expect, test } from 'vitest'
import { CommittedOffsets } from '../../sim/node/committed-offsets.ts'

test('an acknowledged offset is not followed by one that was acknowledged before it began', () => {
  const offsets = new CommittedOffsets()
  offsets.began(1)()
  offsets.began(2)()
  expect(offsets.lostAt(1)).toBe(2)
  expect(offsets.lostAt(-1)).toBe(2)
  expect(offsets.lostAt(2)).toBeUndefined()
})

test('of two commits under way at once either may come last', () => {
  const offsets = new CommittedOffsets()
  const first = offsets.began(1)
  const second = offsets.began(2)
  second()
  first()
  expect(offsets.lostAt(1)).toBeUndefined()
  offsets.began(3)()
  expect(offsets.lostAt(1)).toBe(3)
})

test('a commit whose answer was lost may come last however late', () => {
  const offsets = new CommittedOffsets()
  offsets.began(1)
  offsets.began(2)()
  offsets.began(3)()
  expect(offsets.lostAt(1)).toBeUndefined()
  expect(offsets.lostAt(2)).toBe(3)
})
