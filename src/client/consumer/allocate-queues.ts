/**
 * Who consumes which queue. Every client of a group computes this alone from the same two sorted lists, so the result
 * must be a pure function of them: RocketMQ's `AllocateMessageQueue*` classes, number for number, because stock clients
 * may sit in the same group.
 */
import { clientErrors } from '../core/errors.ts'
import { compareQueues, compareText } from '../core/message-queue.ts'
import type { MessageQueue } from '../core/message-queue.ts'

export interface Allocation {
  /** This client's own id. Not in `clientIds`: nothing is allocated (the broker does not know this client yet). */
  readonly clientId: string
  /** All queues of one topic, in any order. */
  readonly queues: readonly MessageQueue[]
  /** All clients of the group, in any order. */
  readonly clientIds: readonly string[]
}

export type AllocateQueues = (allocation: Allocation) => MessageQueue[]

/** Contiguous shares; the first `queues % clients` clients get one more. RocketMQ's default, AVG. */
const averagely: AllocateQueues = (allocation) => {
  const { queues, clients, index } = sorted(allocation)
  if (index < 0) return []
  const spare = queues.length % clients.length
  const floor = Math.floor(queues.length / clients.length)
  const share = index < spare ? floor + 1 : floor
  const start = index < spare ? index * share : index * floor + spare
  return queues.slice(start, start + share)
}

/** Every n-th queue, like dealing cards. AVG_BY_CIRCLE. */
const byCircle: AllocateQueues = (allocation) => {
  const { queues, clients, index } = sorted(allocation)
  if (index < 0) return []
  return queues.filter((_, place) => place % clients.length === index)
}

const strategies = { averagely, byCircle } as const

export type AllocateStrategy = keyof typeof strategies

export const allocateStrategies = Object.keys(strategies)

/** The strategy of that name. Errors: `CLIENT_OPTION`. */
export function allocateQueuesBy(strategy: string): AllocateQueues {
  if (!isStrategy(strategy)) {
    throw clientErrors.create('CLIENT_OPTION', `allocate: ${strategy} is not one of ${allocateStrategies.join(', ')}`)
  }
  return strategies[strategy]
}

function isStrategy(name: string): name is AllocateStrategy {
  return Object.hasOwn(strategies, name)
}

function sorted({ clientId, queues, clientIds }: Allocation): {
  queues: readonly MessageQueue[]
  clients: readonly string[]
  index: number
} {
  const clients = [...new Set(clientIds)].sort(compareText)
  return { queues: [...queues].sort(compareQueues), clients, index: clients.indexOf(clientId) }
}
