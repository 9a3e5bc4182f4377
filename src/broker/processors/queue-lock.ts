/** Locks of queues that are consumed in order: 41, 42 (RocketMQ AdminBrokerProcessor.lockBatchMQ). */
import { groupFault } from '../../message/topic-name.ts'
import { LockBatchRequestBody, LockBatchResponseBody } from '../../remoting/bodies/queue.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { EmptyHeader } from '../../remoting/header.ts'
import { type Call, type Reply, type Route, route } from '../../remoting/route.ts'
import { refusal } from '../errors.ts'
import type { Leadership } from '../needs.ts'
import type { LockedQueue, QueueLocks } from '../tables/queue-locks.ts'
import type { Topics } from '../tables/topics.ts'

export interface QueueLockNeeds {
  readonly topics: Pick<Topics, 'get'>
  readonly locks: Pick<QueueLocks, 'lock' | 'unlock'>
  readonly leadership: Pick<Leadership, 'readBarrier'>
}

export function queueLock({ topics, locks, leadership }: QueueLockNeeds): Route<unknown>[] {
  return [
    route({ code: RequestCode.LOCK_BATCH_MQ, request: EmptyHeader, handle: lock }),
    route({ code: RequestCode.UNLOCK_BATCH_MQ, request: EmptyHeader, handle: unlock }),
  ]

  /** A renewal is answered without a command, so this node must be sure that it still leads. */
  async function lock(_header: unknown, call: Call): Promise<Reply> {
    const { consumerGroup, clientId, mqSet } = LockBatchRequestBody.decode(call.body)
    const fault = groupFault(consumerGroup)
    if (fault !== undefined) throw refusal('BROKER_INVALID_PARAMETER', fault)
    await leadership.readBarrier()
    // Queues that are none are not locked: the table of locks would grow with whatever somebody makes up.
    const lockOKMQSet = await locks.lock(consumerGroup, clientId, mqSet.filter(isQueue))
    return { code: ResponseCode.SUCCESS, body: LockBatchResponseBody.encode({ lockOKMQSet }) }
  }

  async function unlock(_header: unknown, call: Call): Promise<Reply> {
    const { consumerGroup, clientId, mqSet } = LockBatchRequestBody.decode(call.body)
    await locks.unlock(consumerGroup, clientId, mqSet)
    return { code: ResponseCode.SUCCESS }
  }

  function isQueue({ topic, queueId }: LockedQueue): boolean {
    const row = topics.get(topic)
    return row !== undefined && queueId >= 0 && queueId < Math.max(row.readQueueNums, row.writeQueueNums)
  }
}
