/** Locks of queues that are consumed in order: 41, 42 (RocketMQ AdminBrokerProcessor.lockBatchMQ). */
import { LockBatchRequestBody, LockBatchResponseBody } from '../../remoting/bodies/queue.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { EmptyHeader } from '../../remoting/header.ts'
import { type Call, type Reply, type Route, route } from '../../remoting/route.ts'
import type { Leadership } from '../needs.ts'
import type { QueueLocks } from '../tables/queue-locks.ts'

export interface QueueLockNeeds {
  readonly locks: Pick<QueueLocks, 'lock' | 'unlock'>
  readonly leadership: Pick<Leadership, 'readBarrier'>
}

export function queueLock({ locks, leadership }: QueueLockNeeds): Route<unknown>[] {
  return [
    route({ code: RequestCode.LOCK_BATCH_MQ, request: EmptyHeader, handle: lock }),
    route({ code: RequestCode.UNLOCK_BATCH_MQ, request: EmptyHeader, handle: unlock }),
  ]

  /** A renewal is answered without a command, so this node must be sure that it still leads. */
  async function lock(_header: unknown, call: Call): Promise<Reply> {
    const { consumerGroup, clientId, mqSet } = LockBatchRequestBody.decode(call.body)
    await leadership.readBarrier()
    const lockOKMQSet = await locks.lock(consumerGroup, clientId, mqSet)
    return { code: ResponseCode.SUCCESS, body: LockBatchResponseBody.encode({ lockOKMQSet }) }
  }

  async function unlock(_header: unknown, call: Call): Promise<Reply> {
    const { consumerGroup, clientId, mqSet } = LockBatchRequestBody.decode(call.body)
    await locks.unlock(consumerGroup, clientId, mqSet)
    return { code: ResponseCode.SUCCESS }
  }
}
