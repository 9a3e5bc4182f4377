/** Topics as brokers keep them and tell of them. */
import {
  anything,
  defineBody,
  flag,
  integer,
  integerMapOf,
  listOf,
  mapOf,
  type Of,
  optional,
  required,
  text,
  withDefault,
} from '../shape.ts'
import { DataVersion, noDataVersion } from './data-version.ts'

/** RocketMQ TopicConfig. `topicFilterType` is SINGLE_TAG or MULTI_TAG. */
export const TopicConfig = defineBody({
  attributes: withDefault(mapOf(text), new Map()),
  order: withDefault(flag, false),
  perm: withDefault(integer, 6),
  readQueueNums: withDefault(integer, 16),
  topicFilterType: withDefault(text, 'SINGLE_TAG'),
  topicName: required(text),
  topicSysFlag: withDefault(integer, 0),
  writeQueueNums: withDefault(integer, 16),
})
export type TopicConfig = Of<typeof TopicConfig>

/** Static topics (RocketMQ TopicQueueMappingInfo); handed through to clients. */
export const TopicQueueMappingInfo = defineBody({
  bname: optional(text),
  currIdMap: withDefault(integerMapOf(integer), new Map()),
  dirty: withDefault(flag, false),
  epoch: withDefault(integer, 0),
  scope: optional(text),
  topic: optional(text),
  totalQueues: withDefault(integer, 0),
})
export type TopicQueueMappingInfo = Of<typeof TopicQueueMappingInfo>

/** Answers 21, and is part of 103 (RocketMQ TopicConfigAndMappingSerializeWrapper). */
export const TopicConfigWrapper = defineBody({
  dataVersion: withDefault(DataVersion, noDataVersion),
  mappingDataVersion: optional(DataVersion),
  topicConfigTable: withDefault(mapOf(TopicConfig), new Map()),
  topicQueueMappingDetailMap: withDefault(mapOf(anything), new Map()),
  topicQueueMappingInfoMap: withDefault(mapOf(TopicQueueMappingInfo), new Map()),
})
export type TopicConfigWrapper = Of<typeof TopicConfigWrapper>

/** 18. */
export const CreateTopicListRequestBody = defineBody({ topicConfigList: withDefault(listOf(TopicConfig), []) })
export type CreateTopicListRequestBody = Of<typeof CreateTopicListRequestBody>

/** Answers 351. */
export const TopicConfigAndQueueMapping = defineBody({ ...TopicConfig.members, mappingDetail: optional(anything) })
export type TopicConfigAndQueueMapping = Of<typeof TopicConfigAndQueueMapping>
