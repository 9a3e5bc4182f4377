/** The name server: 100 to 105, 205, 216, 217, 219, 224, 322, 327, 901, 904. */
import { boolean, defineHeader, type HeaderOf, int, long, string } from '../header.ts'

/** 100. */
export const PutKvConfigRequestHeader = defineHeader({
  namespace: string.required(),
  key: string.required(),
  value: string.required(),
})
export type PutKvConfigRequestHeader = HeaderOf<typeof PutKvConfigRequestHeader.fields>

/** 101 and 102. */
export const KvConfigRequestHeader = defineHeader({
  namespace: string.required(),
  key: string.required(),
})
export type KvConfigRequestHeader = HeaderOf<typeof KvConfigRequestHeader.fields>

export const GetKvConfigResponseHeader = defineHeader({
  value: string.optional(),
})
export type GetKvConfigResponseHeader = HeaderOf<typeof GetKvConfigResponseHeader.fields>

/** 103. */
export const RegisterBrokerRequestHeader = defineHeader({
  brokerName: string.required(),
  brokerAddr: string.required(),
  clusterName: string.required(),
  haServerAddr: string.optional(),
  brokerId: long.required(),
  heartbeatTimeoutMillis: long.optional(),
  enableActingMaster: boolean.optional(),
  compressed: boolean.optional(),
  bodyCrc32: int.optional(),
})
export type RegisterBrokerRequestHeader = HeaderOf<typeof RegisterBrokerRequestHeader.fields>

export const RegisterBrokerResponseHeader = defineHeader({
  haServerAddr: string.optional(),
  masterAddr: string.optional(),
})
export type RegisterBrokerResponseHeader = HeaderOf<typeof RegisterBrokerResponseHeader.fields>

/** 104. */
export const UnregisterBrokerRequestHeader = defineHeader({
  brokerName: string.required(),
  brokerAddr: string.required(),
  clusterName: string.required(),
  brokerId: long.required(),
})
export type UnregisterBrokerRequestHeader = HeaderOf<typeof UnregisterBrokerRequestHeader.fields>

/** 105. */
export const GetRouteInfoRequestHeader = defineHeader({
  topic: string.required(),
  acceptStandardJsonOnly: boolean.optional(),
})
export type GetRouteInfoRequestHeader = HeaderOf<typeof GetRouteInfoRequestHeader.fields>

/** 205 and 327. */
export const WritePermOfBrokerRequestHeader = defineHeader({
  brokerName: string.required(),
})
export type WritePermOfBrokerRequestHeader = HeaderOf<typeof WritePermOfBrokerRequestHeader.fields>

export const WipeWritePermOfBrokerResponseHeader = defineHeader({
  wipeTopicCount: int.required(),
})
export type WipeWritePermOfBrokerResponseHeader = HeaderOf<typeof WipeWritePermOfBrokerResponseHeader.fields>

export const AddWritePermOfBrokerResponseHeader = defineHeader({
  addTopicCount: int.required(),
})
export type AddWritePermOfBrokerResponseHeader = HeaderOf<typeof AddWritePermOfBrokerResponseHeader.fields>

/** 216. */
export const DeleteTopicFromNamesrvRequestHeader = defineHeader({
  topic: string.required(),
  clusterName: string.optional(),
})
export type DeleteTopicFromNamesrvRequestHeader = HeaderOf<typeof DeleteTopicFromNamesrvRequestHeader.fields>

/** 217. */
export const RegisterTopicRequestHeader = defineHeader({
  topic: string.required(),
})
export type RegisterTopicRequestHeader = HeaderOf<typeof RegisterTopicRequestHeader.fields>

/** 219. */
export const GetKvListByNamespaceRequestHeader = defineHeader({
  namespace: string.required(),
})
export type GetKvListByNamespaceRequestHeader = HeaderOf<typeof GetKvListByNamespaceRequestHeader.fields>

/** 224. */
export const GetTopicsByClusterRequestHeader = defineHeader({
  cluster: string.required(),
})
export type GetTopicsByClusterRequestHeader = HeaderOf<typeof GetTopicsByClusterRequestHeader.fields>

/** 322. */
export const QueryDataVersionRequestHeader = defineHeader({
  brokerName: string.required(),
  brokerAddr: string.required(),
  clusterName: string.required(),
  brokerId: long.required(),
})
export type QueryDataVersionRequestHeader = HeaderOf<typeof QueryDataVersionRequestHeader.fields>

export const QueryDataVersionResponseHeader = defineHeader({
  changed: boolean.required(),
})
export type QueryDataVersionResponseHeader = HeaderOf<typeof QueryDataVersionResponseHeader.fields>

/** 901. */
export const GetBrokerMemberGroupRequestHeader = defineHeader({
  clusterName: string.required(),
  brokerName: string.required(),
})
export type GetBrokerMemberGroupRequestHeader = HeaderOf<typeof GetBrokerMemberGroupRequestHeader.fields>

/** 904. RocketMQ spells `heartbeatTimeoutMills` so. */
export const BrokerHeartbeatRequestHeader = defineHeader({
  clusterName: string.required(),
  brokerAddr: string.required(),
  brokerName: string.required(),
  brokerId: long.optional(),
  epoch: int.optional(),
  maxOffset: long.optional(),
  confirmOffset: long.optional(),
  heartbeatTimeoutMills: long.optional(),
  electionPriority: int.optional(),
})
export type BrokerHeartbeatRequestHeader = HeaderOf<typeof BrokerHeartbeatRequestHeader.fields>
