/** Queues go to the client that is next on a ring of hashes: few move when a client comes or goes. */
import { createHash } from 'node:crypto'
import type { AllocateQueues } from './allocate-queues.ts'
import type { MessageQueue } from '../core/message-queue.ts'

/** Places of a client on the ring. */
const REPLICAS = 10

interface RingPlace {
  readonly hash: number
  readonly clientId: string
}

/** RocketMQ AllocateMessageQueueConsistentHash with its own defaults; `clientIds` and `queues` are sorted. */
export const consistentHash: AllocateQueues = ({ clientId, queues, clientIds }) => {
  const places = new Map<number, RingPlace>()
  for (const id of clientIds) {
    for (let replica = 0; replica < REPLICAS; replica++) {
      const hash = ringHash(`${id}-${replica}`)
      places.set(hash, { hash, clientId: id })
    }
  }
  const ring = [...places.values()].sort((a, b) => a.hash - b.hash)
  return queues.filter((queue) => {
    const hash = ringHash(javaText(queue))
    const next = ring.find((place) => place.hash >= hash) ?? ring[0]
    return next?.clientId === clientId
  })
}

/** ConsistentHashRouter.MD5Hash. */
function ringHash(text: string): number {
  return createHash('md5').update(text).digest().readUInt32BE(0)
}

/** MessageQueue.toString. */
function javaText({ topic, brokerName, queueId }: MessageQueue): string {
  return `MessageQueue [topic=${topic}, brokerName=${brokerName}, queueId=${queueId}]`
}
