/**
 * Who consumes which queue. Every client of a group computes this alone from the same two sorted lists, so the result
 * must be a pure function of them: RocketMQ's `AllocateMessageQueue*` classes, number for number, because stock clients
 * may sit in the same group.
 */
import { clientErrors } from '../core/errors.ts'
import { compareQueues, compareText, queueKey } from '../core/message-queue.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import { consistentHash } from './allocate-by-hash.ts'

export interface Allocation {
  /** This client's own id. */
  readonly clientId: string
  /** All queues of one topic; a strategy gets them sorted. */
  readonly queues: readonly MessageQueue[]
  /** All clients of the group; a strategy gets them sorted, each once, this client among them. */
  readonly clientIds: readonly string[]
}

/** This client's queues, of those that there are. Equal in all members of a group, whose shares must not overlap. */
export type AllocateQueues = (allocation: Allocation) => readonly MessageQueue[]

/** Contiguous shares; the first `queues % clients` clients get one more. RocketMQ's default, AVG. */
export const averagely: AllocateQueues = ({ clientId, queues, clientIds }) => {
  const index = clientIds.indexOf(clientId)
  const spare = queues.length % clientIds.length
  const floor = Math.floor(queues.length / clientIds.length)
  const share = index < spare ? floor + 1 : floor
  const start = index < spare ? index * share : index * floor + spare
  return queues.slice(start, start + share)
}

/** Every n-th queue, like dealing cards. AVG_BY_CIRCLE. */
const byCircle: AllocateQueues = ({ clientId, queues, clientIds }) =>
  queues.filter((_, place) => place % clientIds.length === clientIds.indexOf(clientId))

const strategies = { averagely, byCircle, consistentHash } as const

export type AllocateStrategy = keyof typeof strategies

export const allocateStrategies = Object.keys(strategies)

/**
 * The strategy of that name, or a program's own, over lists in any order. A client that is not in the list gets nothing:
 * the broker does not know it yet. Errors: `CLIENT_OPTION`.
 */
export function allocateQueuesBy(strategy: string | AllocateQueues): AllocateQueues {
  const allocate = typeof strategy === 'string' && isStrategy(strategy) ? strategies[strategy] : strategy
  if (typeof allocate !== 'function') {
    const known = allocateStrategies.join(', ')
    throw clientErrors.create('CLIENT_OPTION', `allocate: ${String(strategy)} is not one of ${known}, or a function`)
  }
  return ({ clientId, queues, clientIds }) => {
    const clients = [...new Set(clientIds)].sort(compareText)
    if (!clients.includes(clientId)) return []
    const sorted = [...queues].sort(compareQueues)
    const there = new Set(sorted.map(queueKey))
    return allocate({ clientId, queues: sorted, clientIds: clients }).filter((queue) => there.has(queueKey(queue)))
  }
}

function isStrategy(name: string): name is AllocateStrategy {
  return Object.hasOwn(strategies, name)
}
