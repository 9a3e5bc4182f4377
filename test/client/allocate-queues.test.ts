import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { allocateQueuesBy } from '../../src/client/consumer/allocate-queues.ts'
import type { MessageQueue } from '../../src/client/core/message-queue.ts'
import { queueKey } from '../../src/client/core/message-queue.ts'

const queuesOf = (count: number, brokers = 1): MessageQueue[] =>
  Array.from({ length: count }, (_, n) => ({
    topic: 'T',
    brokerName: `broker-${n % brokers}`,
    queueId: Math.floor(n / brokers),
  }))
const clientsOf = (count: number): string[] => Array.from({ length: count }, (_, n) => `10.0.0.${n}@${1000 + n}`)
const idsOf = (queues: readonly MessageQueue[]): number[] => queues.map((queue) => queue.queueId)

/** The list, begun elsewhere. */
function turned<T>(list: readonly T[], by: number): T[] {
  const at = by % (list.length || 1)
  return [...list.slice(at), ...list.slice(0, at)]
}

describe('averagely', () => {
  const allocate = allocateQueuesBy('averagely')

  test('gives contiguous shares, the first clients one more, as AllocateMessageQueueAveragely does', () => {
    const shares = clientsOf(3).map((clientId) =>
      idsOf(allocate({ clientId, queues: queuesOf(8), clientIds: clientsOf(3) })),
    )
    expect(shares).toEqual([
      [0, 1, 2],
      [3, 4, 5],
      [6, 7],
    ])
  })

  test('leaves clients over without a queue when there are more clients than queues', () => {
    const shares = clientsOf(4).map((clientId) =>
      idsOf(allocate({ clientId, queues: queuesOf(2), clientIds: clientsOf(4) })),
    )
    expect(shares).toEqual([[0], [1], [], []])
  })
})

describe('byCircle', () => {
  test('deals queues like cards, as AllocateMessageQueueAveragelyByCircle does', () => {
    const allocate = allocateQueuesBy('byCircle')
    const shares = clientsOf(3).map((clientId) =>
      idsOf(allocate({ clientId, queues: queuesOf(8), clientIds: clientsOf(3) })),
    )
    expect(shares).toEqual([
      [0, 3, 6],
      [1, 4, 7],
      [2, 5],
    ])
  })
})

describe.each(['averagely', 'byCircle'])('%s', (strategy) => {
  const allocate = allocateQueuesBy(strategy)

  test.prop([
    fc.integer({ min: 0, max: 40 }),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 4 }),
    fc.nat(),
  ])(
    'gives every queue to exactly one client, in shares that differ by one at most, whatever the order of its input',
    (queueCount, clientCount, brokers, seed) => {
      const queues = queuesOf(queueCount, brokers)
      const clientIds = clientsOf(clientCount)
      const shares = clientIds.map((clientId, n) =>
        allocate({ clientId, queues: turned(queues, seed + n), clientIds: turned(clientIds, seed * 7 + n) }),
      )
      expect(shares.flat().map(queueKey).sort()).toEqual(queues.map(queueKey).sort())
      const sizes = shares.map((share) => share.length)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    },
  )

  test('gives nothing to a client the broker does not list', () => {
    expect(allocate({ clientId: 'stranger', queues: queuesOf(4), clientIds: clientsOf(2) })).toEqual([])
  })
})

test('an unknown strategy is refused by name', () => {
  expect(() => allocateQueuesBy('toString')).toThrow(expect.objectContaining({ code: 'CLIENT_OPTION' }))
})
