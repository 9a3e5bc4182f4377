/** Subscription groups. */
import {
  anything,
  defineBody,
  flag,
  integer,
  listOf,
  mapOf,
  objectOf,
  type Of,
  optional,
  required,
  text,
  withDefault,
} from '../shape.ts'
import { DataVersion, noDataVersion } from './data-version.ts'

const GroupRetryPolicy = objectOf({
  customizedRetryPolicy: optional(anything),
  exponentialRetryPolicy: optional(anything),
  type: withDefault(text, 'CUSTOMIZED'),
})

const SimpleSubscriptionData = objectOf({
  expression: optional(text),
  expressionType: withDefault(text, 'TAG'),
  topic: required(text),
  version: withDefault(integer, 0),
})

/** RocketMQ SubscriptionGroupConfig; 200 and the answer to 352. */
export const SubscriptionGroupConfig = defineBody({
  attributes: withDefault(mapOf(text), new Map()),
  brokerId: withDefault(integer, 0),
  consumeBroadcastEnable: withDefault(flag, true),
  consumeEnable: withDefault(flag, true),
  consumeFromMinEnable: withDefault(flag, true),
  consumeMessageOrderly: withDefault(flag, false),
  consumeTimeoutMinute: withDefault(integer, 15),
  groupName: required(text),
  groupRetryPolicy: withDefault(GroupRetryPolicy, {
    customizedRetryPolicy: undefined,
    exponentialRetryPolicy: undefined,
    type: 'CUSTOMIZED',
  }),
  groupSysFlag: withDefault(integer, 0),
  notifyConsumerIdsChangedEnable: withDefault(flag, true),
  retryMaxTimes: withDefault(integer, 16),
  retryQueueNums: withDefault(integer, 1),
  subscriptionDataSet: optional(listOf(SimpleSubscriptionData)),
  whichBrokerWhenConsumeSlowly: withDefault(integer, 1),
})
export type SubscriptionGroupConfig = Of<typeof SubscriptionGroupConfig>

/** Answers 201. */
export const SubscriptionGroupWrapper = defineBody({
  dataVersion: withDefault(DataVersion, noDataVersion),
  forbiddenTable: withDefault(mapOf(mapOf(integer)), new Map()),
  subscriptionGroupTable: withDefault(mapOf(SubscriptionGroupConfig), new Map()),
})
export type SubscriptionGroupWrapper = Of<typeof SubscriptionGroupWrapper>

/** 225. */
export const SubscriptionGroupList = defineBody({ groupConfigList: withDefault(listOf(SubscriptionGroupConfig), []) })
export type SubscriptionGroupList = Of<typeof SubscriptionGroupList>

/** Answers 300. */
export const GroupList = defineBody({ groupList: withDefault(listOf(text), []) })
export type GroupList = Of<typeof GroupList>

/** Answers 353. */
export const GroupForbidden = defineBody({ group: required(text), readable: optional(flag), topic: required(text) })
export type GroupForbidden = Of<typeof GroupForbidden>
