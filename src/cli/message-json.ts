/** A message as one line of JSON, as the commands print it. */
import type { ReceivedMessage } from '../client/core/received-message.ts'

export function messageJson(message: ReceivedMessage): string {
  const { topic, brokerName, queueId, queueOffset, messageId, tag, keys, bornTimestampMs, storeTimestampMs } = message
  return JSON.stringify({
    topic,
    brokerName,
    queueId,
    queueOffset,
    messageId,
    tag,
    keys,
    bornTime: new Date(bornTimestampMs).toISOString(),
    storeTime: new Date(storeTimestampMs).toISOString(),
    reconsumeTimes: message.reconsumeTimes,
    properties: Object.fromEntries(message.properties),
    body: message.body.toString(),
  })
}
