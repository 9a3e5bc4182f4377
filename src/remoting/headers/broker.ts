/** A broker as a whole: 26, 315, 317, 354, 355, 902, 903, 905, 906, 908. */
import { boolean, defineHeader, type HeaderOf, long, string } from '../header.ts'

/** 26. `version` is a DataVersion in JSON. */
export const GetBrokerConfigResponseHeader = defineHeader({
  version: string.required(),
})
export type GetBrokerConfigResponseHeader = HeaderOf<typeof GetBrokerConfigResponseHeader.fields>

/** 315. */
export const ViewBrokerStatsDataRequestHeader = defineHeader({
  statsName: string.required(),
  statsKey: string.required(),
})
export type ViewBrokerStatsDataRequestHeader = HeaderOf<typeof ViewBrokerStatsDataRequestHeader.fields>

/** 317. */
export const GetConsumeStatsInBrokerRequestHeader = defineHeader({
  isOrder: boolean.optional(),
})
export type GetConsumeStatsInBrokerRequestHeader = HeaderOf<typeof GetConsumeStatsInBrokerRequestHeader.fields>

/** 354. */
export const CheckRocksdbCqWriteProgressRequestHeader = defineHeader({
  topic: string.required(),
  checkStoreTime: long.optional(),
})
export type CheckRocksdbCqWriteProgressRequestHeader = HeaderOf<typeof CheckRocksdbCqWriteProgressRequestHeader.fields>

/** 355. */
export const ExportRocksDbConfigToJsonRequestHeader = defineHeader({
  configType: string.required(),
})
export type ExportRocksDbConfigToJsonRequestHeader = HeaderOf<typeof ExportRocksDbConfigToJsonRequestHeader.fields>

/** 902. */
export const AddBrokerRequestHeader = defineHeader({
  configPath: string.optional(),
})
export type AddBrokerRequestHeader = HeaderOf<typeof AddBrokerRequestHeader.fields>

/** 903. */
export const RemoveBrokerRequestHeader = defineHeader({
  brokerName: string.required(),
  brokerClusterName: string.required(),
  brokerId: long.required(),
})
export type RemoveBrokerRequestHeader = HeaderOf<typeof RemoveBrokerRequestHeader.fields>

/** 905, name server to broker. */
export const NotifyMinBrokerIdChangeRequestHeader = defineHeader({
  minBrokerId: long.optional(),
  brokerName: string.optional(),
  minBrokerAddr: string.optional(),
  offlineBrokerAddr: string.optional(),
  haBrokerAddr: string.optional(),
})
export type NotifyMinBrokerIdChangeRequestHeader = HeaderOf<typeof NotifyMinBrokerIdChangeRequestHeader.fields>

/** 906, both directions. */
export const ExchangeHaInfoHeader = defineHeader({
  masterHaAddress: string.optional(),
  masterFlushOffset: long.optional(),
  masterAddress: string.optional(),
})
export type ExchangeHaInfoHeader = HeaderOf<typeof ExchangeHaInfoHeader.fields>

/** 908. */
export const ResetMasterFlushOffsetRequestHeader = defineHeader({
  masterFlushOffset: long.required(),
})
export type ResetMasterFlushOffsetRequestHeader = HeaderOf<typeof ResetMasterFlushOffsetRequestHeader.fields>
