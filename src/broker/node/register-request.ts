/** What a name server is told of a node (103, RocketMQ BrokerOuterAPI.registerBroker). */
import { crc32 } from 'node:zlib'
import { RequestCode } from '../../remoting/codes.ts'
import type { Request } from '../../remoting/connection.ts'
import type { BrokerOptions } from '../options/options.ts'
import { formatAddress } from '../options/options-values.ts'
import type { TopicConfig } from '../tables/topics.ts'

export interface RegisteredSelf {
  readonly clusterName: string
  readonly brokerName: string
  /** Advertised to clients, `host:port`. */
  readonly address: string
  /** Advertised to peers, `host:port`. */
  readonly haAddress: string
  /** The brokerId of this node while it does not lead, from 1. */
  readonly followerId: number
  readonly isSlave: boolean
}

export interface Registered {
  readonly brokerId: number
  /** Its topics are to be taken while nobody leads the group: RouteInfoManager's prime slave. */
  readonly standsIn: boolean
  readonly topics: Readonly<Record<string, TopicConfig>>
  /** RocketMQ DataVersion. */
  readonly version: { readonly stateVersion: number; readonly timestamp: number; readonly counter: number }
}

export function selfOf(options: BrokerOptions): RegisteredSelf {
  const { role, brokerIP1, brokerIP2, haListenPort, peerListen } = options
  return {
    clusterName: options.brokerClusterName,
    brokerName: options.brokerName,
    address: formatAddress(options.advertised),
    haAddress: formatAddress(
      role === undefined ? { host: brokerIP1, port: peerListen.port } : { host: brokerIP2, port: haListenPort },
    ),
    followerId: followerId(options),
    isSlave: role === 'slave',
  }
}

export function registerRequest(self: RegisteredSelf, { brokerId, standsIn, topics, version }: Registered): Request {
  const body = Buffer.from(
    JSON.stringify({
      filterServerList: [],
      topicConfigSerializeWrapper: {
        topicConfigTable: topics,
        dataVersion: version,
        topicQueueMappingInfoMap: {},
        topicQueueMappingDetailMap: {},
        mappingDataVersion: version,
      },
    }),
  )
  const header = {
    brokerName: self.brokerName,
    brokerAddr: self.address,
    clusterName: self.clusterName,
    haServerAddr: self.haAddress,
    brokerId,
    // What counts is that it is named; true would take from producers what they may write to.
    ...(standsIn ? { enableActingMaster: false } : {}),
    compressed: false,
    // RocketMQ UtilAll.crc32 clears the sign.
    bodyCrc32: crc32(body) & 0x7fffffff,
  }
  return { code: RequestCode.REGISTER_BROKER, header, body }
}

/** Of a slave its brokerId; RocketMQ's DLedgerRoleChangeHandler gives a follower the number in its id, plus one. */
function followerId({ role, brokerId, nodeId }: BrokerOptions): number {
  return role === 'slave' ? brokerId : Number.parseInt(nodeId.replaceAll(/\D/g, ''), 10) + 1
}
