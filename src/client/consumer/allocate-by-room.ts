/** Strategies of `allocate` that know more than the two lists: where machines stand, or what was said once. */
import type { AllocateQueues } from './allocate-queues.ts'
import { averagely } from './allocate-queues.ts'
import { checkQueues } from '../core/call-options.ts'
import { clientErrors } from '../core/errors.ts'
import { compareText } from '../core/message-queue.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import { checkFunction } from '../core/options.ts'

/**
 * Averagely, of the queues whose brokers are called `room@name` for one of `rooms` (RocketMQ
 * AllocateMessageQueueByMachineRoom). Nobody consumes the others.
 */
export function machineRoom(...rooms: readonly string[]): AllocateQueues {
  if (rooms.length === 0) throw clientErrors.create('CLIENT_OPTION', 'machineRoom: no room is named')
  const wanted = new Set(rooms)
  return ({ clientId, queues, clientIds }) => {
    const near = queues.filter(({ brokerName }) => {
      const [room = '', name, ...more] = brokerName.split('@')
      return name !== undefined && name !== '' && more.length === 0 && wanted.has(room)
    })
    const index = clientIds.indexOf(clientId)
    // The spare queues are the last ones, one each.
    const floor = Math.floor(near.length / clientIds.length)
    const spare = near[index + floor * clientIds.length]
    return [...near.slice(index * floor, (index + 1) * floor), ...(spare === undefined ? [] : [spare])]
  }
}

export interface Rooms {
  readonly ofQueue: (queue: MessageQueue) => string
  readonly ofClient: (clientId: string) => string
}

/**
 * The queues of a room among the clients that are there; those of a room without clients among all, each time by `then`
 * (RocketMQ AllocateMachineRoomNearby).
 */
export function machineRoomNearby(rooms: Rooms, then: AllocateQueues = averagely): AllocateQueues {
  checkFunction('ofQueue', rooms?.ofQueue)
  checkFunction('ofClient', rooms.ofClient)
  checkFunction('then', then)
  return ({ clientId, queues, clientIds }) => {
    const queuesOf = byRoom(queues, (queue) => rooms.ofQueue(queue))
    const clientsOf = byRoom(clientIds, (id) => rooms.ofClient(id))
    const own = rooms.ofClient(clientId)
    const inOrder = [...queuesOf].sort(([a], [b]) => Number(b === own) - Number(a === own) || compareText(a, b))
    return inOrder.flatMap(([room, ofRoom]) => {
      if (room !== own && clientsOf.has(room)) return []
      return then({ clientId, queues: ofRoom, clientIds: (room === own ? clientsOf.get(own) : undefined) ?? clientIds })
    })
  }
}

/**
 * Always these queues of their topics, whoever else is in the group (RocketMQ AllocateMessageQueueByConfig). Topics of which
 * none is named, as the group's retry topic, are shared averagely.
 */
export function theseQueues(...queues: readonly MessageQueue[]): AllocateQueues {
  checkQueues(queues)
  const topics = new Set(queues.map(({ topic }) => topic))
  return (allocation) => {
    const topic = allocation.queues[0]?.topic
    return topic !== undefined && topics.has(topic) ? queues : averagely(allocation)
  }
}

/** Errors: `CLIENT_OPTION` for what is in no room. */
function byRoom<T>(all: readonly T[], roomOf: (one: T) => string): Map<string, T[]> {
  const found = new Map<string, T[]>()
  for (const one of all) {
    const room = roomOf(one)
    if (typeof room !== 'string' || room === '') {
      throw clientErrors.create('CLIENT_OPTION', `machineRoomNearby: ${JSON.stringify(one)} is in no room`)
    }
    const here = found.get(room)
    if (here === undefined) found.set(room, [one])
    else here.push(one)
  }
  return found
}
