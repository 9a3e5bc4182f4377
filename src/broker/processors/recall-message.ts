/** 370: a producer takes back a message that waits for its time (RocketMQ RecallMessageProcessor). */
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { RecallMessageRequestHeader } from '../../remoting/headers/send.ts'
import { type Reply, type Route, route } from '../../remoting/route.ts'
import { refusal } from '../errors.ts'
import type { BrokerIdentity } from '../identity.ts'
import { decodeRecallHandle } from '../timed/recall-handle.ts'
import type { TimerSchedule } from '../timed/timer-schedule.ts'
import type { Topics } from '../tables/topics.ts'

export interface RecallMessageNeeds {
  readonly topics: Topics
  readonly timers: Pick<TimerSchedule, 'recall'>
  readonly identity: BrokerIdentity
  readonly clock: { nowMs(): number }
  readonly options: { readonly recallMessageEnable: boolean; readonly timerMaxDelaySec: number }
}

export function recallMessage(need: RecallMessageNeeds): Route<unknown>[] {
  const { topics, timers, identity, clock, options } = need
  return [route({ code: RequestCode.RECALL_MESSAGE, request: RecallMessageRequestHeader, handle: recall })]

  /** What does not wait (any more) and is not due yet was taken back before: that is success, as in RocketMQ. */
  async function recall(header: RecallMessageRequestHeader): Promise<Reply> {
    if (!options.recallMessageEnable) {
      throw refusal('BROKER_NO_PERMISSION', 'recall failed, operation is forbidden')
    }
    if (!topics.has(header.topic)) {
      throw refusal('BROKER_TOPIC_NOT_EXIST', `recall failed, the topic[${header.topic}] not exist`)
    }
    const { topic, brokerName, timestampMs, uniqueKey } = decodeRecallHandle(header.recallHandle)
    if (topic !== header.topic) throw refusal('BROKER_ILLEGAL_OPERATION', 'recall failed, topic not match')
    if (brokerName !== identity.brokerName) {
      throw refusal('BROKER_ILLEGAL_OPERATION', 'recall failed, broker service not available')
    }
    const leftMs = timestampMs - clock.nowMs()
    if (leftMs <= 0 || leftMs > options.timerMaxDelaySec * 1_000 + 1) {
      throw refusal('BROKER_ILLEGAL_OPERATION', 'recall failed, timestamp invalid')
    }
    await timers.recall({ topic, uniqueKey, dueMs: timestampMs - 1 })
    return {
      code: ResponseCode.SUCCESS,
      header: { msgId: uniqueKey, MSG_REGION: identity.regionId },
    }
  }
}
