/** The properties of a simulated node: those of a local cluster, with short times and small segments. */
import { readBrokerOptions, type BrokerConfiguration } from '../../src/broker/options/options.ts'
import type { Mode } from '../seed-run.ts'
import type { FlushBounds } from './write-log.ts'
import { CLIENT_PORT, NAMESRV, PEER_PORT, type Machine } from './machine.ts'

/** As of all bounds the least there may be, so that runs reach them. */
export const flushBounds: FlushBounds = { maxUnflushedBytes: 65_536, maxUnflushedMs: 200 }

/** Bytes. */
export const memoryBounds = { maxUnreplicatedBytes: 65_536, raftMaxInflightBytes: 32_768 } as const

export interface Modes {
  readonly flush: Mode
  readonly replication: Mode
}

export interface NodeSettings extends Modes {
  /** How long retention keeps a segment after its last write (`fileReservedTime`); 0: as long as nobody asks. */
  readonly reservedHours: number
}

export const RESERVED_HOURS = 72

export function nodeConfiguration(
  self: Pick<Machine, 'id' | 'host' | 'group'>,
  { flush, replication, reservedHours }: NodeSettings,
): BrokerConfiguration {
  const properties: Readonly<Record<string, string | number>> = {
    brokerClusterName: 'sim',
    brokerName: 'broker-a',
    brokerIP1: self.host,
    bindAddress: self.host,
    listenPort: CLIENT_PORT,
    namesrvAddr: `${NAMESRV.host}:${NAMESRV.port}`,
    storePathRootDir: '/store',
    flushDiskType: flush === 'sync' ? 'SYNC_FLUSH' : 'ASYNC_FLUSH',
    raftReplication: replication,
    enableDLegerCommitLog: 'true',
    dLegerGroup: 'broker-a',
    dLegerPeers: self.group.map(({ id, host }) => `${id}-${host}:${PEER_PORT}`).join(';'),
    dLegerSelfId: self.id,
    raftHeartbeatMs: 50,
    raftElectionTimeoutMinMs: 300,
    raftElectionTimeoutMaxMs: 500,
    mappedFileSizeCommitLog: 65_536,
    fileReservedTime: reservedHours,
    tailCacheBytes: 1_048_576,
    ...flushBounds,
    ...memoryBounds,
    maxUnreplicatedMs: 300,
    raftMaxAppendBytes: 8192,
    transactionTimeOut: 1000,
    transactionCheckInterval: 500,
  }
  const entries = Object.entries(properties).map(([key, value]) => ({ key, value: String(value), line: 0 }))
  return readBrokerOptions(
    { source: 'the simulator', entries },
    { hostName: self.id, homeFolder: '/home', localAddress: self.host, namesrvAddr: undefined, memoryBytes: 2 ** 30 },
  )
}
