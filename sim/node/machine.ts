/** A simulated machine: a host with a disk that outlives processes, and at most one node that runs on it. */
import type { RunningBroker } from '../../src/broker/running-broker.ts'
import type { ProcessClock } from '../world/process-clock.ts'
import type { Disk } from './disk.ts'
import type { WriteLog } from './write-log.ts'

export interface NodeProcess {
  readonly pid: number
  readonly host: string
  readonly clock: ProcessClock
  broker: RunningBroker | undefined
}

/** Where a node is: its id, and the host of its machine. */
export interface Place {
  readonly id: string
  readonly host: string
}

export interface Machine extends Place {
  /** The group as its file says it. */
  readonly group: readonly Place[]
  disk: Disk
  /** Of all disks that were in it. */
  readonly writes: WriteLog
  process: NodeProcess | undefined
  /** It was removed from its group, or never became a member, for good. */
  isGone: boolean
  /** How often the machine came up again after a loss of power. */
  boots: number
  /** How many syncs and writes more until it dies in the middle of one; none: it does not. */
  ambushIn: number | undefined
}

export const BROKER = 'broker-a'
export const CLIENT_PORT = 10_911
export const PEER_PORT = 10_912
export const NAMESRV = { host: '10.0.1.1', port: 9876 }
export const CLIENT_HOST = '10.0.2.1'

export const addressOf = (machine: Pick<Machine, 'host'>): string => `${machine.host}:${CLIENT_PORT}`
