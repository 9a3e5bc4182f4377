/** The controller of auto-switch HA: 1001 to 1013. */
import { boolean, defineHeader, type HeaderOf, int, long, string } from '../header.ts'

/** 1001. */
export const AlterSyncStateSetRequestHeader = defineHeader({
  brokerName: string.optional(),
  masterBrokerId: long.optional(),
  masterEpoch: int.optional(),
  invokeTime: long.optional(),
})
export type AlterSyncStateSetRequestHeader = HeaderOf<typeof AlterSyncStateSetRequestHeader.fields>

export const AlterSyncStateSetResponseHeader = defineHeader({
  newSyncStateSetEpoch: int.optional(),
})
export type AlterSyncStateSetResponseHeader = HeaderOf<typeof AlterSyncStateSetResponseHeader.fields>

/** 1002. */
export const ElectMasterRequestHeader = defineHeader({
  clusterName: string.required(),
  brokerName: string.required(),
  brokerId: long.required(),
  designateElect: boolean.required(),
  invokeTime: long.optional(),
})
export type ElectMasterRequestHeader = HeaderOf<typeof ElectMasterRequestHeader.fields>

export const ElectMasterResponseHeader = defineHeader({
  masterBrokerId: long.optional(),
  masterAddress: string.optional(),
  masterEpoch: int.optional(),
  syncStateSetEpoch: int.optional(),
})
export type ElectMasterResponseHeader = HeaderOf<typeof ElectMasterResponseHeader.fields>

/** 1003. */
export const RegisterBrokerToControllerRequestHeader = defineHeader({
  clusterName: string.optional(),
  brokerName: string.optional(),
  brokerId: long.optional(),
  brokerAddress: string.optional(),
  invokeTime: long.optional(),
})
export type RegisterBrokerToControllerRequestHeader = HeaderOf<typeof RegisterBrokerToControllerRequestHeader.fields>

export const RegisterBrokerToControllerResponseHeader = defineHeader({
  clusterName: string.optional(),
  brokerName: string.optional(),
  masterBrokerId: long.optional(),
  masterAddress: string.optional(),
  masterEpoch: int.optional(),
  syncStateSetEpoch: int.optional(),
})
export type RegisterBrokerToControllerResponseHeader = HeaderOf<typeof RegisterBrokerToControllerResponseHeader.fields>

/** 1004. */
export const GetReplicaInfoRequestHeader = defineHeader({
  brokerName: string.optional(),
})
export type GetReplicaInfoRequestHeader = HeaderOf<typeof GetReplicaInfoRequestHeader.fields>

export const GetReplicaInfoResponseHeader = defineHeader({
  masterBrokerId: long.optional(),
  masterAddress: string.optional(),
  masterEpoch: int.optional(),
})
export type GetReplicaInfoResponseHeader = HeaderOf<typeof GetReplicaInfoResponseHeader.fields>

/** 1005. */
export const GetMetaDataResponseHeader = defineHeader({
  group: string.optional(),
  controllerLeaderId: string.optional(),
  controllerLeaderAddress: string.optional(),
  isLeader: boolean.optional(),
  peers: string.optional(),
})
export type GetMetaDataResponseHeader = HeaderOf<typeof GetMetaDataResponseHeader.fields>

/** 1008. */
export const NotifyBrokerRoleChangedRequestHeader = defineHeader({
  masterAddress: string.optional(),
  masterEpoch: int.optional(),
  syncStateSetEpoch: int.optional(),
  masterBrokerId: long.optional(),
})
export type NotifyBrokerRoleChangedRequestHeader = HeaderOf<typeof NotifyBrokerRoleChangedRequestHeader.fields>

/** 1011. */
export const CleanControllerBrokerDataRequestHeader = defineHeader({
  clusterName: string.optional(),
  brokerName: string.required(),
  brokerControllerIdsToClean: string.optional(),
  isCleanLivingBroker: boolean.optional(),
  invokeTime: long.optional(),
})
export type CleanControllerBrokerDataRequestHeader = HeaderOf<typeof CleanControllerBrokerDataRequestHeader.fields>

/** 1012. */
export const GetNextBrokerIdRequestHeader = defineHeader({
  clusterName: string.optional(),
  brokerName: string.optional(),
})
export type GetNextBrokerIdRequestHeader = HeaderOf<typeof GetNextBrokerIdRequestHeader.fields>

export const GetNextBrokerIdResponseHeader = defineHeader({
  clusterName: string.optional(),
  brokerName: string.optional(),
  nextBrokerId: long.optional(),
})
export type GetNextBrokerIdResponseHeader = HeaderOf<typeof GetNextBrokerIdResponseHeader.fields>

/** 1013. */
export const ApplyBrokerIdRequestHeader = defineHeader({
  clusterName: string.optional(),
  brokerName: string.optional(),
  appliedBrokerId: long.optional(),
  registerCheckCode: string.optional(),
})
export type ApplyBrokerIdRequestHeader = HeaderOf<typeof ApplyBrokerIdRequestHeader.fields>

export const ApplyBrokerIdResponseHeader = defineHeader({
  clusterName: string.optional(),
  brokerName: string.optional(),
})
export type ApplyBrokerIdResponseHeader = HeaderOf<typeof ApplyBrokerIdResponseHeader.fields>
