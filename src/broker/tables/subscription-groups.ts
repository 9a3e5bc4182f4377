/** The subscription groups of the group: a replicated table (RocketMQ SubscriptionGroupManager). */
import { groupFault, RETRY_TOPIC_PREFIX, SYSTEM_GROUPS } from '../../message/topic-name.ts'
import type { SubscriptionGroupConfig } from '../../remoting/bodies/group.ts'
import { refusal } from '../errors.ts'
import type { Attributes } from './attributes.ts'
import { ConfigTable } from './config-table.ts'

/** A row, in RocketMQ's own field names (SubscriptionGroupConfig). */
export interface SubscriptionGroup {
  readonly groupName: string
  readonly consumeEnable: boolean
  readonly consumeFromMinEnable: boolean
  readonly consumeBroadcastEnable: boolean
  readonly consumeMessageOrderly: boolean
  readonly retryQueueNums: number
  readonly retryMaxTimes: number
  /** Kept and given back as it came (RocketMQ GroupRetryPolicy). */
  readonly groupRetryPolicy: SubscriptionGroupConfig['groupRetryPolicy']
  readonly brokerId: number
  readonly whichBrokerWhenConsumeSlowly: number
  readonly notifyConsumerIdsChangedEnable: boolean
  readonly groupSysFlag: number
  readonly consumeTimeoutMinute: number
  /** Kept and given back as it came (RocketMQ SimpleSubscriptionData). */
  readonly subscriptionDataSet: NonNullable<SubscriptionGroupConfig['subscriptionDataSet']> | null
  readonly attributes: Attributes
}

export type SubscriptionGroups = ConfigTable<SubscriptionGroup>

/**
 * The table. `deleted` removes what other tables hold of a group, its offsets when `withOffsets`, within the entry that
 * deletes it: deterministic.
 */
export function createSubscriptionGroups(need: {
  readonly deleted: (group: string, withOffsets: boolean) => void
}): SubscriptionGroups {
  return new ConfigTable<SubscriptionGroup>({
    name: 'subscriptionGroups',
    nameOf: (row) => row.groupName,
    deleted: (group, withOffsets) => need.deleted(group, withOffsets === true),
  })
}

/** A group as RocketMQ makes one when nothing else is said. */
export function subscriptionGroup(
  groupName: string,
  given: Partial<Omit<SubscriptionGroup, 'groupName'>> = {},
): SubscriptionGroup {
  return {
    groupName,
    consumeEnable: true,
    consumeFromMinEnable: true,
    consumeBroadcastEnable: true,
    consumeMessageOrderly: false,
    retryQueueNums: 1,
    retryMaxTimes: 16,
    groupRetryPolicy: { customizedRetryPolicy: undefined, exponentialRetryPolicy: undefined, type: 'CUSTOMIZED' },
    brokerId: 0,
    whichBrokerWhenConsumeSlowly: 1,
    notifyConsumerIdsChangedEnable: true,
    groupSysFlag: 0,
    consumeTimeoutMinute: 15,
    subscriptionDataSet: null,
    attributes: {},
    ...given,
  }
}

/** The groups that every broker group begins with (RocketMQ SubscriptionGroupManager.init). */
export function systemGroups(): SubscriptionGroup[] {
  return SYSTEM_GROUPS.map((group) => subscriptionGroup(group))
}

/** In RocketMQ's words. */
export function groupNotThere(name: string): Error {
  return refusal('BROKER_GROUP_NOT_EXIST', `subscription group not exist, ${name} `)
}

/** Throws for a retry topic that no group can have: it would be made before its group is refused. */
export function checkGroupOfRetries(retryTopic: string): void {
  const name = retryTopic.slice(RETRY_TOPIC_PREFIX.length)
  if (groupFault(name) !== undefined) throw groupNotThere(name)
}
