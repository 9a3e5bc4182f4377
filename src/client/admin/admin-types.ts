/** What administration is asked, and what it answers. */
import { knownKeys } from '../../lib/known-keys.ts'
import type { MessageQueue } from '../core/message-queue.ts'

export interface CreateTopicOptions {
  readonly topic: string
  /** Per broker group. Default 4. */
  readonly queues?: number
  /** Where the two differ: a topic shrinks by fewer to write, and fewer to read once the others are empty. */
  readonly readQueues?: number | undefined
  readonly writeQueues?: number | undefined
  /** Only in this group. Default: in all of `cluster`, or of all clusters. */
  readonly broker?: string
  readonly cluster?: string
  /** `rw` (default), `r` or `w`. */
  readonly permission?: 'r' | 'w' | 'rw'
  /** Whether its consumers are ordered ones. Default false. */
  readonly ordered?: boolean
  /** What it takes alone, NORMAL, FIFO, DELAY or TRANSACTION. Default: stays as it is; of a new topic, everything. */
  readonly messageType?: string | undefined
}

export const createTopicKeys = knownKeys<CreateTopicOptions>({
  topic: true,
  queues: true,
  readQueues: true,
  writeQueues: true,
  broker: true,
  cluster: true,
  permission: true,
  ordered: true,
  messageType: true,
})

export interface LeaderTransfer {
  readonly broker: string
  /** The id of the node that is to lead. */
  readonly to: string
}

export const transferKeys = knownKeys<LeaderTransfer>({ broker: true, to: true })

export interface QueueStats {
  readonly queue: MessageQueue
  readonly minOffset: number
  readonly maxOffset: number
  /** When the last message was stored; 0: never. */
  readonly lastUpdateMs: number
}

export interface GroupQueueStats {
  readonly queue: MessageQueue
  readonly brokerOffset: number
  readonly consumerOffset: number
  readonly lag: number
}

export interface GroupConfig {
  readonly group: string
  readonly retryMaxTimes: number
  readonly consumeEnable: boolean
}

export interface BrokerNode {
  readonly brokerName: string
  readonly cluster: string
  /** 0: the leader. */
  readonly brokerId: number
  readonly address: string
  /** Runtime information (code 28), or why there is none. */
  readonly runtime: ReadonlyMap<string, string> | undefined
  readonly error: string | undefined
}
