/** What a node calls itself towards clients and administrators. */
import type { Host } from '../message/record.ts'

export interface BrokerIdentity {
  readonly clusterName: string
  readonly brokerName: string
  /** Advertised `host:port`. */
  readonly address: string
  /** Advertised IP (RocketMQ brokerIP1). */
  readonly ip: string
  /** The advertised address as records and message ids carry it. */
  readonly storeHost: Host
  /** RocketMQ regionId, `DefaultRegion` unless configured. */
  readonly regionId: string
  readonly traceOn: boolean
}
