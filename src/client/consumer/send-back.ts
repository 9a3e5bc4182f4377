/** Gives a message that failed back to its broker, which delivers it again later or files it with the dead letters. */
import { sendBack } from '../core/broker-api.ts'
import type { ClientCore } from '../core/client-core.ts'
import type { ReceivedMessage } from '../core/received-message.ts'
import type { ResolvedConsumerOptions } from './consumer-options.ts'

/** `delayLevel`: see `MessageContext`. Rejects when the broker did not take it. */
export type SendBack = (message: ReceivedMessage, delayLevel: number) => Promise<void>

export function sendBackVia(core: ClientCore, options: ResolvedConsumerOptions): SendBack {
  const { model, group, maxReconsumeTimes, requestTimeoutMs, log } = options
  return async (message, delayLevel) => {
    const { brokerName, offset, queueOffset, messageId, storedTopic } = message
    if (model === 'broadcast') {
      // Nobody else will ever handle it for this consumer: RocketMQ drops it, too.
      log.warn({ topic: message.topic, queueOffset }, 'a broadcast message failed and is skipped')
      return
    }
    const origin = { originMessageId: messageId, originTopic: storedTopic }
    const back = { group, brokerName, offset, ...origin, delayLevel, maxReconsumeTimes }
    await core.callLeader(
      { topic: storedTopic, brokerName },
      (address, limits) => sendBack(core.invoke, address, back, limits),
      { timeoutMs: requestTimeoutMs, signal: core.closing },
    )
  }
}
