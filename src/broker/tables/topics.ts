/**
 * The topics of the group: a replicated table (RocketMQ TopicConfigManager). Changed by commands alone, so that a topic
 * whose creation was answered is there after every failover.
 */
import { SystemTopic } from '../../message/topic-name.ts'
import type { Attributes } from './attributes.ts'
import { ConfigTable } from './config-table.ts'

/** Bits of `perm` (RocketMQ PermName). */
export const Perm = { priority: 8, read: 4, write: 2, inherit: 1 } as const

/** Most queues a topic may have. RocketMQ has no limit; each queue costs every replica memory and files. */
export const TOPIC_QUEUES_MAX = 16_384

/** A row, in RocketMQ's own field names (TopicConfig). */
export interface TopicConfig {
  readonly topicName: string
  readonly readQueueNums: number
  readonly writeQueueNums: number
  readonly perm: number
  readonly topicFilterType: 'SINGLE_TAG' | 'MULTI_TAG'
  readonly topicSysFlag: number
  readonly order: boolean
  readonly attributes: Attributes
}

export type Topics = ConfigTable<TopicConfig>

/** The table. `deleted` removes what other tables hold of a topic, within the entry that deletes it: deterministic. */
export function createTopics(need: { readonly deleted: (topic: string) => void }): Topics {
  return new ConfigTable<TopicConfig>({ name: 'topics', nameOf: (row) => row.topicName, deleted: need.deleted })
}

/** A topic as RocketMQ makes one when nothing else is said. */
export function topicConfig(topicName: string, given: Partial<Omit<TopicConfig, 'topicName'>> = {}): TopicConfig {
  return {
    topicName,
    readQueueNums: 16,
    writeQueueNums: 16,
    perm: Perm.read | Perm.write,
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: 0,
    order: false,
    attributes: {},
    ...given,
  }
}

export function isReadable(topic: TopicConfig): boolean {
  return (topic.perm & Perm.read) !== 0
}

export function isWritable(topic: TopicConfig): boolean {
  return (topic.perm & Perm.write) !== 0
}

export interface SystemTopicOptions {
  readonly clusterName: string
  readonly brokerName: string
  readonly autoCreateTopicEnable: boolean
  readonly defaultTopicQueueNums: number
  readonly clusterTopicEnable: boolean
  readonly brokerTopicEnable: boolean
  readonly traceTopicEnable: boolean
  readonly msgTraceTopicName: string
  readonly reviveQueueNum: number
}

/** The topics that every group begins with (RocketMQ TopicConfigManager.init): for one `form` command. */
export function systemTopics(options: SystemTopicOptions): TopicConfig[] {
  const { clusterName, brokerName } = options
  const readWrite = Perm.read | Perm.write
  const topics = [
    topicConfig(SystemTopic.selfTest, queues(1)),
    topicConfig(SystemTopic.benchmark, queues(1024)),
    topicConfig(clusterName, { perm: Perm.inherit | (options.clusterTopicEnable ? readWrite : 0) }),
    topicConfig(brokerName, { ...queues(1), perm: Perm.inherit | (options.brokerTopicEnable ? readWrite : 0) }),
    topicConfig(SystemTopic.offsetMoved, queues(1)),
    topicConfig(SystemTopic.schedule, queues(18)),
    topicConfig(`${clusterName}_REPLY_TOPIC`, queues(1)),
    topicConfig(`rmq_sys_REVIVE_LOG_${clusterName}`, queues(options.reviveQueueNum)),
    topicConfig(`rmq_sys_SYNC_BROKER_MEMBER_${brokerName}`, { ...queues(1), perm: Perm.inherit }),
    topicConfig(SystemTopic.transactionHalf, queues(1)),
    topicConfig(SystemTopic.transactionOp, queues(1)),
    topicConfig(SystemTopic.timer, queues(1)),
  ]
  if (options.autoCreateTopicEnable) {
    const perm = Perm.inherit | readWrite
    topics.push(topicConfig(SystemTopic.autoCreate, { ...queues(options.defaultTopicQueueNums), perm }))
  }
  if (options.traceTopicEnable) topics.push(topicConfig(options.msgTraceTopicName, queues(1)))
  return topics
}

function queues(count: number): Pick<TopicConfig, 'readQueueNums' | 'writeQueueNums'> {
  return { readQueueNums: count, writeQueueNums: count }
}
