import { defineErrors, type RaftmqError } from '../lib/errors.ts'

/**
 * What a broker refuses or cannot do. `response-codes.ts` turns each into RocketMQ's response code; the message becomes
 * the remark.
 */
export const brokerErrors = defineErrors({
  BROKER_NOT_LEADER: {
    doc: 'This node does not lead its group, or not any more: nothing was stored. Ask the leader.',
    retriable: true,
  },
  BROKER_BUSY: {
    doc: 'Too much is in flight, or no quorum could take the request in time: nothing was stored. Try again later.',
    retriable: true,
  },
  BROKER_UNDECIDED: {
    doc: 'The request was proposed and its fate was not known in time: it may or may not be stored.',
    retriable: true,
  },
  BROKER_MESSAGE_ILLEGAL: {
    doc: 'A message breaks a limit: body, properties or batch. Nothing was stored.',
    retriable: false,
  },
  BROKER_INVALID_PARAMETER: {
    doc: 'A name or number of the request is not allowed; the message names it.',
    retriable: false,
  },
  BROKER_NO_PERMISSION: {
    doc: 'The topic, the group or the broker does not allow it.',
    retriable: false,
  },
  BROKER_TOPIC_NOT_EXIST: {
    doc: 'The topic does not exist and may not be created by this request.',
    retriable: false,
  },
  BROKER_GROUP_NOT_EXIST: {
    doc: 'The subscription group does not exist and may not be created by this request.',
    retriable: false,
  },
  BROKER_SUBSCRIPTION_NOT_EXIST: {
    doc: 'The consumer group has no live member, or none that subscribes to the topic.',
    retriable: true,
  },
  BROKER_SUBSCRIPTION_NOT_LATEST: {
    doc: 'The subscription that this node knows is older than the one asked for; the next heartbeat brings it.',
    retriable: true,
  },
  BROKER_SUBSCRIPTION_UNREADABLE: {
    doc: 'The subscription expression cannot be parsed.',
    retriable: false,
  },
  BROKER_FILTER_NOT_EXIST: {
    doc: 'The SQL92 expression of the subscription that this node knows cannot be parsed.',
    retriable: false,
  },
  BROKER_NO_MESSAGE: {
    doc: 'The receipt of a popped message names a place where the queue has no message.',
    retriable: false,
  },
  BROKER_NOT_FOUND: {
    doc: 'Nothing is stored under what was asked for.',
    retriable: false,
  },
  BROKER_CONSUMER_OFFLINE: {
    doc: 'No consumer of the group is connected.',
    retriable: true,
  },
  BROKER_CLIENT_TIMEOUT: {
    doc: 'A consumer that had to be asked did not answer in time.',
    retriable: true,
  },
  BROKER_UNSUPPORTED: {
    doc: 'This version does not do it; the message says what.',
    retriable: false,
  },
  BROKER_ILLEGAL_OPERATION: {
    doc: 'What is asked for may not be done to what it names, or not any more; the message says why.',
    retriable: false,
  },
  BROKER_REMOVED: {
    doc: 'This node was removed from its group, for good. Its folder is of no use to the group any more.',
    retriable: false,
  },
  BROKER_REFUSED: {
    doc: 'The request cannot be done as it is; the message says why.',
    retriable: false,
  },
})

export type BrokerErrorCode = Extract<keyof typeof brokerErrors.specs, string>

/** Short for the many places that refuse a request: `throw refusal('BROKER_NO_PERMISSION', why)`. */
export function refusal(code: BrokerErrorCode, message: string): RaftmqError<BrokerErrorCode> {
  return brokerErrors.create(code, message)
}
