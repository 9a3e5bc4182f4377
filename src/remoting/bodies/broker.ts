/** What a broker tells of itself. */
import {
  decimal,
  defineBody,
  flag,
  integer,
  listOf,
  mapOf,
  objectOf,
  type Of,
  optional,
  text,
  withDefault,
} from '../shape.ts'
import { SubscriptionData } from './client.ts'

/** Answers 28, 103 and 219: any table of texts. */
export const KvTable = defineBody({ table: withDefault(mapOf(text), new Map()) })
export type KvTable = Of<typeof KvTable>

const BrokerStatsItem = objectOf({
  avgpt: withDefault(decimal, 0),
  sum: withDefault(integer, 0),
  tps: withDefault(decimal, 0),
})
const noStats = { avgpt: 0, sum: 0, tps: 0 }

/** Answers 315. */
export const BrokerStatsData = defineBody({
  statsDay: withDefault(BrokerStatsItem, noStats),
  statsHour: withDefault(BrokerStatsItem, noStats),
  statsMinute: withDefault(BrokerStatsItem, noStats),
})
export type BrokerStatsData = Of<typeof BrokerStatsData>

const ConsumeQueueData = objectOf({
  bitMap: optional(text),
  eval: withDefault(flag, false),
  extendDataJson: optional(text),
  msg: optional(text),
  physicOffset: withDefault(integer, 0),
  physicSize: withDefault(integer, 0),
  tagsCode: withDefault(integer, 0),
})

/** Answers 321. */
export const QueryConsumeQueueResponseBody = defineBody({
  filterData: optional(text),
  maxQueueIndex: withDefault(integer, 0),
  minQueueIndex: withDefault(integer, 0),
  queueData: withDefault(listOf(ConsumeQueueData), []),
  subscriptionData: optional(SubscriptionData),
})
export type QueryConsumeQueueResponseBody = Of<typeof QueryConsumeQueueResponseBody>

const HaConnectionRuntimeInfo = objectOf({
  addr: optional(text),
  diff: withDefault(integer, 0),
  inSync: withDefault(flag, false),
  slaveAckOffset: withDefault(integer, 0),
  transferFromWhere: withDefault(integer, 0),
  transferredByteInSecond: withDefault(integer, 0),
})

const HaClientRuntimeInfo = objectOf({
  activated: withDefault(flag, false),
  lastReadTimestamp: withDefault(integer, 0),
  lastWriteTimestamp: withDefault(integer, 0),
  masterAddr: optional(text),
  masterFlushOffset: withDefault(integer, 0),
  maxOffset: withDefault(integer, 0),
  transferredByteInSecond: withDefault(integer, 0),
})

/** Answers 907. */
export const HaRuntimeInfo = defineBody({
  haClientRuntimeInfo: optional(HaClientRuntimeInfo),
  haConnectionInfo: withDefault(listOf(HaConnectionRuntimeInfo), []),
  inSyncSlaveNums: withDefault(integer, 0),
  master: withDefault(flag, false),
  masterCommitLogMaxOffset: withDefault(integer, 0),
})
export type HaRuntimeInfo = Of<typeof HaRuntimeInfo>
