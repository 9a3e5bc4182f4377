import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { machineRoom, machineRoomNearby, theseQueues } from '../../src/client/consumer/allocate-by-room.ts'
import { allocateQueuesBy } from '../../src/client/consumer/allocate-queues.ts'
import type { AllocateQueues } from '../../src/client/consumer/allocate-queues.ts'
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

describe.each(['averagely', 'byCircle', 'consistentHash'])('%s', (strategy) => {
  const allocate = allocateQueuesBy(strategy)

  test.prop([
    fc.integer({ min: 0, max: 40 }),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 4 }),
    fc.nat(),
  ])(
    'gives every queue to exactly one client, whatever the order of its input, but by hash in shares that differ by one at most',
    (queueCount, clientCount, brokers, seed) => {
      const queues = queuesOf(queueCount, brokers)
      const clientIds = clientsOf(clientCount)
      const shares = clientIds.map((clientId, n) =>
        allocate({ clientId, queues: turned(queues, seed + n), clientIds: turned(clientIds, seed * 7 + n) }),
      )
      expect(shares.flat().map(queueKey).sort()).toEqual(queues.map(queueKey).sort())
      if (strategy === 'consistentHash') return
      const sizes = shares.map((share) => share.length)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    },
  )

  test('gives nothing to a client the broker does not list', () => {
    expect(allocate({ clientId: 'stranger', queues: queuesOf(4), clientIds: clientsOf(2) })).toEqual([])
  })
})

describe('of three clients and twelve queues in three rooms', () => {
  const rooms = ['r1@broker-0', 'r2@broker-1', 'r3@broker-2']
  const queues = rooms.flatMap((brokerName) =>
    [0, 1, 2, 3].map((queueId): MessageQueue => ({ topic: 'T', brokerName, queueId })),
  )
  const near = machineRoomNearby({
    ofQueue: ({ brokerName }) => brokerName.split('@')[0] ?? '',
    ofClient: (clientId) => (clientId.startsWith('10.0.0.2') ? 'r2' : 'r1'),
  })

  // What the classes of rocketmq-client 5.5.0 gave for the same lists.
  test.each<[string, string | AllocateQueues, string[]]>([
    ['AllocateMessageQueueConsistentHash', 'consistentHash', ['01 11 12', '03 10 13 21', '00 02 20 22 23']],
    ['AllocateMessageQueueByMachineRoom', machineRoom('r1', 'r3'), ['00 01 22', '02 03 23', '20 21']],
    ['AllocateMachineRoomNearby', near, ['00 01 20 21', '02 03 22', '10 11 12 13 23']],
  ])('each gets what %s gives it', (_, strategy, expected) => {
    const clientIds = clientsOf(3)
    const shares = clientIds.map((clientId) =>
      allocateQueuesBy(strategy)({ clientId, queues: turned(queues, 5), clientIds: turned(clientIds, 1) })
        .map(({ brokerName, queueId }) => `${brokerName.at(-1)}${queueId}`)
        .join(' '),
    )
    expect(shares).toEqual(expected)
  })

  test('those of a room without clients are shared by all, and a client in no room is refused', () => {
    const allocate = allocateQueuesBy(near)
    const [clientId = ''] = clientsOf(1)
    expect(
      allocate({ clientId, queues, clientIds: clientsOf(1) })
        .map(queueKey)
        .sort(),
    ).toEqual(queues.map(queueKey).sort())
    const nowhere = allocateQueuesBy(machineRoomNearby({ ofQueue: () => '', ofClient: () => 'r1' }))
    expect(() => nowhere({ clientId, queues, clientIds: [clientId] })).toThrow(
      expect.objectContaining({ code: 'CLIENT_OPTION' }),
    )
  })
})

test('queues that are named are taken whoever else is in the group, and topics of which none is are shared', () => {
  const [first, second] = queuesOf(4)
  if (first === undefined || second === undefined) throw new Error('no queues')
  const gone = { ...first, queueId: 9 }
  const allocate = allocateQueuesBy(theseQueues(second, gone))
  const retries = queuesOf(2).map((queue) => ({ ...queue, topic: '%RETRY%g' }))
  for (const clientId of clientsOf(2)) {
    expect(allocate({ clientId, queues: queuesOf(4), clientIds: clientsOf(2) })).toEqual([second])
    expect(allocate({ clientId, queues: retries, clientIds: clientsOf(2) })).toHaveLength(1)
  }
})

test('a strategy of the program gets sorted lists, and only queues that there are count of what it says', () => {
  const seen: unknown[] = []
  const stranger = { topic: 'X', brokerName: 'x', queueId: 0 }
  const allocate = allocateQueuesBy((allocation) => {
    seen.push(allocation)
    return [...allocation.queues.slice(0, 1), stranger]
  })
  const clientIds = clientsOf(3)
  const queues = queuesOf(5)
  expect(
    allocate({ clientId: clientIds[1] ?? '', queues: turned(queues, 2), clientIds: turned(clientIds, 2) }),
  ).toEqual(queues.slice(0, 1))
  expect(seen).toEqual([{ clientId: clientIds[1], queues, clientIds }])
})

test.each([['toString'], [7], [undefined]])('an unknown strategy is refused by name: %s', (strategy) => {
  expect(() => Reflect.apply(allocateQueuesBy, undefined, [strategy])).toThrow(
    expect.objectContaining({
      code: 'CLIENT_OPTION',
      message: `allocate: ${strategy} is not one of averagely, byCircle, consistentHash, or a function`,
    }),
  )
  expect(() => machineRoom()).toThrow(expect.objectContaining({ code: 'CLIENT_OPTION' }))
})
