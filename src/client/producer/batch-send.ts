/** A batch as a send: one request made of several messages, and its answer as one result for each of them. */
import { encodeBatch } from '../../message/batch.ts'
import { clientErrors } from '../core/errors.ts'
import { queueKey } from '../core/message-queue.ts'
import { checkMessage } from './message-check.ts'
import { isDelayed } from './outgoing-message.ts'
import type { OutgoingMessage, PreparedMessage } from './outgoing-message.ts'
import type { QueueChoice, SendRequest, SendResult } from './send-request.ts'

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
    isGathered: true,
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

/** The first of them. Errors: `CLIENT_MESSAGE_ILLEGAL` for what is no list of messages that fit in one batch. */
export function checkBatch(messages: readonly OutgoingMessage[]): OutgoingMessage | undefined {
  const given: unknown = messages
  if (!Array.isArray(given)) {
    throw clientErrors.create('CLIENT_MESSAGE_ILLEGAL', `a batch is a list of messages, not ${String(given)}`)
  }
  for (const message of messages) checkMessage(message)
  const [first] = messages
  if (first !== undefined) for (const message of messages) checkBatchMember(first, message)
  return first
}

function checkBatchMember(first: OutgoingMessage, message: OutgoingMessage): void {
  if (message.topic !== first.topic) {
    throw clientErrors.create(
      'CLIENT_MESSAGE_ILLEGAL',
      `a batch of ${first.topic} holds a message for ${message.topic}`,
    )
  }
  if (isDelayed(message)) {
    throw clientErrors.create('CLIENT_MESSAGE_ILLEGAL', 'a message with a delay cannot be sent in a batch')
  }
  if (choiceKey(message.queue ?? message.shardingKey) !== choiceKey(first.queue ?? first.shardingKey)) {
    throw clientErrors.create('CLIENT_MESSAGE_ILLEGAL', 'the messages of a batch are for different queues')
  }
}

/** Equal keys: equal choice of a queue. */
function choiceKey(choice: QueueChoice): string {
  return choice === undefined ? '' : typeof choice === 'string' ? `key ${choice}` : `queue ${queueKey(choice)}`
}
