/** Names of topics and groups (RocketMQ TopicValidator, MixAll): what is legal, what is the system's own, what derives. */
import { messageErrors } from './errors.ts'

export const TOPIC_LENGTH_MAX = 127
/** Longest name of a retry or dead-letter topic. */
export const DERIVED_TOPIC_LENGTH_MAX = 255
/** Shorter than a topic's: a group's name is part of the names of its retry and dead-letter topics. */
export const GROUP_LENGTH_MAX = 120

export const RETRY_TOPIC_PREFIX = '%RETRY%'
export const DLQ_TOPIC_PREFIX = '%DLQ%'
export const SYSTEM_TOPIC_PREFIX = 'rmq_sys_'
export const SYSTEM_GROUP_PREFIX = 'CID_RMQ_SYS_'

export const SystemTopic = {
  autoCreate: 'TBW102',
  schedule: 'SCHEDULE_TOPIC_XXXX',
  benchmark: 'BenchmarkTest',
  transactionHalf: 'RMQ_SYS_TRANS_HALF_TOPIC',
  transactionOp: 'RMQ_SYS_TRANS_OP_HALF_TOPIC',
  transactionCheckMax: 'TRANS_CHECK_MAX_TIME_TOPIC',
  timer: 'rmq_sys_wheel_timer',
  trace: 'RMQ_SYS_TRACE_TOPIC',
  selfTest: 'SELF_TEST_TOPIC',
  offsetMoved: 'OFFSET_MOVED_EVENT',
  checkpoint: 'CHECKPOINT_TOPIC',
} as const

/** Groups every broker knows by itself (RocketMQ SubscriptionGroupManager.init). */
export const SYSTEM_GROUPS: readonly string[] = [
  'TOOLS_CONSUMER',
  'FILTERSRV_CONSUMER',
  'SELF_TEST_C_GROUP',
  'CID_ONS-HTTP-PROXY',
  'CID_ONSAPI_PULL',
  'CID_ONSAPI_PERMISSION',
  'CID_ONSAPI_OWNER',
  'CID_RMQ_SYS_TRANS',
]

const systemTopics: ReadonlySet<string> = new Set(Object.values(SystemTopic))
const topicsClosedForSend: ReadonlySet<string> = new Set([
  SystemTopic.schedule,
  SystemTopic.transactionHalf,
  SystemTopic.transactionOp,
  SystemTopic.transactionCheckMax,
  SystemTopic.timer,
  SystemTopic.selfTest,
  SystemTopic.offsetMoved,
])
const LEGAL = /^[%|a-zA-Z0-9_-]*$/

/** Why `topic` is no legal name, in RocketMQ's words; undefined when it is. */
export function topicFault(topic: string): string | undefined {
  if (topic.trim() === '') return 'The specified topic is blank.'
  if (!LEGAL.test(topic)) {
    return `The specified topic: ${topic}, contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$`
  }
  if (isRetryTopic(topic) || isDlqTopic(topic)) {
    if (topic.length <= DERIVED_TOPIC_LENGTH_MAX) return undefined
    return `The specified topic is DLQ or Retry topic: ${topic}, and it's longer than topic max length: ${DERIVED_TOPIC_LENGTH_MAX}`
  }
  if (topic.length <= TOPIC_LENGTH_MAX) return undefined
  return `The specified topic: ${topic}, is longer than topic max length: ${TOPIC_LENGTH_MAX}`
}

/** Why `group` is no legal name, in RocketMQ's words; undefined when it is. */
export function groupFault(group: string): string | undefined {
  if (group.trim() === '') return 'The specified group is blank.'
  if (!LEGAL.test(group)) {
    return `The specified group: ${group}, contains illegal characters, allowing only ^[%|a-zA-Z0-9_-]+$`
  }
  if (group.length <= GROUP_LENGTH_MAX) return undefined
  return `The specified group: ${group}, is longer than group max length: ${GROUP_LENGTH_MAX}`
}

/** Throws `MESSAGE_BAD_TOPIC`. */
export function checkTopic(topic: string): void {
  const fault = topicFault(topic)
  if (fault !== undefined) throw messageErrors.create('MESSAGE_BAD_TOPIC', fault)
}

/** Throws `MESSAGE_BAD_GROUP`. */
export function checkGroup(group: string): void {
  const fault = groupFault(group)
  if (fault !== undefined) throw messageErrors.create('MESSAGE_BAD_GROUP', fault)
}

/** A topic that belongs to the system and cannot be made, changed or deleted by an administrator. */
export function isSystemTopic(topic: string): boolean {
  return systemTopics.has(topic) || topic.startsWith(SYSTEM_TOPIC_PREFIX)
}

/** A topic that only the broker itself writes to. */
export function isClosedForSend(topic: string): boolean {
  return topicsClosedForSend.has(topic)
}

export function isSystemGroup(group: string): boolean {
  return group.startsWith(SYSTEM_GROUP_PREFIX) || SYSTEM_GROUPS.includes(group)
}

export function retryTopic(group: string): string {
  return RETRY_TOPIC_PREFIX + group
}

export function dlqTopic(group: string): string {
  return DLQ_TOPIC_PREFIX + group
}

export function isRetryTopic(topic: string): boolean {
  return topic.startsWith(RETRY_TOPIC_PREFIX)
}

export function isDlqTopic(topic: string): boolean {
  return topic.startsWith(DLQ_TOPIC_PREFIX)
}
