/** Locks of queues at the fake broker. Tests set `clientOf` to give a lock to somebody else. */
import { RequestCode } from '../../src/remoting/codes.ts'
import { LockBatchRequestBody, LockBatchResponseBody } from '../../src/remoting/bodies/queue.ts'
import type { Call, Reply } from '../../src/remoting/route.ts'

export class FakeLocks {
  /** `group topic queueId` → clientId. */
  readonly clientOf = new Map<string, string>()

  readonly handlers: readonly (readonly [number, (call: Call) => Reply])[] = [
    [RequestCode.LOCK_BATCH_MQ, (call) => this.#lock(call)],
    [RequestCode.UNLOCK_BATCH_MQ, (call) => this.#unlock(call)],
  ]

  #lock(call: Call): Reply {
    const { clientId, consumerGroup, mqSet } = LockBatchRequestBody.decode(call.body)
    const lockOKMQSet = mqSet.filter(({ topic, queueId }) => {
      const key = `${consumerGroup} ${topic} ${queueId}`
      if ((this.clientOf.get(key) ?? clientId) !== clientId) return false
      this.clientOf.set(key, clientId)
      return true
    })
    return { code: 0, body: LockBatchResponseBody.encode({ lockOKMQSet }) }
  }

  #unlock(call: Call): Reply {
    const { clientId, consumerGroup, mqSet } = LockBatchRequestBody.decode(call.body)
    for (const { topic, queueId } of mqSet) {
      const key = `${consumerGroup} ${topic} ${queueId}`
      if (this.clientOf.get(key) === clientId) this.clientOf.delete(key)
    }
    return { code: 0 }
  }
}
