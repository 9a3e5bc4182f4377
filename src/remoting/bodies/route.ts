/** What name servers answer. */
import {
  defineBody,
  flag,
  integer,
  integerMapOf,
  listOf,
  mapOf,
  objectOf,
  type Of,
  optional,
  required,
  text,
  withDefault,
} from '../shape.ts'
import { TopicQueueMappingInfo } from './topic.ts'

const QueueData = objectOf({
  brokerName: required(text),
  perm: withDefault(integer, 6),
  readQueueNums: withDefault(integer, 0),
  topicSysFlag: withDefault(integer, 0),
  writeQueueNums: withDefault(integer, 0),
})
export type QueueData = Of<typeof QueueData>

/** `brokerAddrs` by broker id; 0 is the leader. */
const BrokerData = objectOf({
  brokerAddrs: withDefault(integerMapOf(text), new Map()),
  brokerName: required(text),
  cluster: withDefault(text, ''),
  enableActingMaster: withDefault(flag, false),
  zoneName: optional(text),
})
export type BrokerData = Of<typeof BrokerData>

/** Answers 105; the body of 217. */
export const TopicRouteData = defineBody({
  brokerDatas: withDefault(listOf(BrokerData), []),
  filterServerTable: withDefault(mapOf(listOf(text)), new Map()),
  orderTopicConf: optional(text),
  queueDatas: withDefault(listOf(QueueData), []),
  topicQueueMappingByBroker: optional(mapOf(TopicQueueMappingInfo)),
})
export type TopicRouteData = Of<typeof TopicRouteData>

/** Answers 106. */
export const ClusterInfo = defineBody({
  brokerAddrTable: withDefault(mapOf(BrokerData), new Map()),
  clusterAddrTable: withDefault(mapOf(listOf(text)), new Map()),
})
export type ClusterInfo = Of<typeof ClusterInfo>

/** Answers 206, 224, 304, 305, 311 to 313 and 343. */
export const TopicList = defineBody({ brokerAddr: optional(text), topicList: withDefault(listOf(text), []) })
export type TopicList = Of<typeof TopicList>

const BrokerMemberGroup = objectOf({
  brokerAddrs: withDefault(integerMapOf(text), new Map()),
  brokerName: required(text),
  cluster: withDefault(text, ''),
})
export type BrokerMemberGroup = Of<typeof BrokerMemberGroup>

/** Answers 901. */
export const GetBrokerMemberGroupResponseBody = defineBody({ brokerMemberGroup: optional(BrokerMemberGroup) })
export type GetBrokerMemberGroupResponseBody = Of<typeof GetBrokerMemberGroupResponseBody>
