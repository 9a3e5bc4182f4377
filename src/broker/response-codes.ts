/**
 * Our errors as RocketMQ response codes and remarks: one table. Clients of RocketMQ decide by the code whether to try
 * elsewhere, so a code is a promise: 2 and 14 say "certainly not stored", 1 with `UNKNOWN` says "may be stored".
 */
import { errorCode, errorMessage } from '../lib/errors.ts'
import { ResponseCode } from '../remoting/codes.ts'
import type { ErrorReplies, ErrorReply, Reply } from '../remoting/route.ts'
import type { BrokerErrorCode } from './errors.ts'

const brokerReplies: Readonly<Record<BrokerErrorCode, ErrorReply>> = {
  BROKER_NOT_LEADER: {
    code: ResponseCode.SERVICE_NOT_AVAILABLE,
    remark: (message) => `service not available now, not stored: ${message}`,
  },
  BROKER_BUSY: {
    code: ResponseCode.SYSTEM_BUSY,
    remark: (message) => `[PC_SYNCHRONIZED]broker busy, start flow control for a while, not stored: ${message}`,
  },
  BROKER_UNDECIDED: {
    code: ResponseCode.SYSTEM_ERROR,
    remark: (message) => `UNKNOWN, may or may not be stored: ${message}`,
  },
  BROKER_MESSAGE_ILLEGAL: { code: ResponseCode.MESSAGE_ILLEGAL },
  BROKER_INVALID_PARAMETER: { code: ResponseCode.INVALID_PARAMETER },
  BROKER_NO_PERMISSION: { code: ResponseCode.NO_PERMISSION },
  BROKER_TOPIC_NOT_EXIST: { code: ResponseCode.TOPIC_NOT_EXIST },
  BROKER_GROUP_NOT_EXIST: { code: ResponseCode.SUBSCRIPTION_GROUP_NOT_EXIST },
  BROKER_SUBSCRIPTION_NOT_EXIST: { code: ResponseCode.SUBSCRIPTION_NOT_EXIST },
  BROKER_SUBSCRIPTION_NOT_LATEST: { code: ResponseCode.SUBSCRIPTION_NOT_LATEST },
  BROKER_SUBSCRIPTION_UNREADABLE: { code: ResponseCode.SUBSCRIPTION_PARSE_FAILED },
  BROKER_FILTER_NOT_EXIST: { code: ResponseCode.FILTER_DATA_NOT_EXIST },
  BROKER_NO_MESSAGE: { code: ResponseCode.NO_MESSAGE },
  BROKER_NOT_FOUND: { code: ResponseCode.QUERY_NOT_FOUND },
  BROKER_CONSUMER_OFFLINE: { code: ResponseCode.CONSUMER_NOT_ONLINE },
  BROKER_CLIENT_TIMEOUT: { code: ResponseCode.CONSUME_MSG_TIMEOUT },
  BROKER_UNSUPPORTED: { code: ResponseCode.SYSTEM_ERROR },
  BROKER_ILLEGAL_OPERATION: { code: ResponseCode.ILLEGAL_OPERATION },
  BROKER_REMOVED: { code: ResponseCode.SERVICE_NOT_AVAILABLE },
  BROKER_REFUSED: { code: ResponseCode.SYSTEM_ERROR },
}

/** Error code → reply: for the router, and for handlers that answer by `call.respond`. */
export const errorReplies: ErrorReplies = {
  ...brokerReplies,
  // Errors of the other rooms that a request can meet.
  FILTER_SYNTAX: { code: ResponseCode.SUBSCRIPTION_PARSE_FAILED },
  MESSAGE_BAD_TOPIC: { code: ResponseCode.INVALID_PARAMETER },
  MESSAGE_BAD_GROUP: { code: ResponseCode.INVALID_PARAMETER },
  MESSAGE_BAD_PROPERTIES: { code: ResponseCode.MESSAGE_ILLEGAL },
  MESSAGE_BAD_BATCH: { code: ResponseCode.MESSAGE_ILLEGAL },
}

/** The reply that stands for `error`: total, foreign errors are RocketMQ's SYSTEM_ERROR with their message. */
export function errorReply(error: unknown): Reply {
  const code = errorCode(error) ?? ''
  const message = errorMessage(error)
  const row = Object.hasOwn(errorReplies, code) ? errorReplies[code] : undefined
  if (row === undefined) return { code: ResponseCode.SYSTEM_ERROR, remark: message }
  return { code: row.code, remark: row.remark?.(message) ?? message }
}
