import { expect, test } from 'vitest'
import { lostByRound } from '../../chaos/lost-by-round.ts'

const acknowledged = (sequence: number, atMs: number) =>
  ({
    type: 'acknowledged',
    atMs,
    producer: 1,
    sequence,
    queue: 'T@b@0',
    queueOffset: sequence,
    mayBeTwice: false,
  }) as const

test('a lost message counts in the round in which it was acknowledged', async () => {
  const events = [acknowledged(1, 150), acknowledged(2, 199), acknowledged(3, 200), acknowledged(4, 450)]
  const lost = [1, 3, 4].map((sequence) => ({ producer: 1, sequence }))
  expect(await lostByRound(events, lost, [100, 200, 300])).toEqual([1, 1, 1])
  expect(await lostByRound(events, [], [100, 200])).toEqual([0, 0])
})
