/** The options that push and pull consumers share: those of a member of a group that holds queues. */
import { clientErrors } from '../core/errors.ts'
import { checkGroupName } from '../core/names.ts'
import { checkOneOf, checkRanges, clientKeys, given, resolveClientOptions } from '../core/options.ts'
import type { ClientOptions, ResolvedClientOptions } from '../core/options.ts'
import { allocateQueuesBy } from './allocate-queues.ts'
import type { AllocateQueues, AllocateStrategy } from './allocate-queues.ts'

export type ConsumeFrom = 'first' | 'last' | Date

export interface GroupOptions extends ClientOptions {
  /** Consumer group. Its members share the queues (cluster) or each read everything (broadcast). */
  readonly group: string
  /** Default `cluster`. */
  readonly model?: 'cluster' | 'broadcast'
  /** Where a group begins that has no offsets yet. Default `last`, as in RocketMQ. */
  readonly from?: ConsumeFrom
  /**
   * How queues are shared out; equal in all members. Default `averagely`. A function: `machineRoom`, `machineRoomNearby`,
   * `theseQueues`, or one of the program's own.
   */
  readonly allocate?: AllocateStrategy | AllocateQueues
  /** Most messages of one pull. Default 256; brokers send fewer as their own limits say. */
  readonly pullBatch?: number
  /** Pulling of a queue pauses at this many messages not yet settled. Default 2,048. */
  readonly maxMessagesPerQueue?: number
  /** Pulling of a queue pauses at this many bytes not yet settled. Default 64 MiB. */
  readonly maxBytesPerQueue?: number
  /**
   * Pulling of a queue pauses at this many messages behind one that is not settled, however many of them are: so many are
   * handled again when the consumer ends without a commit. Default 10,000.
   */
  readonly maxSpanPerQueue?: number
  /** How often offsets are committed. Default 5,000. */
  readonly commitIntervalMs?: number
  /**
   * How often a consumer asks who is in its group and shares the queues out anew. Default 20,000. Not while all leaders say
   * in their answers to heartbeats that the members are the same: RaftMQ's brokers do.
   */
  readonly rebalanceIntervalMs?: number
  /** How long a broker may hold a pull that finds nothing. Default 15,000. */
  readonly suspendTimeoutMs?: number
  /** Broadcast only: the file of this consumer's offsets. Default `.raftmq/<group>.offsets.json` in the working directory. */
  readonly offsetFile?: string
  /** Whether what is handled is told to RocketMQ's message trace, the topic RMQ_SYS_TRACE_TOPIC. Default false. */
  readonly trace?: boolean
  /** Whether bodies are checked against their checksums. Default true. */
  readonly checkCrc?: boolean
}

/** A part of the tables of push and pull consumers. */
export const groupKeys = {
  ...clientKeys,
  group: true,
  model: true,
  from: true,
  allocate: true,
  pullBatch: true,
  maxMessagesPerQueue: true,
  maxBytesPerQueue: true,
  maxSpanPerQueue: true,
  commitIntervalMs: true,
  rebalanceIntervalMs: true,
  suspendTimeoutMs: true,
  offsetFile: true,
  trace: true,
  checkCrc: true,
} as const satisfies Record<keyof GroupOptions, true>

export type ResolvedGroupOptions = ResolvedClientOptions &
  Required<Omit<GroupOptions, keyof ClientOptions>> & {
    /** Whether offsets are stored without being asked to. */
    readonly autoCommit: boolean
  }

const groupDefaults = {
  model: 'cluster',
  from: 'last',
  allocate: 'averagely',
  pullBatch: 256,
  maxMessagesPerQueue: 2_048,
  maxBytesPerQueue: 64 * 1024 * 1024,
  maxSpanPerQueue: 10_000,
  commitIntervalMs: 5_000,
  rebalanceIntervalMs: 20_000,
  suspendTimeoutMs: 15_000,
  trace: false,
  checkCrc: true,
} as const

/** Errors: `CLIENT_OPTION`. */
export function resolveGroupOptions(options: GroupOptions): Omit<ResolvedGroupOptions, 'autoCommit'> {
  checkGroupName(options.group)
  const resolved = {
    ...groupDefaults,
    offsetFile: `.raftmq/${options.group.replaceAll(/[^\w-]/g, '_')}.offsets.json`,
    ...given(options),
    ...resolveClientOptions(options),
  }
  checkRanges(resolved)
  allocateQueuesBy(resolved.allocate)
  checkOneOf('model', resolved.model, ['cluster', 'broadcast'])
  if (resolved.from instanceof Date) {
    if (Number.isNaN(resolved.from.getTime())) throw clientErrors.create('CLIENT_OPTION', 'from: the date is no date')
  } else {
    checkOneOf('from', resolved.from, ['first', 'last'])
  }
  return resolved
}
