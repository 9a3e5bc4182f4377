/** A batch as a send: one request made of several messages, and its answer as one result for each of them. */
import { encodeBatch } from '../message/batch.ts'
import type { OutgoingMessage, PreparedMessage } from './outgoing-message.ts'
import type { SendRequest, SendResult } from './send-request.ts'

/** `members`, encoded as one request to the destination of `first`. */
export function batchRequest(first: OutgoingMessage, members: readonly PreparedMessage[], bornMs: number): SendRequest {
  return {
    topic: first.topic,
    messageId: members[0]?.messageId ?? '',
    messages: members.length,
    body: encodeBatch(members),
    properties: '',
    sysFlag: 0,
    flag: 0,
    isBatch: true,
    choice: first.queue ?? first.shardingKey,
    bornMs,
  }
}

/** What each member is told: `answer` is that of the whole, with all offset ids in a comma list. */
export function batchResults(members: readonly PreparedMessage[], answer: SendResult): SendResult[] {
  const { status, queue, queueOffset, mayBeTwice } = answer
  const offsetIds = answer.offsetMessageId.split(',')
  return members.map(({ messageId }, n) => ({
    status,
    messageId,
    offsetMessageId: offsetIds[n] ?? '',
    queue,
    queueOffset: queueOffset + n,
    mayBeTwice,
  }))
}
